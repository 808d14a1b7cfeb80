package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
)

// TestRunsAreKept writes and reads orders of chains; what is cut is not one.
func TestRunsAreKept(t *testing.T) {
	x := newEmptyLedger(t)
	rapid.Check(t, func(t *rapid.T) {
		var all []record.Run
		for range rapid.IntRange(1, 5).Draw(t, "runs") {
			all = append(all, record.Run{Chain: rapid.Uint16().Draw(t, "chain"), First: rapid.Uint64().Draw(t, "first"), Last: rapid.Uint64().Draw(t, "last")})
		}
		var got []record.Run
		var raw []byte
		x.ok(x.update(func(t *txn) {
			t.setRuns(all)
			got, raw = t.runs(), t.get(record.TreeMeta, record.MetaOrder)
		}))
		if !slices.Equal(got, all) {
			t.Fatalf("%v, then %v", all, got)
		}
		cut := rapid.IntRange(0, len(raw)-1).Draw(t, "cut")
		if short, ok := record.ParseRuns(raw[:cut]); ok != (cut > 0 && cut%18 == 0) {
			t.Fatalf("cut at %d: %v", cut, short)
		}
	})
}

// TestEventsInOrder goes through chains by their runs, from any place on.
func TestEventsInOrder(t *testing.T) {
	x := newEmptyLedger(t)
	order := []record.Run{{Chain: 1, First: 1, Last: 3}, {Chain: 2, First: 1, Last: 2}, {Chain: 1, First: 4, Last: 5}, {Chain: 3, First: 1, Last: math.MaxUint64}}
	var all []record.Ref
	for _, r := range order {
		for seq := r.First; seq <= min(r.Last, r.First+3); seq++ {
			all = append(all, record.At(r.Chain, seq))
		}
	}
	x.ok(x.update(func(t *txn) {
		for _, at := range all {
			t.putEvent(at, []byte("an event"))
		}
		t.setRuns(order)
	}))
	for i := range len(all) + 1 {
		after := record.Ref{}
		if i > 0 {
			after = all[i-1]
		}
		for most := range len(all) - i + 1 {
			var got []record.Ref
			x.ok(x.view(func(t *txn) {
				t.events(after, func(at record.Ref, _ []byte) bool {
					got = append(got, at)
					return len(got) < most
				})
			}))
			if want := all[i : i+max(most, min(1, len(all)-i))]; !slices.Equal(got, want) {
				t.Fatalf("%d after %v: %v, want %v", most, after, got, want)
			}
		}
	}
}

// TestBadMetaRows: a meta row that is not what it should be is damage, and is named.
func TestBadMetaRows(t *testing.T) {
	for want, change := range map[string]func(*txn){
		"the row \"chain/x\" of a chain":               func(t *txn) { t.put(record.TreeMeta, []byte("chain/x"), nil) },
		"chain 2 is not in the file":                   func(t *txn) { t.setOwn(2) },
		"the file does not say which chain is its own": func(t *txn) { t.delete(record.TreeMeta, record.MetaOwn) },
		"the order of the chains":                      func(t *txn) { t.put(record.TreeMeta, record.MetaOrder, []byte("short")) },
		"the head of chain 1":                          func(t *txn) { t.put(record.TreeMeta, record.MetaHead(1), []byte("short")) },
		"the row of the sink \"dis\" is that of \"dir\"": func(t *txn) {
			t.put(record.TreeMeta, record.MetaSink("dis"), bytes.Clone(t.get(record.TreeMeta, record.MetaSink("dir"))))
			t.delete(record.TreeMeta, record.MetaSink("dir"))
		},
		"no segment id":     func(t *txn) { t.delete(record.TreeMeta, metaSegment) },
		"no schema version": func(t *txn) { t.delete(record.TreeMeta, metaSchema) },
		"event 7 is not the one that the head names":   func(t *txn) { t.setHead(1, 7, checkout.Hash{1}) },
		"event 99 of chain 1 is missing":               func(t *txn) { t.setHead(1, 99, checkout.Hash{1}) },
		"the tree \"tags\" is missing":                 func(t *txn) { t.must(t.tx.DeleteBucket(record.TreeTags.Bucket())) },
		"a key of 3 bytes among the events":            func(t *txn) { t.must(t.bucket(record.TreeEvents).Put([]byte("odd"), []byte("Ev"))) },
		"tags: the tag of person \"ben\" is not found": func(t *txn) { t.put(record.TreeTags, t.l.keys.Find(tag(2), 0), ownerBody(record.TreePeople, "ann")) },
	} {
		t.Run(want, func(t *testing.T) {
			x := newLedger(t)
			x.bump(1, 11)
			x.ok(x.updateNow(change))
			x.ok(x.Close())
			l, err := Open(x.path, x.o)
			if err == nil { // not among the pages that Open reads
				r, verr := l.Verify(t.Context(), VerifyOptions{})
				if err = verr; err == nil && !r.OK() {
					err = errors.New(r.String())
				}
				l.Close()
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v", err)
			}
			s := x.salvaged()
			if s.Events < 7 {
				t.Errorf("%v", s)
			}
			if !strings.HasPrefix(want, "event") {
				x.bump(2, 12)
			}
		})
	}
}

// TestRenamedSink: where one bit of a sink's name is damaged, its rows wait neither for another
// sink nor for nobody.
func TestRenamedSink(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(2, 12)
	was, err := x.Backlog("dir")
	x.ok(err)
	x.ok(x.updateNow(func(t *txn) {
		t.put(record.TreeMeta, record.MetaSink("dis"), bytes.Clone(t.get(record.TreeMeta, record.MetaSink("dir"))))
		t.delete(record.TreeMeta, record.MetaSink("dir"))
	}))
	x.ok(x.Close())
	x.salvaged()
	is, err := x.Backlog("dir")
	x.ok(err)
	if is != was || was == 0 {
		t.Errorf("%d rows of %d wait", is, was)
	}
}

// badDisk can't read some sectors.
type badDisk struct {
	b   []byte
	bad map[int64]bool
}

func (d badDisk) ReadAt(b []byte, off int64) (n int, err error) {
	for ; n < len(b) && off < int64(len(d.b)); n, off = n+1, off+1 {
		if d.bad[off/512] {
			return n, syscall.EIO
		}
		b[n] = d.b[off]
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

// TestScan finds records at any place of a file, also across its windows, and around
// sectors that can't be read.
func TestScan(t *testing.T) {
	const window = 4 << 20
	ev := record.Event{Event: checkout.Event{Station: "lab", Kind: checkout.Clock, Seq: 1, Note: strings.Repeat("n", 300)}}
	sealed := record.Encode(&ev)
	places := []int64{0, 1000, 4090, window - 1, window - int64(len(sealed))/2, window + 5000, 2*window - 10, 2*window + 7000}
	file := make([]byte, 2*window+9000)
	for _, at := range places {
		copy(file[at:], sealed)
	}
	copy(file[2000:], "Ev and no more")
	found := func(d badDisk) (all []int64) {
		record.Scan(d, int64(len(file)), func(off int64, b []byte) int {
			p, err := record.Split(b)
			if err != nil {
				return 0
			}
			all = append(all, off)
			return p.Size
		})
		return all
	}
	slices.Sort(places)
	places = slices.DeleteFunc(places, func(at int64) bool { return at == window-1 }) // overwrites the middle of the one before
	copy(file[window-int64(len(sealed))/2:], sealed)
	if got := found(badDisk{b: file}); !slices.Equal(got, places) {
		t.Errorf("%v, want %v", got, places)
	}
	bad := badDisk{file, map[int64]bool{4096 / 512: true, (2*window + 7100) / 512: true}}
	got := found(bad)
	for _, at := range places {
		whole := true
		for sector := at / 512; sector <= (at+int64(len(sealed)))/512; sector++ {
			whole = whole && !bad.bad[sector]
		}
		if slices.Contains(got, at) != whole {
			t.Errorf("at %d: found %v, readable %v", at, !whole, whole)
		}
	}
}

// TestNumbersAreReserved: an event has a number above the ceiling only after the holder
// file says a higher one. A folder that can't be written keeps no bump from being saved.
func TestNumbersAreReserved(t *testing.T) {
	x := newLedger(t)
	ceiling := func() uint64 {
		h, err := boltfile.ReadHolder(x.path)
		x.ok(err)
		return h.Ceiling
	}
	want(t, "at first", ceiling(), reserve)
	x.ok(x.update(func(t *txn) {
		for range reserve {
			t.benchBump("ann", "ipad")
			if seq, _ := t.head(1); seq > ceiling() {
				t.failf("event %d, reserved are numbers up to %d", seq, ceiling())
			}
		}
	}))
	want(t, "later", ceiling(), 2*reserve)
	x.reopen()
	info, err := x.Info()
	x.ok(err)
	if c := ceiling(); c < info.Seq+1 || c < 2*reserve {
		t.Errorf("after event %d numbers up to %d are reserved", info.Seq, c)
	}
	// An earlier file had come farther.
	x.ok(boltfile.WriteHolder(x.path, 50_000))
	x.reopen()
	want(t, "after a file with more", ceiling(), 50_000)
	x.ok(os.Remove(boltfile.HolderPath(x.path)))
	x.ok(os.Mkdir(boltfile.HolderPath(x.path), 0o700))
	x.reopen()
	x.bump(1, 11)
	x.verify()
}

// killAt runs a process that takes bumps until it is killed at a named point, or by
// chance, and returns what it had promised.
func killAt(t *testing.T, path, point string, pass int) *confirmed {
	t.Helper()
	promised := newConfirmed()
	cmd, out := child(t, "crash", "STUMP_TEST_LEDGER="+path, "STUMP_TEST_POINT="+point, fmt.Sprint("STUMP_TEST_PASS=", pass))
	if point == "" {
		time.AfterFunc(20*time.Millisecond+rand.N(20*time.Millisecond), func() { cmd.Process.Kill() })
	}
	for out.Scan() {
		if err := promised.line(out.Text()); err != nil {
			t.Fatal(err)
		}
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL) {
		t.Fatal(err)
	}
	return promised
}

// TestNoteUnderKill: after a kill at any point, the note of the newest event names an
// event that is in the file, and at most one event before its end. The next start reports
// nothing. If an older copy is put back then, it does, and uses no number twice.
func TestNoteUnderKill(t *testing.T) {
	for _, point := range []string{"event-written", "before-commit", "after-commit", "", ""} {
		for _, pass := range []int{1, 9} {
			path := filepath.Join(memDir(t), "ledger.db")
			l, err := Create(path, childOptions())
			x := &tester{Ledger: l, t: t, path: path, o: childOptions(), clock: newTestClock()}
			x.ok(err)
			x.ok(childTap(l, io.Discard))
			old := filepath.Join(t.TempDir(), "old.db")
			x.ok(l.BackupTo(context.Background(), old))
			x.ok(l.Close())
			first, ok := beside.ReadNewest(path)
			want(t, "the note after a stop", ok && first.Clean, true)

			promised := killAt(t, path, point, pass)
			note, ok := beside.ReadNewest(path)
			if !ok {
				t.Fatalf("%s %d: no note", point, pass)
			}
			x.Ledger, err = OpenReadOnly(path, x.o)
			x.ok(err)
			info, err := x.Info()
			x.ok(err)
			if note.Seq > info.Seq || note.Seq+1 < info.Seq || note.Clean && note.Seq != info.Seq {
				t.Errorf("%s %d: the note is of event %d, the newest is %d (%v)", point, pass, note.Seq, info.Seq, note.Clean)
			}
			for seq := range promised.events {
				if seq > note.Seq {
					t.Errorf("%s %d: event %d was confirmed, the note is of event %d", point, pass, seq, note.Seq)
				}
			}
			x.ok(x.Close())
			if s := x.open(); s != nil {
				t.Errorf("%s %d: reported: %v", point, pass, s)
			}
			x.ok(promised.kept(x.Ledger))
			x.ok(x.Close())
			if info.Seq == first.Seq {
				continue // killed before the first bump
			}
			x.put(old)
			s := x.open()
			if s == nil || !s.Replaced || s.LastSeq != first.Seq {
				t.Fatalf("%s %d: an old copy was put back, reported is %v", point, pass, s)
			}
			after, err := x.Info()
			x.ok(err)
			if after.Seq <= info.Seq {
				t.Errorf("%s %d: event %d after event %d", point, pass, after.Seq, info.Seq)
			}
			x.verify()
			x.ok(x.Close())
		}
	}
}

// TestNoteLags: a kill between a commit and its note leaves the note one event behind. The
// next start brings it up to date, so that an old copy that is put back after a stop uses
// no number twice.
func TestNoteLags(t *testing.T) {
	x := newLedger(t)
	old := filepath.Join(t.TempDir(), "old.db")
	x.ok(x.BackupTo(t.Context(), old))
	x.bump(1, 11)
	note, err := os.ReadFile(beside.NewestPath(x.path))
	x.ok(err)
	last := x.bump(2, 12).Seq
	x.ok(os.WriteFile(beside.NewestPath(x.path), note, 0o600))
	// As a kill leaves it: End would write to the file that is open.
	x.Ledger.note.Close()
	x.Ledger.note = nil
	x.ok(x.Close())
	x.reopen()
	if now, ok := beside.ReadNewest(x.path); !ok || now.Seq != last || now.Clean {
		t.Errorf("%+v, %v; want event %d", now, ok, last)
	}
	x.ok(x.Close())
	x.put(old)
	if s := x.open(); s == nil || !s.Replaced {
		t.Fatalf("reported is %v", s)
	}
	info, err := x.Info()
	x.ok(err)
	if info.Seq <= last {
		t.Errorf("event %d after event %d", info.Seq, last)
	}
	x.verify()
}

// TestSmallestFile: a new ledger is a few pages, and a salvage of one too.
func TestSmallestFile(t *testing.T) {
	x := newEmptyLedger(t)
	info, err := x.Info()
	x.ok(err)
	if !info.Empty || info.Seq != 0 || !info.Chain.IsZero() || info.Size > 40*boltpages.PageSize {
		t.Errorf("%+v", info)
	}
	x.ok(x.Close())
	s := x.salvaged()
	want(t, "events", s.Events, 0)
	want(t, "lost", len(s.Lost), 0)
	want(t, "perhaps", s.Perhaps, [2]uint64{})
	info, err = x.Info()
	x.ok(err)
	if info.Seq != 1 || info.Chain != info.Hash {
		t.Errorf("%+v", info)
	}
}
