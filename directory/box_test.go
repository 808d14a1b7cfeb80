package directory

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

// box is a ledger in memory with helpers for tests.
type box struct {
	*ledger.Ledger
	t tester
}

// tester is *testing.T, *testing.B or *rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
}

// newBox returns an empty box.
func newBox(t tester, sinks ...string) *box {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "stump-test-")
	if err != nil {
		if dir, err = os.MkdirTemp("", "stump-test-"); err != nil {
			t.Fatal(err)
		}
	}
	l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{
		Station: "lab", SiteKey: siteKey, Sinks: sinks, SealTags: true,
		Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: time.Now(), Trusted: true} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		os.RemoveAll(dir)
	})
	return &box{l, t}
}

var siteKey = sitekey.New()

// sync changes the register as the directory does.
func (b *box) sync(rows ...books.SyncRow) {
	b.t.Helper()
	if _, err := b.Sync(rows, Main, checkout.SourceSync); err != nil {
		b.t.Fatal(err)
	}
}

// known returns a person or device of the register, which it adds, without a tag.
func (b *box) known(kind checkout.SubjectKind, id string) checkout.Subject {
	b.t.Helper()
	m, err := find(b, kind, id)
	if err != nil {
		b.t.Fatal(err)
	}
	if m.ID == "" {
		b.sync(books.SyncRow{Kind: kind, Name: id})
	}
	return checkout.Subject{Kind: kind, ID: id}
}

// take commits that Ann took devices, or returned them. The first event of a box
// is number 1.
func (b *box) take(devices ...string) (ev checkout.Event) {
	b.t.Helper()
	for _, d := range devices {
		ev = b.complete(b.ann(), b.known(checkout.KindDevice, d))
	}
	return ev
}

// bump commits two taps; unknown tags are pending.
func (b *box) bump(person, device checkout.Tag) checkout.Event {
	b.t.Helper()
	return b.complete(b.subject(checkout.KindPerson, person), b.subject(checkout.KindDevice, device))
}

func (b *box) subject(kind checkout.SubjectKind, tag checkout.Tag) checkout.Subject {
	b.t.Helper()
	s, err := b.Subject(tag)
	if err != nil {
		b.t.Fatal(err)
	}
	if s.Kind == checkout.Unknown {
		s.Kind, s.Pending = kind, true
	}
	return s
}

func (b *box) complete(person, device checkout.Subject) checkout.Event {
	b.t.Helper()
	ev, err := b.Complete(checkout.Completion{Person: person, Device: device})
	if err != nil {
		b.t.Fatal(err)
	}
	return ev
}

// strayTag is a device's unknown tag.
var strayTag = testkit.Tag(1234567, 26)

// stray commits that somebody took an unknown device.
func (b *box) stray(person checkout.Subject) checkout.Event {
	b.t.Helper()
	return b.complete(person, b.subject(checkout.KindDevice, strayTag))
}

// own enters in the register that the stray is this device.
func (b *box) own(device string) {
	b.t.Helper()
	b.sync(books.SyncRow{Kind: checkout.KindDevice, ID: b.known(checkout.KindDevice, device).ID, Name: device, Tag: strayTag})
}

func (b *box) ann() checkout.Subject { return b.known(checkout.KindPerson, "ann") }

// row is the row of event seq.
func (b *box) row(sink string, seq uint64) (ledger.OutboxRow, error) {
	return b.OutboxOf(sink, keyOf(seq))
}

func keyOf(seq uint64) ledger.RowKey { return ledger.RowKey{Chain: 1, Seq: seq} }

// save sets the worker's part of the row of event seq.
func (b *box) save(sink string, seq uint64, o record.OutboxRow) {
	b.t.Helper()
	if err := b.SaveOutbox(sink, ledger.OutboxRow{Key: keyOf(seq), OutboxRow: o}); err != nil {
		b.t.Fatal(err)
	}
}

// waiting is how many rows a sink has.
func (b *box) waiting(sink string) int {
	b.t.Helper()
	n, err := b.Backlog(sink)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// rows are all rows of a sink.
func (b *box) rows(sink string) (rows []ledger.OutboxRow) {
	b.t.Helper()
	for p := (ledger.OutboxPage{}); !p.End; {
		var err error
		if p, err = b.OutboxFrom(sink, p.Next, 100); err != nil {
			b.t.Fatal(err)
		}
		rows = append(rows, p.Rows...)
	}
	return rows
}

// faulty is a box whose outbox can't be written while fails is set.
type faulty struct {
	*box
	mu     sync.Mutex
	fails  error
	writes int
}

func (f *faulty) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = err
}

func (f *faulty) write(write func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return f.fails
	}
	f.writes++
	return write()
}

func (f *faulty) SaveOutbox(sink string, rows ...ledger.OutboxRow) error {
	return f.write(func() error { return f.box.SaveOutbox(sink, rows...) })
}

func (f *faulty) Delivered(sink string, keys ...ledger.RowKey) error {
	return f.write(func() error { return f.box.Delivered(sink, keys...) })
}

func (f *faulty) Told(sink string, key ledger.RowKey, rev string) error {
	return f.write(func() error { return f.box.Told(sink, key, rev) })
}

func (f *faulty) Doubt(key ledger.RowKey, actor, note string) error {
	return f.write(func() error { return f.box.Doubt(key, actor, note) })
}

var errFull = errors.New("no space left on device")
