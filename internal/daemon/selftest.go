package daemon

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/internal/books"
	"stump/internal/clock"
	"stump/internal/config"
	"stump/internal/credential"
	"stump/internal/panel"
	"stump/internal/reader"
	"stump/internal/simlab"
	"stump/internal/station"
)

// SelfTest is what a self-test of this station needs: the parts that the daemon
// has, leased while the test runs. The caller sets Say and Ask. name is the
// reader; "" is the first. by is who takes it, and what for.
func (d *Daemon) SelfTest(name string, by station.Holder) (*selftest.Env, error) {
	cfg := d.o.Config
	i, err := ReaderIndex(cfg, name)
	if err != nil {
		return nil, err
	}
	env := testEnv(cfg, d.board, i)
	if env.Simulated = d.o.Sim; d.o.Sim {
		env.Devices, env.ListenFree = nil, nil
	}
	if d.o.Sim {
		env.Present = func(card int) { d.present(i, card) }
		if lines, ok := d.Sims[i].(*simlab.Lines); ok {
			env.ListenFree = lines.ListenFree
		}
	}
	env.StateDir = d.o.StateDir
	env.Now = d.now
	r := d.Readers[i]
	if cfg.Readers[i].Kind == config.Wiegand {
		env.Lines = func(context.Context) (gpio.Adjustable, error) { return r.Lease(by) }
	} else {
		env.Sent = func(context.Context) (selftest.Sender, error) { return r.LeaseCharacters(by) }
	}
	env.Outputs = d.lamps
	if d.o.Sim || cfg.Display.Kind != "none" {
		env.Display = d.testDisplay
	}
	switch {
	case d.keyboard != nil:
		env.Keyboard = func(context.Context) (selftest.Keyboard, func(), error) { return d.keyboard, func() {}, nil }
	case cfg.Keyboard.Device != "off":
		env.Untested["keyboard"] = "simulated lines read no keyboard: run the daemon without --sim"
	}
	if d.o.Sim && len(cfg.Outputs()) > 0 {
		env.Untested["outputs"] = "simulated lines have no lights or beeper: run the daemon without --sim"
	}
	env.Directory = func(ctx context.Context) (selftest.DirectoryFact, error) {
		return testDirectory(ctx, cfg, d.places.directory)
	}
	env.Queue = d.testQueue
	env.Ledger = func(context.Context) (selftest.LedgerFact, error) { return ledgerFact(d.Ledger) }
	return env, nil
}

// testEnv is what a self-test of reader i knows from the configuration alone.
func testEnv(cfg *config.Config, b *board.Board, i int) *selftest.Env {
	rc := cfg.Readers[i]
	env := &selftest.Env{
		Formats: cfg.ReaderFormats(rc), SentBy: cfg.Sent(rc), Bias: rc.Request().Bias, Devices: testDevices(cfg, b, rc),
		Clock:    func(context.Context) (selftest.ClockFact, error) { return clockFact(wallClock(cfg)) },
		Network:  func(ctx context.Context) (selftest.NetworkFact, error) { return testNetwork(ctx, cfg) },
		Untested: map[string]string{},
	}
	env.Site = Wiring(cfg, pictured(b), i).Site()
	env.Others = slices.Delete(readerNames(cfg), i, i+1)
	if b != nil && b.Family == board.BeagleBone {
		env.NoFloat = "this board's pulls come from the device tree, not from a request"
	}
	if b != nil && b.Known() {
		env.ListenFree = func() (func() ([]gpio.Activity, error), error) {
			var configured []string // with the lines of other readers and of the lights
			for _, w := range Wanted(cfg) {
				configured = append(configured, w.Name)
			}
			return b.ListenFree(configured...)
		}
	}
	return env
}

// pictured is the board of the wiring picture: a Raspberry Pi's where ours is not known.
func pictured(b *board.Board) *board.Board {
	if b == nil || !b.Known() {
		b, _ = board.ByName("pi4")
	}
	return b
}

// picture draws which wire goes where at a reader.
func (d *Daemon) picture(name string) (string, error) {
	i, err := ReaderIndex(d.o.Config, name)
	if err != nil {
		return "", err
	}
	plan := Wiring(d.o.Config, pictured(d.board), i)
	if d.o.Sim {
		plan.Adapt() // its lines are on no header
	}
	return plan.SVG()
}

// testDevices are the device files that the daemon's user must be able to open.
func testDevices(cfg *config.Config, b *board.Board, rc config.Reader) []selftest.Device {
	all := []selftest.Device{readersDevice(b, rc)}
	switch cfg.Display.Kind {
	case "hd44780-i2c":
		all = append(all, selftest.Device{Path: cfg.Display.Bus, Use: "the display", Group: "i2c"})
	case "sparkfun", "openlcd", "newhaven", "matrix-orbital":
		all = append(all, selftest.Device{Path: cfg.Display.Port, Use: "the display", Group: "dialout"})
	}
	return all
}

// readersDevice is the file through which a reader is read.
func readersDevice(b *board.Board, rc config.Reader) selftest.Device {
	switch rc.Kind {
	case reader.USB:
		return selftest.Device{Path: rc.Device.Path, Use: "the reader", Group: "input"}
	case reader.Serial:
		return selftest.Device{Path: rc.Device.Path, Use: "the reader", Group: "dialout"}
	}
	chip := "/dev/gpiochip0"
	if b != nil {
		if l, err := b.Lookup(rc.Data0); err == nil {
			chip = l.GPIO().Chip // its number varies with the kernel
		}
	}
	return selftest.Device{Path: chip, Use: "the reader's lines", Group: "gpio"}
}

func clockFact(s clock.Source) (selftest.ClockFact, error) {
	trusted, why, err := s.Trust()
	return selftest.ClockFact{Time: time.Now(), Trusted: trusted, Why: why}, err
}

// present shows a seeded card to simulated reader i: a badge, then a device.
func (d *Daemon) present(i, card int) {
	cards := [2]simlab.Card{simlab.People[0], simlab.Devices[0]}
	bits, err := credential.Parse(cards[card].Credential, nil)
	if err != nil {
		d.o.Log.Error("the seed has a bad card", "err", err)
		return
	}
	if err := d.Sims[i].Present(bits); err != nil {
		d.o.Log.Error("the simulated reader can't read the seed's cards", "err", err)
	}
}

// testDisplay shows a code, and says how sure it is that people can read it.
func (d *Daemon) testDisplay(ctx context.Context, code string) (selftest.DisplayFact, error) {
	n := d.Panel.Show(panel.Message{Key: "display-code", Number: code})
	if err := d.Panel.Answered(ctx, n); err != nil {
		return selftest.DisplayFact{}, err
	}
	c := d.o.Config.Display.Config
	if h := d.Panel.Health(); !h.Up {
		return selftest.DisplayFact{}, missingDisplay(c, h.Err)
	}
	answers, err := d.Panel.Probe(ctx)
	if err != nil {
		return selftest.DisplayFact{}, missingDisplay(c, err)
	}
	return selftest.DisplayFact{Kind: c.Kind, Proven: d.o.Sim || c.Kind == "terminal", Answers: answers}, nil
}

func testDirectory(ctx context.Context, cfg *config.Config, dir directory.Directory) (selftest.DirectoryFact, error) {
	f := selftest.DirectoryFact{Kind: cfg.Directory.Kind}
	if f.Kind == "local" {
		return f, nil
	}
	start := time.Now()
	o := dir.Probe(ctx)
	f.Took = time.Since(start)
	return f, o.Err()
}

func (d *Daemon) testQueue(context.Context) (selftest.QueueFact, error) {
	st, err := d.Worker.Status()
	if err != nil {
		return selftest.QueueFact{}, err
	}
	var f selftest.QueueFact
	for _, s := range st.Sinks {
		if s.Reason != nil && s.Name != directory.Main {
			f.Away = s.Place + ": " + *s.Reason
		}
		f.Waiting += s.Backlog
		f.Parked += s.StuckRows
		if s.Oldest != nil {
			f.Oldest = max(f.Oldest, time.Since(*s.Oldest))
		}
	}
	return f, nil
}

// testNetwork connects to the directory's host.
func testNetwork(ctx context.Context, cfg *config.Config) (selftest.NetworkFact, error) {
	var f selftest.NetworkFact
	address := cfg.Directory.URL
	if cfg.Directory.Kind == "endpoints" {
		address = cfg.Directory.CheckInOut
	}
	u, err := url.Parse(address)
	if cfg.Directory.Kind == "local" || err != nil || u.Host == "" {
		return f, nil
	}
	f.Host = u.Host
	port := u.Port()
	if port == "" {
		port = u.Scheme // net.Dial knows http and https
	}
	start := time.Now()
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return f, err
	}
	defer conn.Close()
	f.How = fmt.Sprintf("connected to %s in %d ms", conn.RemoteAddr(), time.Since(start).Milliseconds())
	return f, nil
}

func ledgerFact(l *ledger.Ledger) (selftest.LedgerFact, error) {
	info, err := l.Info()
	if err != nil {
		return selftest.LedgerFact{}, err
	}
	f := selftest.LedgerFact{Events: int(info.Seq)}
	if info.Salvaged != nil {
		f.Salvaged = info.Salvaged.File
	}
	for _, err := range l.People(books.Page{}) {
		if err != nil {
			return f, err
		}
		f.People++
	}
	for d, err := range l.Devices(books.Page{}) {
		if err != nil {
			return f, err
		}
		f.Devices++
		if d.Holder != "" {
			f.Loans++
		}
	}
	return f, nil
}
