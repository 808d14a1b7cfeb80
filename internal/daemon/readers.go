package daemon

import (
	"errors"
	"io"

	"stump/checkout"
	"stump/directory"
	"stump/gpio"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/wiegand"
)

// newReaders builds the readers of the configuration and their tasks.
func (d *Daemon) newReaders() {
	cfg := d.o.Config
	o := station.Options{
		Ledger: d.Ledger, Panel: d.Panel, Policy: checkout.Policy(cfg.Desk.HeldByOther), Log: d.o.Log,
		Learned: d.learned, Directory: d.Worker, EnrolPeople: directory.EnrolPolicy(cfg.Enroll.People),
		Trace: station.NewTrace(d.Ledger, d.o.Log),
		Desk:  checkout.DeskOptions{Window: cfg.Desk.Window, Batch: cfg.Desk.BatchWindow},
	}
	if d.keyboard != nil {
		o.Keyboard = d.keyboard
	}
	d.trace, d.tasks = o.Trace, append(d.tasks, o.Trace)
	for i, rc := range cfg.Readers {
		ro := station.ReaderOptions{
			Name: rc.Name, Source: d.source(i, rc),
			Decoder: wiegand.Options{Formats: cfg.ReaderFormats(rc), Keypad: rc.Keypad, RepairLost: true},
			Badge:   rc.Badge, Device: rc.Device, Repeat: rc.Repeat,
			Normal: cfg.Normal(rc), Formats: cfg.CardFormats(),
		}
		if ro.Strict = rc.Preset == "original"; ro.Strict {
			ro.Decoder.Accept = rc.Accept()
		}
		o.Now = d.now // that of the simulated lines, if there are any
		r := station.NewReader(o, ro)
		d.Readers, d.tasks = append(d.Readers, r), append(d.tasks, r.Tasks()...)
	}
}

// source is where reader i's edges come from. In the simulated lab cards are
// shown to the first reader; the others stay silent.
func (d *Daemon) source(i int, rc config.Reader) gpio.Adjustable {
	switch {
	case !d.o.Sim:
		return d.lines(rc)
	case i > 0:
		return gpio.NewSim(gpio.Monotonic)
	}
	var replay *gpio.Replay
	if d.o.Replay != nil {
		replay = gpio.NewReplay(trace(d.o.Replay), d.o.Speed, gpio.Monotonic)
	}
	d.Lines = simlab.NewLines(gpio.Monotonic, replay)
	d.now = d.Lines.Now
	if rc.Swapped {
		return gpio.Exchanged{Adjustable: d.Lines}
	}
	return d.Lines
}

// trace reads recorded edges.
func trace(r io.Reader) func() (wiegand.Edge, error) {
	next := wiegand.NewTraceReader(r).Next
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
