//go:build linux

// Command measure prints what becomes of cards that are shown to a real
// kernel's lines, in rows of a Markdown table: through this project's gpio and
// wiegand, and beside it the way of the original client. It runs in the kernel
// fixture; scripts/kernel/figures calls it.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"stump/internal/gpiosim"
)

func main() {
	gpiosim.Main()
	original()
	hog()
	frames := flag.Int("frames", 0, "frames a row; 0: as many as the table has")
	busy := flag.Bool("busy", false, "the rows with busy processes: 4 are started here")
	only := flag.String("only", "", "the rows whose names contain this")
	limit := flag.Duration("limit", 0, "end a row after about so long, however many frames it had")
	flag.Parse()
	if err := run(os.Stdout, *frames, *limit, *busy, *only); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// readers are the two paces of the table.
var (
	usual   = gpiosim.Pulses{Width: 40 * time.Microsecond, Interval: 2 * time.Millisecond}
	fastest = gpiosim.Pulses{Width: 20 * time.Microsecond, Interval: 200 * time.Microsecond}
)

// gap lets a frame end by its silence; the original sleeps 60 ms to be sure.
const (
	gap         = 25 * time.Millisecond
	originalGap = 80 * time.Millisecond
)

// row is one line of the table.
type row struct {
	name   string
	frames int
	busy   bool
	measure
}

var rows = []row{
	{"40 µs / 2 ms", 10_000, false, measure{Pulses: usual}},
	{"20 / 200 µs", 1_000, false, measure{Pulses: fastest}},
	{"reading stalls for 500 ms in mid-card", 1_000, false, measure{Pulses: usual, stall: 500 * time.Millisecond, every: 26*10 + 13}},
	{"reading stalls until the buffer overflows", 1_000, false, measure{Pulses: fastest, stall: 4 * time.Second, every: 26*60 + 13}},
	{"both edges, 40 µs / 2 ms", 1_000, false, measure{Pulses: usual, both: true}},
	{"the original's way, 40 µs / 2 ms", 500, false, measure{Pulses: usual, original: true}},
	{"the original's way, 20 / 200 µs", 200, false, measure{Pulses: fastest, original: true}},
	{"40 µs / 2 ms, busy", 1_000, true, measure{Pulses: usual}},
	{"20 / 200 µs, busy", 1_000, true, measure{Pulses: fastest}},
	{"the original's way, 40 µs / 2 ms, busy", 500, true, measure{Pulses: usual, original: true}},
	{"the original's way, 20 / 200 µs, busy", 200, true, measure{Pulses: fastest, original: true}},
}

// run prints the rows.
func run(w *os.File, frames int, limit time.Duration, busy bool, only string) error {
	c, err := gpiosim.New("measure", 4, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if busy {
		stop, err := startHogs(4)
		if err != nil {
			return err
		}
		defer stop()
	}
	for _, r := range rows {
		if r.busy != busy || !strings.Contains(r.name, only) {
			continue
		}
		if frames > 0 {
			r.frames = min(r.frames, frames)
		}
		res, err := r.run(c, r.frames, limit)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		fmt.Fprintf(w, "| %s | %s |\n", r.name, res)
	}
	return nil
}
