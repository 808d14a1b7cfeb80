// Package daemon puts one station together: configuration, ledger, readers,
// panel and API. It assembles and holds no rules.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/internal/api"
	"stump/internal/clock"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/internal/task"
	"stump/wiegand"
)

// Options say what to run.
type Options struct {
	Config *config.Config
	// StateDir holds ledger.db and backups/.
	StateDir string
	// StateNamed is whether somebody chose StateDir: then simulated lines may
	// have a real lab's ledger, perhaps a copy of it, and the other way round.
	StateNamed bool
	Socket     string
	Listen     string
	// Sim takes simulated lines and display instead of hardware.
	Sim bool
	// Replay is a trace that is played on the simulated lines first; nil for none.
	Replay io.Reader
	// Speed is how fast: 1 as recorded, 0 without waiting.
	Speed   float64
	Version string
	Log     *slog.Logger
	// Network is received from when the network may have come back; may be nil.
	Network <-chan struct{}
	// Ready is called when every part works; may be nil.
	Ready func()
}

// Daemon is an assembled station.
type Daemon struct {
	o        Options
	Ledger   *ledger.Ledger
	Panel    *panel.Panel
	Readers  []*station.Reader
	Lines    *simlab.Lines // nil without Sim
	Worker   *directory.Worker
	API      *api.Server
	tasks    []task.Task
	now      func() int64
	board    *board.Board
	places   places
	upkeep   *upkeep
	keyboard *keyboard.Keyboard // nil without one
	lamps    []selftest.Lamp

	mu     sync.Mutex
	faults map[string]error // readers without lines, and why
}

// New puts a station together and takes what only one process can have: the
// ledger, the socket, the lines.
func New(o Options) (*Daemon, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p, err := openPlaces(o.Config)
	if err != nil {
		return nil, err
	}
	if err := alone(o); err != nil {
		return nil, err
	}
	ledger, err := openOrCreate(o, p)
	if err != nil {
		return nil, err
	}
	if err := rightLines(o, ledger); err != nil {
		ledger.Close()
		return nil, err
	}
	d := &Daemon{o: o, places: p, Ledger: ledger, now: monotonic, faults: map[string]error{}}
	d.Worker = d.newWorker(p)
	if err := d.assemble(); err != nil {
		ledger.Close()
		return nil, err
	}
	return d, nil
}

// alone refuses to touch anything, above all a ledger that looks damaged, while
// another daemon answers at the socket.
func alone(o Options) error {
	if api.CheckSocket(o.Socket) == nil {
		return nil
	}
	var locked *ledger.LockedError
	l, err := OpenLedger(o.Config, o.StateDir, true)
	if errors.As(err, &locked) {
		return err // it has the ledger, too, and a name
	}
	if err == nil {
		l.Close()
	}
	return api.CheckSocket(o.Socket) // it may have been about to stop
}

// rightLines keeps simulated cards out of a real station's ledger where both have
// the same place by default: root's, who tries Stump on a board that it serves. A
// real station takes a simulated lab's over, and says so.
func rightLines(o Options, l *ledger.Ledger) error {
	info, err := l.Info()
	switch {
	case err != nil:
		return nil // whoever taps first is told
	case info.Simulated == o.Sim:
		return nil
	case info.Empty, o.Sim && info.Salvaged != nil: // what is salvaged may have lost the mark
		return l.SetSimulated(o.Sim)
	case o.StateNamed:
		return nil
	case o.Sim:
		return hint.Errorf("simulate beside it, telling no directory: `stump run --sim --config /dev/null --state DIR --socket FILE`, and give the other commands that --socket",
			"the ledger %s is a real station's, and simulated cards would change it", info.Path)
	}
	o.Log.Warn("this ledger was a simulated lab's: move it away to begin with an empty one", "ledger", info.Path)
	return l.SetSimulated(false)
}

// monotonic is the clock with which the kernel stamps edges.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return time.Since(started).Nanoseconds() // never on Linux
	}
	return t.Nano()
}

var started = time.Now()

func (d *Daemon) assemble() error {
	cfg := d.o.Config
	if !d.o.Sim {
		d.board = board.Detect()
		UseBoard(cfg, d.board)
	}
	shown, err := d.display()
	if err != nil {
		return err
	}
	texts, err := panel.NewCatalogue(cfg.Display.Language, cfg.Display.Texts)
	if err != nil {
		return err
	}
	green, red, beeper := d.lights()
	d.Panel = panel.New(panel.Options{
		Display: shown, Catalogue: texts, Green: green, Red: red, Beeper: beeper, Window: cfg.Desk.Window, Idle: d.idle, Behind: d.Worker.Behind, Logger: d.o.Log,
	})
	d.tasks = append(d.tasks, d.Panel, d.Worker)
	policy, err := checkout.ParsePolicy(cfg.Desk.HeldByOther)
	if err != nil {
		return err
	}
	o := station.Options{
		Ledger: d.Ledger, Panel: d.Panel, Policy: policy, Log: d.o.Log,
		Directory: d.Worker, EnrolPeople: d.enrolPolicy(),
		Desk: checkout.DeskOptions{Window: cfg.Desk.Window, Batch: cfg.Desk.BatchWindow},
	}
	if d.keyboard, err = d.newKeyboard(); err != nil {
		return err
	}
	if d.keyboard != nil {
		o.Keyboard = d.keyboard
		d.tasks = append(d.tasks, d.keyboard)
	}
	for i, rc := range cfg.Readers {
		source, err := d.source(i, rc)
		if err != nil {
			return err
		}
		o.Now = d.now
		ro := station.ReaderOptions{
			Name: rc.Name, Source: source,
			Decoder: wiegand.Options{Formats: cfg.ReaderFormats(rc), Keypad: rc.Keypad, RepairLost: true},
			Badge:   rc.Badge.Fits, Device: rc.Device.Fits,
		}
		if ro.Strict = rc.Preset == "original"; ro.Strict {
			ro.Decoder.Accept = rc.Accept()
		}
		r := station.NewReader(o, ro)
		d.Readers = append(d.Readers, r)
		d.tasks = append(d.tasks, r.Tasks()...)
	}
	ln := &api.Listener{Socket: d.o.Socket, Addr: d.o.Listen, Log: d.o.Log}
	d.API = api.NewServer(api.Options{
		Path: LedgerPath(d.o.StateDir), TCP: ln.TCP,
		Ledger: d.Ledger, Station: cfg.Station, Version: d.o.Version, Formats: cfg.CardFormats(),
		Panel: d.Panel, Readers: d.Readers, Lines: d.Lines, Worker: d.Worker, SelfTest: d.SelfTest, Conditions: d.conditions, Check: CheckInChild, Log: d.o.Log,
	})
	ln.Handler = d.API
	if err := ln.Open(); err != nil {
		return err
	}
	d.tasks = append(d.tasks, ln)
	d.upkeep = d.newUpkeep()
	d.tasks = append(d.tasks, d.upkeep)
	if w := newWatchdog(d.Readers); w != nil {
		d.tasks = append(d.tasks, w)
	}
	return nil
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

// source is where reader i's edges come from. Without hardware the first
// reader is the one that cards are shown to; the others stay silent.
func (d *Daemon) source(i int, rc config.Reader) (gpio.Source, error) {
	if d.o.Sim && i == 0 {
		var replay *gpio.Replay
		if d.o.Replay != nil {
			replay = gpio.NewReplay(trace(d.o.Replay), d.o.Speed, monotonic)
		}
		d.Lines = simlab.NewLines(monotonic, replay)
		d.now = d.Lines.Now
		return d.Lines, nil
	}
	if d.o.Sim {
		return gpio.NewSim(monotonic), nil
	}
	return d.lines(rc), nil
}

// idle is what the display says when nobody is there.
func (d *Daemon) idle() panel.IdleInfo {
	info := panel.IdleInfo{Behind: d.Worker.Behind()}
	for loan, err := range d.Ledger.Loans(checkout.LoanFilter{}) {
		if err != nil {
			d.o.Log.Error("the loans can't be counted", "err", err)
			break
		}
		info.Out++
		if loan.Overdue {
			info.Overdue++
		}
	}
	machine := d.machine()
	if machine.ClockTrusted {
		info.Clock = time.Now()
	}
	for _, r := range d.Readers {
		for _, c := range r.Conditions(machine) {
			if c.Name == selftest.BadReads {
				info.Notice = "bad-read"
			}
		}
	}
	for _, r := range d.Readers {
		if lowLine(r) != "" {
			info.Notice = "reader-fault"
		}
		if r.Leased() {
			info.Notice = "testing"
		}
	}
	d.mu.Lock()
	if len(d.faults) > 0 {
		info.Notice = "reader-fault"
	}
	d.mu.Unlock()
	if ledger, _ := d.Ledger.Info(); ledger.Salvaged != nil || ledger.Damaged != nil {
		info.Notice = "salvaged"
	}
	if d.Ledger.Health().Failure != nil {
		info.Notice = "cannot-save"
	}
	return info
}

// lowLine names the data lines that rest low. Pulses are over in microseconds
// and hum goes up once in 20 ms: a line that is low all of that time rests so.
// What holds it, the self-test finds out.
func lowLine(r *station.Reader) string {
	low := [2]bool{true, true}
	for range 6 {
		levels, err := r.Source.Levels()
		for i := range low {
			low[i] = low[i] && err == nil && !levels[i]
		}
		if low == [2]bool{} {
			return ""
		}
		time.Sleep(5 * time.Millisecond)
	}
	switch low {
	case [2]bool{true, true}:
		return "DATA0 and DATA1 stay low, which should rest high"
	case [2]bool{true, false}:
		return "DATA0 stays low, which should rest high"
	case [2]bool{false, true}:
		return "DATA1 stays low, which should rest high"
	}
	return ""
}

// machine is how the board is.
func (d *Daemon) machine() station.Machine {
	m := station.Machine{ClockTrusted: clock.Trusted()}
	if d.o.Sim {
		m.ClockTrusted = true // the simulated lab does not need the time
		return m
	}
	if low, known := selftest.UnderVoltage(os.DirFS("/")); known {
		m.LowVoltage = &low
	}
	return m
}

// conditions are what is wrong with the readers, for the API.
func (d *Daemon) conditions() map[string][]selftest.Condition {
	all := map[string][]selftest.Condition{}
	for _, r := range d.Readers {
		list := append([]selftest.Condition{}, r.Conditions(d.machine())...)
		if r.Leased() {
			list = append(list, selftest.Condition{Name: "testing", Text: "a self-test or a scope has the lines: cards become no loans", Remedy: "end it"})
		} else if low := lowLine(r); low != "" {
			list = append(list, selftest.Condition{Name: "line-low", Text: low, Remedy: "`stump selftest` says why", Staff: true})
		}
		switch disk := d.Ledger.Health(); {
		case disk.Failure != nil:
			list = append(list, selftest.Condition{Name: "not-saved", Text: disk.Failure.Error(), Remedy: ledger.SaveRemedy(disk.Failure), Staff: true})
		case disk.Waiting > station.Patience:
			list = append(list, selftest.Condition{
				Name: "saving", Text: fmt.Sprintf("the disk has not saved for %v; nobody is told yes meanwhile", disk.Waiting.Round(time.Second)),
				Remedy: "look at `dmesg`; a worn card wants a new one", Staff: true,
			})
		}
		if err := d.upkeep.failed(); err != nil {
			list = append(list, selftest.Condition{
				Name: "no-backup", Text: fmt.Sprintf("there is no new backup: %v", err),
				Remedy: "mount the disk of [backup] dir, make room on it, and give the folder to the daemon's user; the next try is tomorrow, or `stump backup FILE` now",
			})
		}
		all[r.Name] = list
	}
	return all
}

// Run works until ctx is done, then lets everything go in order.
func (d *Daemon) Run(ctx context.Context) error {
	if ledger, err := d.Ledger.Info(); err == nil && ledger.Salvaged != nil {
		d.o.Log.Error("the ledger was damaged", "salvaged", ledger.Salvaged.String())
		d.Panel.Show(panel.Message{Key: "salvaged"})
	}
	err := task.Serve(ctx, d.o.Log, d.o.Ready, d.tasks...)
	d.upkeep.atStop()
	for _, l := range d.lamps {
		err = errors.Join(err, l.Out.Close())
	}
	return errors.Join(err, d.Ledger.Close())
}
