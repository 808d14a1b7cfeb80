package wiegand

import (
	"cmp"
	"fmt"
	"io"
	"testing"
)

// endless gives a card twice a second, for so many cards.
type endless struct {
	edges []Edge
	n     int
	cards int
	fails error // at the end; nil is io.EOF
}

func (s *endless) Next() (Edge, error) {
	if s.n == s.cards*len(s.edges) {
		return Edge{}, cmp.Or(s.fails, io.EOF)
	}
	e := s.edges[s.n%len(s.edges)]
	e.Time += int64(s.n/len(s.edges)) * 500 * ms
	s.n++
	return e, nil
}

// TestDecodeStream: the end closes the last frame; of all that went by, nothing
// is kept.
func TestDecodeStream(t *testing.T) {
	d := newDecoder(t, Options{}, "H10301")
	allocs := func(cards int) float64 {
		return testing.AllocsPerRun(5, func() {
			read := 0
			err := Decode(&endless{edges: falls(card(t), 0, 2*ms), cards: cards}, d, func(r *Read) error {
				if r.Bits != card(t) {
					return fmt.Errorf("%+v", r)
				}
				read++
				return nil
			})
			if err != nil || read != cards {
				t.Fatalf("%d cards, %v, want %d", read, err, cards)
			}
		})
	}
	if few, many := allocs(10), allocs(1000); many > few {
		t.Errorf("%v allocations for 1000 cards, %v for 10", many, few)
	}
	if err := Decode(&endless{edges: falls(card(t), 0, 2*ms), cards: 1, fails: io.ErrUnexpectedEOF}, d, func(*Read) error { return nil }); err != io.ErrUnexpectedEOF {
		t.Errorf("what can't be read gives %v", err)
	}
}
