package capture

import (
	"bufio"
	"fmt"
	"io"
	"stump/wiegand"
)

const (
	// drawnPulse is the width of pulses whose end was not seen, in nanoseconds.
	drawnPulse = 50_000
	// vcdStep is the time scale in nanoseconds.
	vcdStep = 1000
	// leadIn is the silence before the first edge, so that viewers show it.
	leadIn = 1_000_000
)

// A VCDWriter writes edges as a value change dump (IEEE 1364-2005, clause 18)
// that GTKWave, PulseView and sigrok-cli open: two wires, D0 and D1, with the
// first edge at 1 ms. The step is 1 µs, because sigrok makes a sample of every
// step: with 1 ns it takes a minute over each second.
//
// A viewer needs the end of a pulse also where only falling edges were seen:
// it is drawn 50 µs after, or halfway to the line's next fall.
type VCDWriter struct {
	w       *bufio.Writer
	drawn   bool // only falling edges were seen
	started bool
	base    int64 // the monotonic time that is 0 in the dump
	last    int64 // latest time written
	low     [2]bool
	fell    [2]int64
	err     error
}

// NewVCDWriter returns a writer to w. Without bothEdges, rising edges are
// left out and drawn instead.
func NewVCDWriter(w io.Writer, bothEdges bool) *VCDWriter {
	return &VCDWriter{w: bufio.NewWriter(w), drawn: !bothEdges}
}

func (v *VCDWriter) start(t int64) {
	v.started, v.base = true, t-leadIn
	v.printf("$comment Wiegand lines; 0 is %d ns of the monotonic clock $end\n", v.base)
	if v.drawn {
		v.printf("$comment only falling edges were seen, the ends of pulses are drawn $end\n")
	}
	v.printf("$timescale 1 us $end\n$scope module stump $end\n$var wire 1 ! D0 $end\n$var wire 1 \" D1 $end\n" +
		"$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n1!\n1\"\n$end\n")
}

// Write adds an edge. Times must not go backwards; where stamps do, the order
// is kept and the time of the edge before is used.
func (v *VCDWriter) Write(e wiegand.Edge) error {
	if !v.started {
		v.start(e.Time)
	}
	line := e.Line & 1
	t := e.Time - v.base
	switch {
	case !v.drawn && v.low[line] == e.Rising:
		v.change(line, e.Rising, t)
	case v.drawn && !e.Rising:
		v.rises(t)
		if v.low[line] {
			v.change(line, true, v.fell[line]+max(0, (t-v.fell[line])/2))
		}
		v.change(line, false, t)
	}
	return v.err
}

// rises draws the ends of pulses that are over by t.
func (v *VCDWriter) rises(t int64) {
	first := uint8(0)
	if v.fell[1] < v.fell[0] {
		first = 1
	}
	for _, line := range [2]uint8{first, 1 - first} {
		if end := v.fell[line] + drawnPulse; v.low[line] && end < t {
			v.change(line, true, end)
		}
	}
}

func (v *VCDWriter) change(line uint8, rising bool, t int64) {
	t = max(t, v.last)
	if t/vcdStep > v.last/vcdStep {
		v.printf("#%d\n", t/vcdStep)
	}
	v.last, v.low[line] = t, !rising
	level := 1
	if !rising {
		level, v.fell[line] = 0, t
	}
	v.printf("%d%c\n", level, '!'+rune(line))
}

// Close ends the dump 25 ms after its last edge, so that decoders see the end
// of the last frame. It does not close the underlying writer.
func (v *VCDWriter) Close() error {
	if !v.started {
		v.start(leadIn)
	}
	if v.drawn {
		v.rises(v.last + 2*drawnPulse)
	}
	v.printf("#%d\n", (v.last+wiegand.CloseAfter)/vcdStep)
	if v.err == nil {
		v.err = v.w.Flush()
	}
	return v.err
}

func (v *VCDWriter) printf(format string, args ...any) {
	if v.err == nil {
		_, v.err = fmt.Fprintf(v.w, format, args...)
	}
}
