package panel

import (
	"context"
	"slices"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"stump/lcd"
)

// firstByte receives the time of the first byte of a message.
type firstByte struct{ c chan time.Time }

func (f firstByte) note() {
	select {
	case f.c <- time.Now():
	default:
	}
}

func (f firstByte) Write(b []byte) (int, error)        { f.note(); return len(b), nil }
func (f firstByte) Read([]byte) (int, error)           { return 0, nil }
func (f firstByte) SetReadTimeout(time.Duration) error { return nil }
func (f firstByte) ResetOutputBuffer() error           { return nil }
func (f firstByte) Close() error                       { return nil }
func (f firstByte) Tx(_ uint16, w, r []byte) error     { f.note(); return nil }
func (f firstByte) SetSpeed(physic.Frequency) error    { return nil }
func (f firstByte) String() string                     { return "bench" }

// BenchmarkShow is the time from Show, the end of a tap's decision, to the
// first byte on its way to the display: text, folding, layout, comparison and
// the change of goroutine. The budget is 1 ms for the p99.
func BenchmarkShow(b *testing.B) {
	for _, kind := range []string{"hd44780-i2c", "newhaven"} {
		b.Run(kind, func(b *testing.B) {
			first := firstByte{make(chan time.Time, 1)}
			d, err := lcd.Open(lcd.Config{
				Kind:     kind,
				OpenBus:  func(string) (i2c.BusCloser, error) { return first, nil },
				OpenPort: func(string, int) (lcd.Port, error) { return first, nil },
			})
			if err != nil {
				b.Fatal(err)
			}
			p := New(Options{Display: d})
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- p.Run(ctx) }()
			for !p.Health().Up {
				time.Sleep(10 * time.Millisecond)
			}
			messages := []Message{
				{Key: "greet", Person: "Ann Fisher"},
				{Key: "checked-out", Person: "Ann Fisher", Device: "iPod Touch 5th Generation (blue)"},
				{Key: "device-held", Device: "Žofie's iPad", Holder: "José Müller-Lüdenscheidt"},
			}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				for len(first.c) > 0 {
					<-first.c
				}
				begin := time.Now()
				n := p.Show(messages[i%len(messages)])
				took = append(took, (<-first.c).Sub(begin))
				if err := p.Answered(ctx, n); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
			stop()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		})
	}
}
