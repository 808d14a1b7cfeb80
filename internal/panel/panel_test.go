package panel

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/lcd"
)

var size16x2 = lcd.Size{Cols: 16, Rows: 2}

// start runs a panel for the length of the test's bubble.
func start(t *testing.T, o Options) *Panel {
	t.Helper()
	p := New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-p.Ready()
	synctest.Wait()
	return p
}

// say shows a message and waits until it is answered.
func say(t *testing.T, p *Panel, m Message) State {
	t.Helper()
	if err := p.Answered(t.Context(), p.Show(m)); err != nil {
		t.Fatal(err)
	}
	return p.State()
}

func rows(s State) string { return strings.Join(s.Rows, "|") }

// fake is a display that can be unplugged.
type fake struct {
	lcd.Display
	mu    sync.Mutex
	err   error
	frame lcd.Frame
}

// plug makes every call fail with err; nil plugs the display in again, blank.
func (f *fake) plug(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.frame = err, lcd.Frame{}
}

func (f *fake) rows() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.frame.Rows(), "|")
}

func (f *fake) Init() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *fake) Show(frame lcd.Frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.frame = frame
	}
	return f.err
}

func TestATapIsAnsweredAndGoesBackToIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, Options{Idle: func() IdleInfo { return IdleInfo{Out: 3} }})
		if got, want := rows(p.State()), "Lab open        |3 out           "; got != want {
			t.Errorf("idle: %q, want %q", got, want)
		}
		s := say(t, p, Message{Key: "checked-out", Person: "Ann", Device: "iPad Mini"})
		if got, want := rows(s), "Checked out     |iPad Mini, Ann  "; got != want {
			t.Errorf("rows: %q, want %q", got, want)
		}
		if !s.Green || s.Red || s.Beeps != 1 {
			t.Errorf("green, one beep wanted: %+v", s)
		}
		time.Sleep(time.Second)
		if s := p.State(); s.Beeps != 2 {
			t.Errorf("beeps for done: %d, want 2", s.Beeps)
		}
		time.Sleep(usual)
		if s := p.State(); rows(s) != "Lab open        |3 out           " || s.Green {
			t.Errorf("after the message: %+v", s)
		}
	})
}

func TestTheNewestMessageWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, Options{})
		first := p.Show(Message{Key: "bad-read"})
		last := p.Show(Message{Key: "greet", Person: "Eve"})
		if last <= first {
			t.Fatalf("numbers don't grow: %d then %d", first, last)
		}
		for _, n := range []uint64{first, last} {
			if err := p.Answered(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		if got := rows(p.State()); got != "Hello Eve       |Tap a device    " {
			t.Errorf("rows: %q", got)
		}
	})
}

func TestADisplayThatIsGoneDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fake{Display: lcd.None(size16x2)}
		d.plug(errors.New("no such device"))
		p := start(t, Options{Display: d})
		s := say(t, p, Message{Key: "returned", Device: "Pixel"})
		if !strings.HasPrefix(rows(s), "Returned ") || s.Beeps != 1 {
			t.Errorf("state without a display: %+v", s)
		}
		d.plug(nil)
		time.Sleep(lastRetry)
		synctest.Wait()
		if got := d.rows(); !p.Health().Up || !strings.HasPrefix(got, "Lab open") {
			t.Errorf("the display came back and shows %q, health %+v", got, p.Health())
		}
	})
}

func TestSubscribersSeeEveryChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, Options{})
		states, cancel := p.Subscribe()
		<-states // now
		say(t, p, Message{Key: "bad-read"})
		synctest.Wait()
		var last State
		for len(states) > 0 {
			last = <-states
		}
		if rows(last) != "Bad tag read    |tap again       " || !last.Red {
			t.Errorf("last state: %+v", last)
		}
		cancel()
		cancel()
		if _, open := <-states; open {
			t.Error("the channel is still open")
		}
	})
}

func TestAnsweredEndsWithThePanel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if err := p.Answered(t.Context(), p.Show(Message{Key: "greet"})); !errors.Is(err, errStopped) {
			t.Errorf("Answered: %v", err)
		}
		if got := rows(p.State()); !strings.HasPrefix(got, "Out of service") {
			t.Errorf("left on the display: %q", got)
		}
	})
}
