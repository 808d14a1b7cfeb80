package feed_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/feed"
)

// open makes a ledger with n people in it, which are n events.
func open(t testing.TB, n int) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab-1", SiteKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.AddDevice(books.Device{ID: "ipad", Name: "iPad"}, checkout.Tag{}, "admin", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	if err := l.AddPerson(books.Person{ID: "ann", Name: "Ann"}, checkout.Tag{}, "admin", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	for range n {
		move(t, l)
	}
	return l
}

// move commits one event more.
func move(t testing.TB, l *ledger.Ledger) {
	t.Helper()
	d, err := l.FindDevice("ipad")
	if err == nil && d.Holder == "" {
		_, err = l.Give(books.Request{Device: "ipad", Person: "ann", Actor: "admin", Note: "test", Source: checkout.SourceCLI})
	} else if err == nil {
		_, err = l.Return(books.Request{Device: "ipad", Actor: "admin", Note: "test", Source: checkout.SourceCLI})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// keys are those of all events, in order.
func keys(t testing.TB, l *ledger.Ledger) (all []string) {
	t.Helper()
	for e, err := range l.History(books.HistoryFilter{Kind: books.AnyKind}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Key())
	}
	return all
}

// take reads n events, or until the watch ends.
func take(t testing.TB, w *feed.Watcher, n int) (got []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range n {
		i, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("after %d events: %v", len(got), err)
		}
		if string(i.JSON) == "" || i.Entry.Key() != i.Key {
			t.Errorf("event %s: %s", i.Key, i.JSON)
		}
		got = append(got, i.Key)
	}
	return got
}

// TestReplayThenLive: cut anywhere, none is lost, and none comes twice.
func TestReplayThenLive(t *testing.T) {
	l := open(t, 20)
	f := feed.New(l)
	for cut := range 20 {
		before := keys(t, l)
		w, err := f.Watch(before[cut])
		if err != nil {
			t.Fatal(err)
		}
		got := take(t, w, (len(before)-cut-1)/2) // the rest comes after the next event is committed
		move(t, l)
		all := keys(t, l)
		got = append(got, take(t, w, len(all)-cut-1-len(got))...)
		if !slices.Equal(got, all[cut+1:]) {
			t.Errorf("after %d: %v, want %v", cut, got, all[cut+1:])
		}
		w.Close()
	}
}

// TestManyWatchers: events are committed while watchers come, read, go and come again
// where they were. Each gets every event once, in order.
func TestManyWatchers(t *testing.T) {
	l := open(t, 2)
	f := feed.New(l)
	first := keys(t, l)[0]
	var wg sync.WaitGroup
	const events, watchers = 120, 8
	got := make([][]string, watchers)
	for n := range watchers {
		wg.Go(func() {
			at := first
			for len(got[n]) < events {
				w, err := f.Watch(at)
				if err != nil {
					t.Error(err)
					return
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				for range 1 + n*7 {
					if len(got[n]) == events {
						break
					}
					i, err := w.Next(ctx)
					if err != nil {
						t.Error(err)
						break
					}
					at, got[n] = i.Key, append(got[n], i.Key)
				}
				cancel()
				w.Close()
				if t.Failed() {
					return
				}
			}
		})
	}
	for len(keys(t, l)) < events+1 {
		move(t, l)
	}
	wg.Wait()
	want := keys(t, l)[1 : events+1]
	for n := range watchers {
		if !slices.Equal(got[n], want) {
			t.Errorf("watcher %d got %d events, want %d in order", n, len(got[n]), events)
		}
	}
}

// TestFromNow: without a place, nothing of before is told.
func TestFromNow(t *testing.T) {
	l := open(t, 5)
	w, err := feed.New(l).Watch("")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	move(t, l)
	all := keys(t, l)
	if got := take(t, w, 1); got[0] != all[len(all)-1] {
		t.Errorf("got %v, want %s", got, all[len(all)-1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("more came: %v", err)
	}
}

// TestSlow: who does not read is dropped, and nobody else notices. It resumes.
func TestSlow(t *testing.T) {
	l := open(t, 0)
	f := feed.New(l)
	slow, err := f.Watch("")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	quick, err := f.Watch("")
	if err != nil {
		t.Fatal(err)
	}
	defer quick.Close()
	began := len(keys(t, l))
	for range 300 {
		move(t, l)
		take(t, quick, 1)
	}
	var got []string
	for err == nil {
		var i feed.Item
		if i, err = slow.Next(t.Context()); err == nil {
			got = append(got, i.Key)
		}
	}
	if !errors.Is(err, feed.ErrSlow) {
		t.Fatal(err)
	}
	all := keys(t, l)
	if !slices.Equal(got, all[began:began+len(got)]) {
		t.Fatalf("got %d events out of order", len(got))
	}
	again, err := f.Watch(got[len(got)-1])
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := take(t, again, len(all)-began-len(got)); got[len(got)-1] != all[len(all)-1] {
		t.Errorf("resumed until %s, want %s", got[len(got)-1], all[len(all)-1])
	}
}

func TestUnknownPlace(t *testing.T) {
	l := open(t, 1)
	var cursor *books.CursorError
	for _, key := range []string{"nonsense", "00:1", "0000000000000000000000000000000000000000000000000000000000000000:1"} {
		if _, err := feed.New(l).Watch(key); !errors.As(err, &cursor) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestFull(t *testing.T) {
	f := feed.New(open(t, 1))
	var all []*feed.Watcher
	for range feed.Most {
		w, err := f.Watch("")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	if _, err := f.Watch(""); !errors.Is(err, feed.ErrFull) {
		t.Errorf("one more: %v", err)
	}
	for _, w := range all {
		w.Close()
	}
	w, err := f.Watch("")
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}

// TestNobodyWatches: the reader ends with the last watcher.
func TestNobodyWatches(t *testing.T) {
	l := open(t, 1)
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine stays
		w, err := feed.New(still{l, make(chan struct{})}).Watch("")
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		synctest.Wait()
	})
}

// still is a ledger in which nothing happens.
type still struct {
	*ledger.Ledger
	never chan struct{}
}

func (s still) Appended() <-chan struct{} { return s.never }

func BenchmarkWatch(b *testing.B) {
	for _, watchers := range []int{0, 100} {
		b.Run(fmt.Sprintf("%d-watchers", watchers), func(b *testing.B) {
			l := open(b, 0)
			f := feed.New(l)
			ctx, stop := context.WithCancel(b.Context())
			var wg sync.WaitGroup
			for range watchers {
				w, err := f.Watch("")
				if err != nil {
					b.Fatal(err)
				}
				wg.Go(func() {
					defer w.Close()
					for {
						if _, err := w.Next(ctx); err != nil {
							return
						}
					}
				})
			}
			for b.Loop() {
				move(b, l)
			}
			stop()
			wg.Wait()
		})
	}
}
