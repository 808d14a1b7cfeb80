package wreck_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/wreck"
	"stump/internal/books"
	"stump/internal/testkit"
)

var runs = flag.Int("damage", 150, "damaged files that TestOnlyTheTruth reads")

const folk, bumps = 40, 60

// life is a ledger's file, and what is in it.
type life struct {
	path  string
	file  []byte
	truth map[uint64]checkout.Hash
	l     *ledger.Ledger
	t     testing.TB
}

// begin makes a ledger of people and devices that were bumped, and leaves it open.
func begin(t testing.TB, sinks ...string) *life {
	t.Helper()
	x := &life{path: filepath.Join(t.TempDir(), "ledger.db"), truth: map[uint64]checkout.Hash{}, t: t}
	clock := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	boot, mono := uuid.New(), time.Duration(0)
	l, err := ledger.Create(x.path, ledger.Options{Station: "lab-1", SiteKey: make([]byte, 32), Sinks: sinks, Stamp: func() checkout.Stamp {
		mono += time.Second
		return checkout.Stamp{Wall: clock.Add(mono), Mono: mono, BootID: boot, Trusted: true}
	}})
	x.ok(err)
	t.Cleanup(func() { l.Close() })
	x.l = l
	for i := range uint64(folk) {
		x.ok(l.AddPerson(books.Person{ID: fmt.Sprint("p", i), Name: fmt.Sprint("Person ", i)}, testkit.Tag(100+i, 34), "admin", checkout.SourceCLI))
		x.ok(l.AddDevice(books.Device{ID: fmt.Sprint("d", i), Name: fmt.Sprint("Device ", i)}, testkit.Tag(200+i, 34), "admin", checkout.SourceCLI))
	}
	for i := range uint64(bumps) {
		x.bump(100+i*3%folk, 200+i*5%folk)
	}
	return x
}

func (x *life) ok(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *life) bump(badge, tag uint64) {
	x.t.Helper()
	person, err := x.l.Subject(testkit.Tag(badge, 34))
	x.ok(err)
	device, err := x.l.Subject(testkit.Tag(tag, 34))
	x.ok(err)
	_, err = x.l.Complete(checkout.Completion{Person: person, Device: device, Policy: checkout.PolicyHandover, Reader: "door"})
	x.ok(err)
}

// end closes the ledger and remembers what it held.
func (x *life) end() *life {
	x.t.Helper()
	for e, err := range x.l.History(books.HistoryFilter{}) {
		x.ok(err)
		x.truth[e.Seq] = e.Hash
	}
	x.ok(x.l.Close())
	var err error
	x.file, err = os.ReadFile(x.path)
	x.ok(err)
	return x
}

// read reads b in place of the file.
func (x *life) read(b []byte) *wreck.Wreck {
	x.t.Helper()
	x.ok(os.WriteFile(x.path, b, 0o600))
	w, f, err := wreck.Read(x.path, record.Newest{})
	x.ok(err)
	x.t.Cleanup(func() { f.Close() })
	return w
}

// got is what events a wreck has, by number.
func (x *life) got(w *wreck.Wreck) map[uint64]checkout.Hash {
	x.t.Helper()
	all := map[uint64]checkout.Hash{}
	var before record.Ref
	for i, e := range w.Events {
		b, ev, err := w.Load(e)
		x.ok(err)
		if again, err := record.Decode(b); err != nil || again.Hash != ev.Hash {
			x.t.Fatalf("the record of %v is not its own: %v", e.At, err)
		}
		if i > 0 && before.Compare(e.At) >= 0 {
			x.t.Errorf("%v comes after %v", e.At, before)
		}
		before = e.At
		all[e.At.Seq] = ev.Hash
	}
	return all
}

// pages are the pages of leaves of a tree.
func (x *life) pages(tr record.Tree) (all []int64) {
	x.t.Helper()
	r := bytes.NewReader(x.file)
	var newest boltpages.Meta
	for slot := range int64(2) {
		if m, err := boltpages.ReadMeta(r, slot); err == nil && m.Txid > newest.Txid {
			newest = m
		}
	}
	p := &boltpages.File{R: r, High: newest.High}
	for _, b := range p.Buckets(newest.Root) {
		if b.Name == tr.String() {
			b.Content(func(g boltpages.Found) { all = append(all, g.Off/boltpages.PageSize) })
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// without is the file with pages of zeros.
func (x *life) without(pages ...int64) []byte {
	b := bytes.Clone(x.file)
	for _, p := range pages {
		clear(b[p*boltpages.PageSize : (p+1)*boltpages.PageSize])
	}
	return b
}

func TestWholeFile(t *testing.T) {
	x := begin(t, "dir").end()
	w := x.read(x.file)
	if !w.Current || !w.Intact(record.Trees...) {
		t.Errorf("current %v, intact %v", w.Current, w.Intact(record.Trees...))
	}
	if got := x.got(w); !maps.Equal(got, x.truth) {
		t.Errorf("%d events, want %d", len(got), len(x.truth))
	}
	last := uint64(len(x.truth))
	if got := w.Newest(w.Own); got != last {
		t.Errorf("the newest number is %d, want %d", got, last)
	}
	if w.Ceiling < last {
		t.Errorf("ceiling %d is below the newest number %d", w.Ceiling, last)
	}
	if c := w.Chains[w.Own]; len(w.Chains) != 1 || c.ID != x.truth[1] {
		t.Errorf("chains: %+v, want one, %x", w.Chains, x.truth[1])
	}
	if len(w.Rows[record.TreePeople]) != folk || len(w.Rows[record.TreeDevices]) != folk {
		t.Errorf("%d people, %d devices", len(w.Rows[record.TreePeople]), len(w.Rows[record.TreeDevices]))
	}
	if s := w.Sinks(); len(s) != 1 || s["dir"].Done != 0 {
		t.Errorf("sinks: %v", s)
	}
	for seq, hash := range x.truth {
		e, ok := w.Find(record.At(w.Own, seq))
		_, ev, err := w.Load(e)
		if !ok || err != nil || ev.Hash != hash {
			t.Fatalf("event %d: %v, %v", seq, ok, err)
		}
	}
	if _, ok := w.Find(record.At(w.Own, last+1)); ok {
		t.Error("found an event that never was")
	}
}

func TestNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := boltfile.WriteHolder(path, 4000); err != nil {
		t.Fatal(err)
	}
	w, f, err := wreck.Read(path, record.Newest{})
	if err != nil || f != nil || len(w.Events) > 0 || w.Ceiling != 4000 || w.Intact(record.TreeEvents) {
		t.Errorf("%+v, %v, %v", w, f, err)
	}
}

// TestNote: the note beside the file may know of a later event than the file, which then
// is an old copy. It counts only for its own chain.
func TestNote(t *testing.T) {
	x := begin(t).end()
	last := uint64(len(x.truth))
	for _, tt := range []struct {
		chain checkout.Hash
		seq   uint64
		want  uint64
	}{
		{x.truth[1], last + 5, last + 5},
		{x.truth[1], last - 5, last},
		{x.truth[2], last + 5, last},
	} {
		w, f, err := wreck.Read(x.path, record.Newest{Chain: tt.chain, Seq: tt.seq})
		x.ok(err)
		if got := w.Newest(w.Own); got != tt.want {
			t.Errorf("note of %d: newest %d, want %d", tt.seq, got, tt.want)
		}
		f.Close()
	}
}

// TestEachTree loses the leaves of one tree: only that tree isn't intact, and no event
// is lost but where it was the only copy. The trees that are small lie in the root page.
func TestEachTree(t *testing.T) {
	x := begin(t, "dir").end()
	for _, tr := range []record.Tree{record.TreeEvents, record.TreeDevices, record.TreePeople, record.TreeTags, record.TreeOutbox} {
		t.Run(tr.String(), func(t *testing.T) {
			pages := x.pages(tr)
			w := x.read(x.without(pages...))
			for _, other := range record.Trees {
				if w.Intact(other) != (other != tr) {
					t.Errorf("%s intact: %v", other, w.Intact(other))
				}
			}
			got := x.got(w)
			if tr != record.TreeEvents && !maps.Equal(got, x.truth) {
				t.Errorf("%d events, want %d", len(got), len(x.truth))
			}
			if w.Newest(w.Own) != uint64(len(x.truth)) {
				t.Errorf("the newest number is %d, want %d: it would be used twice", w.Newest(w.Own), len(x.truth))
			}
		})
	}
}

// TestWithoutMetas finds the root of the last transaction without either meta page.
func TestWithoutMetas(t *testing.T) {
	x := begin(t).end()
	for _, gone := range [][]int64{{0}, {1}, {0, 1}} {
		w := x.read(x.without(gone...))
		if w.Current {
			t.Errorf("without %v it claims to be sure of its root", gone)
		}
		if got := x.got(w); !maps.Equal(got, x.truth) {
			t.Errorf("without %v: %d events, want %d", gone, len(got), len(x.truth))
		}
		if len(w.Rows[record.TreeDevices]) != folk {
			t.Errorf("without %v: %d devices", gone, len(w.Rows[record.TreeDevices]))
		}
	}
}

// TestErased: what was erased stays erased, even where a page that no tree leads to
// holds an old copy.
func TestErased(t *testing.T) {
	x := begin(t)
	old := bytes.Clone(must(os.ReadFile(x.path)))
	x.ok(x.l.ErasePerson("p3", "admin", checkout.SourceCLI))
	x.end()
	gone := x.without(append(x.pages(record.TreeEvents), 0)...)
	for name, b := range map[string][]byte{
		"beside the tree":                    slices.Concat(x.without(0), old),
		"no tree, the old copies come first": slices.Concat(gone, old, x.file),
		"no tree, the old copies come last":  slices.Concat(gone, x.file, old),
	} {
		erased, w := 0, x.read(b)
		if got := x.got(w); !maps.Equal(got, x.truth) {
			t.Errorf("%s: %d events, want %d", name, len(got), len(x.truth))
		}
		for _, e := range w.Events {
			_, ev, err := w.Load(e)
			x.ok(err)
			if e.Erased {
				erased++
			}
			if ev.PersonName == "Person 3" || ev.FromName == "Person 3" {
				t.Errorf("%s: event %d has the name again", name, e.At.Seq)
			}
		}
		if erased == 0 {
			t.Errorf("%s: nothing is erased", name)
		}
	}
}

// TestAnotherEnd: a copy of the file went on alone, and its blocks lie beside. Where no
// tree leads, the next event proves which one of a number belongs to the chain.
func TestAnotherEnd(t *testing.T) {
	x := begin(t)
	other := *x
	other.truth = map[uint64]checkout.Hash{}
	other.path = filepath.Join(t.TempDir(), "ledger.db")
	x.ok(os.WriteFile(other.path, must(os.ReadFile(x.path)), 0o600))
	var err error
	other.l, err = ledger.Open(other.path, ledger.Options{Station: "lab-1", SiteKey: make([]byte, 32)})
	x.ok(err)
	other.bump(101, 207)
	other.end()
	x.bump(102, 203)
	x.bump(103, 204)
	x.end()
	treeless := func(x *life) []byte { return x.without(append(x.pages(record.TreeEvents), 0, 1)...) }
	for _, b := range [][]byte{slices.Concat(treeless(&other), other.file, x.file), slices.Concat(treeless(x), x.file, other.file)} {
		got, last := x.got(x.read(b)), uint64(len(x.truth))
		if !maps.Equal(got, x.truth) {
			t.Errorf("%d events, want %d; the last two are\n%v\n%v, want\n%v\n%v", len(got), last, got[last-1], got[last], x.truth[last-1], x.truth[last])
		}
	}
}

// TestOnlyTheTruth damages files at random: an event that is found is a true one, a tree
// that is called intact is complete, and a number that was used is known as used as long
// as anything shows it.
func TestOnlyTheTruth(t *testing.T) {
	x := begin(t).end()
	whole := x.read(x.file)
	pages := int64(len(x.file)) / boltpages.PageSize
	for seed := range uint64(*runs) {
		r := rand.New(rand.NewPCG(seed, 7))
		b := bytes.Clone(x.file)
		for range 1 + r.IntN(4) {
			at := r.Int64N(pages) * boltpages.PageSize
			switch r.IntN(4) {
			case 0: // a block that is lost
				clear(b[at : at+boltpages.PageSize])
			case 1: // one bit
				b[at+r.Int64N(boltpages.PageSize)] ^= 1 << r.IntN(8)
			case 2: // the block of another place
				from := r.Int64N(pages) * boltpages.PageSize
				copy(b[at:at+boltpages.PageSize], x.file[from:from+boltpages.PageSize])
			case 3: // a file that was cut off
				b = b[:max(at, 2*boltpages.PageSize)]
				b = append(b, make([]byte, len(x.file)-len(b))...)
			}
		}
		w := x.read(b)
		got := x.got(w)
		for seq, hash := range got {
			if x.truth[seq] != hash {
				t.Fatalf("seed %d: event %d is not the one that was written", seed, seq)
			}
		}
		if w.Current && w.Intact(record.TreeEvents) && len(got) != len(x.truth) {
			t.Fatalf("seed %d: %d events in an intact tree, want %d", seed, len(got), len(x.truth))
		}
		for _, tr := range []record.Tree{record.TreePeople, record.TreeDevices, record.TreeTags} {
			if w.Current && w.Intact(tr) && len(w.Rows[tr]) != len(whole.Rows[tr]) {
				t.Fatalf("seed %d: %d rows in %s, which is intact, want %d", seed, len(w.Rows[tr]), tr, len(whole.Rows[tr]))
			}
		}
		for seq := range got {
			if n := w.Newest(w.Own); n < seq {
				t.Fatalf("seed %d: the newest number is %d, and there is event %d", seed, n, seq)
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
