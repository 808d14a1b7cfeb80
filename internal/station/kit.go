package station

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/keyboard"
	"stump/internal/panel"
)

// asks is what the display says while the parts of a kit are asked for.
func asks(parts []checkout.Subject) panel.Message {
	key := "kit-asks"
	if untagged(parts) != nil {
		key = "kit-asks-name"
	}
	return panel.Message{Key: key, Device: parts[0].KitName, Detail: namesOf(parts)}
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

// partsAsked is the open question for the parts of a kit that have no tag: whoever has brought
// the kit types at the keyboard which of them are there.
type partsAsked struct {
	parts  []checkout.Subject
	cancel context.CancelFunc
	typed  keyboard.View
}

// mayName reports whether parts can be named at a keyboard.
func (a *attendant) mayName() bool { return a.o.Keyboard != nil && len(a.o.Keyboard.Plugged()) > 0 }

// askParts opens the question for the parts that the desk asks for and that have no tag, and
// closes the one that is open if it is about others.
func (a *attendant) askParts() {
	parts := untagged(a.desk.Parts())
	sameParts := func(p, q checkout.Subject) bool { return p.ID == q.ID && p.Kit == q.Kit }
	if q := a.parts; q != nil {
		if slices.EqualFunc(q.parts, parts, sameParts) {
			return
		}
		q.cancel()
		a.parts = nil
	}
	if parts == nil || !a.mayName() {
		return
	}
	ctx, cancel := context.WithCancel(a.ctx)
	q := &partsAsked{parts: parts, cancel: cancel}
	a.parts = q
	var names []string
	for _, p := range parts {
		names = append(names, p.Name)
	}
	go func() {
		defer cancel()
		name, err := a.o.Keyboard.Ask(ctx, keyboard.Question{
			Names: func() []string { return names },
			Show:  func(v keyboard.View) { a.post(func() { a.typingPart(q, v) }) },
		})
		a.post(func() {
			if a.parts == q {
				a.parts = nil
				a.namedPart(q, name, err)
			}
		})
	}()
}

// untagged are the parts that have no tag; nil for none.
func untagged(parts []checkout.Subject) (all []checkout.Subject) {
	for _, p := range parts {
		if !p.Tag.IsZero() { // see checkout.NoTag
			all = append(all, p)
		}
	}
	return all
}

// message is the question while something is typed.
func (q *partsAsked) message() *panel.Message {
	if q.typed.Offer != "" {
		return &panel.Message{Key: "type-name-hint", Person: q.typed.Offer, Detail: q.typed.Typed}
	}
	return &panel.Message{Key: "kit-type", Device: q.parts[0].KitName, Detail: q.typed.Typed}
}

// typingPart shows the line as it is typed.
func (a *attendant) typingPart(q *partsAsked, v keyboard.View) {
	began := q.typed.Typed != "" || v.Typed != ""
	if q.typed = v; a.parts != q || !began {
		return
	}
	if m := a.prompt(); m != nil {
		a.o.Panel.Show(*m)
	}
}

// namedPart takes the answer to the question for parts: the part of that name is there.
// Escape says that none of those that are asked for is.
func (a *attendant) namedPart(q *partsAsked, name string, err error) {
	if errors.Is(err, keyboard.ErrCancelled) {
		if said := a.missed(a.desk.Miss()); said != nil {
			a.show(*said)
		}
		return
	}
	if errors.Is(err, keyboard.ErrSilence) { // for as long as the desk asks
		a.askParts()
		return
	}
	i := slices.IndexFunc(q.parts, func(p checkout.Subject) bool { return p.Name == name })
	if err != nil || i < 0 {
		if m := a.prompt(); err == nil && m != nil {
			a.show(*m)
		}
		return
	}
	part, err := a.o.Ledger.Scanned(q.parts[i].ID)
	if err != nil {
		a.unreadable(err)
		return
	}
	a.source = checkout.SourceKeyboard
	a.tap(a.now(), part)
	a.source = checkout.SourceReader
}
