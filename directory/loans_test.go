package directory

import (
	"context"
	"slices"
	"testing"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// library is a directory with loans.
type library struct {
	stage
	snap   call.Snapshot
	during func() // called while it is read
}

func (l *library) Pull(context.Context) (call.Snapshot, error) {
	if l.during != nil {
		l.during()
	}
	return l.snap, nil
}

// newLibrary has Ann and Bob, and devices of the names, which nobody has.
func newLibrary(devices ...string) *library {
	l := &library{snap: call.Snapshot{HasPeople: true, HasDevices: true, People: []books.SyncRow{
		{Kind: checkout.KindPerson, Ref: "1", Name: "Ann", Tag: annBadge}, {Kind: checkout.KindPerson, Ref: "2", Name: "Bob", Tag: bobBadge}}}}
	l.caps = everything
	for _, d := range devices {
		l.snap.Devices = append(l.snap.Devices, books.SyncRow{Kind: checkout.KindDevice, Ref: "ref-" + d, Name: d})
		l.snap.Loans = append(l.snap.Loans, books.Seen{Device: "ref-" + d, Holding: books.Holding{Free: true}})
	}
	return l
}

// says is who has the i-th device from now on.
func (l *library) says(i int, seen books.Seen) {
	seen.Device = l.snap.Loans[i].Device
	l.snap.Loans[i] = seen
}

var (
	withAnn = books.Seen{Holding: books.Holding{Ref: "1", Name: "Ann"}}
	nobody  = books.Seen{Holding: books.Holding{Free: true}}
)

// pulled pulls, and returns the notes.
func pulled(t *testing.T, w *Worker) []string {
	t.Helper()
	if err := w.Pull(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	st, err := w.Status()
	if err != nil {
		t.Fatal(err)
	}
	return st.Pull.Notes
}

// holders are who has which device, by id.
func (b *box) holders() map[string]string {
	b.t.Helper()
	held := map[string]string{}
	for l, err := range b.Loans(books.LoanFilter{}) {
		if err != nil {
			b.t.Fatal(err)
		}
		held[l.DeviceID] = l.PersonID
	}
	return held
}

// TestPullTakesLoans: in one pull people and devices become known, then who has what;
// the station hears of it.
func TestPullTakesLoans(t *testing.T) {
	lib, out := newLibrary("ipad", "pixel"), newBox(t, Main)
	lib.says(0, withAnn)
	moved := 0
	w := newWorker(Options{Directory: lib, Ledger: out, Moved: func() { moved++ }})
	if notes := pulled(t, w); len(notes) != 0 || out.holders()["ipad"] != "ann" || moved != 1 {
		t.Errorf("%q, %v, told %d times", notes, out.holders(), moved)
	}
	lib.says(0, nobody)
	if notes := pulled(t, w); len(notes) != 0 || len(out.holders()) != 0 || moved != 2 {
		t.Errorf("checked in there: %q, %v, told %d times", notes, out.holders(), moved)
	}
	if pulled(t, w); moved != 2 || out.waiting(Main) != 0 {
		t.Errorf("nothing new: told %d times, %d rows", moved, out.waiting(Main))
	}
	// Read before, and bumped while the rest was read.
	lib.during = func() { out.take("ipad") }
	if pulled(t, w); out.holders()["ipad"] != "ann" {
		t.Errorf("a bump is undone by what was read before it: %v", out.holders())
	}
}

// TestApart: what can't be taken over is said, until it agrees.
func TestApart(t *testing.T) {
	lib, out := newLibrary("ipad", "pixel", "nexus"), newBox(t, Main)
	w := newWorker(Options{Directory: lib, Ledger: out})
	pulled(t, w)
	lib.says(0, books.Seen{Holding: books.Holding{Ref: "7", Name: "Zoe"}})
	lib.says(1, books.Seen{Elsewhere: "the location Berlin"})
	lib.says(2, books.Seen{Elsewhere: "the asset Cart"})
	want := []string{"by the directory Zoe has ipad, who is not in the register; here nobody",
		"free here, but not in the directory: nexus (the asset Cart), pixel (the location Berlin)"}
	if notes := pulled(t, w); !slices.Equal(notes, want) {
		t.Errorf("notes\n%q, want\n%q", notes, want)
	}
	for i := range 3 {
		lib.says(i, nobody)
	}
	if notes := pulled(t, w); len(notes) != 0 {
		t.Errorf("when they agree: %q", notes)
	}
}

// TestLostLoans: a directory that has lost its loans over night is not believed, unless
// an admin insists.
func TestLostLoans(t *testing.T) {
	lib, out := newLibrary("a", "b", "c", "d", "e", "f"), newBox(t, Main)
	for i := range 6 {
		lib.says(i, withAnn)
	}
	w := newWorker(Options{Directory: lib, Ledger: out})
	pulled(t, w)
	for i := range 6 {
		lib.says(i, nobody)
	}
	want := []string{"6 devices are out here and free in the directory, which is not believed: none is returned without: stump sync pull --force"}
	if notes := pulled(t, w); !slices.Equal(notes, want) || len(out.holders()) != 6 {
		t.Errorf("%q, %v", notes, out.holders())
	}
	if err := w.Pull(t.Context(), true); err != nil || len(out.holders()) != 0 {
		t.Errorf("forced: %v, %v", err, out.holders())
	}
}
