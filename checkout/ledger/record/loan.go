package record

import "stump/checkout"

// After returns the loan of a device after an event. A replay of the events needs no
// other rule.
func (s Loan) After(ev *Event, here Ref) Loan {
	now := Loan{Since: here, At: ev.Moved(), Station: ev.Station, Mark: ev.Mark}
	if now.Mark != "" {
		now.Marked = s.Marked // it stays
	}
	switch ev.Kind {
	case checkout.Checkout, checkout.Handover:
		now.Holder, now.Length, now.Kit = ev.Person, ev.Loan, ev.Kit
		return now
	case checkout.Return, checkout.Found:
		return now
	case checkout.Lost:
		now.Lost, now.Kit = true, ev.Kit
		return now
	case checkout.Remind:
		s.Told, s.Stage = Ref{here.Chain, here.Seq - uint64(ev.Part)}, ev.Stage
	case checkout.Correct, checkout.Extend:
		if ev.Loan != 0 && s.Holder != "" {
			s.Length, s.Changed, s.Stage = ev.Loan, here, ""
		}
		switch ev.Mark {
		case "":
		case checkout.MarkRight:
			s.Mark, s.Marked = "", Ref{}
		default:
			s.Mark, s.Marked = ev.Mark, here
		}
	}
	return s
}

// Newer returns the later of two loans of the same device.
func (s Loan) Newer(o Loan) Loan {
	if o.Since.Compare(s.Since) > 0 {
		return o
	}
	return s
}
