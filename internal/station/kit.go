package station

import (
	"cmp"
	"slices"
	"strings"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/panel"
)

// asks is what the display says while the parts of a kit are asked for.
func asks(parts []checkout.Subject) panel.Message {
	return panel.Message{Key: "kit-asks", Device: parts[0].KitName, Detail: namesOf(parts)}
}

func namesOf(parts []checkout.Subject) string {
	var names []string
	for _, p := range parts {
		names = append(names, cmp.Or(p.Name, p.ID))
	}
	return strings.Join(names, ", ")
}

// missed saves which parts of kits nobody has bumped, and returns what the display says of
// them, nil for nothing. They are with whom they were before, whether it can be saved or not.
func (a *attendant) missed(parts []checkout.Subject) (said *panel.Message) {
	for len(parts) > 0 {
		var some, others []checkout.Subject // of one kit
		var ids []string
		for _, p := range parts {
			if p.Kit == parts[0].Kit {
				some, ids = append(some, p), append(ids, p.ID)
			} else {
				others = append(others, p)
			}
		}
		ev, err := a.o.Ledger.Incomplete(some[0].Kit, ids, a.r.Name)
		m := panel.Message{Key: "kit-missing", Device: some[0].KitName, Detail: strings.Join(ev.Missing, ", "), Person: some[0].HolderName}
		switch {
		case err != nil:
			a.log.Error("what is missing from a kit is not saved", "kit", some[0].Kit, "err", err)
			m = panel.Message{Key: CannotSave(err)}
		case ev.Missing == nil: // they are there by now
			parts = others
			continue
		default:
			a.log.Info(string(ev.Kind), "seq", ev.Seq, "device", ev.Device, "missing", ids)
		}
		m.Then, said, parts = said, &m, others
	}
	return said
}

// isComplete reports whether all parts of a kit that are in use are in the lab.
func (a *attendant) isComplete(kit string) bool {
	parts, err := a.o.Ledger.Parts(kit)
	return err == nil && !slices.ContainsFunc(parts, func(p books.Part) bool {
		return p.Status == checkout.Active && (p.Holder != "" || p.HolderName != "" || p.Lost)
	})
}
