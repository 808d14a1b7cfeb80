package panel

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/testkit"
	"stump/lcd"
)

// first is the display's first row.
func first(p *Panel) string {
	synctest.Wait()
	return strings.TrimRight(p.State().Rows[0], " ")
}

// Message.Then is shown after the message, blinks without a sound, and ends when
// its own time is over.
func TestThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &score{begin: time.Now()}
		p := start(t, Options{Green: s.out("green"), Beeper: s.out("beep"), Window: 20 * time.Second})
		say(t, p, Message{Key: "bad-read", Then: &Message{Key: "greet", Person: "Ann"}})
		if got := first(p); got != "Bad tag read" {
			t.Errorf("at first: %q", got)
		}
		time.Sleep(brief - time.Millisecond)
		if got := first(p); got != "Bad tag read" {
			t.Errorf("before the message is over: %q", got)
		}
		s.mu.Lock()
		s.begin, s.notes = time.Now(), nil
		s.mu.Unlock()
		time.Sleep(time.Second)
		if got := first(p); got != "Hello Ann" {
			t.Errorf("after the message: %q", got)
		}
		if got := s.String(); got != "1+green 441-green 941+green" {
			t.Errorf("it goes on waiting with %q", got)
		}
		time.Sleep(20*time.Second - brief - time.Second)
		if got := first(p); got != "Hello Ann" {
			t.Errorf("in the window's last moment: %q", got)
		}
		time.Sleep(2 * time.Millisecond)
		if got := first(p); got != "Lab open" {
			t.Errorf("after the window: %q", got)
		}
	})
}

// A newer message takes the place of what was waited for.
func TestThenIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, Options{})
		say(t, p, Message{Key: "bad-read", Then: &Message{Key: "greet", Person: "Ann"}})
		say(t, p, Message{Key: "returned", Device: "iPad"})
		time.Sleep(usual + time.Millisecond)
		if got := first(p); got != "Lab open" {
			t.Errorf("after the newer message: %q", got)
		}
	})
}

// Over ends the newest message early, if it is one of those named.
func TestOver(t *testing.T) {
	for name, tc := range map[string]struct {
		then *Message
		keys []string
		want string
	}{
		"the message":              {nil, []string{"testing", "display-code"}, "Lab open"},
		"the message, for another": {&Message{Key: "greet", Person: "Ann"}, []string{"display-code"}, "Hello Ann"},
		"other messages":           {nil, []string{"testing"}, "Type this code:"},
		"no message":               {&Message{Key: "greet"}, nil, "Type this code:"},
		"a time that is over":      {&Message{Key: "device-free", Device: "iPad", For: -time.Second}, []string{"display-code"}, "iPad"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := start(t, Options{})
				say(t, p, Message{Key: "display-code", Number: "4711"})
				time.Sleep(time.Second)
				p.Over(tc.then, tc.keys...)
				if got := first(p); got != tc.want {
					t.Errorf("it shows %q, want %q", got, tc.want)
				}
			})
		})
	}
}

// A message that is over at once is answered, though it is never shown.
func TestOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, Options{})
		n := p.Show(Message{Key: "testing"})
		p.Over(nil, "testing")
		if err := p.Answered(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if got := first(p); got != "Lab open" {
			t.Errorf("it shows %q", got)
		}
	})
}

// A subscriber that doesn't read misses states, but not the newest.
func TestSlowSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, Options{})
		states, cancel := p.Subscribe()
		defer cancel()
		for range 40 {
			say(t, p, Message{Key: "bad-read"})
			time.Sleep(10 * time.Second)
		}
		say(t, p, Message{Key: "checked-out", Device: "iPad"})
		synctest.Wait()
		var last State
		read := 0
		for len(states) > 0 {
			last = <-states
			read++
		}
		if now := p.State(); rows(last) != rows(now) || last.Beeps != now.Beeps || read > 16 {
			t.Errorf("after %d states the last is %+v, want %+v", read, last, now)
		}
	})
}

// Answered and Probe return when their context is done.
func TestGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{}) // not running
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Answered(ctx, p.Show(Message{Key: "greet"})); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Answered: %v", err)
		}
		if _, err := p.Probe(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Probe: %v", err)
		}
		if p.String() != "panel no display, 16x2" {
			t.Errorf("String: %s", p)
		}
	})
}

// A display that fails at the end is logged, unless it was down before.
func TestLeave(t *testing.T) {
	for _, down := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := &fake{Display: lcd.None(size16x2)}
			log := new(testkit.Log)
			p := New(Options{Display: d, Logger: slog.New(slog.NewTextHandler(log, nil))})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			if down {
				d.plug(errors.New("no such device"))
			}
			go func() { done <- p.Run(ctx) }()
			synctest.Wait()
			before := log.Count("doesn't answer")
			d.plug(errors.New("no such device"))
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
			if said := log.Count("doesn't answer") - before; said != map[bool]int{false: 1, true: 0}[down] {
				t.Errorf("down before %v: logged %d times", down, said)
			}
			if got := first(p); got != "Out of service" {
				t.Errorf("the state is %q", got)
			}
		})
	}
}

// Every message that waits for a person stays for the desk's window; the others
// have fixed times.
func TestTimesOfMessages(t *testing.T) {
	p := New(Options{Window: 45 * time.Second})
	d := &displayLoop{Panel: p}
	for key, cue := range cues {
		got := d.stay(Message{Key: key})
		switch {
		case cue.signal == signalWaiting && key != "saving" && key != "log-in" && got != 45*time.Second:
			t.Errorf("%s stays %v, not the window", key, got)
		case cue.signal != signalWaiting && (got < brief || got > time.Minute):
			t.Errorf("%s stays %v", key, got)
		}
		if got := d.stay(Message{Key: key, For: 7 * time.Second}); got != 7*time.Second {
			t.Errorf("%s for 7 s stays %v", key, got)
		}
	}
}

// Pages follow each other, end with the last, and give way to any message.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &score{begin: time.Now()}
		p := start(t, Options{Green: s.out("green"), Beeper: s.out("beep")})
		pages := Pages("fingerprint", []string{"AA:BB", "CC:DD", "EE:FF"})
		for range 2 {
			say(t, p, pages)
			for i, want := range []string{"Certificate 1/3", "Certificate 2/3", "Certificate 3/3"} {
				time.Sleep(usual / 2)
				if got, number := first(p), strings.TrimSpace(p.State().Rows[1]); got != want || number != []string{"AA:BB", "CC:DD", "EE:FF"}[i] {
					t.Errorf("page %d is %q, %q", i+1, got, number)
				}
				time.Sleep(usual / 2)
			}
			if got := first(p); got != "Lab open" {
				t.Errorf("after the pages: %q", got)
			}
		}
		say(t, p, pages)
		time.Sleep(usual)
		if got := s.String(); strings.Contains(got, "+") {
			t.Errorf("the pages are announced with %q", got)
		}
		say(t, p, Message{Key: "returned", Device: "iPad"})
		time.Sleep(usual)
		if got := first(p); got != "Lab open" {
			t.Errorf("after another message: %q", got)
		}
	})
}
