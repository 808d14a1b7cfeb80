package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"stump/checkout"
	"stump/directory"
	"stump/gpio"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/reader"
	"stump/internal/signal"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/wiegand"
	"stump/wiegand/capture"
)

// newReaders builds the readers of the configuration and their tasks.
func (d *Daemon) newReaders() error {
	cfg := d.o.Config
	o := station.Options{
		Ledger: d.Ledger, Panel: d.Panel, Policy: checkout.Policy(cfg.Desk.HeldByOther), Overdue: checkout.OverduePolicy(cfg.Loans.Overdue),
		Reserved: checkout.ReservedPolicy(cfg.Loans.Reserved), CheckKits: cfg.Loans.Kits == "check", Log: d.o.Log,
		Learned: d.learned, Directory: d.Worker, EnrolPeople: directory.EnrolPolicy(cfg.Enroll.People),
		Trace: station.NewTrace(d.Ledger, d.o.Log),
		Desk:  checkout.DeskOptions{Window: cfg.Desk.Window, Batch: cfg.Desk.BatchWindow},
		LogIn: func(p checkout.Subject) string { return d.access.Bumped(p.ID, cmp.Or(p.Name, p.ID)) },
	}
	var err error
	if o.Counting, err = d.counting(); err != nil {
		return err
	}
	if d.keyboard != nil {
		o.Keyboard = d.keyboard
	}
	d.trace, d.tasks = o.Trace, append(d.tasks, o.Trace)
	if d.o.Office != nil {
		return nil // its readers say only how cards are written
	}
	for _, rc := range cfg.Readers {
		ro := station.ReaderOptions{
			Name:    rc.Name,
			Decoder: wiegand.Options{Formats: cfg.ReaderFormats(rc), Keypad: rc.Keypad, RepairLost: true},
			Badge:   rc.Badge, Device: rc.Device.Rule, Repeat: rc.Repeat, KeypadEnrols: rc.KeypadEnrols != "", ReturnsAlone: rc.Returns == config.ReturnsAlone,
			Normal: cfg.Normal(rc), Formats: cfg.CardFormats(),
		}
		if ro.Strict = rc.Preset == "original"; ro.Strict {
			ro.Decoder.Accept = rc.Accept()
		}
		var err error
		switch {
		case d.o.Sim:
			d.simulate(&ro, rc)
		case rc.Kind == config.Wiegand:
			ro.Source = d.lines(rc)
		default:
			ro.Sender, err = openSender(rc, reader.Setup{Now: d.now, Log: d.o.Log.With("reader", rc.Name), Changed: d.Panel.Poke})
		}
		if err != nil {
			return fmt.Errorf("reader %s: %w", rc.Name, err)
		}
		ro.Sent = cfg.Sent(rc)
		o.Now = d.now // that of the simulated lines, if there are any
		r := station.NewReader(o, ro)
		d.Readers, d.tasks = append(d.Readers, r), append(d.tasks, r.Tasks()...)
	}
	if d.o.Replay != nil && d.Lines == nil {
		return hint.Errorf(`give the configuration a reader of kind "wiegand"`, "--replay needs a reader with data lines")
	}
	return nil
}

// openSender opens a reader without data lines. It may come and go.
func openSender(rc config.Reader, s reader.Setup) (reader.Source, error) {
	if rc.Kind == reader.USB {
		return reader.OpenUSB(rc.Device.Path, rc.Layout, s)
	}
	return reader.OpenSerial(rc.Device.Path, s), nil
}

// simulate gives a reader a simulated source. A recording is played on the first
// reader with data lines; in its time all readers are.
func (d *Daemon) simulate(ro *station.ReaderOptions, rc config.Reader) {
	if rc.Kind != config.Wiegand {
		sim := reader.NewSim(d.o.Config.Sent(rc), func() int64 { return d.now() })
		ro.Sender, d.Sims = sim, append(d.Sims, sim)
		return
	}
	var replay *gpio.Replay
	if d.o.Replay != nil && d.Lines == nil {
		replay = gpio.NewReplay(trace(d.o.Replay), d.o.Speed, gpio.Monotonic)
	}
	lines := simlab.NewLines([2]string{rc.Data0, rc.Data1}, d.now, replay)
	if d.Lines == nil {
		d.Lines, d.now = lines, lines.Now
	}
	ro.Source, d.Sims = lines, append(d.Sims, lines)
	if rc.Swapped {
		ro.Source = gpio.Exchanged{Adjustable: lines}
	}
}

// trace reads recorded edges.
func trace(r io.Reader) func() (wiegand.Edge, error) {
	next := capture.NewTraceReader(r).Next
	return func() (wiegand.Edge, error) {
		e, err := next()
		if err != nil && !errors.Is(err, io.EOF) {
			err = hint.Wrap(err, "a row of a trace is: time in nanoseconds, line 0 or 1, level 0 or 1; # starts a comment")
		}
		return e, err
	}
}

// lines are a reader's real lines. They are taken again whenever they come back.
func (d *Daemon) lines(rc config.Reader) gpio.Adjustable {
	log := d.o.Log.With("reader", rc.Name)
	open := func() (gpio.Adjustable, error) {
		data0, data1 := rc.Wires()
		return d.board.OpenReader(data0, data1, rc.Request())
	}
	return gpio.Dial(open, func(s gpio.Status) {
		if s.Err != nil {
			log.Error("no lines", "err", s.Err, "remedy", gpio.Hint(s.Err), "retry", s.Retry)
		} else {
			log.Info("lines", "are", s.Lines)
		}
		d.fault(rc.Name, s.Err != nil)
	})
}

// newSignal keeps how well the readers are read, week by week.
func (d *Daemon) newSignal() *signal.Store {
	clock := wallClock(d.o.Config)
	return signal.Open(d.o.StateDir, signal.Options{
		Now: func() (time.Time, bool) { now := clock.Now(); return now.Wall.In(time.Local), now.Trusted },
		Count: func() map[string]signal.Count {
			all := map[string]signal.Count{}
			for _, r := range d.Readers {
				st := r.Stats()
				c := signal.Count{Good: st.Reads, Bad: map[string]uint64{}}
				for fault, n := range st.Faults {
					c.Bad[string(fault)] = n
				}
				all[r.Name] = c
			}
			return all
		},
		Log: d.o.Log,
	})
}
