package ledger

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unicode/utf8"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/report"
	"stump/checkout/ledger/wreck"
	"stump/internal/books"
)

var damageRuns = flag.Int("damage", 1000, "damaged files that TestDamage opens")

// truth is what a ledger held before it was damaged.
type truth struct {
	file   []byte
	used   int64 // bytes that the trees use
	hashes map[uint64]checkout.Hash
	who    string
	outbox string
	tags   map[int]string
}

// whoOf lists loans by device; it tells no names, which damage may take.
func whoOf(t testing.TB, l *Ledger) string {
	t.Helper()
	var s []string
	for loan, err := range l.Loans(books.LoanFilter{}) {
		if err != nil {
			return "error: " + err.Error()
		}
		s = append(s, loan.DeviceID+"="+loan.PersonID+loan.Note())
	}
	sort.Strings(s)
	return strings.Join(s, " ")
}

func outboxOf(l *Ledger) string {
	var s []string
	for _, sink := range []string{"dir", "hook"} {
		rows, err := outbox(l, sink)
		if err != nil {
			return "error: " + err.Error()
		}
		for _, r := range rows {
			s = append(s, r.ID+sink)
		}
	}
	return strings.Join(s, " ")
}

func hashesOf(l *Ledger) (map[uint64]checkout.Hash, error) {
	all := map[uint64]checkout.Hash{}
	for e, err := range l.History(books.HistoryFilter{}) {
		if err != nil {
			return all, err
		}
		all[e.Seq] = e.Hash
	}
	return all, nil
}

// lived makes a ledger that has seen some life: some hundred bumps, deliveries,
// pending tags, unknown tags, retired people.
func lived(t testing.TB, events int) (*tester, *truth) {
	x := newLedger(t)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		x.ok(x.AddPerson(books.Person{ID: fmt.Sprintf("p%02d", i), Name: fmt.Sprintf("Person %d", i)}, tag(100+i), "admin", checkout.SourceCLI))
		x.ok(x.AddDevice(books.Device{ID: fmt.Sprintf("d%02d", i), Name: fmt.Sprintf("Device %d", i)}, tag(200+i), "admin", checkout.SourceCLI))
	}
	pending := checkout.Subject{Kind: checkout.KindPerson, Tag: tag(901), Pending: true}
	_, err := x.Complete(checkout.Completion{Person: pending, Device: x.subject(13)})
	x.ok(err)
	for i := range events {
		x.bump(100+r.IntN(40), 200+r.IntN(40))
		if i%3 > 0 {
			for _, row := range rowsFor(t, x.Ledger, "dir")[:1] {
				x.ok(x.Delivered("dir", row.Key))
			}
		}
		if i%10 == 0 {
			x.ok(x.NoteRefusals(stranger(tag(1000 + i))))
		}
	}
	tr := &truth{who: whoOf(t, x.Ledger), outbox: outboxOf(x.Ledger), tags: map[int]string{}}
	tr.hashes, err = hashesOf(x.Ledger)
	x.ok(err)
	for _, n := range append(seqOf(100, 40), seqOf(200, 40)...) {
		tr.tags[n] = x.subject(n).ID
	}
	x.ok(x.Close())
	tr.file, err = os.ReadFile(x.path)
	x.ok(err)
	f, err := os.Open(x.path)
	x.ok(err)
	defer f.Close()
	for slot := range int64(2) {
		m, err := boltpages.ReadMeta(f, slot)
		x.ok(err)
		tr.used = max(tr.used, int64(m.High)*boltpages.PageSize)
	}
	return x, tr
}

func seqOf(first, n int) []int {
	var s []int
	for i := range n {
		s = append(s, first+i)
	}
	return s
}

// damage changes a file in one of the ways that disks know.
func damage(r *rand.Rand, run int, tr *truth) (what string, file []byte) {
	file = slices.Clone(tr.file)
	pages := int(tr.used / boltpages.PageSize)
	switch {
	case run < pages:
		return fmt.Sprint("cut at page ", run), file[:run*boltpages.PageSize]
	case run < 2*pages:
		at := (run - pages) * boltpages.PageSize
		clear(file[at : at+boltpages.PageSize])
		return fmt.Sprint("zeroed page ", run-pages), file
	case run < 2*pages+2: // one meta page in the place of the other
		from := run - 2*pages
		copy(file[(1-from)*boltpages.PageSize:(2-from)*boltpages.PageSize], tr.file[from*boltpages.PageSize:])
		return fmt.Sprintf("page %d lies in the place of %d", from, 1-from), file
	case run%5 == 0: // a run of zeroed pages
		at, n := r.IntN(pages), 1+r.IntN(8)
		clear(file[at*boltpages.PageSize : min((at+n)*boltpages.PageSize, len(file))])
		return fmt.Sprintf("zeroed %d pages from %d", n, at), file
	case run%5 == 1: // a page in the place of another
		from, to := r.IntN(pages), r.IntN(pages)
		copy(file[to*boltpages.PageSize:(to+1)*boltpages.PageSize], tr.file[from*boltpages.PageSize:])
		return fmt.Sprintf("page %d lies in the place of %d", from, to), file
	case run%5 == 2: // rubbish in a sector
		at := r.IntN(int(tr.used)/512) * 512
		for i := range 512 {
			file[at+i] = byte(r.Uint32())
		}
		return fmt.Sprint("rubbish in sector ", at/512), file
	}
	n := 1 + r.IntN(3)
	what = "flipped"
	for range n {
		at := r.IntN(int(tr.used))
		if r.IntN(8) == 0 {
			at = r.IntN(len(file))
		}
		bit := r.IntN(8)
		file[at] ^= 1 << bit
		what += fmt.Sprintf(" %d.%d", at, bit)
	}
	return what, file
}

// TestDamage opens damaged files. Each must open as if nothing had been, and
// then nothing is missing; or say that it is damaged, and then what is lost is
// told by number. A panic ends the test.
func TestDamage(t *testing.T) {
	x, tr := lived(t, 200)
	const lanes = 4
	var c damageCounts
	t.Run("lanes", func(t *testing.T) {
		for lane := range lanes {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(3, uint64(lane)))
				for run := lane; run < *damageRuns; run += lanes {
					what, file := damage(r, run, tr)
					if err := damageRun(t, x.o, tr, file, &c); err != nil {
						t.Errorf("run %d: %s: %v", run, what, err)
					}
				}
			})
		}
	})
	t.Logf("%d damaged files: %d harmless, %d salvaged (%d of them found by verify), %d of these without a loss",
		*damageRuns, c.harmless.Load(), c.salvaged.Load(), c.found.Load(), c.whole.Load())
}

type damageCounts struct{ harmless, found, salvaged, whole atomic.Int64 }

// damageRun opens one damaged file.
func damageRun(t *testing.T, o Options, tr *truth, file []byte, c *damageCounts) error {
	path := filepath.Join(memDir(t), "ledger.db")
	if err := errors.Join(os.WriteFile(path, file, 0o600), boltfile.WriteHolder(path, uint64(len(tr.hashes)+reserve))); err != nil {
		return err
	}
	o.Stamp = newTestClock().stamp
	l, s, err := OpenOrSalvage(path, o)
	if err != nil {
		return err
	}
	defer func() {
		if l != nil {
			l.Close()
		}
	}()
	if s == nil {
		report, err := l.Verify(context.Background(), VerifyOptions{Note: true})
		if err != nil {
			return err
		}
		if report.OK() {
			c.harmless.Add(1)
			if err := same(t, l, tr); err != nil {
				l.Close()
				if checkedByBolt(path) == nil {
					return fmt.Errorf("lost without a word: %w", err)
				}
			}
			return nil
		}
		c.found.Add(1)
		l.Close()
		// Where the damage took a row that tells of a sink or the key, Open has written another.
		if file, err = os.ReadFile(path); err != nil {
			return err
		}
		if l, s, err = OpenOrSalvage(path, o); err != nil {
			return err
		}
	}
	c.salvaged.Add(1)
	err = owned(t, l, s, tr, file)
	if err == nil && len(s.Lost) == 0 {
		c.whole.Add(1)
	}
	return err
}

// checkedByBolt is bbolt's own check, which `stump verify` runs in a process of its own: it
// finds keys out of order, by which a search goes wrong, and may panic.
func checkedByBolt(path string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return CheckFile(path)
}

// memDir is a folder in memory, where there is one: these tests are about
// what is in a file, not about when it is on the disk.
func memDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "stump-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// same compares everything with the truth.
func same(t testing.TB, l *Ledger, tr *truth) error {
	hashes, err := hashesOf(l)
	if err != nil {
		return err
	}
	if !maps.Equal(hashes, tr.hashes) {
		return fmt.Errorf("%d events of %d", len(hashes), len(tr.hashes))
	}
	if who := whoOf(t, l); who != tr.who {
		return fmt.Errorf("loans: %s", who)
	}
	if out := outboxOf(l); out != tr.outbox {
		return fmt.Errorf("outbox: %s", out)
	}
	for n, id := range tr.tags {
		s, err := l.Subject(tag(n))
		if err != nil || s.ID != id {
			return fmt.Errorf("tag %d is %q: %v", n, s.ID, err)
		}
	}
	return nil
}

// owned checks that a salvage owns up to what is missing.
func owned(t testing.TB, l *Ledger, s *Salvaged, tr *truth, file []byte) error {
	report, err := l.Verify(context.Background(), VerifyOptions{})
	if err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("the new segment does not verify: %v", report)
	}
	aside, err := os.ReadFile(s.File)
	if err != nil || !slices.Equal(aside, file) {
		return fmt.Errorf("the damaged file is not what it was: %v", err)
	}
	lost := map[uint64]bool{}
	for _, g := range s.Lost {
		for seq := g[0]; seq <= g[1]; seq++ {
			lost[seq] = true
		}
	}
	hashes, err := hashesOf(l)
	if err != nil {
		return err
	}
	var first *checkout.Event
	for e, err := range l.History(books.HistoryFilter{}) {
		if err == nil && e.Kind == checkout.Salvage {
			first = &e.Event
			break
		}
	}
	if first == nil || first.Gap == nil || first.Gap.File != s.File {
		return errors.New("no event names the damaged file")
	}
	for seq, h := range tr.hashes {
		switch {
		case hashes[seq] == h:
		case lost[seq]:
		case s.Perhaps[0] <= seq && seq <= s.Perhaps[1]:
		default:
			return fmt.Errorf("event %d is missing, and not among those said to be lost: %v", seq, s.Lost)
		}
	}
	for seq, h := range hashes {
		if seq < first.Seq && tr.hashes[seq] != h {
			return fmt.Errorf("event %d is another", seq)
		}
	}
	if len(lost) == 0 && len(hashes) > len(tr.hashes) {
		if who := whoOf(t, l); who != tr.who {
			return fmt.Errorf("no event is lost, but the loans are\n%s\nnot\n%s", who, tr.who)
		}
	}
	// A tap goes through.
	for _, s := range []checkout.Subject{{Kind: checkout.KindPerson, Tag: tag(1), Pending: true}} {
		if got, err := l.Subject(tag(1)); err == nil && got.Kind != checkout.Unknown {
			s = got
		}
		d := checkout.Subject{Kind: checkout.KindDevice, Tag: tag(12), Pending: true}
		if got, err := l.Subject(tag(12)); err == nil && got.Kind != checkout.Unknown {
			d = got
		}
		if _, err := l.Complete(checkout.Completion{Person: s, Device: d}); err != nil {
			return fmt.Errorf("a tap after the salvage: %w", err)
		}
	}
	return nil
}

func TestSalvageIsTold(t *testing.T) {
	x, tr := lived(t, 50)
	file := slices.Clone(tr.file)
	clear(file[:boltpages.PageSize])
	x.ok(os.WriteFile(x.path, file, 0o600))
	if _, err := Open(x.path, x.o); err == nil || !strings.Contains(err.Error(), "meta page 0") {
		t.Fatal(err)
	}
	l, s, err := OpenOrSalvage(x.path, x.o)
	x.ok(err)
	defer l.Close()
	if !strings.HasPrefix(s.File, x.path+".damaged-2026") || !strings.HasSuffix(s.File, "-meta-page-0--not-a-meta-page") {
		t.Errorf("set aside as %s", s.File)
	}
	want(t, "events", s.Events, uint64(len(tr.hashes)))
	want(t, "who", whoOf(t, l), tr.who)
	want(t, "outbox", outboxOf(l), tr.outbox)
	info, err := l.Info()
	x.ok(err)
	if info.Salvaged == nil || info.Salvaged.String() != s.String() || !l.Hurt() {
		t.Errorf("info: %v, hurt: %v", info.Salvaged, l.Hurt())
	}
	x.ok(l.AcknowledgeSalvage())
	info, err = l.Info()
	x.ok(err)
	if info.Salvaged != nil || l.Hurt() {
		t.Error("still there after it was acknowledged")
	}
}

func TestAMissingLedgerIsNoEmptyOne(t *testing.T) {
	x := newLedger(t)
	x.ok(x.Close())
	x.ok(os.Remove(x.path))
	if _, err := Open(x.path, x.o); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	l, s, err := OpenOrSalvage(x.path, x.o)
	x.ok(err)
	defer l.Close()
	if s == nil || !strings.Contains(s.String(), "the ledger is gone") {
		t.Errorf("%v", s)
	}
	fresh, s, err := OpenOrSalvage(filepath.Join(t.TempDir(), "ledger.db"), x.o)
	x.ok(err)
	defer fresh.Close()
	if s != nil {
		t.Errorf("a first start is no damage: %v", s)
	}
}

// TestDamageWhileOpen damages the pages of a ledger that takes taps.
// TestSalvageOfALongReason salvages what was damaged so that its name is as
// long as the file: what is written of it can be read again.
func TestSalvageOfALongReason(t *testing.T) {
	x, tr := lived(t, 20)
	x.ok(os.WriteFile(beside.SuspectPath(x.path), []byte(strings.Repeat("\\x00é", 50_000)), 0o600))
	l, s, err := OpenOrSalvage(x.path, x.o)
	x.ok(err)
	want(t, "who", whoOf(t, l), tr.who)
	x.ok(l.Close())
	l, again, err := OpenOrSalvage(x.path, x.o)
	x.ok(err)
	defer l.Close()
	info, err := l.Info()
	x.ok(err)
	if again != nil || info.Salvaged.String() != s.String() || len(s.Reason) > 400 || !utf8.ValidString(s.Reason) {
		t.Errorf("%v, then %v, noted is %v", s, again, info.Salvaged)
	}
	x.Ledger = l
	x.verify()
}

// TestSalvageOfManyHoles loses every other event of two chains.
func TestSalvageOfManyHoles(t *testing.T) {
	const events = 100_000
	w := &wreck.Wreck{Chains: map[uint16]record.Chain{1: {}, 2: {Name: "old"}}}
	s := &salvager{Wreck: w, result: &Salvaged{}}
	for chain := range uint16(2) {
		for seq := uint64(2); seq < events; seq += 2 {
			s.Events = append(s.Events, wreck.Event{At: record.At(chain+1, seq)})
		}
	}
	s.result.Lost = s.missing(1, events)
	s.result.Others = map[string][][2]uint64{"old": s.missing(2, events)}
	if n := len(record.Pack(report.SalvagedForm(s.result))); n > record.MaxSize {
		t.Errorf("the row has %d bytes", n)
	}
	ev := &record.Event{Event: checkout.Event{Gap: &checkout.Gap{Lost: s.result.Lost, Others: s.result.Others}}}
	if n := len(record.Encode(ev)); n > record.MaxSize {
		t.Errorf("the event has %d bytes", n)
	}
	if n := len(s.result.String()); n > 1000 {
		t.Errorf("it takes %d letters to tell", n)
	}
}

// TestTooLongIsNotWritten: what can't be read again is refused.
func TestTooLongIsNotWritten(t *testing.T) {
	x := newLedger(t)
	long := make([]byte, record.MaxSize+1)
	if err := x.update(func(t *txn) { t.put(record.TreeMeta, metaSalvage, long) }); err == nil || !strings.Contains(err.Error(), "65537 bytes") {
		t.Errorf("row: %v", err)
	}
	err := x.update(func(t *txn) {
		t.append(&record.Event{Event: checkout.Event{Kind: checkout.Salvage, Note: string(long)}}, nobody, nobody)
	})
	if err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("event: %v", err)
	}
	x.reopen()
	x.verify()
}

func TestDamageWhileOpen(t *testing.T) {
	for _, how := range []string{"zeroed", "cut"} {
		t.Run(how, func(t *testing.T) {
			x, tr := lived(t, 100)
			l, err := Open(x.path, x.o)
			x.ok(err)
			x.Ledger = l
			if how == "cut" {
				x.ok(os.Truncate(x.path, 8*boltpages.PageSize))
			} else {
				f, err := os.OpenFile(x.path, os.O_WRONLY, 0)
				x.ok(err)
				for at := int64(2 * boltpages.PageSize); at < tr.used; at += boltpages.PageSize {
					_, err = f.WriteAt(make([]byte, boltpages.PageSize), at)
					x.ok(err)
				}
				x.ok(f.Close())
			}
			_, err = x.Complete(checkout.Completion{
				Person: checkout.Subject{Kind: checkout.KindPerson, Tag: tag(1), Pending: true},
				Device: checkout.Subject{Kind: checkout.KindDevice, Tag: tag(12), Pending: true}})
			x.ok(err)
			info, err := x.Info()
			x.ok(err)
			if info.Salvaged == nil {
				t.Error("not a word about it")
			}
		})
	}
}

// TestDamageUnderALookup damages the tree that badges are looked up in, under
// the daemon: the bump that meets it is answered all the same.
func TestDamageUnderALookup(t *testing.T) {
	x, tr := lived(t, 300)
	l, err := Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	f, err := os.OpenFile(x.path, os.O_RDWR, 0)
	x.ok(err)
	defer f.Close()
	m, err := boltpages.ReadMeta(f, 0)
	x.ok(err)
	if other, err := boltpages.ReadMeta(f, 1); err == nil && other.Txid > m.Txid {
		m = other
	}
	p, pages := &boltpages.File{R: f, High: m.High}, map[int64]bool{}
	for _, b := range p.Buckets(m.Root) {
		if b.Name == record.TreeTags.String() {
			b.Content(func(g boltpages.Found) { pages[g.Off/boltpages.PageSize] = true })
		}
	}
	for page := range pages {
		_, err := f.WriteAt(make([]byte, boltpages.PageSize), page*boltpages.PageSize)
		x.ok(err)
	}
	want(t, "the badge", x.subject(100).ID, tr.tags[100])
	x.bump(100, 200)
	info, err := x.Info()
	x.ok(err)
	if info.Salvaged == nil || info.Damaged != nil {
		t.Errorf("salvaged: %v, damaged: %v", info.Salvaged, info.Damaged)
	}
	x.verify()
}

// TestNoFileToSetAside meets what is no ledger's file: it is left alone.
func TestNoFileToSetAside(t *testing.T) {
	x := newLedger(t)
	x.ok(x.Close())
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	for what, lay := range map[string]func() error{
		"a folder":       func() error { return os.Mkdir(path, 0o700) },
		"a pipe":         func() error { return syscall.Mkfifo(path, 0o600) },
		"a loose link":   func() error { return os.Symlink(filepath.Join(dir, "away", "ledger.db"), path) },
		"a link to none": func() error { return os.Symlink(dir, path) },
	} {
		x.ok(lay())
		_, _, err := OpenOrSalvage(path, x.o)
		var damaged *DamagedError
		if err == nil || errors.As(err, &damaged) || errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
		all, err := os.ReadDir(dir)
		x.ok(err)
		want(t, what, len(all), 1)
		x.ok(os.Remove(path))
	}
}

// TestLedgerBehindALink has the ledger on another disk: there it stays.
func TestLedgerBehindALink(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.ok(x.Close())
	link := filepath.Join(t.TempDir(), "ledger.db")
	x.ok(os.Symlink(x.path, link))
	l, err := Open(link, x.o)
	x.ok(err)
	x.Ledger = l
	x.ok(x.Scrub(t.Context()))
	x.ok(x.Close())
	x.ok(os.Truncate(x.path, 0))
	_, salvaged, err := OpenOrSalvage(link, x.o)
	x.ok(err)
	st, err := os.Lstat(link)
	x.ok(err)
	if st.Mode()&os.ModeSymlink == 0 || filepath.Dir(salvaged.File) != filepath.Dir(x.path) {
		t.Errorf("the link is %v, the damaged file %s", st.Mode(), salvaged.File)
	}
}
