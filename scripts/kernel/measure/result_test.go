//go:build linux

package measure

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"stump/internal/gpiosim"
	"stump/wiegand"
)

const (
	cardA = "00101010001111001010110101" // H10301, facility 84, number 31066
	cardB = "10101010001111001010110101" // the same with a wrong first parity bit
)

// sent returns cards that start 100 ms apart; one with a "!" is spoilt.
func sent(cards ...string) (list []gpiosim.Sent) {
	for i, bits := range cards {
		good := !strings.HasSuffix(bits, "!")
		start := int64(i) * int64(100*time.Millisecond)
		list = append(list, gpiosim.Sent{
			Bits: strings.TrimSuffix(bits, "!"), Start: start, End: start + int64(50*time.Millisecond),
			Widths: []int64{40_000, 50_000}, Good: good,
		})
	}
	return list
}

// read returns a read of the card that was sent as number i.
func read(t *testing.T, i int, bits string, fault wiegand.Fault) handed {
	t.Helper()
	b, err := wiegand.ParseBits(bits)
	if err != nil {
		t.Fatal(err)
	}
	r := wiegand.Read{Start: int64(i)*int64(100*time.Millisecond) + 50_000, Bits: b, Fault: fault}
	if fault == "" {
		r.Format = h10301
	}
	return handed{Read: r}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const overrun = wiegand.FaultOverrun
	tests := []struct {
		name  string
		sent  []gpiosim.Sent
		reads []handed
		want  result
	}{
		{"nothing", nil, nil, result{}},
		{"right", sent(cardA, cardA), []handed{read(t, 0, cardA, ""), read(t, 1, cardA, "")}, result{frames: 2, right: 2}},
		{"lost", sent(cardA, cardA), []handed{read(t, 1, cardA, "")}, result{frames: 2, right: 1, lost: 1, silent: 1}},
		{"lost at the end", sent(cardA, cardA), []handed{read(t, 0, cardA, "")}, result{frames: 2, right: 1, lost: 1, silent: 1}},
		{"refused", sent(cardA), []handed{read(t, 0, cardB, wiegand.FaultParity)}, result{frames: 1, lost: 1, silent: 1}},
		{"uneven", sent(cardA, cardA), []handed{read(t, 0, cardA, wiegand.FaultNoise), read(t, 1, cardA, "")}, result{frames: 1, right: 1, spoilt: 1}},
		{"noise of other bits", sent(cardA), []handed{read(t, 0, cardB, wiegand.FaultNoise)}, result{frames: 1, lost: 1, silent: 1}},
		{"reported at once", sent(cardA), []handed{read(t, 0, cardB, overrun)}, result{frames: 1, lost: 1, overrun: 1}},
		{
			"reported by the next", sent(cardA, cardA, cardA, cardA),
			[]handed{read(t, 0, cardA, ""), read(t, 2, cardB, overrun), read(t, 3, cardA, "")},
			result{frames: 4, right: 2, lost: 2, overrun: 1},
		},
		{
			"reported too late", sent(cardA, cardA, cardA),
			[]handed{read(t, 1, cardA, ""), read(t, 2, cardB, overrun)},
			result{frames: 3, right: 1, lost: 2, silent: 1, overrun: 1},
		},
		{"wrong", sent(cardB), []handed{read(t, 0, cardA, "")}, result{frames: 1, wrong: 1, parity: 1, lost: 1, silent: 1}},
		{"wrong, and of wrong parity", sent(cardA), []handed{read(t, 0, cardB, "")}, result{frames: 1, wrong: 1, lost: 1, silent: 1}},
		{"read twice", sent(cardA), []handed{read(t, 0, cardA, ""), read(t, 0, cardA, "")}, result{frames: 1, right: 1, wrong: 1, parity: 1}},
		{"spoilt and saved", sent(cardA + "!"), []handed{read(t, 0, cardA, "")}, result{spoilt: 1, saved: 1}},
		{"spoilt and refused", sent(cardA + "!"), nil, result{spoilt: 1}},
		{"spoilt and misread", sent(cardA + "!"), []handed{read(t, 0, cardB, "")}, result{spoilt: 1, misread: 1}},
	}
	for _, tc := range tests {
		var got result
		got.judge(tc.sent, tc.reads)
		if tc.want.silent > len(got.stories) {
			t.Errorf("%s: %d silent losses, but the stories are %q", tc.name, tc.want.silent, got.stories)
		}
		got.stories = nil
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s:\n%+v, want\n%+v", tc.name, got, tc.want)
		}
	}
}

// TestResultTimes keeps the times of right reads.
func TestResultTimes(t *testing.T) {
	t.Parallel()
	var r result
	timed := func(late time.Duration, widths ...int64) {
		h := read(t, 0, cardA, "")
		h.late, h.widths = late, widths
		r.judge(sent(cardA), []handed{h})
	}
	timed(3*time.Millisecond, 40_500, 47_000)
	timed(time.Millisecond, 39_000)
	want := []time.Duration{500, 3000, 1000}
	if r.frames != 2 || r.pulses != 4 || !reflect.DeepEqual(r.widths, want) {
		t.Errorf("%d frames, %d pulses, widths off by %v, want %v", r.frames, r.pulses, r.widths, want)
	}
	if len(r.late) != 2 || round(r.late, 50) != time.Millisecond || round(r.late, 100) != 3*time.Millisecond {
		t.Errorf("late by %v", r.late)
	}
	text := "2 | 0 | 0 | handed over after 1ms, 99 % 1ms; 3 of 4 widths, off by 1µs, 99 % 1µs"
	if got := r.String(); got != text {
		t.Errorf("%q, want %q", got, text)
	}
}

func TestResultRow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		result
		want string
	}{
		{result{frames: 5}, "5 | 0 | 0 | "},
		{result{frames: 5, lost: 2, overrun: 3}, "5 | 2 | 0 | 0 of the lost not reported; 3 refused as overrun"},
		{result{frames: 5, wrong: 2, parity: 1}, "5 | 0 | 2 | 1 of the wrong with valid parity"},
		{result{frames: 5, spoilt: 4, saved: 3, misread: 1}, "5 | 0 | 0 | 4 more spoilt by the host: 3 of them read right, 1 misread"},
	}
	for _, tc := range tests {
		if got := tc.String(); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}
