package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	"stump/checkout"
	"stump/directory"
	"stump/gpio"
	"stump/hw"
	"stump/internal/config"
	"stump/internal/credential"
	"stump/internal/panel"
	"stump/internal/simlab"
	"stump/lcd"
)

// SelfTest is what a self-test of this station looks at: what the daemon holds,
// lent for as long as it takes. Say and Ask are left to the caller. Of several
// readers it is about the named one, else the first.
func (d *Daemon) SelfTest(name string) (*hw.Env, error) {
	cfg := d.o.Config
	i, err := ReaderIndex(cfg, name)
	if err != nil {
		return nil, err
	}
	env := testEnv(cfg, d.board, i)
	if env.Simulated = d.o.Sim; d.o.Sim {
		env.Devices, env.ListenFree = nil, nil
	}
	env.StateDir = d.o.StateDir
	env.Now = d.now
	reader := d.Readers[i]
	env.Lines = func(context.Context) (gpio.Source, error) { return reader.Lend() }
	if d.Lines != nil && i == 0 {
		env.Present = d.present
	}
	env.Outputs = d.lamps
	if d.o.Sim || cfg.Display.Kind != "none" {
		env.Display = d.testDisplay
	}
	env.Keyboard = d.testKeyboard()
	env.Directory = d.testDirectory
	env.Queue = d.testQueue
	env.Ledger = func(context.Context) (hw.LedgerFact, error) { return ledgerFact(d.Ledger) }
	return env, nil
}

// StandaloneTest is a self-test without a daemon: the lines are taken, and the
// ledger is looked at if it can be opened.
func StandaloneTest(cfg *config.Config, stateDir, name string) (*hw.Env, error) {
	i, err := ReaderIndex(cfg, name)
	if err != nil {
		return nil, err
	}
	var host hw.Host
	board := host.Board()
	UseBoard(cfg, board)
	env := testEnv(cfg, board, i)
	env.StateDir = stateDir
	rc := cfg.Readers[i]
	bias, _ := gpio.ParseBias(rc.Bias) // the configuration was checked
	env.Lines = func(context.Context) (gpio.Source, error) {
		return host.OpenReader(board, rc.Data0, rc.Data1, gpio.Request{ActiveLow: rc.ActiveLow, Bias: bias})
	}
	env.Ledger = func(context.Context) (hw.LedgerFact, error) {
		l, err := OpenLedger(cfg, stateDir, true)
		if errors.Is(err, os.ErrNotExist) {
			return hw.LedgerFact{}, nil // the daemon has never run
		}
		if err != nil {
			return hw.LedgerFact{}, err
		}
		defer l.Close()
		return ledgerFact(l)
	}
	return env, nil
}

// testEnv is what a self-test knows from the configuration alone.
func testEnv(cfg *config.Config, board *hw.Board, i int) *hw.Env {
	rc := cfg.Readers[i]
	bias, _ := gpio.ParseBias(rc.Bias)
	env := &hw.Env{Formats: cfg.ReaderFormats(rc), Bias: bias, Network: func(ctx context.Context) (hw.NetworkFact, error) { return testNetwork(ctx, cfg) }}
	pictured := board
	if pictured == nil || !pictured.Known() {
		pictured, _ = hw.BoardByKey("pi4")
	}
	env.Site = Wiring(cfg, pictured, i).Site()
	env.Others = slices.Delete(readerNames(cfg), i, i+1)
	if board != nil && board.Known() && !board.Bias {
		env.NoFloat = "this board's pulls come from the device tree, not from a request"
	}
	if board != nil && board.Known() {
		env.ListenFree = func() (func() ([]gpio.Activity, error), error) {
			var configured []string // also other readers' lines, and those of lights
			for _, w := range Wanted(cfg) {
				configured = append(configured, w.Name)
			}
			return hw.Host{}.ListenFree(board, configured...)
		}
	}
	chip := "/dev/gpiochip0"
	if board != nil {
		if l, err := (hw.Host{}).Lookup(board, rc.Data0); err == nil {
			chip = l.Chip.Path // its number varies with the kernel
		}
	}
	env.Devices = append(env.Devices, hw.Device{Path: chip, Use: "the reader's lines", Group: "gpio"})
	switch cfg.Display.Kind {
	case "hd44780-i2c":
		env.Devices = append(env.Devices, hw.Device{Path: cfg.Display.Bus, Use: "the display", Group: "i2c"})
	case "sparkfun", "openlcd", "newhaven", "matrix-orbital":
		env.Devices = append(env.Devices, hw.Device{Path: cfg.Display.Port, Use: "the display", Group: "dialout"})
	}
	return env
}

// present shows a seeded card to the simulated reader: a badge, then a device.
func (d *Daemon) present(card int) {
	cards := [2]simlab.Card{simlab.People[0], simlab.Devices[0]}
	bits, err := credential.Parse(cards[card].Credential, nil)
	if err != nil {
		d.o.Log.Error("the seed has a bad card", "err", err)
		return
	}
	d.Lines.Present(bits)
}

// testDisplay puts a code on the display.
func (d *Daemon) testDisplay(ctx context.Context, code string) (hw.DisplayFact, error) {
	n := d.Panel.Show(panel.Message{Key: "display-code", Number: code})
	if err := d.Panel.Answered(ctx, n); err != nil {
		return hw.DisplayFact{}, err
	}
	if h := d.Panel.Health(); !h.Up {
		return hw.DisplayFact{}, h.Err
	}
	proof, err := d.Panel.Prove(ctx)
	if err != nil {
		return hw.DisplayFact{}, err
	}
	kind := d.o.Config.Display.Kind
	return hw.DisplayFact{Kind: kind, Proven: d.o.Sim || kind == "terminal", Answers: proof != lcd.ProofNone}, nil
}

func (d *Daemon) testDirectory(ctx context.Context) (hw.DirectoryFact, error) {
	f := hw.DirectoryFact{Kind: d.places.config.Kind}
	if f.Kind == "local" {
		return f, nil
	}
	start := time.Now()
	o := d.places.directory.Probe(ctx)
	f.Took = time.Since(start)
	if o.Verdict != directory.Done {
		return f, errors.New(o.Reason)
	}
	return f, nil
}

func (d *Daemon) testQueue(context.Context) (hw.QueueFact, error) {
	st, err := d.Worker.Status()
	if err != nil {
		return hw.QueueFact{}, err
	}
	var f hw.QueueFact
	for _, s := range st.Sinks {
		f.Waiting += s.Backlog
		f.Parked += s.StuckRows
		if s.Oldest != nil {
			f.Oldest = max(f.Oldest, time.Since(*s.Oldest))
		}
	}
	return f, nil
}

// testNetwork tries the directory's host.
func testNetwork(ctx context.Context, cfg *config.Config) (hw.NetworkFact, error) {
	var f hw.NetworkFact
	address := cfg.Directory.URL
	if cfg.Directory.Kind == "endpoints" {
		address = cfg.Directory.CheckInOut
	}
	u, err := url.Parse(address)
	if cfg.Directory.Kind == "local" || err != nil || u.Host == "" {
		return f, nil
	}
	f.Needed, f.Host = true, u.Host
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

func ledgerFact(l *checkout.Ledger) (hw.LedgerFact, error) {
	info, err := l.Info()
	if err != nil {
		return hw.LedgerFact{}, err
	}
	f := hw.LedgerFact{Events: int(info.Seq)}
	if info.Salvaged != nil {
		f.Salvaged = info.Salvaged.File
	}
	for _, err := range l.People() {
		if err != nil {
			return f, err
		}
		f.People++
	}
	for d, err := range l.Devices() {
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
