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
		h.ObserveCommit(20 * time.Millisecond)
		expect(t, &h, at)
	}
}

func TestReaderSilent(t *testing.T) {
	var h Health
	end := office(&h, 3, 0)
	expect(t, &h, end+90*hour)
	expect(t, &h, end+100*hour, "reader-silent")
	h.ObserveRead(end+101*hour, good())
	expect(t, &h, end+101*hour)
}

// A refused read shows that the cable lives, and ends no silence of cards.
func TestBadReadEndsNoSilence(t *testing.T) {
	var h Health
	end := office(&h, 3, 0)
	h.ObserveRead(end+99*hour, refused())
	expect(t, &h, end+100*hour, "reader-silent")
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
	expect(t, &h, last+5*24*hour, "reader-silent")
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
	if !all[0].Staff || !strings.Contains(all[0].Text, "of the last 50 reads were bad; usually it is 1.1 %") {
		t.Errorf("people who tap notice bad reads: %+v", all[0])
	}
	for range 50 {
		at += time.Minute
		h.ObserveRead(at, good())
	}
	expect(t, &h, at)
}

// flap feeds a measure that hovers around its limit and counts how often the
// condition begins and ends.
func flap(t *testing.T, h *Health, name string, steps int, step func(i int) (now time.Duration)) (began, ended int, at time.Duration) {
	t.Helper()
	for i := range steps {
		at = step(i)
		_, b, e := h.Report(at)
		for _, c := range b {
			if c.Name == name {
				began++
			}
		}
		for _, c := range e {
			if c.Name == name {
				ended++
			}
		}
	}
	return began, ended, at
}

// A share of bad reads that hovers around the limit is one alarm; it ends at
// half the limit.
func TestBadReadsHover(t *testing.T) {
	var h Health
	at := office(&h, 10, 0)
	read := func(r *wiegand.Read) time.Duration {
		at += time.Minute
		h.ObserveRead(at, r)
		return at
	}
	// One bad read in ten or eleven: 4 to 6 of the last 50.
	began, ended, _ := flap(t, &h, BadReads, 200, func(i int) time.Duration {
		if i%21 == 0 || i%21 == 10 {
			return read(refused())
		}
		return read(good())
	})
	if began != 1 || ended != 0 {
		t.Errorf("began %d times, ended %d times", began, ended)
	}
	began, ended, _ = flap(t, &h, BadReads, 200, func(i int) time.Duration {
		if i%25 == 0 { // 2 of 50
			return read(refused())
		}
		return read(good())
	})
	if began != 0 || ended != 1 {
		t.Errorf("at 4 %%: began %d times, ended %d times", began, ended)
	}
}

// Five bad reads are needed, also where few reads were made.
func TestFewBadReads(t *testing.T) {
	var h Health
	for i := range 4 {
		h.ObserveRead(time.Duration(i)*time.Second, refused())
	}
	expect(t, &h, 4*time.Second)
	h.ObserveRead(5*time.Second, refused())
	expect(t, &h, 5*time.Second, BadReads)
}

func TestStrayEdgesHover(t *testing.T) {
	var h Health
	stray := &wiegand.Read{Count: 1, Fault: wiegand.FaultCount}
	at := time.Duration(0)
	every := func(d time.Duration) func(int) time.Duration {
		return func(int) time.Duration { at += d; h.ObserveRead(at, stray); return at }
	}
	if began, ended, _ := flap(t, &h, "stray-edges", 30, every(29*time.Second)); began != 1 || ended != 0 {
		t.Errorf("21 in 10 minutes: began %d times, ended %d times", began, ended)
	}
	if began, ended, _ := flap(t, &h, "stray-edges", 30, every(40*time.Second)); began != 0 || ended != 0 {
		t.Errorf("15 in 10 minutes: began %d times, ended %d times", began, ended)
	}
	if began, ended, _ := flap(t, &h, "stray-edges", 30, every(70*time.Second)); began != 0 || ended != 1 {
		t.Errorf("9 in 10 minutes: began %d times, ended %d times", began, ended)
	}
}

func TestSlowStorageHovers(t *testing.T) {
	var h Health
	took := func(times ...time.Duration) (began, ended int) {
		began, ended, _ = flap(t, &h, "slow-storage", 100, func(i int) time.Duration {
			h.ObserveCommit(times[i/commits%len(times)])
			return 0
		})
		return began, ended
	}
	if began, ended := took(250*ms, 150*ms); began != 1 || ended != 0 {
		t.Errorf("around the limit: began %d times, ended %d times", began, ended)
	}
	if began, ended := took(90 * ms); began != 0 || ended != 1 {
		t.Errorf("at less than half: began %d times, ended %d times", began, ended)
	}
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
	expect(t, &h, 30*time.Second, "stray-edges")
	expect(t, &h, 30*time.Second+strayWindow)
}

func TestLowVoltage(t *testing.T) {
	var h Health
	h.ObserveVoltage(0, false)
	expect(t, &h, 0)
	h.ObserveVoltage(time.Minute, true)
	expect(t, &h, time.Minute, "under-voltage")
	h.ObserveVoltage(2*time.Minute, false)
	expect(t, &h, 2*time.Minute, "under-voltage")
	expect(t, &h, 2*hour)
	// An hour counts from the end of a long time, and two times are two.
	h.ObserveVoltage(3*hour, true)
	h.ObserveVoltage(5*hour, true)
	expect(t, &h, 7*hour, "under-voltage")
	h.ObserveVoltage(7*hour, true)
	h.ObserveVoltage(7*hour+time.Minute, false)
	h.ObserveVoltage(7*hour+2*time.Minute, true)
	h.ObserveVoltage(7*hour+3*time.Minute, false)
	all, _, _ := h.Report(7*hour + 59*time.Minute)
	if len(all) != 1 || !strings.Contains(all[0].Text, "too low 2 times in the last hour") {
		t.Errorf("%+v", all)
	}
}

func TestClockLost(t *testing.T) {
	var h Health
	h.ObserveClock(0, false)
	expect(t, &h, 5*time.Minute)
	expect(t, &h, 11*time.Minute, "clock")
	h.ObserveClock(12*time.Minute, true)
	expect(t, &h, 12*time.Minute)
}

func TestSlowStorage(t *testing.T) {
	var h Health
	for range commits {
		h.ObserveCommit(30 * time.Millisecond)
	}
	expect(t, &h, 0)
	h.ObserveCommit(3 * time.Second)
	expect(t, &h, 0, "slow-storage")
	for range commits {
		h.ObserveCommit(1200 * time.Millisecond)
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
	if _, began, ended := h.Report(2 * hour); len(began) != 0 || len(ended) != 1 || ended[0].Name != "under-voltage" {
		t.Errorf("began %v, ended %v", began, ended)
	}
}
