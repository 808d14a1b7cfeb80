package selftest

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"stump/wiegand"
)

const hour = time.Hour

func good() *wiegand.Read { return &wiegand.Read{Count: 26} }

func refused() *wiegand.Read { return &wiegand.Read{Count: 25, Fault: wiegand.FaultCount} }

func holding(h *Health, now time.Duration) (names []string) {
	all, _, _ := h.Report(now)
	for _, c := range all {
		names = append(names, c.Name)
		if c.Text == "" || c.Remedy == "" {
			names = append(names, "without text")
		}
	}
	return names
}

func expect(t *testing.T, h *Health, now time.Duration, want ...string) {
	t.Helper()
	if got := strings.Join(holding(h, now), " "); got != strings.Join(want, " ") {
		t.Errorf("at %v: %q, want %q", now, got, want)
	}
}

// office has a reader used in office hours, Monday to Friday, for some weeks.
func office(h *Health, weeks int, badShare float64) (end time.Duration) {
	rng := rand.New(rand.NewPCG(1, 2))
	for day := range 7 * weeks {
		if day%7 > 4 {
			continue
		}
		for i := range 40 {
			at := time.Duration(day)*24*hour + 9*hour + time.Duration(i)*12*time.Minute
			if rng.Float64() < badShare {
				h.ObserveRead(at, refused())
			}
			h.ObserveRead(at+time.Second, good())
			end = at
		}
	}
	return end
}

func TestHealthyMonth(t *testing.T) {
	var h Health
	end := office(&h, 4, 0.01)
	for at := end; at < end+64*hour; at += hour { // the weekend
		h.ObserveVoltage(at, false)
		h.ObserveClock(at, true)
		h.ObserveCommit(at, 20*time.Millisecond)
		expect(t, &h, at)
	}
}

func TestReaderSilent(t *testing.T) {
	var h Health
	end := office(&h, 3, 0)
	expect(t, &h, end+90*hour)
	expect(t, &h, end+100*hour, ReaderSilent)
	h.ObserveRead(end+101*hour, good())
	expect(t, &h, end+101*hour)
}

func TestReaderSilentNeedsExperience(t *testing.T) {
	var h Health
	for i := range 50 {
		h.ObserveRead(time.Duration(i)*time.Minute, good())
	}
	expect(t, &h, 30*24*hour)
}

// A long holiday is forgotten after two months, not at once.
func TestLongestSilenceIsForgotten(t *testing.T) {
	var h Health
	end := office(&h, 2, 0)
	back := end + 20*24*hour
	h.ObserveRead(back, good())
	expect(t, &h, back+25*24*hour)
	var last time.Duration
	for d := range 70 {
		last = back + time.Duration(d)*24*hour
		h.ObserveRead(last, good())
	}
	expect(t, &h, last+5*24*hour, ReaderSilent)
}

func TestBadReads(t *testing.T) {
	var h Health
	at := office(&h, 2, 0.02)
	for i := range 6 {
		at += time.Minute
		h.ObserveRead(at, refused())
		if i < 3 {
			expect(t, &h, at)
		}
	}
	expect(t, &h, at, BadReads)
	all, _, _ := h.Report(at)
	if !all[0].Staff {
		t.Error("bad reads concern those who tap")
	}
	for range 30 { // it has to become much better
		at += time.Minute
		h.ObserveRead(at, good())
	}
	expect(t, &h, at, BadReads)
	for range 20 {
		at += time.Minute
		h.ObserveRead(at, good())
	}
	expect(t, &h, at)
}

// A site that always has a tenth of bad reads is not told so for ever.
func TestBadReadsAgainstOwnPast(t *testing.T) {
	var h Health
	at := office(&h, 6, 0.12)
	expect(t, &h, at)
}

func TestStrayEdges(t *testing.T) {
	var h Health
	for i := range 30 {
		h.ObserveRead(time.Duration(i)*time.Second, &wiegand.Read{Count: 1, Fault: wiegand.FaultCount})
	}
	expect(t, &h, 30*time.Second, StrayEdges)
	expect(t, &h, 30*time.Second+strayWindow)
}

func TestLowVoltage(t *testing.T) {
	var h Health
	h.ObserveVoltage(0, false)
	expect(t, &h, 0)
	h.ObserveVoltage(time.Minute, true)
	expect(t, &h, time.Minute, LowVoltage)
	h.ObserveVoltage(2*time.Minute, false)
	expect(t, &h, 2*time.Minute, LowVoltage)
	expect(t, &h, 2*hour)
}

func TestClockLost(t *testing.T) {
	var h Health
	h.ObserveClock(0, false)
	expect(t, &h, 5*time.Minute)
	expect(t, &h, 11*time.Minute, ClockLost)
	h.ObserveClock(12*time.Minute, true)
	expect(t, &h, 12*time.Minute)
}

func TestSlowStorage(t *testing.T) {
	var h Health
	for range commits {
		h.ObserveCommit(0, 30*time.Millisecond)
	}
	expect(t, &h, 0)
	h.ObserveCommit(0, 3*time.Second)
	expect(t, &h, 0, SlowStorage)
	for range commits {
		h.ObserveCommit(0, 1200*time.Millisecond)
	}
	all, _, _ := h.Report(0)
	if len(all) != 1 || !all[0].Staff {
		t.Errorf("a second a tap: %+v", all)
	}
}

func TestReportChanges(t *testing.T) {
	var h Health
	h.ObserveVoltage(time.Minute, true)
	if _, began, ended := h.Report(time.Minute); len(began) != 1 || len(ended) != 0 {
		t.Errorf("began %v, ended %v", began, ended)
	}
	all, began, ended := h.Report(2 * time.Minute)
	if len(began) != 0 || len(ended) != 0 || all[0].Since != time.Minute {
		t.Errorf("all %v, began %v, ended %v", all, began, ended)
	}
	h.ObserveVoltage(3*time.Minute, false)
	if _, began, ended := h.Report(2 * hour); len(began) != 0 || len(ended) != 1 || ended[0].Name != LowVoltage {
		t.Errorf("began %v, ended %v", began, ended)
	}
}
