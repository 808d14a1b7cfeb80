package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/internal/books"
	"stump/internal/config"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

// addPerson makes an event: that somebody got a badge.
func addPerson(t *testing.T, l *ledger.Ledger, id string) {
	t.Helper()
	badge := testkit.Tag(uint64(id[0]), 26)
	if err := l.AddPerson(books.Person{ID: id, Name: id}, badge, "admin", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
}

// TestUpkeepSchedule runs three days: the first backup comes after ten minutes,
// then one a day, and none where nothing is new. The clock is looked at until it
// is right.
func TestUpkeepSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New()})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		start, looks := time.Now(), new(atomic.Int32)
		u := &upkeep{
			ledger: l, log: slog.New(slog.DiscardHandler),
			backups: newBackups(config.Backup{Keep: 3}, dir, l, slog.New(slog.DiscardHandler)),
			trusted: func() bool {
				looks.Add(1)
				return time.Since(start) >= 5*time.Minute
			},
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- u.Run(ctx) }()
		at := func(d time.Duration, want int) {
			t.Helper()
			time.Sleep(time.Until(start.Add(d)))
			synctest.Wait()
			all, err := filepath.Glob(filepath.Join(dir, "backups", "*"))
			if err != nil || len(all) != want || len(u.backups.faults()) > 0 {
				t.Errorf("after %v: %v, want %d; %v, %v", d, all, want, err, u.backups.faults())
			}
		}
		addPerson(t, l, "ann")
		at(10*time.Minute-1, 0)
		if got, want := looks.Load(), 1+int32(5*time.Minute/clockLook); got != want {
			t.Errorf("the clock was looked at %d times, want %d", got, want)
		}
		at(10*time.Minute, 1)
		at(24*time.Hour, 1)
		addPerson(t, l, "ben")
		at(48*time.Hour-1, 1)
		at(48*time.Hour, 2)
		addPerson(t, l, "cem")
		at(72*time.Hour, 3)
		addPerson(t, l, "dia")
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		u.atStop()
		all, err := filepath.Glob(filepath.Join(dir, "backups", "*"))
		if err != nil || len(all) != 3 || !strings.Contains(all[2], "-000000000004-") {
			t.Errorf("after the stop: %v, %v", all, err)
		}
	})
}

// TestStopDuringAnImport: a stop does not wait for the end of an import.
func TestStopDuringAnImport(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	log := slog.New(slog.DiscardHandler)
	u := &upkeep{ledger: l, log: log, backups: newBackups(config.Backup{Keep: 3}, dir, l, log)}
	reached, hold := testkit.HoldAt(t, &boltfile.CrashHook, "import-batch")
	go func() {
		_, _ = l.Import(t.Context(), checkout.KindPerson, func(yield func(books.ImportRow, error) bool) {
			for i := range 1000 {
				if !yield(books.ImportRow{ID: fmt.Sprint("p", i), Name: "Person"}, nil) {
					return
				}
			}
		}, books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI})
	}()
	<-reached
	stopped := make(chan struct{})
	go func() {
		u.atStop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Error("the stop waits for the import")
	}
	close(hold)
}

// TestUpkeepForgets takes the names off loans that were closed long ago, before
// the backup.
func TestUpkeepForgets(t *testing.T) {
	start := time.Now()
	dir := t.TempDir()
	l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{
		Station: "lab", SiteKey: sitekey.New(),
		Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: time.Now(), Mono: time.Since(start), Trusted: true} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.AddPerson(books.Person{ID: "ann", Name: "Ann"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	must(l.AddDevice(books.Device{ID: "ipad", Name: "iPad"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	_, err = l.Give(books.Request{Device: "ipad", Person: "ann", Actor: "admin"})
	must(err)
	_, err = l.Return(books.Request{Device: "ipad", Actor: "admin"})
	must(err)
	named := func() (n int) {
		for e, err := range l.History(books.HistoryFilter{}) {
			if must(err); e.PersonName != "" && (e.Kind == checkout.Checkout || e.Kind == checkout.Return) {
				n++
			}
		}
		return n
	}
	log := slog.New(slog.DiscardHandler)
	u := &upkeep{ledger: l, log: log, backups: newBackups(config.Backup{}, dir, l, log)}
	u.daily(t.Context())
	if n := named(); n != 2 {
		t.Errorf("without a limit %d events have a name, want 2", n)
	}
	u.retain = time.Nanosecond
	time.Sleep(time.Millisecond)
	u.daily(t.Context())
	if n := named(); n != 0 {
		t.Errorf("%d events still have a name", n)
	}
}
