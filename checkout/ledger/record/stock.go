package record

// Stock is the newest stock-taking: the events with which it begins and ends, and how many
// devices were shown.
type Stock struct {
	Begin, End Ref
	Seen       uint64
	Newest     Ref // event of it
}

// Open reports whether it is under way.
func (s Stock) Open() bool { return s.Begin.Seq != 0 && s.End.Seq == 0 }

// StockForm is the form of a Stock.
func StockForm(s *Stock) []Field {
	return []Field{{1, &s.Begin}, {2, &s.End}, {3, &s.Seen}, {4, &s.Newest}}
}
