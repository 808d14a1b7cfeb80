package ledger

import (
	"iter"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/entry"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// withHolders yields rows of devices whose holders are ids.
func (l *Ledger) withHolders(rows iter.Seq2[books.ImportRow, error]) iter.Seq2[books.ImportRow, error] {
	return func(yield func(books.ImportRow, error) bool) {
		var all *entry.Holders
		for r, err := range rows {
			if err == nil && r.Holder != "" {
				if all == nil {
					all = &entry.Holders{}
					err = l.viewAny(func(t *txn) {
						t.eachRow(record.TreePeople, func(id string, r *record.Row) {
							if now := t.whose(party{record.TreePeople, id, r}); !r.Pending && now.tree != 0 {
								all.Add(id, &books.Person{ID: now.id, Name: now.row.Name, Email: now.row.Email})
							}
						})
					})
				}
				if err != nil {
					yield(r, err)
					return
				}
				if r.Holder, err = all.Find(r.Holder); err != nil {
					err = &books.RowError{Line: r.Line, Err: err}
				}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// lends reports whether a row says that somebody has a device who has not, and prepares its
// event. A device that somebody else has, or that takes no part, ends the transaction.
func (t *txn) lends(ev *record.Event, p party, r *books.ImportRow) bool {
	switch has := p.row.Loan.Holder; {
	case r.Holder == "" || has == r.Holder:
		return false
	case has != "":
		t.fail(hint.Errorf("correct the line, or return the device first", "%w: %s has %s", checkout.ErrRefused, t.holderName(has), p.name()))
	case p.row.Loan.Lost:
		t.fail(hint.Errorf("leave the person out, or the status", "%w: %s is lost", checkout.ErrRefused, p.name()))
	}
	person := t.holder(r.Holder)
	for _, p := range []party{person, p} {
		if p.row.Status != checkout.Active {
			t.refuse(p, "")
		}
	}
	said := books.Request{At: r.Since, Due: r.Due}
	t.happened(ev, said, p)
	if ev.Loan = t.until(ev, said); r.Due.IsZero() {
		ev.Loan = t.fromToday(p.row.Kind, person.groups(), ev.Happened)
	}
	return true
}

// fromToday is the length of a loan that began at a time, and of which nobody has said until
// when it is: as if it began now. 0 is as usual.
func (t *txn) fromToday(kind string, groups checkout.Groups, began time.Time) time.Duration {
	now := t.l.o.Stamp()
	if length := t.usual(kind, groups, now); now.Trusted && !began.IsZero() && length > 0 {
		return now.Wall.Truncate(time.Second).Add(length).Sub(began)
	}
	return 0
}
