package panel

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"stump/internal/testkit"
	"stump/lcd"
	"stump/lcd/lcdtest"
)

// bench is a panel with a 16x2 display on a modelled I2C bus.
type bench struct {
	*Panel
	model *lcdtest.Backpack
	log   *testkit.Log
}

func onBench(t *testing.T, o Options) bench {
	t.Helper()
	model := lcdtest.NewBackpack(lcdtest.NewController(size16x2, "A00"))
	d, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", OpenBus: model.Open})
	if err != nil {
		t.Fatal(err)
	}
	b := bench{model: model, log: new(testkit.Log)}
	o.Display, o.Logger = d, slog.New(slog.NewTextHandler(b.log, nil))
	b.Panel = start(t, o)
	time.Sleep(200 * time.Millisecond) // the display starts
	return b
}

// The state is what the display shows, cell for cell, as its controller
// decodes it.
func TestStateIsWhatTheControllerShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := onBench(t, Options{Idle: func() IdleInfo { return IdleInfo{Out: 2, Behind: true} }})
		if got, want := strings.Join(b.model.Rows(), "|"), "Lab open        |2 out          ↑"; got != want {
			t.Errorf("idle: %q", got)
		}
		for key := range cues {
			m := sample(key)
			m.Person, m.Device = "Žofie Müller-Øster", "iPod Touch 5th Generation (blue)"
			say(t, b.Panel, m)
			// Past the time on the bus; and screens change at full tenths.
			time.Sleep(150 * time.Millisecond)
			s := b.State()
			for range 30 { // through a roll
				if got := strings.Join(b.model.Rows(), "|"); got != rows(s) {
					t.Fatalf("%s: the display shows %q, the state is %q", key, got, s.Rows)
				}
				time.Sleep(300 * time.Millisecond)
				synctest.Wait()
				s = b.State()
			}
		}
		if f := b.model.Faults(); len(f) > 0 {
			t.Errorf("faults: %q", f)
		}
	})
}

// Names of 1,000 bytes, or with control characters, are shown as text.
func TestAnyNameIsJustAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := onBench(t, Options{})
		for _, name := range []string{
			strings.Repeat("x", 1000), strings.Repeat("Ž", 500), strings.Repeat("🦊", 250), strings.Repeat("李", 333),
			strings.Repeat("a ", 500), strings.Repeat("\u0301", 500), "|\x0b", "\xfe\x61\x08", "{person}{device}", "a\nb\tc\rd\x1b[2J", "\u202eabc", " ",
		} {
			for key := range cues {
				s := say(t, b.Panel, Message{Key: key, Person: name, Device: name, From: name, Holder: name, Number: name, Detail: name})
				time.Sleep(100 * time.Millisecond)
				if got := strings.Join(b.model.Rows(), "|"); got != rows(s) {
					t.Fatalf("%s %.20q: the display shows %q, the state is %q", key, name, got, s.Rows)
				}
				for _, r := range s.Rows {
					if utf8.RuneCountInString(r) != 16 {
						t.Fatalf("%s %.20q: a row of %q", key, name, r)
					}
				}
			}
		}
		if f := b.model.Faults(); len(f) > 0 || b.model.Mode() != lcdtest.Healthy {
			t.Errorf("faults: %q, mode: %s", f, b.model.Mode())
		}
	})
}

// Unplugging the display during taps loses none of them, and shortly after it is
// plugged in again it shows the right text.
func TestUnpluggedDuringTaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := onBench(t, Options{})
		devices := []string{"iPad", "Pixel", "Kindle", "Nexus", "Surface", "Moto"}
		for i, d := range devices {
			switch i {
			case 1:
				b.model.Unplug(nil)
			case 4:
				b.model.Plug()
			}
			begin := time.Now()
			s := say(t, b.Panel, Message{Key: "checked-out", Device: d})
			if took := time.Since(begin); took > 50*time.Millisecond {
				t.Errorf("tap %d was answered after %v", i, took)
			}
			if want := "Checked out     |" + d; !strings.HasPrefix(rows(s), want) || !s.Green {
				t.Errorf("tap %d: %+v", i, s)
			}
			time.Sleep(600 * time.Millisecond)
		}
		if got := b.model.String(); got != "Checked out / Moto" {
			t.Errorf("the display shows %q", got)
		}
		if gone, back := b.log.Count("doesn't answer"), b.log.Count("display works"); gone != 1 || back != 2 {
			t.Errorf("the log says %d times gone, %d times works:\n%s", gone, back, b.log.String())
		}
		if b.model.Mode() != lcdtest.Healthy {
			t.Errorf("mode: %s", b.model.Mode())
		}
	})
}

// A spark is repaired at the next change, or within a minute.
func TestSparkIsHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := onBench(t, Options{})
		b.model.Spark()
		say(t, b.Panel, Message{Key: "bad-read"})
		time.Sleep(200 * time.Millisecond)
		if got := b.model.String(); got != "Bad tag read / tap again" {
			t.Errorf("after a tap it shows %q", got)
		}
		time.Sleep(10 * time.Second)
		b.model.Spark()
		time.Sleep(61 * time.Second)
		if got := b.model.String(); got != "Lab open / All devices in" {
			t.Errorf("after a minute it shows %q", got)
		}
		if !b.Health().Up {
			t.Errorf("health: %+v", b.Health())
		}
	})
}

// A display that stays away is retried less and less often, and logged once.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := lcdtest.NewBackpack(lcdtest.NewController(size16x2, "A00"))
		model.Addr = 0x3f
		var tries atomic.Int32
		d, _ := lcd.Open(lcd.Config{Kind: "hd44780-i2c", OpenBus: model.Open})
		log := new(testkit.Log)
		p := start(t, Options{Display: counted{d, &tries}, Logger: slog.New(slog.NewTextHandler(log, nil))})
		time.Sleep(5 * time.Minute)
		if n := tries.Load(); n < 20 || n > 30 {
			t.Errorf("%d tries in 5 minutes", n)
		}
		if n := log.Count("\n"); n != 1 || log.Count("0x27") == 0 {
			t.Errorf("the log has %d lines", n)
		}
		if h := p.Health(); h.Up || h.Err == nil {
			t.Errorf("health: %+v", h)
		}
		if _, err := p.Probe(t.Context()); err == nil {
			t.Error("a display at another address answers")
		}
	})
}

// counted counts the calls of Init.
type counted struct {
	lcd.Display
	n *atomic.Int32
}

func (c counted) Init() error { c.n.Add(1); return c.Display.Init() }

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := onBench(t, Options{})
		if answers, err := b.Probe(t.Context()); !answers || err != nil {
			t.Errorf("%v, %v", answers, err)
		}
		b.model.Unplug(nil)
		if _, err := b.Probe(t.Context()); err == nil {
			t.Error("an unplugged display answers")
		}
		b.model.Plug()
		time.Sleep(lastRetry)
		if got := b.model.String(); got != "Lab open / All devices in" {
			t.Errorf("it shows %q", got)
		}
	})
}

// A display that hangs delays no beep, and no answer for longer than the constant
// hang.
func TestADisplayThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := lcdtest.NewSerial("newhaven", size16x2)
		d, _ := lcd.Open(lcd.Config{Kind: "newhaven", OpenPort: m.Open})
		p := start(t, Options{Display: d})
		time.Sleep(time.Second)
		resume := m.Stall()
		defer resume()
		begin := time.Now()
		n := p.Show(Message{Key: "checked-out", Device: "iPad"})
		synctest.Wait()
		if s := p.State(); s.Beeps != 1 || !s.Green {
			t.Errorf("while the display hangs: %+v", s)
		}
		if err := p.Answered(t.Context(), n); err != nil || time.Since(begin) > hang {
			t.Errorf("answered: %v after %v", err, time.Since(begin))
		}
		begin = time.Now()
		say(t, p, Message{Key: "bad-read"})
		if took := time.Since(begin); took > 0 {
			t.Errorf("the next message took %v", took)
		}
		resume()
		time.Sleep(lastRetry)
		if got := m.String(); got != "Lab open / All devices in" {
			t.Errorf("it came back with %q", got)
		}
	})
}

// The idle screen follows the clock and Poke, and leaves messages alone.
func TestIdleScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		out, calls := 0, 0
		b := onBench(t, Options{Idle: func() IdleInfo {
			mu.Lock()
			defer mu.Unlock()
			calls++
			return IdleInfo{Out: out, Clock: time.Now()}
		}})
		first := b.model.Rows()[0]
		time.Sleep(time.Minute)
		if now := b.model.Rows()[0]; now == first || now != "Lab open   "+time.Now().Format("15:04") {
			t.Errorf("a minute after %q: %q", first, now)
		}
		mu.Lock()
		out, calls = 5, 0
		mu.Unlock()
		b.Poke()
		time.Sleep(100 * time.Millisecond)
		if got := b.model.Rows()[1]; got != "5 out           " {
			t.Errorf("after Poke: %q", got)
		}
		say(t, b.Panel, Message{Key: "bad-read"})
		b.Poke()
		time.Sleep(100 * time.Millisecond)
		if got := b.model.String(); got != "Bad tag read / tap again" {
			t.Errorf("Poke took a message away: %q", got)
		}
		time.Sleep(10 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if calls > 13 {
			t.Errorf("the idle screen was made %d times in 10 minutes", calls)
		}
	})
}

// A waiting message stays for the desk's window, a name that rolls until all of
// it was shown.
func TestHowLongMessagesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, Options{Window: 20 * time.Second})
		shown := func(m Message) time.Duration {
			begin := time.Now()
			say(t, p, m)
			for !strings.HasPrefix(rows(p.State()), "Lab open") {
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
			}
			return time.Since(begin).Round(time.Second)
		}
		for want, m := range map[time.Duration]Message{
			20 * time.Second: {Key: "greet", Person: "Ann"},
			4 * time.Second:  {Key: "returned", Device: "iPad"},
			7 * time.Second:  {Key: "returned", Device: "iPad", For: 7 * time.Second},
			8 * time.Second:  {Key: "returned", Device: "iPod Touch 5th Generation (blue)"},
		} {
			if got := shown(m); got != want {
				t.Errorf("%+v stays %v, want %v", m, got, want)
			}
		}
	})
}

// An idle screen on which only the clock changed is quiet: no log repeats it.
func TestTheClockIsQuiet(t *testing.T) {
	info := IdleInfo{Clock: time.Date(2026, 11, 21, 10, 42, 30, 0, time.UTC)}
	p := New(Options{Idle: func() IdleInfo { return info }})
	d := &displayLoop{Panel: p}
	now := time.Now()
	for i, tc := range []struct {
		change func()
		after  time.Duration
		quiet  bool
	}{
		{func() {}, 0, false},
		{func() { info.Clock = info.Clock.Add(30 * time.Second) }, 30 * time.Second, true},
		{func() { info.Clock = info.Clock.Add(time.Minute) }, time.Minute, true},
		{func() { info.Clock = info.Clock.Add(time.Minute); info.Out++ }, time.Minute, false},
		{func() { info.Out++; p.Poke() }, time.Second, false},
		{func() { info.Clock = info.Clock.Add(time.Minute) }, time.Minute, true},
		{func() { p.Show(Message{Key: "bad-read"}) }, time.Second, false},
		{func() {}, time.Minute, false}, // the message is over
	} {
		tc.change()
		now = now.Add(tc.after)
		d.choose(now)
		if got := d.screen.layout.Quiet; got != tc.quiet {
			t.Errorf("%d: %q is quiet: %v", i, d.screen.text, got)
		}
	}
}
