package gpio

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"stump/wiegand"
)

// world is a fake machine whose lines come and go.
type world struct {
	start  time.Time
	tries  []time.Duration // when Open was called
	opens  func(n int) error
	source *fakeSource // the last one opened
	said   []string
}

func (w *world) clock() int64 { return int64(time.Since(w.start)) + 1 }

func (w *world) dial() *redial {
	w.start = time.Now()
	return dial(
		func() (Adjustable, error) {
			w.tries = append(w.tries, time.Since(w.start))
			if err := w.opens(len(w.tries)); err != nil {
				return nil, err
			}
			w.source = &fakeSource{edges: make(chan wiegand.Edge, 100), fail: make(chan error, 1), quit: make(chan struct{}), w: w}
			return w.source, nil
		},
		func(s Status) {
			if s.Err != nil {
				w.said = append(w.said, fmt.Sprintf("down: %v, again in %v", s.Err, s.Retry))
			} else {
				w.said = append(w.said, "up: "+s.Lines)
			}
		}, w.clock)
}

// fakeSource is a Source fed by channels.
type fakeSource struct {
	edges chan wiegand.Edge
	fail  chan error
	quit  chan struct{}
	w     *world
	bias  Bias
	both  bool
	close func() // called by Close, may be nil
}

func (s *fakeSource) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	timeout := time.After(time.Duration(min(until, math.MaxInt64/2) - s.w.clock()))
	select {
	case e := <-s.edges:
		buf[0] = e
		return 1, e.Time, nil
	case err := <-s.fail:
		return 0, 0, err
	case <-s.quit:
		return 0, 0, ErrClosed
	case <-timeout:
		return 0, until, nil
	}
}

func (s *fakeSource) Levels() ([2]bool, error)   { return [2]bool{true, false}, nil }
func (s *fakeSource) String() string             { return "fake lines" }
func (s *fakeSource) SetBias(b Bias) error       { s.bias = b; return nil }
func (s *fakeSource) SetBothEdges(on bool) error { s.both = on; return nil }
func (s *fakeSource) edge(seq uint32, at int64)  { s.edges <- wiegand.Edge{Seq: seq, Time: at} }

func (s *fakeSource) Close() error {
	if s.close != nil {
		s.close()
	}
	close(s.quit)
	return nil
}

// always opens.
func always(int) error { return nil }

// after fails n times.
func after(n int, err error) func(try int) error {
	return func(try int) error {
		if try > n {
			return nil
		}
		return err
	}
}

func TestDialWaitsForLateChip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{opens: after(8, fail("open", "/dev/gpiochip0", syscall.ENOENT))}
		r := w.dial()
		defer r.Close()
		if _, err := r.Levels(); err == nil {
			t.Error("levels before there are lines")
		}
		buf := make([]wiegand.Edge, 8)
		go func() {
			time.Sleep(time.Minute)
			synctest.Wait()
			w.source.edge(1, w.clock())
		}()
		if n, _, err := r.Read(buf, math.MaxInt64); n != 1 || err != nil || buf[0].Seq != 1 {
			t.Fatal(n, err, buf[0])
		}
		if elapsed := time.Since(w.start); elapsed != time.Minute {
			t.Errorf("the edge came after %v", elapsed)
		}
		want := "[0s 250ms 750ms 1.75s 3.75s 7.75s 15.75s 30.75s 45.75s]"
		if got := fmt.Sprint(w.tries); got != want {
			t.Errorf("tried at %s, want %s", got, want)
		}
		if got := strings.Join(w.said, "; "); got != "down: gpio: open /dev/gpiochip0: no such file or directory, again in 250ms; up: fake lines" {
			t.Errorf("said %q", got)
		}
	})
}

// TestDialSaysWhatChanges goes through what a boot can show: no chip, then no
// permission, then another program; each is reported once, with its errno.
func TestDialSaysWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reasons := []error{syscall.ENOENT, syscall.ENOENT, syscall.EACCES, syscall.EACCES, syscall.EBUSY, nil}
		w := &world{opens: func(n int) error { return reasons[n-1] }}
		r := w.dial()
		var told []error
		notify := r.notify
		r.notify = func(s Status) { notify(s); told = append(told, s.Err) }
		if n, now, err := r.Read(make([]wiegand.Edge, 1), int64(time.Hour)); n != 0 || now != int64(time.Hour) || err != nil {
			t.Error(n, now, err)
		}
		if len(told) != 4 || !errors.Is(told[0], syscall.ENOENT) || !errors.Is(told[1], syscall.EACCES) || !errors.Is(told[2], syscall.EBUSY) || told[3] != nil {
			t.Errorf("told %v", told)
		}
		r.Close()
	})
}

// TestDialUntilWhileDown: the deadline of an open frame holds without lines.
func TestDialUntilWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{opens: after(1000, syscall.ENOENT)}
		r := w.dial()
		until := w.clock() + int64(20*time.Millisecond)
		n, now, err := r.Read(make([]wiegand.Edge, 1), until)
		if n != 0 || now != until || err != nil || time.Since(w.start) != 20*time.Millisecond {
			t.Error(n, now, err, time.Since(w.start))
		}
		r.Close()
		if _, _, err := r.Read(make([]wiegand.Edge, 1), math.MaxInt64); err != ErrClosed {
			t.Error(err)
		}
	})
}

// TestDialVanishInFrame: the frame that was open when the chip vanished must
// not become a card, however many bits it has; the next card is read.
func TestDialVanishInFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{opens: always}
		r := w.dial()
		defer r.Close()
		h10301, err := wiegand.FormatByName("H10301")
		if err != nil {
			t.Fatal(err)
		}
		card, err := h10301.Pack(wiegand.Fields{Facility: 17, Number: 4711})
		if err != nil {
			t.Fatal(err)
		}
		dec := wiegand.NewDecoder(wiegand.Options{Formats: []*wiegand.Format{h10301}})
		var reads []wiegand.Read
		done := make(chan error)
		go func() {
			buf := make([]wiegand.Edge, 4)
			for {
				until := int64(math.MaxInt64)
				if d, ok := dec.Deadline(); ok {
					until = d
				}
				n, now, err := r.Read(buf, until)
				if err != nil {
					done <- err
					return
				}
				for _, e := range buf[:n] {
					reads = append(reads, dec.Push(e)...)
				}
				reads = append(reads, dec.Advance(now)...)
			}
		}()
		synctest.Wait()
		send := func(bits wiegand.Bits) {
			for i := range bits.Len() {
				w.source.edges <- wiegand.Edge{Seq: uint32(i + 1), Line: bits.Bit(i), Time: w.clock()}
				time.Sleep(time.Millisecond)
			}
		}
		send(card) // looks whole, but who knows: perhaps eleven bits more were sent
		w.source.fail <- syscall.ENODEV
		time.Sleep(10 * time.Second)
		synctest.Wait()
		send(card)
		time.Sleep(time.Second)
		r.Close()
		if err := <-done; err != ErrClosed {
			t.Error(err)
		}
		if len(reads) != 2 || reads[0].Fault != wiegand.FaultOverrun || !reads[1].OK() || reads[1].Bits != card {
			t.Errorf("reads: %+v", reads)
		}
		if got := strings.Join(w.said, "; "); got != "up: fake lines; down: no such device, again in 250ms; up: fake lines" {
			t.Errorf("said %q", got)
		}
	})
}

func TestDialPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{opens: always}
		r := w.dial()
		if err := r.SetBias(BiasPullUp); err == nil {
			t.Error("bias without lines")
		}
		buf := make([]wiegand.Edge, 1)
		r.Read(buf, w.clock())
		if l, err := r.Levels(); err != nil || l != [2]bool{true, false} {
			t.Error(l, err)
		}
		if err := errors.Join(r.SetBias(BiasPullDown), r.SetBothEdges(true)); err != nil {
			t.Error(err)
		}
		first := w.source
		first.fail <- syscall.EIO
		r.Read(buf, w.clock()+int64(time.Second))
		if w.source == first || w.source.bias != BiasPullDown || !w.source.both {
			t.Errorf("after coming back: bias %d, both %v", w.source.bias, w.source.both)
		}
		if r.String() != "fake lines" {
			t.Error(r)
		}
		r.Close()
		if r.Close() != ErrClosed {
			t.Error("closed twice")
		}
		if _, err := r.Levels(); err != ErrClosed {
			t.Error(err)
		}
	})
}

// TestDialWhileClosing: others ask for the levels while lines that failed are closed.
func TestDialWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{opens: always}
		r := w.dial()
		r.Read(make([]wiegand.Edge, 1), w.clock())
		asked := false
		w.source.close = func() {
			asked = true
			if _, err := r.Levels(); err != syscall.EIO {
				t.Errorf("levels of lines that failed: %v", err)
			}
		}
		w.source.fail <- syscall.EIO
		r.Read(make([]wiegand.Edge, 1), w.clock()+1)
		if !asked {
			t.Error("the lines were not closed")
		}
		r.Close()
	})
}

// TestDialString names the lines, or why there are none.
func TestDialString(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{opens: after(1, syscall.EBUSY)}
		r := w.dial()
		for i, want := range []string{"no lines: gpio: the lines were not opened yet", "no lines: device or resource busy", "fake lines"} {
			if i > 0 {
				r.Read(make([]wiegand.Edge, 1), w.clock()+int64(i-1)*int64(time.Second))
			}
			if got := r.String(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if err := r.SetBothEdges(true); (err == nil) != (want == "fake lines") {
				t.Errorf("%s: %v", want, err)
			}
		}
		if !w.source.both {
			t.Error("both edges were not asked for")
		}
		r.Close()
		if got := r.String(); got != "fake lines" {
			t.Errorf("closed: %q", got)
		}
	})
}

// TestDialCloseWhileOpening: lines that were acquired meanwhile are closed.
func TestDialCloseWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{opens: func(int) error { time.Sleep(time.Second); return nil }}
		r := w.dial()
		done := make(chan error)
		go func() {
			_, _, err := r.Read(make([]wiegand.Edge, 1), math.MaxInt64)
			done <- err
		}()
		time.Sleep(500 * time.Millisecond)
		r.Close()
		if err := <-done; err != ErrClosed {
			t.Error(err)
		}
		<-w.source.quit
	})
}

// TestDialFlapping: lines that fail at once are not tried in a tight loop.
func TestDialFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{opens: always}
		r := w.dial()
		notify := r.notify
		r.notify = func(s Status) {
			notify(s)
			if s.Err == nil {
				w.source.fail <- syscall.EIO
			}
		}
		r.Read(make([]wiegand.Edge, 1), w.clock()+int64(time.Hour))
		if n := len(w.tries); n < 200 || n > 260 {
			t.Errorf("%d tries in an hour", n)
		}
		r.Close()
	})
}
