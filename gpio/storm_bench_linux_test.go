package gpio

import (
	"math"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"stump/wiegand"
)

// BenchmarkStormCPU is 100,000 edges a second for a second, read and decoded
// as the daemon does. It reports the share of one processor that this takes,
// the making of the edges included; the budget is 20 %.
func BenchmarkStormCPU(b *testing.B) {
	h10301, err := wiegand.FormatByName("H10301")
	if err != nil {
		b.Fatal(err)
	}
	var cpu, elapsed time.Duration
	for b.Loop() {
		k := newFakeKernel(1)
		l, err := newLines(k, 1, "", BiasAsIs)
		if err != nil {
			b.Fatal(err)
		}
		var seen atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			dec := wiegand.NewDecoder(wiegand.Options{Formats: []*wiegand.Format{h10301}})
			buf := make([]wiegand.Edge, 1024)
			for {
				until := int64(math.MaxInt64)
				if t, ok := dec.Deadline(); ok {
					until = t
				}
				n, now, err := l.Read(buf, until)
				if err != nil {
					return
				}
				for _, e := range buf[:n] {
					dec.Push(e)
				}
				dec.Advance(now)
				seen.Add(int64(n))
			}
		}()
		start, before := time.Now(), used()
		made := 0
		for range time.Tick(time.Millisecond) {
			due := int(time.Since(start) / (10 * time.Microsecond))
			events := make([]event, 0, 200)
			for ; made < due; made++ {
				events = append(events, event{time: int64(made+1) * 10_000, seq: uint32(made + 1), line: uint8(made & 1)})
			}
			k.put(0, events...)
			if made >= 100_000 {
				break
			}
		}
		cpu += used() - before
		elapsed += time.Since(start)
		for end := time.Now().Add(time.Second); seen.Load() < int64(made) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		l.Close()
		<-done
		if seen.Load() != int64(made) {
			b.Fatalf("%d edges of %d", seen.Load(), made)
		}
	}
	b.ReportMetric(100*float64(cpu)/float64(elapsed), "%cpu")
}

// used is the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
