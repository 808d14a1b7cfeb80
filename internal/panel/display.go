package panel

import (
	"cmp"
	"context"
	"slices"
	"time"

	"stump/lcd"
)

// screen is the text that is up.
type screen struct {
	text   string
	layout *lcd.Layout
	since  time.Time
	until  time.Time // zero for the idle screen
	secret bool      // only who stands there may read it
	names  bool      // it may name a person
}

// displayLoop keeps the display up to date. Nothing else calls the display.
type displayLoop struct {
	*Panel
	screen screen
	then   *Message  // what is shown after the message that is up
	before time.Time // until when
	number uint64    // of the newest message taken
	saved  time.Time // when it was shown, if it says that something was saved; else zero
	tick   time.Time // when the idle screen is next updated
	still  string    // the idle screen's text without its clock

	up    bool
	tried time.Time     // the last retry while down
	pause time.Duration // until the next retry
}

// runDisplay shows messages and the idle screen until ctx is done.
func (p *Panel) runDisplay(ctx context.Context) {
	d := &displayLoop{Panel: p}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		fresh, heal := d.choose(now)
		frame, change := d.screen.layout.At(now.Sub(d.screen.since))
		d.draw(now, frame, fresh, heal)

		timer.Reset(time.Until(d.next(change)))
		select {
		case <-ctx.Done():
			d.leave()
			return
		case <-d.wake:
		case <-timer.C:
		case probe := <-d.probes:
			probe(d)
		}
	}
}

// next returns when the loop must run again. change is the layout's next one.
func (d *displayLoop) next(change time.Duration) time.Time {
	t := d.tick
	if !d.screen.until.IsZero() {
		t = d.screen.until
	}
	earlier := func(u time.Time) {
		if u.Before(t) {
			t = u
		}
	}
	if change != lcd.Forever {
		earlier(d.screen.since.Add(change))
	}
	if !d.up {
		earlier(d.tried.Add(d.pause))
	}
	return t
}

// choose decides what is on the screen: the newest message, what follows it, or
// the idle screen. fresh is whether a message was taken; heal is whether a minute
// is over, in which the display may have lost its letters unnoticed.
func (d *displayLoop) choose(now time.Time) (fresh, heal bool) {
	d.mu.Lock()
	m, poked, over := d.message, d.poked, d.over
	d.message, d.poked, d.over = nil, false, nil
	if m != nil {
		d.number, d.saved = d.last, d.shown
	}
	d.mu.Unlock()

	if m != nil {
		d.say(*m, now)
		d.screen.until = now.Add(max(d.stay(*m), d.screen.layout.Pass()))
		d.thenShow(m.Then, now)
		if over == nil {
			return true, false
		}
	}
	if over != nil {
		d.screen.until = now
		d.thenShow(over.then, now)
	}
	if now.Before(d.screen.until) {
		return false, false
	}
	if then := d.then; then != nil && now.Before(d.before) {
		d.say(*then, now)
		d.screen.until = d.before
		d.thenShow(then.Then, now)
		if cues[then.Key].signal == signalWaiting {
			d.waitsOn()
		}
		return false, false
	}
	idling := d.screen.layout != nil && d.screen.until.IsZero()
	due := !now.Before(d.tick)
	if !idling || due || poked {
		info := d.o.Idle()
		d.put(d.texts.Load().idle(info, d.o.Display.Size()), now)
		d.tick = now.Add(info.untilChange())
		info.Clock = time.Time{}
		still := d.texts.Load().idle(info, d.o.Display.Size())
		d.screen.layout.Quiet = idling && still == d.still
		d.still = still
	}
	return false, idling && due
}

// thenShow sets what is shown after the message that is up.
func (d *displayLoop) thenShow(m *Message, now time.Time) {
	if m != nil && m.Key == "due" && d.saysUntil(*m) {
		m = m.Then
	}
	if d.then = m; m != nil {
		d.before = now.Add(d.stay(*m))
	}
}

// saysUntil reports whether the screen has the line of a loan's end already: on a display
// of four rows it often does.
func (d *displayLoop) saysUntil(m Message) bool {
	size := d.o.Display.Size()
	until := lcd.Lay(d.o.Display.Charset(), size, d.texts.Load().Text(Message{Key: "due", Device: "-", Until: m.Until, At: m.At}, size))
	line, _ := until.At(0)
	shown, _ := d.screen.layout.At(0)
	return slices.Contains(shown.Rows(), line.Rows()[1])
}

// say puts a message up.
func (d *displayLoop) say(m Message, now time.Time) {
	d.put(d.texts.Load().Text(m, d.o.Display.Size()), now)
	d.screen.secret = m.Key == "log-in"
	d.screen.names = m.Person+m.From+m.Holder+m.Ended+m.Detail != "" || typing(m.Key)
}

// put lays a text out. The idle screen goes on if its text is the same.
func (d *displayLoop) put(text string, now time.Time) {
	if text == d.screen.text && d.screen.layout != nil && d.screen.until.IsZero() {
		return
	}
	d.screen = screen{
		text:   text,
		layout: lcd.Lay(d.o.Display.Charset(), d.o.Display.Size(), text),
		since:  now,
	}
}

// stay is how long a message stays.
func (d *displayLoop) stay(m Message) time.Duration {
	return cmp.Or(max(m.For, 0), cues[m.Key].stay, d.o.Window)
}

// leave shows that the station is out of service: "Lab open" would be wrong.
func (d *displayLoop) leave() {
	text := d.texts.Load().Text(Message{Key: "stopped"}, d.o.Display.Size())
	f, _ := lcd.Lay(d.o.Display.Charset(), d.o.Display.Size(), text).At(0)
	if d.up {
		if err := d.write(f, false); err != nil {
			d.o.Logger.Warn("display doesn't answer", "display", d.o.Display.String(), "err", err)
		}
	}
	d.told(f.Rows())
	d.o.Display.Close()
}
