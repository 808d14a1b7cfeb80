package panel

import (
	"context"
	"slices"
	"time"

	"stump/internal/histogram"
	"stump/lcd"
)

const (
	// firstRetry and lastRetry bound the pauses between two retries of a display
	// that is down; each pause is twice the one before.
	firstRetry = 500 * time.Millisecond
	lastRetry  = 15 * time.Second
	// hang is how long a call of a display may take before the display is closed.
	hang = 3 * time.Second
)

// Health is the state of the display.
type Health struct {
	Up    bool      // the last write succeeded
	Since time.Time // of the last change
	Err   error     // why it is not up
	// Took is how long it took, each time that something was saved, until a display that works
	// said so.
	Took histogram.Times
}

// Health returns the state of the display.
func (p *Panel) Health() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.health
}

// draw writes the frame to the display and publishes it. A display that fails is
// retried once without a pause: most failures are a spark or a plug that bounced.
// fresh shortens the pause of one that is down, because someone is waiting.
func (d *displayLoop) draw(now time.Time, f lcd.Frame, fresh, heal bool) {
	rows := f.Rows()
	if d.up {
		err := d.write(f, heal)
		if err == nil {
			d.timed()
			d.told(rows)
			return
		}
		d.down(err)
	}
	d.told(rows) // people don't wait for a display that is down
	d.readyOnce.Do(func() { close(d.ready) })
	pause := d.pause
	if fresh {
		pause = min(pause, firstRetry)
	}
	if now.Before(d.tried.Add(pause)) {
		return
	}
	if err := d.write(f, false); err != nil {
		d.down(err)
		return
	}
	d.up, d.pause = true, 0
	d.o.Logger.Info("display works", "display", d.o.Display.String())
	d.publish(func() { d.health.Up, d.health.Since, d.health.Err = true, time.Now(), nil })
}

// timed notes how long it took until what was saved is on the display.
func (d *displayLoop) timed() {
	if d.saved.IsZero() {
		return
	}
	d.mu.Lock()
	d.health.Took.Add(time.Since(d.saved))
	d.mu.Unlock()
	d.saved = time.Time{}
}

// told publishes the display's rows and that their message is answered.
func (d *displayLoop) told(rows []string) {
	d.mu.Lock()
	same := d.drawn == d.number && slices.Equal(rows, d.state.Rows) && d.screen.secret == d.state.Secret && d.screen.names == d.state.Names
	d.mu.Unlock()
	if !same {
		d.publish(func() {
			d.state.Rows, d.state.Secret, d.state.Names, d.drawn = rows, d.screen.secret, d.screen.names, d.number
		})
	}
}

// write calls the display, and closes it if it hangs.
func (d *displayLoop) write(f lcd.Frame, heal bool) error {
	watch := time.AfterFunc(hang, func() { d.o.Display.Close() })
	defer watch.Stop()
	if !d.up {
		if err := d.o.Display.Init(); err != nil {
			return err
		}
	} else if heal {
		if err := d.o.Display.Refresh(); err != nil {
			return err
		}
	}
	return d.o.Display.Show(f)
}

// down notes that the display failed and sets the pause before the next retry.
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
		d.o.Logger.Warn("display doesn't answer, taps go on without it", "display", d.o.Display.String(), "err", err)
	}
	d.publish(func() {
		if first {
			d.health.Since = time.Now()
		}
		d.health.Up, d.health.Err = false, err
	})
	d.up, d.tried, d.saved = false, time.Now(), time.Time{}
	d.o.Display.Close()
}

// Probe asks the display whether it is alive, for the self-test; answers is
// false if it can't answer. It waits while the display is being written to.
func (p *Panel) Probe(ctx context.Context) (answers bool, err error) {
	done := make(chan struct{})
	select {
	case p.probes <- func(d *displayLoop) { answers, err = d.probe(); close(done) }:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	<-done
	return answers, err
}

func (d *displayLoop) probe() (answers bool, err error) {
	if !d.up {
		return false, d.Health().Err
	}
	if answers, err = d.o.Display.Probe(); err != nil {
		d.down(err)
	}
	return answers, err
}
