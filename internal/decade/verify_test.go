package decade

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/sitekey"
)

// verifier verifies copies of the ledger beside the life, in real time: a bubble's time would
// wait for it.
type verifier struct {
	copies chan verification
	over   sync.WaitGroup
	mu     sync.Mutex
	wrong  []string
	events uint64 // that were verified, all together
	took   time.Duration
}

// verification is a copy to be verified, with the last event that it must have.
type verification struct {
	dir, when string
	last      ledger.Info
}

func newVerifier() *verifier {
	v := &verifier{copies: make(chan verification, 2)}
	v.over.Go(func() {
		for c := range v.copies {
			if err := v.verify(c); err != nil {
				v.mu.Lock()
				v.wrong = append(v.wrong, fmt.Sprintf("the ledger of %s: %v", c.when, err))
				v.mu.Unlock()
			}
			os.RemoveAll(c.dir)
		}
	})
	return v
}

func (v *verifier) verify(c verification) error {
	keys, err := sitekey.Load(filepath.Join(c.dir, "site.key"))
	if err != nil {
		return err
	}
	path := filepath.Join(c.dir, "ledger.db")
	l, err := ledger.OpenReadOnly(path, ledger.Options{Station: "lab-1", SiteKey: keys.Current, OldKeys: keys.Old, Stamp: func() checkout.Stamp { return checkout.Stamp{} }})
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.Verify(context.Background(), ledger.VerifyOptions{})
	if err != nil {
		return err
	}
	if !r.OK() {
		return fmt.Errorf("%v", r)
	}
	v.mu.Lock()
	v.events += r.Events
	v.took += r.Took
	v.mu.Unlock()
	info, err := l.Info()
	if err != nil {
		return err
	}
	if info.Seq != c.last.Seq || info.Hash != c.last.Hash {
		return fmt.Errorf("the copy ends with event %d, want %d", info.Seq, c.last.Seq)
	}
	if err := l.Close(); err != nil {
		return err
	}
	return ledger.CheckFile(path)
}

// close waits for the last one.
func (v *verifier) close() []string {
	close(v.copies)
	v.over.Wait()
	return v.wrong
}

// verify hands a copy of the disk to the verifier.
func (w *world) verify() {
	dir := filepath.Join(w.dir, fmt.Sprint("verified", w.figures.verified))
	w.must(os.Mkdir(dir, 0o700))
	key, err := os.ReadFile(filepath.Join(w.state(), "site.key"))
	w.must(err)
	w.must(os.WriteFile(filepath.Join(dir, "site.key"), key, 0o600))
	synctest.Wait()
	last, err := w.st.Ledger.Info()
	w.must(err)
	w.must(w.st.Ledger.BackupTo(context.Background(), filepath.Join(dir, "ledger.db")))
	w.verifier.copies <- verification{dir, time.Now().Format("January 2006"), last}
	w.figures.verified++
}

// The sizes that are predicted: a ledger has so many bytes an event, and besides so many for
// the register, what is free and what an upkeep leaves; the daemon's heap depends on no
// number of events.
const (
	bytesAnEvent = 700 // as docs/ledger.md has it
	bytesBeside  = 4 << 20
	heapMost     = 48 << 20
)

// checkSizes holds the file and the memory to what is predicted.
func (w *world) checkSizes() {
	info, err := w.st.Ledger.Info()
	w.must(err)
	if most := int64(info.Seq)*bytesAnEvent + bytesBeside; info.Size > most {
		w.differ("the ledger has %d bytes for %d events, predicted were %d at most", info.Size, info.Seq, most)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if *trace {
		w.t.Logf("%s: %d bumps, %d events, %d bytes, heap %d, %v", time.Now().Format(time.DateOnly), w.figures.bumps, info.Seq, info.Size, m.HeapAlloc, used().cpu)
	}
	if m.HeapAlloc > heapMost {
		w.differ("the heap has %d bytes, predicted were %d at most", m.HeapAlloc, heapMost)
	}
	w.figures.seq, w.figures.size, w.figures.heap = info.Seq, info.Size, max(w.figures.heap, m.HeapAlloc)
}

// checkRetention holds old loans to what the configuration says: a loan that was closed
// retention and a day ago has no person, a younger one has.
func (w *world) checkRetention() {
	look := func(from time.Time, want bool) {
		n, kept := 0, 0
		for e, err := range w.st.Ledger.History(books.HistoryFilter{Since: from, Kind: checkout.Return, Page: books.Page{Limit: 20}}) {
			w.must(err)
			if n++; n > 20 || e.Time.After(from.AddDate(0, 0, 10)) {
				break
			}
			has := e.Person != ""
			if has {
				kept++
			}
			if has && !want && e.ClockTrusted || !has && want && w.figures.erased == 0 {
				w.differ("the loan that ended at %v has a person: %v, want %v", e.Time, has, want)
			}
			w.figures.retained++
		}
		if want && n > 10 && kept == 0 { // not all of them were erased
			w.differ("of %d loans that ended after %v none has a person", n, from)
		}
	}
	// Without the time nothing is old.
	if old := time.Now().AddDate(0, 0, -retention-20); old.After(begin()) && w.reached() > 5*24*time.Hour {
		look(old, false)
	}
	if young := time.Now().AddDate(0, 0, -retention+20); young.After(begin()) {
		look(young, true)
	}
}

// retention is for how many days a closed loan keeps its person.
const retention = 180
