package gpio

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"stump/wiegand"
)

// fakeKernel is a device without file descriptors. Its clock is that of the
// time package, so that it runs under synctest.
type fakeKernel struct {
	start  time.Time
	wakes  chan struct{}
	queued chan struct{}

	mu      sync.Mutex
	queues  [][]event
	reads   int
	waits   int
	err     error // of read
	high    [2]bool
	both    bool
	bias    Bias
	changed func() // called by configure
	closed  bool
}

func newFakeKernel(requests int) *fakeKernel {
	return &fakeKernel{
		start: time.Now(), wakes: make(chan struct{}, 1), queued: make(chan struct{}, 1),
		queues: make([][]event, requests), high: [2]bool{true, true},
	}
}

func (k *fakeKernel) now() int64 { return int64(time.Since(k.start)) }

// put queues events as the kernel's threads do.
func (k *fakeKernel) put(request int, events ...event) {
	k.mu.Lock()
	k.queues[request] = append(k.queues[request], events...)
	k.mu.Unlock()
	select {
	case k.queued <- struct{}{}:
	default:
	}
}

func (k *fakeKernel) wait(until int64, events bool) error {
	k.mu.Lock()
	k.waits++
	pending := k.err != nil || slices.ContainsFunc(k.queues, func(q []event) bool { return len(q) > 0 })
	k.mu.Unlock()
	if events && pending {
		return nil
	}
	queued := k.queued
	if !events {
		queued = nil
	}
	var limit <-chan time.Time
	if until != math.MaxInt64 {
		timer := time.NewTimer(time.Duration(until - k.now()))
		defer timer.Stop()
		limit = timer.C
	}
	select {
	case <-limit:
	case <-k.wakes:
	case <-queued:
	}
	return nil
}

func (k *fakeKernel) wake() {
	select {
	case k.wakes <- struct{}{}:
	default:
	}
}

func (k *fakeKernel) read(i int, buf []event) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reads++
	n := copy(buf, k.queues[i])
	k.queues[i] = k.queues[i][n:]
	if n == 0 {
		return 0, k.err
	}
	return n, nil
}

func (k *fakeKernel) levels() ([2]bool, error) { return k.high, nil }

func (k *fakeKernel) configure(both bool, bias Bias) error {
	k.both, k.bias = both, bias
	if k.changed != nil {
		k.changed()
	}
	return nil
}

func (k *fakeKernel) close() error { k.closed = true; return nil }

func lines(t *testing.T, k *fakeKernel) *Lines {
	t.Helper()
	l, err := newLines(k, len(k.queues), "DATA0 = x, DATA1 = y", BiasAsIs)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const ms = int64(time.Millisecond)

func TestReadHoldsBackLateThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel(1)
		l := lines(t, k)
		defer l.Close()
		k.put(0, event{time: 2, seq: 2, line: 1}) // D0's thread, with number 1, is late
		go func() {
			time.Sleep(3 * time.Millisecond)
			k.put(0, event{time: 1, seq: 1, line: 0})
		}()
		buf := make([]wiegand.Edge, 8)
		n, now, err := l.Read(buf, 1*ms)
		if n != 2 || err != nil || buf[0].Line != 0 || buf[0].Seq != 1 || buf[1].Seq != 2 || now > 2 {
			t.Fatalf("%d %d %v %+v", n, now, err, buf[:n])
		}
		if k.now() != 3*ms {
			t.Errorf("at %v", time.Duration(k.now()))
		}

		// One that never comes is a jump, at the time that was given it.
		k.put(0, event{time: k.now(), seq: 4, line: 1})
		n, _, err = l.Read(buf, 4*ms)
		if n != 1 || err != nil || buf[0].Seq != 4 || k.now() != 3*ms+holdBack {
			t.Fatalf("%d %v %+v at %v", n, err, buf[:n], time.Duration(k.now()))
		}
	})
}

// TestReadSilence: silence is asserted only when an edge stamped before could
// have come through; one that comes later all the same is marked as a loss.
func TestReadSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel(1)
		l := lines(t, k)
		defer l.Close()
		buf := make([]wiegand.Edge, 8)
		n, now, err := l.Read(buf, 20*ms)
		if n != 0 || now != 20*ms || err != nil || k.now() != 20*ms+settle {
			t.Fatalf("%d %d %v at %d", n, now, err, k.now())
		}
		if k.waits != 1 {
			t.Errorf("woke %d times", k.waits)
		}
		k.put(0, event{time: 19 * ms, seq: 1})
		if n, _, _ := l.Read(buf, math.MaxInt64); n != 1 || buf[0].Seq != 2 {
			t.Errorf("late edge: %d %+v", n, buf[0])
		}
		k.put(0, event{time: 30 * ms, seq: 2})
		if n, _, _ := l.Read(buf, math.MaxInt64); n != 1 || buf[0].Seq != 3 {
			t.Errorf("edge in time: %d %+v", n, buf[0])
		}
	})
}

func TestReadSmallBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel(1)
		l := lines(t, k)
		defer l.Close()
		for i := range 300 {
			k.put(0, event{time: int64(i + 1), seq: uint32(i + 1), line: uint8(i & 1)})
		}
		buf := make([]wiegand.Edge, 7)
		for got := 0; got < 300; {
			n, now, err := l.Read(buf, math.MaxInt64)
			if err != nil || n == 0 {
				t.Fatal(n, err)
			}
			for _, e := range buf[:n] {
				if got++; e.Seq != uint32(got) || e.Time != int64(got) {
					t.Fatalf("edge %d: %+v", got, e)
				}
			}
			if now >= int64(got+1) {
				t.Errorf("after edge %d: silent up to %d", got, now)
			}
		}
		if _, _, err := l.Read(nil, 0); err == nil {
			t.Error("read into nothing")
		}
	})
}

func TestReadTwoBanks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel(2)
		l := lines(t, k)
		defer l.Close()
		time.Sleep(10 * time.Millisecond)
		now := k.now()
		k.put(1, event{time: now - 3*ms, seq: 1, line: 1}, event{time: now - 1*ms, seq: 2, line: 1})
		k.put(0, event{time: now - 4*ms, seq: 1, line: 0}, event{time: now - 2*ms, seq: 2, line: 0})
		var got []uint8
		buf := make([]wiegand.Edge, 8)
		for len(got) < 4 {
			n, _, err := l.Read(buf, now+1)
			if err != nil || n == 0 {
				t.Fatal(n, err)
			}
			for _, e := range buf[:n] {
				got = append(got, e.Line)
				if int(e.Seq) != len(got) {
					t.Errorf("edge %d has number %d", len(got), e.Seq)
				}
			}
		}
		if !slices.Equal(got, []uint8{0, 1, 0, 1}) {
			t.Errorf("order %v", got)
		}
		if late := k.now() - (now - 1*ms); late != holdBack {
			t.Errorf("the last edge was handed on after %v", time.Duration(late))
		}
		// A number missing on one line is seen at once.
		k.put(0, event{time: k.now(), seq: 4, line: 0})
		if n, _, _ := l.Read(buf, math.MaxInt64); n != 1 || buf[0].Seq != 6 {
			t.Errorf("%d %+v", n, buf[0])
		}
	})
}

func TestReadBothEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel(1)
		l := lines(t, k)
		defer l.Close()
		k.put(0, event{time: 1, seq: 1})
		if err := l.SetBothEdges(true); err != nil || !k.both {
			t.Fatal(err, k.both)
		}
		k.put(0, event{time: 3 * ms, seq: 2, rising: true}, event{time: 4 * ms, seq: 3, rising: true})
		buf := make([]wiegand.Edge, 8)
		var got []bool
		for len(got) < 3 {
			n, _, err := l.Read(buf, math.MaxInt64)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range buf[:n] {
				got = append(got, e.Rising)
			}
		}
		if !slices.Equal(got, []bool{false, false, true}) {
			t.Errorf("%v", got)
		}
		if err := l.SetBias(BiasPullDown); err != nil || k.bias != BiasPullDown || !k.both {
			t.Errorf("bias %d, both %v, %v", k.bias, k.both, err)
		}
	})
}

// TestDeliver: numbers skip 0, which would say that there are none; a loss is a
// jump; times never go back.
func TestDeliver(t *testing.T) {
	l := lines(t, newFakeKernel(1))
	defer l.Close()
	l.seq = math.MaxUint32 - 1
	for _, e := range []event{{time: 10}, {time: 8}, {time: 20, lost: 3, line: 1}, {time: 30}} {
		l.deliver(e)
	}
	want := []wiegand.Edge{
		{Time: 10, Seq: math.MaxUint32}, {Time: 10, Seq: 1}, {Time: 20, Seq: 5, Line: 1}, {Time: 30, Seq: 6},
	}
	if !slices.Equal(l.ready, want) {
		t.Errorf("%+v\nwant %+v", l.ready, want)
	}
}

// TestDeliverDoubt: where two edges shared an interrupt, the count of directions
// is wrong, and the edge that shows it comes after a jump.
func TestDeliverDoubt(t *testing.T) {
	l := lines(t, newFakeKernel(1))
	defer l.Close()
	if err := l.SetBothEdges(true); err != nil {
		t.Fatal(err)
	}
	for _, e := range []event{{time: 1 * ms, rising: true}, {time: 20 * ms}, {time: 20*ms + 50_000, rising: true}} {
		l.deliver(e)
	}
	want := []wiegand.Edge{{Time: 1 * ms, Seq: 1}, {Time: 20 * ms, Seq: 3}, {Time: 20*ms + 50_000, Seq: 4, Rising: true}}
	if !slices.Equal(l.ready, want) {
		t.Errorf("%+v\nwant %+v", l.ready, want)
	}
}

// TestLinesSetUp: levels are the device's; what is set already is not set again.
func TestLinesSetUp(t *testing.T) {
	k := newFakeKernel(1)
	k.high = [2]bool{true, false}
	l := lines(t, k)
	if got, err := l.Levels(); err != nil || got != k.high {
		t.Errorf("levels %v, %v", got, err)
	}
	changes := 0
	k.changed = func() { changes++ }
	for i, on := range []bool{false, true, true, false} {
		if err := l.SetBothEdges(on); err != nil || k.both != on {
			t.Errorf("step %d: both %v, %v", i, k.both, err)
		}
	}
	if changes != 2 {
		t.Errorf("configured %d times", changes)
	}
	if err := errors.Join(l.SetBias(BiasPullUp), l.SetBothEdges(true)); err != nil || k.bias != BiasPullUp {
		t.Errorf("bias %s after both edges, %v", k.bias, err)
	}
	if l.String() != "DATA0 = x, DATA1 = y" {
		t.Error(l)
	}
	l.Close()
	if err := l.SetBothEdges(false); err != ErrClosed {
		t.Error(err)
	}
}

func TestReadErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel(1)
		l := lines(t, k)
		k.put(0, event{time: 1, seq: 1})
		k.err = syscall.ENODEV
		buf := make([]wiegand.Edge, 8)
		if n, _, err := l.Read(buf, math.MaxInt64); n != 1 || err != nil {
			t.Errorf("the edges before: %d %v", n, err)
		}
		_, _, err := l.Read(buf, math.MaxInt64)
		if !errors.Is(err, syscall.ENODEV) || Hint(err) == "" || err.Error() != "gpio: read DATA0 = x, DATA1 = y: no such device" {
			t.Errorf("%v; %s", err, Hint(err))
		}
		if err := l.Close(); err != nil || !k.closed {
			t.Error(err)
		}
	})
}

func TestCloseUnblocksRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel(1)
		l := lines(t, k)
		done := make(chan error)
		go func() {
			_, _, err := l.Read(make([]wiegand.Edge, 1), math.MaxInt64)
			done <- err
		}()
		synctest.Wait()
		if err := l.Close(); err != nil || !k.closed {
			t.Error(err)
		}
		if err := <-done; err != ErrClosed {
			t.Error(err)
		}
		_, err := l.Levels()
		if err != ErrClosed || l.SetBias(BiasAsIs) != ErrClosed || l.Close() != ErrClosed {
			t.Error("not closed", err)
		}
	})
}

// storm is an edge every gap nanoseconds for a while; it counts what Read does.
func storm(t *testing.T, gap, total int64) (k *fakeKernel, edges, calls int) {
	k = newFakeKernel(1)
	l := lines(t, k)
	go func() {
		for i := int64(1); i*gap <= total; i++ {
			time.Sleep(time.Duration(gap))
			k.put(0, event{time: k.now(), seq: uint32(i), line: uint8(i & 1)})
		}
	}()
	buf := make([]wiegand.Edge, 1024)
	for {
		n, _, err := l.Read(buf, total+50*ms)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			l.Close()
			return k, edges, calls
		}
		edges += n
		calls++
		if buf[n-1].Seq != uint32(edges) {
			t.Fatalf("number %d after %d edges", buf[n-1].Seq, edges)
		}
		if late := k.now() - buf[0].Time; late > gather {
			t.Fatalf("an edge was handed over %v late", time.Duration(late))
		}
	}
}

// TestStorm: at 100 kHz the process wakes some 500 times a second, not 100,000
// times; at the pace of a reader it takes every edge at once.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, edges, calls := storm(t, 10_000, 1000*ms)
		if edges != 100_000 || calls > 600 || k.waits > 1030 {
			t.Errorf("%d edges in %d calls, %d waits", edges, calls, k.waits)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if _, edges, calls := storm(t, 200_000, 100*ms); edges != 500 || calls != 500 {
			t.Errorf("%d edges in %d calls", edges, calls)
		}
	})
}

// TestStormMemory: what a storm takes is given back, and none of it grows.
func TestStormMemory(t *testing.T) {
	k := newFakeKernel(1)
	l := lines(t, k)
	defer l.Close()
	buf := make([]wiegand.Edge, 1024)
	seq := uint32(0)
	batch := func() {
		events := make([]event, 500)
		for i := range events {
			seq++
			events[i] = event{time: int64(seq), seq: seq, line: uint8(seq & 1)}
		}
		k.put(0, events...)
		if n, _, err := l.Read(buf, math.MaxInt64); n != 500 || err != nil {
			t.Fatal(n, err)
		}
	}
	batch()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 200 {
		batch()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<18 {
		t.Errorf("%d bytes more after 100,000 edges", grown)
	}
}

func BenchmarkReadStorm(b *testing.B) {
	k := newFakeKernel(1)
	l, err := newLines(k, 1, "", BiasAsIs)
	if err != nil {
		b.Fatal(err)
	}
	buf, events := make([]wiegand.Edge, 1024), make([]event, 200)
	seq := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range events {
			seq++
			events[i] = event{time: int64(seq) * 10_000, seq: seq, line: uint8(seq & 1)}
		}
		k.queues[0] = append(k.queues[0][:0], events...)
		if n, _, err := l.Read(buf, math.MaxInt64); n != len(events) || err != nil {
			b.Fatal(n, err)
		}
		l.storm = false
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/edge")
}
