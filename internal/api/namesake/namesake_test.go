package namesake

import (
	"iter"
	"strings"
	"testing"

	"stump/checkout/ledger/journal"
	"stump/internal/books"
)

// interrupted are books of which an import changes the rest while they are listed.
type interrupted struct {
	books.Keeper
	before []books.Person
}

func (i interrupted) People(p books.Page) iter.Seq2[books.Person, error] {
	return func(yield func(books.Person, error) bool) {
		for _, who := range i.before {
			if who.ID > p.After && !yield(who, nil) {
				return
			}
		}
		yield(books.Person{}, journal.ErrBusy)
	}
}

// TestTwinsDuringAnImport: a change that is saved is answered although the warning of
// people with one name can't be made of a list that an import interrupts.
func TestTwinsDuringAnImport(t *testing.T) {
	ann, other := books.Person{ID: "ann", Name: "Ann  Okafor"}, books.Person{ID: "ann-2", Name: "ann okafor"}
	for _, tt := range []struct {
		before []books.Person
		warns  bool
	}{{nil, false}, {[]books.Person{ann, other}, true}} {
		l := interrupted{before: tt.before}
		if got := Of(l, "ann-2", "Ann Okafor"); strings.Contains(got, "Ann  Okafor") != tt.warns {
			t.Errorf("%d were listed: %q", len(tt.before), got)
		}
		if got := OfNew(l, []string{"ann-2"}); got != "" {
			t.Errorf("%d were listed: of new people: %q", len(tt.before), got)
		}
	}
}
