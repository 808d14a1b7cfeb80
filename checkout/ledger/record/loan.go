package record

import "stump/checkout"

// After returns the loan of a device after an event. A replay of the events needs no
// other rule.
func (s Loan) After(ev *Event, here Ref) Loan {
	switch ev.Kind {
	case checkout.Checkout, checkout.Handover:
		return Loan{Holder: ev.Person, Since: here, At: ev.Moved(), Length: ev.Loan, Station: ev.Station}
	case checkout.Return, checkout.Found:
		return Loan{Since: here, At: ev.Moved(), Station: ev.Station}
	case checkout.Lost:
		return Loan{Since: here, At: ev.Moved(), Lost: true, Station: ev.Station}
	case checkout.Correct:
		if ev.Loan != 0 && s.Holder != "" {
			s.Length = ev.Loan
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
