package station

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"stump/internal/reader"
	"stump/wiegand"
)

// scanner is the task that turns what a reader sends as characters into reads.
type scanner struct {
	name   string
	source reader.Source
	now    func() int64
	reads  chan<- wiegand.Read
	normal wiegand.Normal
	holder atomic.Pointer[Characters] // who gets the characters, nil for the scanner

	mu  sync.Mutex // guards what follows
	dec *reader.Decoder
}

func newScanner(r ReaderOptions, now func() int64, reads chan<- wiegand.Read) *scanner {
	return &scanner{name: r.Name, source: r.Sender, now: now, reads: reads, normal: r.Normal, dec: reader.NewDecoder(r.Sent)}
}

func (s *scanner) String() string { return `reader "` + s.name + `"` }

func (s *scanner) stats() wiegand.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dec.Stats()
}

func (s *scanner) held() (Holder, bool) {
	h := s.holder.Load()
	if h == nil {
		return Holder{}, false
	}
	return h.holder, true
}

// slack is how late a character may reach the scanner after its stamp, on a busy
// machine, before silence is taken for a fact.
const slack = 50 * time.Millisecond

// Run takes characters until ctx is done.
func (s *scanner) Run(ctx context.Context) error {
	chars, ended := make(chan reader.Char, 256), make(chan error, 1)
	go func() {
		ended <- s.source.Run(ctx, func(c reader.Char) {
			select {
			case chars <- c:
			case <-ctx.Done():
			}
		})
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if t, open := s.dec.Deadline(); open {
			timer.Reset(time.Duration(t-s.now()) + slack)
		} else {
			timer.Stop()
		}
		select {
		case err := <-ended:
			return err
		case c := <-chars:
			s.take(ctx, c)
		case <-timer.C:
			s.deliver(ctx, func() []wiegand.Read { return s.dec.Advance(s.now() - int64(slack)) })
		}
	}
}

// take gives a character to whoever has the reader.
func (s *scanner) take(ctx context.Context, c reader.Char) {
	if h := s.holder.Load(); h != nil {
		select {
		case h.chars <- c:
		default: // the holder reads no more
		}
		return
	}
	s.deliver(ctx, func() []wiegand.Read { return s.dec.Push(c) })
}

func (s *scanner) deliver(ctx context.Context, decode func() []wiegand.Read) {
	s.mu.Lock()
	reads := decode()
	s.mu.Unlock()
	for _, read := range reads {
		s.normal.Apply(&read)
		select {
		case s.reads <- read:
		case <-ctx.Done():
		}
	}
}

// Characters are a reader's characters in the hands of a self-test or a scope:
// cards that are shown meanwhile become no loans. Close gives the reader back.
type Characters struct {
	chars  chan reader.Char
	s      *scanner
	holder Holder
	over   func() // called when the reader was given back
}

// lease hands the characters out, to one holder at a time.
func (s *scanner) lease(holder Holder, over func()) (*Characters, error) {
	h := &Characters{chars: make(chan reader.Char, 1024), s: s, holder: holder, over: over}
	if !s.holder.CompareAndSwap(nil, h) {
		other, _ := s.held()
		return nil, &LeasedError{other}
	}
	return h, nil
}

// C is where the characters come.
func (h *Characters) C() <-chan reader.Char { return h.chars }

// Up is nil while the reader is there, or why it isn't.
func (h *Characters) Up() error { return h.s.source.Up() }

func (h *Characters) String() string { return h.s.source.String() }

// Close gives the reader back.
func (h *Characters) Close() error {
	if h.s.holder.CompareAndSwap(h, nil) {
		h.over()
	}
	return nil
}
