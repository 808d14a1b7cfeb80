package ledger

import (
	"iter"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// People yields everybody in the register, retired people too, by id.
func (l *Ledger) People(p books.Page) iter.Seq2[books.Person, error] {
	return list(l, record.TreePeople, withID(p), func(t *txn) (string, func(party) (books.Person, bool)) {
		return "", func(of party) (books.Person, bool) {
			is := t.person(of)
			return is, p.Finds(append(is.AllGroups().Names(), is.Name, is.ID, is.Email)...)
		}
	})
}

// Devices yields every device in the register, retired ones too, by id. The
// holder of a device that a pending badge took is its masked number.
func (l *Ledger) Devices(p books.Page) iter.Seq2[books.Device, error] {
	return list(l, record.TreeDevices, withID(p), func(t *txn) (string, func(party) (books.Device, bool)) {
		return "", func(of party) (books.Device, bool) {
			d := t.device(of)
			return d, p.Finds(d.Name, d.ID, d.Kind, d.HolderName, d.Serial, d.Place) &&
				(!p.Repair || d.Status == checkout.Active && (checkout.NeedsRepair(d.Condition) || t.out(of.row)))
		}
	})
}

// withID is the page without what is pending, which lies before all that has an id.
func withID(p books.Page) books.Page {
	p.After = max(p.After, checkout.PendingPrefix+"~")
	return p
}

// list copies the rows of a page before it yields them, because bbolt can't reuse pages
// while a slow reader has a transaction open. prepare returns what makes an entry of a
// row, or leaves it out, and the id of the only row that is wanted; "" for any.
func list[T any](l *Ledger, tr record.Tree, p books.Page, prepare func(*txn) (string, func(party) (T, bool))) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		err := l.view(func(t *txn) {
			only, entry := prepare(t)
			c := t.bucket(tr).Cursor()
			for k, b := c.Seek([]byte(max(only, p.After+"\x00"))); k != nil && (p.Limit == 0 || len(all) < p.Limit); k, b = c.Next() {
				id := string(k)
				if v, ok := entry(party{tr, id, t.decodeRow(tr, id, t.open(tr, k, b))}); ok {
					all = append(all, v)
				}
				if only != "" {
					return
				}
			}
		})
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			var zero T
			yield(zero, err)
		}
	}
}
