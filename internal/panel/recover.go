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
