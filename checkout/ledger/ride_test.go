package ledger

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/lane"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// ride makes changes while many rows are being written, and says what became of them.
func (x *tester) ride(rows func(*txn), changes ...func() error) (each []error, many error) {
	x.t.Helper()
	done := make([]chan error, len(changes))
	many = x.updateMany(func(t *txn) {
		for i := range done {
			if done[i] != nil {
				continue // it is not the first try
			}
			done[i] = make(chan error, 1)
			go func() { done[i] <- changes[i]() }()
			for x.writing.Waiting() <= i {
				runtime.Gosched()
			}
		}
		rows(t)
	})
	for _, c := range done {
		each = append(each, <-c)
	}
	return each, many
}

// named is a row: a person gets a name.
func named(name string) func(*txn) {
	return func(t *txn) {
		p := t.known(record.TreePeople, "ben")
		p.row.Name = name
		t.save(p)
	}
}

func (x *tester) commits() (n int) {
	x.t.Helper()
	x.ok(x.db.View(func(tx *bolt.Tx) error { n = tx.ID(); return nil }))
	return n
}

func (x *tester) name(id string) string {
	p, err := x.FindPerson(id)
	x.ok(err)
	return p.Name
}

// TestRide: what waits for many rows is saved with them, by one commit.
func TestRide(t *testing.T) {
	x := newLedger(t)
	before := x.commits()
	var ev checkout.Event
	one, many := x.ride(named("Benjamin"), func() (err error) {
		ev, err = x.take(1, 11, "", "")
		return err
	})
	if many != nil || one[0] != nil {
		t.Fatal(many, one)
	}
	want(t, "commits", x.commits()-before, 1)
	want(t, "row", x.name("ben"), "Benjamin")
	want(t, "event", fmt.Sprint(ev.Kind, ev.Person, ev.Device), "checkoutannipad")
	x.reopen()
	want(t, "holder", x.subject(11).Holder, "ann")
	x.verify()
}

// TestRideRefused: a change that can't be made fails alone. The rows are saved, and so is
// who rode beside it.
func TestRideRefused(t *testing.T) {
	x := newLedger(t)
	x.bump(2, 11)
	each, many := x.ride(named("Benjamin"), func() error {
		_, err := x.take(3, 12, "", "")
		return err
	}, func() error {
		_, err := x.take(1, 11, "", checkout.PolicyRefuse)
		return err
	})
	x.ok(many)
	x.ok(each[0])
	if !errors.Is(each[1], checkout.ErrRefused) {
		t.Error(each[1])
	}
	want(t, "row", x.name("ben"), "Benjamin")
	want(t, "holder", x.subject(11).Holder, "ben")
	want(t, "holder beside", x.subject(12).Holder, "cem")
	x.verify()
}

// TestRideOnTerms: who rides has terms of its own.
func TestRideOnTerms(t *testing.T) {
	x := newLedger(t)
	on := x.On(books.Terms{Kind: checkout.KindPerson, Ref: "ann", Revisions: []string{"of before"}})
	one, many := x.ride(named("Benjamin"), func() error {
		name := "Anna"
		return on.EditPerson("ann", books.Edit{Name: &name}, "admin", checkout.SourceCLI)
	})
	x.ok(many)
	var changed *books.ChangedError
	if !errors.As(one[0], &changed) {
		t.Error(one)
	}
	want(t, "row", x.name("ben"), "Benjamin")
	want(t, "name", x.name("ann"), "Ann")
}

// TestRideBesideRefusedRows: rows that can't be written don't keep a bump from being saved.
func TestRideBesideRefusedRows(t *testing.T) {
	x := newLedger(t)
	refused := errors.New("no such row")
	one, many := x.ride(func(tx *txn) {
		named("Benjamin")(tx)
		tx.fail(refused)
	}, func() error {
		_, err := x.take(1, 11, "", "")
		return err
	})
	if !errors.Is(many, refused) || one[0] != nil {
		t.Error(many, one)
	}
	want(t, "row", x.name("ben"), "Ben")
	want(t, "holder", x.subject(11).Holder, "ann")
	x.verify()
}

// TestRideOnAFullDisk: what was not saved is said to all, and nothing of it is there.
func TestRideOnAFullDisk(t *testing.T) {
	x := newLedger(t)
	x.o.MaxSize = 1 << 20
	x.reopen()
	long := make([]byte, 900)
	one, many := x.ride(func(tx *txn) {
		named("Benjamin")(tx)
		for i := range 4000 {
			tx.put(record.TreeMeta, fmt.Appendf(nil, "filler/%d", i), long)
		}
	}, func() error {
		_, err := x.take(1, 11, "", "")
		return err
	})
	if !errors.Is(many, ErrCannotSave) || !errors.Is(one[0], ErrCannotSave) {
		t.Error(many, one)
	}
	x.o.MaxSize = 0
	x.reopen()
	want(t, "row", x.name("ben"), "Ben")
	want(t, "holder", x.subject(11).Holder, "")
	x.bump(1, 11)
	x.verify()
}

// TestSyncMakesRoom: where a tap waits, one row is written, and the tag of a later one is
// not lost.
func TestSyncMakesRoom(t *testing.T) {
	l := syncLedger(t)
	var rows []books.SyncRow
	for i := range 20 {
		rows = append(rows, books.SyncRow{Kind: checkout.KindPerson, Ref: fmt.Sprint(i), Name: fmt.Sprint("Person ", i), Tag: tag26(uint64(i + 1))})
	}
	rode := 0
	l.writing.Join(lane.NewRider(func(*bolt.Tx) error { rode++; return nil }))
	for done := 0; done < len(rows); {
		out := syncRows(t, l, rows[done:]...)
		if done == 0 {
			want(t, "rows while a tap waits", len(out), 1)
			want(t, "taps that rode", rode, 1)
		}
		done += len(out)
		people := 0
		for range l.People(books.Page{}) {
			people++
		}
		want(t, "people", people, done)
	}
	for i := range rows {
		if s, err := l.Subject(tag26(uint64(i + 1))); err != nil || s.ID != fmt.Sprint("person-", i) {
			t.Errorf("tag %d is %q's, %v", i+1, s.ID, err)
		}
	}
}

// TestSyncSwapsTagsRowByRow: two who have each other's badges get their own, wherever a tap
// cuts in.
func TestSyncSwapsTagsRowByRow(t *testing.T) {
	l := syncLedger(t)
	rows := []books.SyncRow{
		{Kind: checkout.KindPerson, Ref: "1", Name: "Ann", Tag: tag26(1)},
		{Kind: checkout.KindPerson, Ref: "2", Name: "Ben", Tag: tag26(2)},
	}
	rows = syncRows(t, l, rows...)
	rows[0].Tag, rows[1].Tag = rows[1].Tag, rows[0].Tag
	rode := 0
	l.writing.Join(lane.NewRider(func(*bolt.Tx) error { rode++; return nil }))
	want(t, "rows", len(syncRows(t, l, rows...)), 1)
	want(t, "taps that rode", rode, 1)
	syncRows(t, l, rows[1])
	for n, id := range map[uint64]string{1: "ben", 2: "ann"} {
		s, err := l.Subject(tag26(n))
		if err != nil {
			t.Fatal(err)
		}
		want(t, fmt.Sprint("tag ", n), s.ID, id)
	}
}

// TestRideTogether: bumps, changes of admins and a directory write at the same time, and
// all that was said to be saved is there, once.
func TestRideTogether(t *testing.T) {
	x := newLedgerIn(t, memDir(t))
	const each = 60
	seen := make([]map[uint64]string, 3)
	var all sync.WaitGroup
	for i := range seen {
		seen[i] = map[uint64]string{}
		all.Go(func() {
			for range each {
				ev, err := x.take(1+i, 11+i, "", "")
				if err != nil {
					t.Error(err)
					return
				}
				seen[i][ev.Seq] = fmt.Sprint(ev.Kind, ev.Person, ev.Device)
			}
		})
	}
	stop := make(chan struct{})
	var rows sync.WaitGroup
	written := 0
	rows.Go(func() {
		for n := 0; ; n++ {
			var some []books.SyncRow
			for i := range 50 {
				some = append(some, books.SyncRow{Kind: checkout.KindPerson, Ref: fmt.Sprint(n, "/", i), Name: "Somebody", Tag: tag26(uint64(1000 + 50*n + i))})
			}
			for len(some) > 0 {
				out, err := x.Sync(some, "directory", checkout.SourceSync)
				if err != nil {
					t.Error(err)
					return
				}
				some, written = some[len(out):], written+len(out)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	all.Wait()
	close(stop)
	rows.Wait()
	history, moves := map[uint64]string{}, 0
	for e, err := range x.History(books.HistoryFilter{}) {
		x.ok(err)
		if e.Kind.MovesDevice() {
			history[e.Seq] = fmt.Sprint(e.Kind, e.Person, e.Device)
			moves++
		}
	}
	want(t, "moves", moves, each*len(seen))
	for _, some := range seen {
		for seq, what := range some {
			want(t, fmt.Sprint("event ", seq), history[seq], what)
		}
	}
	people := 0
	for p, err := range x.People(books.Page{Limit: 100_000}) {
		x.ok(err)
		if p.Name == "Somebody" {
			people++
		}
	}
	want(t, "people", people, written)
	x.verify()
}
