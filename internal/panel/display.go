package panel

import (
	"context"
	"slices"
	"time"

	"stump/lcd"
)

// Times of the display loop.
const (
	// firstRetry and lastRetry bound the pauses between two tries to bring a
	// display back; each pause is twice the one before.
	firstRetry = 500 * time.Millisecond
	lastRetry  = 15 * time.Second
	// hang is after what time a display that doesn't return is closed under
	// its driver.
	hang = 3 * time.Second
)

// Health is how the display is.
type Health struct {
	// Up is whether the display took what was last written.
	Up bool
	// Since is when that changed.
	Since time.Time
	// Err is why it is not up.
	Err error
}

// Health returns how the display is.
func (p *Panel) Health() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.health
}

// screen is a text that is put up.
type screen struct {
	text   string
	layout *lcd.Layout
	since  time.Time
	until  time.Time // zero for the idle screen
}

// displayLoop keeps the display as it should be. It alone calls the display.
type displayLoop struct {
	*Panel
	screen screen
	number uint64    // of the newest message taken
	tick   time.Time // when the idle screen is looked at again

	up    bool
	tried time.Time     // when the display was last tried while down
	pause time.Duration // until it is tried again
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
		case q := <-d.probes:
			q.answer <- d.probe()
		}
	}
}

// probe is a question for the display, to be asked by the loop.
type probe struct{ answer chan proven }

type proven struct {
	proof lcd.Proof
	err   error
}

// Prove asks the display whether it is alive, as far as it can answer, for the
// self-test. It waits while the display is being written to.
func (p *Panel) Prove(ctx context.Context) (lcd.Proof, error) {
	q := probe{make(chan proven, 1)}
	select {
	case p.probes <- q:
	case <-ctx.Done():
		return lcd.ProofNone, ctx.Err()
	}
	a := <-q.answer
	return a.proof, a.err
}

func (d *displayLoop) probe() proven {
	prober, ok := d.display.(lcd.Prober)
	switch {
	case !d.up:
		return proven{err: d.Health().Err}
	case !ok:
		return proven{}
	}
	proof, err := prober.Probe()
	if err != nil {
		d.down(err)
	}
	return proven{proof, err}
}

// next returns when there will be something to do if nobody calls.
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

// choose decides what is on the screen: the newest message, the one before as
// long as it lasts, or the idle screen. fresh is whether a message was taken;
// heal is whether the display's minute is over, in which it may have lost its
// letters unseen.
func (d *displayLoop) choose(now time.Time) (fresh, heal bool) {
	d.mu.Lock()
	m, poked := d.message, d.poked
	d.message, d.poked = nil, false
	if m != nil {
		d.number = d.last
	}
	d.mu.Unlock()

	if m != nil {
		d.put(d.catalogue.Text(*m, d.display.Size()), now)
		d.screen.until = now.Add(max(d.stay(*m), d.screen.layout.Pass()))
		return true, false
	}
	if now.Before(d.screen.until) {
		return false, false
	}
	idling := d.screen.layout != nil && d.screen.until.IsZero()
	due := !now.Before(d.tick)
	if !idling || due || poked {
		info := d.idle()
		d.put(d.catalogue.idleText(info, d.display.Size()), now)
		d.tick = now.Add(info.nextMinute())
	}
	return false, idling && due
}

// put lays a text out. One that is up already goes on as it is.
func (d *displayLoop) put(text string, now time.Time) {
	if text == d.screen.text && d.screen.layout != nil && d.screen.until.IsZero() {
		return
	}
	d.screen = screen{
		text:   text,
		layout: lcd.Lay(d.display.Charset(), d.display.Size(), text),
		since:  now,
	}
}

// stay is how long a message stays.
func (d *displayLoop) stay(m Message) time.Duration {
	switch k, ok := keys[m.Key]; {
	case m.For > 0:
		return m.For
	case !ok:
		return usual
	case k.stay == 0:
		return d.window
	default:
		return k.stay
	}
}

// draw brings the frame onto the display, and tells the others. A display that
// fails is tried once more at once: most failures are a spark or a plug that
// bounced.
func (d *displayLoop) draw(now time.Time, f lcd.Frame, fresh, heal bool) {
	rows := f.Rows()
	if d.up {
		err := d.write(f, heal)
		if err == nil {
			d.told(rows)
			return
		}
		d.down(err)
	}
	d.told(rows) // who taps doesn't wait for a display that is down
	d.readyOnce.Do(func() { close(d.ready) })
	pause := d.pause
	if fresh {
		pause = min(pause, firstRetry) // somebody stands there
	}
	if now.Before(d.tried.Add(pause)) {
		return
	}
	if err := d.write(f, false); err != nil {
		d.down(err)
		return
	}
	d.up, d.pause = true, 0
	d.log.Info("display works", "display", d.display.String())
	d.publish(func() { d.health = Health{Up: true, Since: time.Now()} })
}

// told publishes what the display shows and that its message is answered.
func (d *displayLoop) told(rows []string) {
	d.mu.Lock()
	same := d.drawn == d.number && slices.Equal(rows, d.state.Rows)
	d.mu.Unlock()
	if !same {
		d.publish(func() { d.state.Rows, d.drawn = rows, d.number })
	}
}

// write does the input and output, under a watch that closes a display that
// hangs.
func (d *displayLoop) write(f lcd.Frame, heal bool) error {
	watch := time.AfterFunc(hang, func() { d.display.Close() })
	defer watch.Stop()
	if !d.up {
		if err := d.display.Init(); err != nil {
			return err
		}
	} else if heal {
		if err := d.display.Refresh(); err != nil {
			return err
		}
	}
	return d.display.Show(f)
}

// down notes that the display failed and plans the next try.
func (d *displayLoop) down(err error) {
	d.mu.Lock()
	first := d.health.Up || d.health.Err == nil
	d.mu.Unlock()
	switch {
	case d.up:
		d.pause = 0
	case d.pause == 0:
		d.pause = firstRetry
	default:
		d.pause = min(2*d.pause, lastRetry)
	}
	if first {
		d.log.Warn("display doesn't answer, taps go on without it", "display", d.display.String(), "err", err)
	}
	d.publish(func() {
		if first {
			d.health.Since = time.Now()
		}
		d.health.Up, d.health.Err = false, err
	})
	d.up, d.tried = false, time.Now()
	d.display.Close()
}

// leave puts up that nobody listens any more: "Lab open" would be a lie.
func (d *displayLoop) leave() {
	text := d.catalogue.Text(Message{Key: "stopped"}, d.display.Size())
	f, _ := lcd.Lay(d.display.Charset(), d.display.Size(), text).At(0)
	if d.up {
		if err := d.write(f, false); err != nil {
			d.log.Warn("display doesn't answer", "display", d.display.String(), "err", err)
		}
	}
	d.told(f.Rows())
	d.display.Close()
}
