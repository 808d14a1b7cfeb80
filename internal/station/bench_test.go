package station

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/gpio"
	"stump/internal/books"
	"stump/internal/credential"
	"stump/internal/panel"
	"stump/internal/sitekey"
	"stump/internal/task"
	"stump/lcd"
	"stump/wiegand"
)

// watchedDisplay tells when it is called to show something.
type watchedDisplay struct {
	lcd.Display
	shown chan time.Time
}

func (w *watchedDisplay) Show(f lcd.Frame) error {
	now := time.Now()
	select {
	case w.shown <- now:
	default:
	}
	return w.Display.Show(f)
}

// unheard is a directory that nobody asks.
type unheard struct{ Directory }

func (unheard) Seen(checkout.Tag) {}

// silent is a source without edges.
type silent struct{ gpio.Adjustable }

func (silent) Levels() ([2]bool, error) { return [2]bool{true, true}, nil }
func (silent) String() string           { return "silent" }

// BenchmarkReadToDisplay measures from the end of a frame, as the decoder
// hands it over, to the call that shows the answer: desk, register and panel,
// without the end-of-frame gap and without a commit.
func BenchmarkReadToDisplay(b *testing.B) {
	size, err := lcd.ParseSize("16x2")
	if err != nil {
		b.Fatal(err)
	}
	display := &watchedDisplay{lcd.None(size), make(chan time.Time, 1)}
	ledger, err := ledger.Create(filepath.Join(b.TempDir(), "ledger.db"), ledger.Options{Station: "bench", SiteKey: sitekey.New()})
	if err != nil {
		b.Fatal(err)
	}
	defer ledger.Close()
	var reads []wiegand.Read
	for i, name := range []string{"Ann Okafor", "Ben Lindqvist"} {
		bits, err := credential.Parse([]string{"H10301:17:1", "H10301:17:2"}[i], nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := ledger.AddPerson(books.Person{ID: name[:3], Name: name}, credential.Tag(bits), "bench", checkout.SourceCLI); err != nil {
			b.Fatal(err)
		}
		format, err := wiegand.FormatByName("H10301")
		if err != nil {
			b.Fatal(err)
		}
		fields, _ := format.Unpack(bits)
		reads = append(reads, wiegand.Read{Bits: bits, Format: format, Fields: fields})
	}
	p := panel.New(panel.Options{Display: display})
	r := NewReader(Options{Ledger: ledger, Panel: p, Directory: unheard{}, Now: gpio.Monotonic}, ReaderOptions{Name: "bench", Source: silent{}})
	toDesk := make(chan wiegand.Read)
	r.attendant.reads = toDesk
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = task.Serve(ctx, nil, nil, p, r.attendant) }()
	<-p.Ready()
	var took []time.Duration
	at := gpio.Monotonic()
	for i := range b.N {
		time.Sleep(time.Millisecond) // the display is idle between people
		select {
		case <-display.shown:
		default:
		}
		at += int64(2 * time.Second)
		read := reads[i%2]
		read.Start, read.End = at, at
		start := time.Now()
		toDesk <- read
		took = append(took, (<-display.shown).Sub(start))
	}
	stop()
	<-ended
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
