package record

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestNewest: a note is read as it was written, a torn or changed one not at all.
func TestNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Newest{hashOf(t, "chain"), hashOf(t, "hash"), rapid.Uint64().Draw(t, "seq"), rapid.Bool().Draw(t, "clean")}
		b := n.Line()
		if got, ok := ParseNewest(b); !ok || got != n {
			t.Fatalf("%+v is read as %+v, %v", n, got, ok)
		}
		if longest := (Newest{Seq: 1<<64 - 1}).Line(); len(b) != len(longest) {
			t.Fatalf("%d bytes, others have %d", len(b), len(longest))
		}
		if got, ok := ParseNewest(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]); ok {
			t.Fatalf("a torn note is read as %+v", got)
		}
		flipped := bytes.Clone(b)
		flipped[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if got, ok := ParseNewest(flipped); ok {
			t.Fatalf("a changed note is read as %+v", got)
		}
	})
}

// TestScan finds a record wherever it stands, also across the windows of the search.
func TestScan(t *testing.T) {
	const size = 4<<20 + 1000
	for _, at := range []int{0, 1, 4095, 4<<20 - 60, 4<<20 - 1, 4 << 20, size - 200} {
		file := make([]byte, size)
		copy(file[at:], Encode(&Event{Whose: []byte("x")}))
		var found []int64
		Scan(bytes.NewReader(file), size, func(off int64, b []byte) int {
			p, err := Split(b)
			if err != nil {
				return 0
			}
			found = append(found, off)
			return p.Size
		})
		if len(found) != 1 || found[0] != int64(at) {
			t.Errorf("a record at %d is found at %v", at, found)
		}
	}
}
