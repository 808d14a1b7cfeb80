package ledger

import (
	"iter"

	"stump/checkout"
	"stump/checkout/ledger/journal"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// People yields everybody in the register, retired people too, by id.
func (l *Ledger) People(p books.Page) iter.Seq2[books.Person, error] {
	return pages(l, record.TreePeople, p, func(t *txn) (string, func(party) (books.Person, bool)) {
		return "", func(of party) (books.Person, bool) {
			is := t.person(of)
			return is, p.Finds(append(is.AllGroups().Names(), is.Name, is.ID, is.Email)...)
		}
	})
}

// Devices yields every device in the register, retired ones too, by id. The
// holder of a device that a pending badge took is its masked number.
func (l *Ledger) Devices(p books.Page) iter.Seq2[books.Device, error] {
	return pages(l, record.TreeDevices, p, func(t *txn) (string, func(party) (books.Device, bool)) {
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

// listRows is how many rows a list of the register reads in one transaction. Tests set
// another number.
var listRows = 100

// errImported ends a list of which an import has changed the rest.
var errImported = hint.Errorf("ask again", "%w: the register has changed while it was listed", journal.ErrBusy)

// pages yields the rows of a page while it reads them, some in each transaction: a list
// of everybody needs no memory, and bbolt can reuse pages while a slow reader waits. Each row
// is as it was when it was read. Who must see all of an import or nothing gets an error
// where one came in between.
func pages[T any](l *Ledger, tr record.Tree, p books.Page, prepare func(*txn) (string, func(party) (T, bool))) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r := reading[T]{l: l, tr: tr, p: withID(p), most: listRows, prepare: prepare}
		imports := uint64(0)
		for first := true; first || r.more; first = false {
			all, err := r.next(func(t *txn) {
				now := t.imports()
				if !first && l.whole && now != imports {
					t.fail(errImported)
				}
				imports = now
			})
			if !give(all, err, yield) {
				return
			}
		}
	}
}

// imports is how many imports have changed the register, or begun to.
func (t *txn) imports() uint64 { return t.bucket(record.TreeMeta).Sequence() }

// countImport notes that an import changes the register.
func (t *txn) countImport() {
	_, err := t.bucket(record.TreeMeta).NextSequence()
	t.must(err)
}

// list yields the rows of a page as they are at one moment. It copies them first.
func list[T any](l *Ledger, tr record.Tree, p books.Page, prepare func(*txn) (string, func(party) (T, bool))) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r := reading[T]{l: l, tr: tr, p: p, prepare: prepare}
		all, err := r.next(func(*txn) {})
		give(all, err, yield)
	}
}

// give yields rows and then the error, if there is one. It reports whether more are wanted.
func give[T any](all []T, err error, yield func(T, error) bool) bool {
	for _, v := range all {
		if !yield(v, nil) {
			return false
		}
	}
	if err != nil {
		var zero T
		yield(zero, err)
	}
	return err == nil
}

// reading is where the reading of a list is. prepare returns what makes an entry of a row,
// or leaves it out, and the id of the only row that is wanted; "" for any.
type reading[T any] struct {
	l       *Ledger
	tr      record.Tree
	p       books.Page // what is left of it
	most    int        // rows to read at once; 0: all
	prepare func(*txn) (string, func(party) (T, bool))
	more    bool // there may be more
}

// next reads the next rows in one transaction, of which first is told.
func (r *reading[T]) next(first func(*txn)) (all []T, err error) {
	after := r.p.After
	err = r.l.view(func(t *txn) {
		all, r.more = nil, false // it may run twice
		first(t)
		only, entry := r.prepare(t)
		c, n := t.bucket(r.tr).Cursor(), 0
		for k, b := c.Seek([]byte(max(only, r.p.After+"\x00"))); k != nil && (r.p.Limit == 0 || len(all) < r.p.Limit); k, b = c.Next() {
			if n++; r.most > 0 && n > r.most {
				r.more = true
				return
			}
			after = string(k)
			if v, ok := entry(party{r.tr, after, t.readRow(r.tr, after, t.open(r.tr, k, b))}); ok {
				all = append(all, v)
			}
			if only != "" {
				return
			}
		}
	})
	if r.p.After = after; r.p.Limit > 0 {
		r.p.Limit -= len(all)
		r.more = r.more && r.p.Limit > 0
	}
	return all, err
}
