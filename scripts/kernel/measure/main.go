//go:build linux

// Command measure shows cards to the lines of a real kernel and prints how many
// were read, as rows of a Markdown table: by this project's gpio and wiegand, and
// in the original client's way. It runs inside the test kernel;
// scripts/kernel/figures calls it.
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
	frames := flag.Int("frames", 0, "frames in each row; 0: as many as in the table")
	busy := flag.Bool("busy", false, "start 4 busy processes, and print the rows with them")
	only := flag.String("only", "", "only rows whose names contain this")
	limit := flag.Duration("limit", 0, "end each row after about this time")
	flag.Parse()
	if err := run(os.Stdout, *frames, *limit, *busy, *only); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// The paces of readers in the table.
var (
	usual   = gpiosim.Pulses{Width: 40 * time.Microsecond, Interval: 2 * time.Millisecond}
	fastest = gpiosim.Pulses{Width: 20 * time.Microsecond, Interval: 200 * time.Microsecond}
)

// The silence after a card, which ends its frame. The original sleeps 60 ms.
const (
	gap         = 25 * time.Millisecond
	originalGap = 80 * time.Millisecond
)

// row is one row of the table.
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
