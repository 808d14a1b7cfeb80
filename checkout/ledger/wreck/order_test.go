package wreck_test

import (
	"fmt"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/wreck"
)

// TestOrder: a file that does not say in which order its chains go on has the own one last,
// and what no event has is a hole.
func TestOrder(t *testing.T) {
	w := &wreck.Wreck{Own: 2, Chains: map[uint16]record.Chain{1: {ID: checkout.Hash{1}}, 2: {ID: checkout.Hash{2}}, 3: {ID: checkout.Hash{3}}}}
	for _, at := range []record.Ref{record.At(1, 2), record.At(1, 3), record.At(1, 6), record.At(2, 1), record.At(3, 1)} {
		w.Events = append(w.Events, wreck.Event{At: at})
	}
	var order []record.Ref
	for _, e := range w.InOrder() {
		order = append(order, e.At)
	}
	if got, want := fmt.Sprint(order), "[{1 2} {1 3} {1 6} {3 1} {2 1}]"; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	for chain, want := range map[uint16]string{1: "[[1 1] [4 5] [7 8]]", 2: "[[2 8]]", 4: "[[1 8]]"} {
		if got := fmt.Sprint(w.Holes(chain, 8)); got != want {
			t.Errorf("holes of chain %d: %s, want %s", chain, got, want)
		}
	}
}

// TestOwnChain: where the file does not say which chain goes on, it is the last one, or one
// that is begun.
func TestOwnChain(t *testing.T) {
	for _, tc := range []struct {
		own    uint16
		chains map[uint16]record.Chain
		want   uint16
	}{
		{2, map[uint16]record.Chain{1: {}, 2: {}, 3: {}}, 2},
		{0, map[uint16]record.Chain{1: {}, 3: {}}, 3},
		{5, map[uint16]record.Chain{1: {}}, 1},
		{0, map[uint16]record.Chain{}, 1},
	} {
		w := &wreck.Wreck{Own: tc.own, Chains: tc.chains}
		err := w.NameChains()
		if _, there := w.Chains[w.Own]; err != nil || w.Own != tc.want || !there {
			t.Errorf("%v: %d, %v, want %d", tc, w.Own, err, tc.want)
		}
	}
}
