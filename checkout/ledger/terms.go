package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"stump/checkout/ledger/once"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// On returns the same ledger, whose changes are made on terms: one that does not meet
// them fails, and changes nothing. Errors: *books.ChangedError, *books.MadeError.
func (l *Ledger) On(terms books.Terms) books.Keeper { return &Ledger{l.core, terms, l.whole} }

// agree checks the terms of a change, and notes that it is made.
func (t *txn) agree() {
	m := t.l.terms
	if m.Revisions != nil {
		if p := t.find(record.TreeOf(m.Kind), m.Ref); !slices.Contains(m.Revisions, p.revision()) {
			t.fail(&books.ChangedError{Kind: p.kind(), ID: p.id})
		}
	}
	if m.Key == "" {
		return
	}
	made, ok, err := once.Made(t.tx, m.Key)
	t.must(err)
	if ok {
		t.fail(&books.MadeError{Made: made})
	}
	now := t.l.o.Stamp()
	if !now.Trusted {
		now.Wall = time.Time{}
	}
	t.must(once.Note(t.tx, m.Key, m.Request, now.Wall))
}

// revision changes whenever the row does. That the lab has heard of it changes nothing.
func (p party) revision() string {
	row := *p.row
	row.LabVer, row.LabBase = 0, nil
	sum := sha256.Sum256(record.PackRow(&row))
	return hex.EncodeToString(sum[:8])
}

// Made returns the request that was made with a key within a day; false if none was.
func (l *Ledger) Made(key string) (m books.Made, ok bool, err error) {
	err = l.view(func(t *txn) {
		var err error
		m, ok, err = once.Made(t.tx, key)
		t.must(err)
	})
	return m, ok, err
}

// Answered keeps the answer to a request that was made.
func (l *Ledger) Answered(key string, answer []byte) error {
	return l.update(func(t *txn) { t.must(once.Answered(t.tx, key, answer)) })
}
