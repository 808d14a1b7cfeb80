package panel

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/histogram"
	"stump/lcd"
)

// sluggish is a display that takes its time.
type sluggish struct {
	fake
	takes time.Duration
}

func (s *sluggish) Show(f lcd.Frame) error {
	time.Sleep(s.takes)
	return s.fake.Show(f)
}

// TestTimed: what is saved is timed until the display says so; nothing else is, nor a display
// that failed meanwhile.
func TestTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		display := &sluggish{fake: fake{Display: lcd.None(size16x2)}}
		p := start(t, Options{Display: display})
		display.takes = 30 * time.Millisecond
		wants := func(what string, want histogram.Times) {
			t.Helper()
			synctest.Wait()
			if got := p.Health().Took; got != want {
				t.Errorf("%s: %+v, want %+v", what, got, want)
			}
		}
		var want histogram.Times
		say(t, p, Message{Key: "greet", Person: "Ann"})
		wants("nothing is saved", want)
		say(t, p, Message{Key: "checked-out", Device: "iPad", Person: "Ann"})
		want.Add(30 * time.Millisecond)
		wants("a check-out", want)
		say(t, p, Message{Key: "bad-read"})
		wants("a bad read", want)
		display.plug(errors.New("unplugged"))
		say(t, p, Message{Key: "returned", Device: "iPad", Person: "Ann"})
		display.plug(nil)
		time.Sleep(time.Second)
		if !p.Health().Up {
			t.Fatal("the display does not come back")
		}
		wants("it came back late", want)
	})
}
