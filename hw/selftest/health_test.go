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

// origin is where the clock of these tests begins: anywhere.
const origin = 5000 * hour

// office has a reader used in office hours, Monday to Friday, for some weeks.
func office(h *Health, weeks int, badShare float64) (end time.Duration) {
	rng := rand.New(rand.NewPCG(1, 2))
	for day := range 7 * weeks {
		if day%7 > 4 {
			continue
		}
		for i := range 40 {
			at := origin + time.Duration(day)*24*hour + 9*hour + time.Duration(i)*12*time.Minute
			if rng.Float64() < badShare {
				h.ObserveRead(at, refused())
			}
			h.ObserveRead(at+time.Second, good())
			end = at
		}
	}
	return end
}

// text is what the only standing condition says.
func text(t *testing.T, h *Health, now time.Duration) string {
	t.Helper()
	all, _, _ := h.Report(now)
	if len(all) != 1 {
		t.Fatalf("at %v: %+v", now, all)
	}
	return all[0].Text
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

// Silence means nothing before twenty reads, nor before a week, nor for a day.
func TestReaderSilentNeedsExperience(t *testing.T) {
	for _, c := range []struct {
		reads   int
		every   time.Duration
		silence time.Duration
		want    string
	}{
		{50, time.Minute, 1000 * hour, ""},
		{19, 12 * hour, 100 * hour, ""},
		{20, 12 * hour, 100 * hour, "reader-silent"},
		{29, 6 * hour, 100 * hour, "reader-silent"}, // the last one after a week
		{28, 6 * hour, 100 * hour, ""},
		{50, 6 * hour, 24 * hour, "reader-silent"},
		{50, 6 * hour, 24*hour - 1, ""},
	} {
		var h Health
		var at time.Duration
		for i := range c.reads {
			at = origin + time.Duration(i)*c.every
			h.ObserveRead(at, good())
		}
		if got := strings.Join(holding(&h, at+c.silence), " "); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// The limit is one and a half of the longest silence.
func TestReaderSilentLimit(t *testing.T) {
	var h Health
	end := office(&h, 3, 0)
	weekend := 3*24*hour - 39*12*time.Minute // Friday's last card to Monday's first
	expect(t, &h, end+time.Second+weekend*3/2-1)
	expect(t, &h, end+time.Second+weekend*3/2, "reader-silent")
	if got := text(t, &h, end+100*hour); got != "no card was read for 4.2 days; the longest silence of the past weeks was 2.7 days" {
		t.Error(got)
	}
}

// The silence before the first card counts as one, and its time as experience.
func TestSilenceBeforeTheFirstCard(t *testing.T) {
	var h Health
	expect(t, &h, origin)
	var last time.Duration
	for i := range 50 { // until a week after the origin
		last = origin + 70*hour + time.Duration(i)*2*hour
		h.ObserveRead(last, good())
	}
	expect(t, &h, last+105*hour-1)
	expect(t, &h, last+105*hour, "reader-silent") // half as long again as 70 hours
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

// TestSwappedWires: the technician is told until a card is read.
func TestSwappedWires(t *testing.T) {
	var h Health
	for i, tt := range []struct {
		read *wiegand.Read
		want []string
	}{
		{good(), nil}, {refused(), nil},
		{&wiegand.Read{Count: 26, Fault: wiegand.FaultSwapped}, []string{"swapped"}},
		{&wiegand.Read{Count: 26, Fault: wiegand.FaultParity}, []string{"swapped"}},
		{&wiegand.Read{Count: 2, Fault: wiegand.FaultNoise}, []string{"swapped"}},
		{good(), nil},
	} {
		at := origin + time.Duration(i)*time.Minute
		h.ObserveRead(at, tt.read)
		expect(t, &h, at, tt.want...)
	}
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

// The text gives the usual share once that covers as many reads as the window.
func TestUsualShare(t *testing.T) {
	for n, want := range map[int]bool{94: false, 95: true} {
		var h Health
		for range n {
			h.ObserveRead(origin, good())
		}
		for range 5 {
			h.ObserveRead(origin, refused())
		}
		if got := text(t, &h, origin); strings.Contains(got, "usually it is 0.0 %") != want {
			t.Errorf("after %d reads: %s", n+5, got)
		}
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
	if got := text(t, &h, 5*time.Second); got != "5 of the last 5 reads were bad" {
		t.Error(got)
	}
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

// strays are frames that are too short or too long for a card.
func TestStrayEdges(t *testing.T) {
	stray := func(count int, fault wiegand.Fault) string {
		var h Health
		for range strayLimit {
			h.ObserveRead(origin, &wiegand.Read{Count: count, Fault: fault})
		}
		return strings.Join(holding(&h, origin), " ")
	}
	for _, c := range []struct {
		count int
		fault wiegand.Fault
		want  string
	}{
		{1, wiegand.FaultCount, "stray-edges"}, {7, wiegand.FaultCount, "stray-edges"}, {8, wiegand.FaultCount, BadReads},
		{wiegand.MaxBits, wiegand.FaultCount, BadReads}, {wiegand.MaxBits + 1, wiegand.FaultCount, "stray-edges"},
		{4, "", ""}, // a key of a keypad
	} {
		if got := stray(c.count, c.fault); got != c.want {
			t.Errorf("%d bits, %q: %q, want %q", c.count, c.fault, got, c.want)
		}
	}
	var h Health
	for i := range strayLimit - 1 {
		h.ObserveRead(origin+time.Duration(i), &wiegand.Read{Count: 1, Fault: wiegand.FaultCount})
	}
	expect(t, &h, origin+time.Second)
	h.ObserveRead(origin+time.Second, &wiegand.Read{Count: 1, Fault: wiegand.FaultCount})
	expect(t, &h, origin+strayWindow, "stray-edges") // the first one is just in the window
	expect(t, &h, origin+strayWindow+2*time.Second)
	for n, want := range map[int]string{199: "card, 199 times in", 300: "card, more than 200 times in"} {
		var h Health
		for range n {
			h.ObserveRead(origin, &wiegand.Read{Count: 1, Fault: wiegand.FaultCount})
		}
		if got := text(t, &h, origin); !strings.Contains(got, want) {
			t.Errorf("%d strays: %s", n, got)
		}
	}
}

func TestLowVoltage(t *testing.T) {
	var h Health
	h.ObserveVoltage(origin, false)
	expect(t, &h, origin)
	for i := range 3 { // the alarm lasts
		h.ObserveVoltage(origin+time.Duration(i)*time.Minute, true)
	}
	if got := text(t, &h, origin+2*time.Minute); got != "the board's 5 V is too low now" {
		t.Error(got)
	}
	h.ObserveVoltage(origin+3*time.Minute, false)
	if got := text(t, &h, origin+3*time.Minute); got != "the board's 5 V was too low 1 time in the last hour" {
		t.Error(got)
	}
	expect(t, &h, origin+2*time.Minute+hour, "under-voltage")
	expect(t, &h, origin+2*time.Minute+hour+1)
	// An hour counts from the end of a long time, and two times are two.
	h.ObserveVoltage(origin+3*hour, true)
	h.ObserveVoltage(origin+5*hour, true)
	expect(t, &h, origin+7*hour, "under-voltage")
	h.ObserveVoltage(origin+7*hour, true)
	h.ObserveVoltage(origin+7*hour+time.Minute, false)
	h.ObserveVoltage(origin+7*hour+2*time.Minute, true)
	h.ObserveVoltage(origin+7*hour+3*time.Minute, false)
	if got := text(t, &h, origin+7*hour+59*time.Minute); !strings.Contains(got, "too low 2 times in the last hour") {
		t.Error(got)
	}
}

func TestClockLost(t *testing.T) {
	var h Health
	h.ObserveClock(origin, true)
	for i := range 10 {
		h.ObserveClock(origin+time.Duration(i)*time.Minute, false)
		expect(t, &h, origin+time.Duration(i)*time.Minute)
	}
	expect(t, &h, origin+clockPatience, "clock")
	if got := text(t, &h, origin+hour); !strings.Contains(got, "not set for 60 minutes") {
		t.Error(got)
	}
	h.ObserveClock(origin+hour, true)
	expect(t, &h, origin+hour)
	h.ObserveClock(origin+2*hour, false) // the time starts again
	expect(t, &h, origin+2*hour+time.Minute)
}

func TestSlowStorage(t *testing.T) {
	for _, c := range []struct {
		took  []time.Duration
		want  string
		staff bool
	}{
		{[]time.Duration{30 * ms, 30 * ms, 30 * ms, 30 * ms, 30 * ms}, "", false},
		{[]time.Duration{3 * time.Second, 3 * time.Second, 3 * time.Second, 3 * time.Second}, "", false},
		{[]time.Duration{30 * ms, 30 * ms, 30 * ms, 30 * ms, deadSync}, "saving a tap takes 30 ms, at worst 2 s", false},
		{[]time.Duration{30 * ms, 30 * ms, 30 * ms, 30 * ms, deadSync - 1}, "", false},
		{[]time.Duration{30 * ms, 30 * ms, slowSync, slowSync, slowSync}, "saving a tap takes 200 ms, at worst 200 ms", false},
		{[]time.Duration{30 * ms, 30 * ms, 30 * ms, slowSync, slowSync}, "", false},
		{[]time.Duration{slowSync - 1, slowSync - 1, slowSync - 1, slowSync - 1, slowSync - 1}, "", false},
		{[]time.Duration{30 * ms, 30 * ms, time.Second, time.Second, time.Second}, "saving a tap takes 1 s, at worst 1 s", true},
	} {
		var h Health
		for _, took := range c.took {
			h.ObserveCommit(took)
		}
		all, _, _ := h.Report(origin)
		if len(all) > 1 || (len(all) == 1) != (c.want != "") || len(all) == 1 && (all[0].Text != c.want || all[0].Staff != c.staff) {
			t.Errorf("%v: %+v", c.took, all)
		}
	}
}

func TestDays(t *testing.T) {
	for d, want := range map[time.Duration]string{
		48 * hour: "2.0 days", 48*hour - time.Minute: "48 hours", 2 * hour: "2 hours", 2*hour - time.Minute: "119 minutes",
	} {
		if got := days(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
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

// TestSilence is since the last good read, and at first since the start.
func TestSilence(t *testing.T) {
	var h Health
	for _, step := range []struct {
		at   time.Duration
		read *wiegand.Read
		want time.Duration
	}{
		{origin, nil, 0},
		{origin + hour, nil, hour},
		{origin + hour, refused(), hour},
		{origin + hour, good(), 0},
		{origin + 3*hour, nil, 2 * hour},
	} {
		if step.read != nil {
			h.ObserveRead(step.at, step.read)
		}
		if got := h.Silence(step.at); got != step.want {
			t.Errorf("at %v: %v, want %v", step.at, got, step.want)
		}
	}
}
