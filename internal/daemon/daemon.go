// Package daemon puts one station together: configuration, ledger, readers,
// panel and API. It assembles them and runs their tasks; it holds no rules.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/internal/api"
	"stump/internal/api/link"
	"stump/internal/api/listen"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/certificate"
	"stump/internal/config"
	"stump/internal/console/kiosk"
	"stump/internal/holidays"
	"stump/internal/identity"
	"stump/internal/keyboard"
	"stump/internal/lab"
	"stump/internal/learned"
	"stump/internal/panel"
	"stump/internal/remind"
	"stump/internal/signal"
	"stump/internal/signin"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/internal/task"
	"stump/lcd"
)

// Options say what to run.
type Options struct {
	Config *config.Config
	// StateDir holds ledger.db and backups/.
	StateDir string
	// StateNamed is whether the command line names StateDir. Only then may
	// simulated lines use a real station's ledger, perhaps a copy of it, and
	// real lines a simulated one.
	StateNamed bool
	// Socket is where the API is asked. "": only Daemon.API is, as in tests in simulated
	// time, which would stand still while somebody waits at a socket.
	Socket string
	Listen string
	// Office, if not nil, makes it a hub's own station, without readers and with the web
	// address of the hub.
	Office *Office
	// Sim takes simulated lines and display instead of hardware.
	Sim bool
	// Replay is a trace that is played on the simulated lines first, at Speed:
	// 1 as recorded, 0 without waiting. Nil for none.
	Replay  io.Reader
	Speed   float64
	Version string
	Log     *slog.Logger
	// Level is that of Log, which the configuration sets; may be nil.
	Level *slog.LevelVar
	// Reload gets a value when Again is to be asked for the configuration; both may be
	// nil.
	Reload <-chan os.Signal
	Again  func() (*config.Config, error)
	// Network gets a value when the network may have come back; may be nil.
	Network <-chan struct{}
	// Ready is called when every part works; may be nil.
	Ready func()
	// TestNow replaces CLOCK_MONOTONIC in tests.
	TestNow func() int64
}

// Office is what a hub's own station has of the hub.
type Office struct {
	// Hub carries what the station asks of the hub.
	Hub http.RoundTripper
	// Web says where browsers reach the hub, which passes their requests on to Daemon.API.
	Web func() wire.Web
	// Books are those of a lab, from those of the station.
	Books func(*Daemon) books.Keeper
	// Disputes are what the stations of the lab have not agreed on.
	Disputes api.Disputes
	// Check reads the hub's file, and says that it is right.
	Check func() (says string, err error)
}

// Daemon is an assembled station.
type Daemon struct {
	o        Options
	Ledger   *ledger.Ledger
	Panel    *panel.Panel
	Readers  []*station.Reader
	Sims     []simlab.Reader // the simulated readers, as Readers; nil without Sim
	Lines    *simlab.Lines   // the first simulated reader with data lines, or nil
	Worker   *directory.Worker
	Lab      *lab.Link
	API      *api.Server
	tasks    []task.Task
	learned  *learned.Store
	signal   *signal.Store
	now      func() int64
	board    *board.Board
	places   places
	asked    *config.Config // as it was read last, without what the board adds
	upkeep   *upkeep
	trace    *station.Trace
	keyboard *keyboard.Keyboard // nil without one
	access   *identity.Store
	holidays *holidays.Holidays // nil where none are named
	lamps    []selftest.Lamp
	// reminders are the task that reminds people, links the page of its mails' links, nil
	// without, and web where that is.
	reminders *remind.Reminders
	links     *link.Page
	web       string
	noLines   sync.Map // the names of the readers that have no lines
	out       out
}

// New puts a station together and takes what only one process can have: the
// ledger and the socket. The readers' tasks take the lines.
func New(o Options) (*Daemon, error) {
	o.Log, o.Level = cmp.Or(o.Log, slog.New(slog.DiscardHandler)), cmp.Or(o.Level, new(slog.LevelVar))
	o.Level.Set(o.Config.Level())
	p, err := openPlaces(o.Config)
	if err != nil {
		return nil, err
	}
	if err := alone(o); err != nil {
		return nil, err
	}
	closed, err := openHolidays(o.Config, o.StateDir, o.Log)
	if err != nil {
		return nil, err
	}
	ledger, err := waitForDisk(o, func() (*ledger.Ledger, error) { return openOrCreate(o, p, closed) })
	if err != nil {
		return nil, err
	}
	tidy(o, ledger)
	d := &Daemon{o: o, places: p, Ledger: ledger, now: gpio.Monotonic, asked: o.Config.Clone(), holidays: closed}
	if o.TestNow != nil {
		d.now = o.TestNow
	}
	if err = rightLines(o, ledger); err == nil {
		err = d.assemble()
	}
	if err != nil {
		ledger.Close()
		return nil, err
	}
	return d, nil
}

// assemble builds the parts in the order in which they need each other.
func (d *Daemon) assemble() (err error) {
	if !d.o.Sim && d.o.Office == nil {
		d.board = board.Detect()
		UseBoard(d.o.Config, d.board)
	}
	if err := d.newLab(); err != nil {
		return err
	}
	d.Worker = d.newWorker(d.places)
	if err := d.newPanel(); err != nil {
		return err
	}
	d.tasks = append(d.tasks, d.Panel, d.Worker, d.Lab)
	switch cfg := d.o.Config; {
	case cfg.Keyboard.Device == "off":
	case d.o.Sim:
		d.keyboard = keyboard.NewSim()
	default:
		if d.keyboard, err = newKeyboard(cfg, d.o.Log); err != nil {
			return err
		}
	}
	if d.keyboard != nil {
		d.tasks = append(d.tasks, d.keyboard)
	}
	d.learned = learned.Open(d.o.StateDir, d.o.Log)
	d.tasks = append(d.tasks, d.learned)
	d.access = identity.Open(d.o.StateDir, identity.Options{Log: d.o.Log})
	if err := d.newReminders(); err != nil {
		return err
	}
	if err := d.newReaders(); err != nil {
		return err
	}
	d.signal = d.newSignal()
	d.tasks = append(d.tasks, d.signal)
	d.upkeep = d.newUpkeep()
	served, err := d.newAPI()
	if err != nil {
		return err
	}
	d.tasks = append(d.tasks, served...)
	d.tasks = append(d.tasks, d.access, d.upkeep, &lapses{d.Ledger, d.o.Log}, reloads{d}, d.newDisk())
	if d.holidays != nil {
		d.tasks = append(d.tasks, d.holidays)
	}
	if a := d.newAlerts(); a != nil {
		d.tasks = append(d.tasks, a)
	}
	if len(d.reminders.Rules.Stages) > 0 {
		d.tasks = append(d.tasks, d.reminders)
	}
	if w := newWatchdog(d.Readers); w != nil {
		d.tasks = append(d.tasks, w)
	}
	return nil
}

func (d *Daemon) newPanel() error {
	cfg := d.o.Config
	shown, err := d.newDisplay()
	if err != nil {
		return err
	}
	texts, err := panel.NewCatalogue(cfg.Display.Language, cfg.Texts())
	if err != nil {
		return err
	}
	out := d.lights()
	d.Panel = panel.New(panel.Options{
		Display: shown, Catalogue: texts, Green: out["green"], Red: out["red"], Beeper: out["beeper"],
		Window: cfg.Desk.Window, Idle: d.idle, Behind: d.Worker.Behind, Logger: d.o.Log,
	})
	return nil
}

// newDisplay returns the display. In simulation that is a screen at most: what any other
// would show, the API tells.
func (d *Daemon) newDisplay() (lcd.Display, error) {
	c := d.o.Config.Display.Config
	if path := c.Screen(); path != "" {
		screen, err := d.newScreen(path)
		if err == nil {
			d.tasks = append(d.tasks, screen)
		}
		return screen, err
	}
	if d.o.Sim {
		c.Kind = "none"
	}
	return openDisplay(c, d.board)
}

// newScreen returns the screen beside the reader, which shows what the kiosk's page does.
func (d *Daemon) newScreen(path string) (*kiosk.Terminal, error) {
	cfg := d.o.Config
	none, err := lcd.Open(lcd.Config{Size: cfg.Display.Size})
	if err != nil {
		return nil, err
	}
	return kiosk.NewTerminal(kiosk.TerminalOptions{
		Path: path, Size: none.Size(), Language: cfg.Display.Language, Holders: cfg.Web.Board == "holders", Books: d.Ledger, Changed: d.Ledger.Appended,
	}), nil
}

// newAPI returns the tasks that serve the API; they have the socket and the addresses.
func (d *Daemon) newAPI() ([]task.Task, error) {
	cfg := d.o.Config
	site, err := d.newSite()
	if err != nil {
		return nil, err
	}
	ln := &listen.Listener{Socket: d.o.Socket, Addr: d.o.Listen, Log: d.o.Log}
	o := api.Options{
		Path: LedgerPath(d.o.StateDir), TCP: ln.TCP,
		Ledger: d.Ledger, Station: cfg.Station, Version: d.o.Version, Formats: cfg.CardFormats(), ParseCard: cfg.ParseCard,
		Panel: d.Panel, Readers: d.Readers, Trace: d.trace, Sims: d.Sims, Lines: d.Lines, Clock: d.now, Keyboard: d.keyboard,
		Worker: d.Worker, SelfTest: d.SelfTest, Wiring: d.picture, Weeks: d.signal.Of, Lab: d.Lab, Access: d.access, Board: cfg.Web.Board, Language: cfg.Display.Language, Settings: d.settings(),
		Conditions: d.conditions, Machine: d.machine, Backups: d.upkeep.backups.status, Check: CheckInChild, Log: d.o.Log,
	}
	switch {
	case d.o.Office != nil:
		o.SelfTest, o.Wiring, o.Panel, o.Web = nil, nil, nil, d.o.Office.Web
		o.Books, o.Disputes = d.o.Office.Books(d), d.o.Office.Disputes
	case site != nil:
		o.Web = site.Web
	}
	if o.Web != nil {
		o.Extend, d.web = d.links, *o.Web().URL
		if cfg.Web.OIDC.Issuer != "" {
			o.SignIn = signin.New(cfg.Web.OIDC, d.web+"/login/callback", nil, nil)
		}
	}
	d.API = api.NewServer(o)
	if d.o.Socket == "" {
		return []task.Task{d.API.Jobs()}, nil
	}
	ln.Handler = d.API
	err = ln.Open()
	if site == nil {
		return []task.Task{ln, d.API.Jobs()}, err
	}
	if err != nil {
		return nil, errors.Join(err, site.Close())
	}
	site.Handler = d.API
	return []task.Task{ln, site, d.API.Jobs()}, nil
}

// newSite returns the web address, which listens; nil if it is off.
func (d *Daemon) newSite() (*listen.Site, error) {
	cfg := d.o.Config.Web
	if cfg.Listen == "" || d.o.Office != nil {
		return nil, nil
	}
	cert, err := certificate.Open(certificate.Options{
		Certificate: cfg.Certificate, Key: cfg.Key, Dir: d.o.StateDir, Names: listen.Names(cfg.URL), Log: d.o.Log,
	})
	if err != nil {
		return nil, err
	}
	site := &listen.Site{Addr: cfg.Listen, URL: cfg.URL, Certificate: cert, Log: d.o.Log}
	return site, site.Open()
}

// Run runs the tasks until ctx is done, and then gives everything back.
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
