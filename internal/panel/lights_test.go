package panel

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/testkit"
	"stump/lcd"
)

// score records what the outputs do, and when.
type score struct {
	mu    sync.Mutex
	begin time.Time
	notes []string
	err   error
}

func (s *score) out(name string) Output { return noted{s, name} }

type noted struct {
	s    *score
	name string
}

func (n noted) Set(on bool) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	if n.s.err != nil {
		return n.s.err
	}
	sign := map[bool]string{true: "+", false: "-"}[on]
	n.s.notes = append(n.s.notes, fmt.Sprintf("%d%s%s", time.Since(n.s.begin).Milliseconds(), sign, n.name))
	return nil
}

func (s *score) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.notes, " ")
}

func TestSignals(t *testing.T) {
	tests := map[string]string{
		"timeout":  "",
		"returned": "0+beep 0+green 80-beep 160+beep 240-beep 2740-green",
		"retired":  "0+beep 0+red 120-beep 220+beep 340-beep 440+beep 560-beep 3060-red",
		"bad-read": "0+beep 0+red 500-beep 500-red 650+red 800-red 950+red 1100-red 1250+red 1400-red",
		"pending":  "0+beep 0+green 80-beep 160+beep 410-beep 1610+red 2810-green 2810-red",
	}
	for key, want := range tests {
		t.Run(key, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &score{begin: time.Now()}
				p := start(t, Options{Green: s.out("green"), Red: s.out("red"), Beeper: s.out("beep")})
				synctest.Wait()
				s.notes = nil // everything was switched off
				say(t, p, Message{Key: key, Device: "iPad", Number: "7"})
				time.Sleep(10 * time.Second)
				if got := s.String(); got != want {
					t.Errorf("played %q, want %q", got, want)
				}
				if st := p.State(); st.Green || st.Red || st.Beeps != strings.Count(want, "+beep") {
					t.Errorf("state afterwards: %+v", st)
				}
			})
		})
	}
}

// While events wait for the directory, a loan sounds as saved only. A refusal
// sounds as always.
func TestDoneWhileTheDirectoryIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &score{begin: time.Now()}
		p := start(t, Options{Red: s.out("red"), Beeper: s.out("beep"), Behind: func() bool { return true }})
		for _, tc := range []struct {
			m    Message
			want string
		}{
			{Message{Key: "checked-out"}, "0+beep 80-beep 160+beep 410-beep 1610+red 2810-red"},
			{Message{Key: "retired", Device: "iPad"}, "0+beep 0+red 120-beep 220+beep 340-beep 440+beep 560-beep 3060-red"},
		} {
			s.mu.Lock()
			s.begin, s.notes = time.Now(), nil
			s.mu.Unlock()
			say(t, p, tc.m)
			time.Sleep(10 * time.Second)
			if got := s.String(); got != tc.want {
				t.Errorf("%+v: played %q, want %q", tc.m, got, tc.want)
			}
		}
	})
}

func TestWaitingBlinksUntilTheNextMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &score{begin: time.Now()}
		p := start(t, Options{Green: s.out("green"), Beeper: s.out("beep")})
		synctest.Wait()
		s.notes = nil
		say(t, p, Message{Key: "greet", Person: "Ann"})
		time.Sleep(2100 * time.Millisecond)
		say(t, p, Message{Key: "bad-read"})
		synctest.Wait()
		if got, want := s.String(), "0+beep 0+green 60-beep 500-green 1000+green 1500-green 2000+green 2100+beep 2100-green"; got != want {
			t.Errorf("played %q, want %q", got, want)
		}
	})
}

// Typing a name chirps once, and blinks on through every letter.
func TestTypingDoesNotBeepForEveryLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &score{begin: time.Now()}
		p := start(t, Options{Green: s.out("green"), Beeper: s.out("beep")})
		s.notes = nil
		for i, m := range []Message{
			{Key: "type-name"}, {Key: "type-name", Detail: "a"}, {Key: "type-name-hint", Detail: "an", Person: "Ann"},
			{Key: "type-name-tab", Detail: "ann", Person: "Ann"},
		} {
			say(t, p, m)
			if got, want := rows(p.State()), m.Detail+"_"; !strings.Contains(got, want) {
				t.Errorf("letter %d: %q", i, got)
			}
			time.Sleep(300 * time.Millisecond)
		}
		say(t, p, Message{Key: "checked-out", Device: "iPad"})
		synctest.Wait()
		if got, want := s.String(), "0+beep 0+green 60-beep 500-green 1000+green 1200+beep"; got != want {
			t.Errorf("played %q, want %q", got, want)
		}
	})
}

// The beeper sounds before the display shows anything, however slow it is.
func TestBeepComesBeforeTheDisplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &score{begin: time.Now()}
		d := slow{lcd.None(size16x2), s}
		p := start(t, Options{Display: d, Beeper: s.out("beep")})
		time.Sleep(time.Second)
		s.mu.Lock()
		s.begin, s.notes = time.Now(), nil
		s.mu.Unlock()
		say(t, p, Message{Key: "returned", Device: "iPad"})
		if got := s.String(); !strings.HasPrefix(got, "0+beep") || !strings.HasSuffix(got, "100 shown") {
			t.Errorf("it went %q", got)
		}
	})
}

// slow takes 100 ms for a frame.
type slow struct {
	lcd.Display
	s *score
}

func (d slow) Show(f lcd.Frame) error {
	time.Sleep(100 * time.Millisecond)
	d.s.mu.Lock()
	d.s.notes = append(d.s.notes, fmt.Sprintf("%d shown", time.Since(d.s.begin).Milliseconds()))
	d.s.mu.Unlock()
	return nil
}

func TestBrokenOutputsAreSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &score{err: errors.New("EBUSY")}
		log := new(testkit.Log)
		p := start(t, Options{Beeper: s.out("beep"), Logger: slog.New(slog.NewTextHandler(log, nil))})
		for range 3 {
			say(t, p, Message{Key: "bad-read"})
			time.Sleep(5 * time.Second)
		}
		if got := p.State().Beeps; got != 3 {
			t.Errorf("%d beeps counted", got)
		}
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		time.Sleep(2 * outputRetry) // nobody taps
		if got := s.String(); !strings.HasSuffix(got, "-beep") {
			t.Errorf("the beeper was not switched off: %q", got)
		}
		if gone, back := log.Count("output doesn't answer"), log.Count("works again"); gone != 1 || back != 1 {
			t.Errorf("said %d times gone, %d times back", gone, back)
		}
	})
}
