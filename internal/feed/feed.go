// Package feed tells many who watch of each event as it is committed: first of those
// after the place that they have seen, then of those to come. An event is read and
// written as JSON once, however many watch.
package feed

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"stump/internal/books"
)

// Books are where the events are.
type Books interface {
	History(books.HistoryFilter) iter.Seq2[books.Entry, error]
	// Appended returns a channel that is closed when the next event is committed.
	Appended() <-chan struct{}
	// Newest is the key of the newest event, "" for none.
	Newest() (string, error)
}

// Item is an event.
type Item struct {
	Key   string // its place, for whoever goes on after it
	Entry books.Entry
	JSON  []byte // of the entry
}

// Errors of Next, after which a watcher can go on with a new one.
var (
	// ErrSlow: it has not taken events for so long that the feed has dropped it.
	ErrSlow = errors.New("dropped: events came faster than they were read")
	// ErrFull: so many watch already.
	ErrFull = errors.New("too many watch the events")
)

// backlog is how many events a watcher may be behind, and Most how many may watch.
const (
	backlog = 256
	Most    = 1000
)

// Feed is the events of a station.
type Feed struct {
	books Books

	mu   sync.Mutex
	subs map[chan *Item]bool
	stop context.CancelFunc // of the reader, which runs while anybody watches
}

// New returns a feed that nobody watches yet.
func New(b Books) *Feed { return &Feed{books: b, subs: map[chan *Item]bool{}} }

// Watcher gets every event after a place, each once and in order.
type Watcher struct {
	feed   *Feed
	seen   string            // key of the newest that it got
	had    map[string]uint64 // and the numbers of the newest of each chain
	replay func() (books.Entry, error, bool)
	end    func()
	live   chan *Item // nil: not yet watching
}

// Watch returns a watcher of the events after a key, or of those from now on for "".
// An unknown key is a *books.CursorError. Close ends it.
func (f *Feed) Watch(after string) (*Watcher, error) {
	w := &Watcher{feed: f, had: map[string]uint64{}}
	if after == "" {
		live, newest, err := f.subscribe()
		if err != nil {
			return nil, err
		}
		w.live = live
		return w, w.saw(newest)
	}
	for _, err := range f.books.History(books.HistoryFilter{Page: books.Page{After: after, Limit: 1}, Kind: books.AnyKind}) {
		if err != nil {
			return nil, err
		}
	}
	err := w.saw(after)
	w.again()
	return w, err
}

// saw notes the newest that the watcher has got; live events up to it are not told again.
func (w *Watcher) saw(key string) error {
	if w.seen = key; key == "" {
		return nil
	}
	chain, seq, err := books.ParsePlace(key)
	w.had[chain] = seq
	return err
}

// again reads the books after what was seen.
func (w *Watcher) again() {
	w.replay, w.end = iter.Pull2(w.feed.books.History(books.HistoryFilter{Page: books.Page{After: w.seen}, Kind: books.AnyKind}))
}

// Next waits for the next event until ctx is done, whose error it then returns.
func (w *Watcher) Next(ctx context.Context) (Item, error) {
	for w.replay != nil {
		e, err, ok := w.replay()
		if ok && err == nil {
			if err := w.saw(e.Key()); err != nil {
				return Item{}, err
			}
			return item(e)
		}
		if err != nil {
			return Item{}, err
		}
		w.end()
		w.replay = nil
		if w.live == nil {
			// What came between the two is read once more, and may come live as well.
			if w.live, _, err = w.feed.subscribe(); err != nil {
				return Item{}, err
			}
			w.again()
		}
	}
	for {
		select {
		case <-ctx.Done():
			return Item{}, ctx.Err()
		case i, ok := <-w.live:
			if !ok {
				return Item{}, ErrSlow
			}
			if i.Entry.Seq <= w.had[i.Entry.Chain.String()] {
				continue
			}
			return *i, w.saw(i.Key)
		}
	}
}

// Close ends the watch.
func (w *Watcher) Close() {
	if w.replay != nil {
		w.end()
	}
	if w.live != nil {
		w.feed.unsubscribe(w.live)
	}
}

func item(e books.Entry) (Item, error) {
	b, err := json.Marshal(e)
	return Item{e.Key(), e, b}, err
}

// subscribe adds a channel that gets the events after newest, and starts the reader for
// the first.
func (f *Feed) subscribe() (live chan *Item, newest string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.subs) >= Most {
		return nil, "", ErrFull
	}
	appended := f.books.Appended() // before the newest is looked up, so that none is missed
	if newest, err = f.books.Newest(); err != nil {
		return nil, "", err
	}
	live = make(chan *Item, backlog)
	f.subs[live] = true
	if f.stop == nil {
		var ctx context.Context
		ctx, f.stop = context.WithCancel(context.Background())
		go f.read(ctx, newest, appended)
	}
	return live, newest, nil
}

func (f *Feed) unsubscribe(live chan *Item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(live)
}

// drop ends a subscription. The caller holds mu.
func (f *Feed) drop(live chan *Item) {
	if f.subs[live] {
		delete(f.subs, live)
		close(live)
	}
	if len(f.subs) == 0 && f.stop != nil {
		f.stop()
		f.stop = nil
	}
}

// Whoever has bumped is answered before those who only watch, and these wake up one after
// the other: a hundred at once would keep the next bump waiting.
const (
	settle         = 25 * time.Millisecond // after a commit
	abreast, pause = 4, time.Millisecond
)

// read tells of each event after seen.
func (f *Feed) read(ctx context.Context, seen string, appended <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-appended:
		}
		if !wait(ctx, settle) {
			return
		}
		appended = f.books.Appended()
		for more := true; more; {
			items, err := f.after(seen)
			if err != nil {
				f.dropAll(ctx)
				return
			}
			if more = len(items) > 0; more {
				seen = items[len(items)-1].Key
			}
			if more && !f.tell(ctx, items) {
				return
			}
		}
	}
}

// after reads the events after a place, no more than a watcher may be behind.
func (f *Feed) after(seen string) (items []*Item, err error) {
	for e, err := range f.books.History(books.HistoryFilter{Page: books.Page{After: seen, Limit: backlog / 2}, Kind: books.AnyKind}) {
		if err != nil {
			return nil, err
		}
		i, err := item(e)
		if err != nil {
			return nil, err
		}
		items = append(items, &i)
	}
	return items, nil
}

// tell gives events to all who watch, and drops who is too far behind. It reports
// whether this reader is still the feed's. Who comes meanwhile has read these events.
func (f *Feed) tell(ctx context.Context, items []*Item) bool {
	f.mu.Lock()
	all := slices.Collect(maps.Keys(f.subs))
	f.mu.Unlock()
	for some := range slices.Chunk(all, abreast) {
		f.mu.Lock()
		for _, live := range some {
			for _, i := range items {
				if f.subs[live] && !offer(live, i) {
					f.drop(live)
				}
			}
		}
		f.mu.Unlock()
		if len(all) > abreast && !wait(ctx, pause) {
			return false
		}
	}
	return ctx.Err() == nil
}

func offer(live chan *Item, i *Item) bool {
	select {
	case live <- i:
		return true
	default:
		return false
	}
}

// wait reports whether the time passed before ctx was done.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// dropAll ends all subscriptions, since the books can't be read: who comes again learns
// why.
func (f *Feed) dropAll(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() == nil {
		for live := range f.subs {
			f.drop(live)
		}
	}
}
