package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/panel"
	"stump/internal/reader"
	"stump/lcd"
)

// StandaloneTest is what a self-test needs while no daemon runs. It takes lines,
// display, keyboard and lights itself, and reads the ledger if it can be opened.
func StandaloneTest(cfg *config.Config, stateDir, name string) (*selftest.Env, error) {
	i, err := ReaderIndex(cfg, name)
	if err != nil {
		return nil, err
	}
	b := board.Detect()
	UseBoard(cfg, b)
	env := testEnv(cfg, b, i)
	env.StateDir = stateDir
	aloneReader(env, b, cfg.Readers[i])
	env.Outputs = lamps(cfg, b)
	display := &aloneDisplay{cfg: cfg, board: b}
	switch cfg.Display.Kind {
	case "none":
	case "terminal":
		env.Untested["display"] = "the display is the terminal that the daemon runs on: start `stump run` there, and look whether it shows the idle screen"
		if screen := cfg.Display.Screen(); screen != "" {
			env.Untested["display"] = "the display is the screen " + screen + ": start the daemon, and look whether it shows the idle screen"
		}
	default:
		env.Display = display.test
	}
	if cfg.Keyboard.Device != "off" {
		env.Keyboard = func(ctx context.Context) (selftest.Keyboard, func(), error) { return aloneKeyboard(ctx, cfg) }
	}
	env.Directory = func(ctx context.Context) (selftest.DirectoryFact, error) {
		p, err := openPlaces(cfg)
		if err != nil {
			return selftest.DirectoryFact{Kind: cfg.Directory.Kind}, err
		}
		return testDirectory(ctx, cfg, p.directory)
	}
	if cfg.Directory.Kind != "local" || len(cfg.Webhooks) > 0 {
		env.Untested["queue"] = "the daemon delivers what waits: start it with `stump run`, and ask it with `stump sync status`"
	}
	env.Ledger = func(context.Context) (selftest.LedgerFact, error) {
		l, err := OpenLedger(cfg, stateDir, true)
		if errors.Is(err, os.ErrNotExist) {
			return selftest.LedgerFact{}, nil // the daemon has never run
		}
		if err != nil {
			return selftest.LedgerFact{}, err
		}
		defer l.Close()
		return ledgerFact(l)
	}
	env.Close = func() {
		display.close()
		for _, l := range env.Outputs {
			_ = l.Out.Close() // it was off when it was last set, or the check said why not
		}
	}
	return env, nil
}

// aloneReader opens the reader's lines, or what sends its cards.
func aloneReader(env *selftest.Env, b *board.Board, rc config.Reader) {
	if rc.Kind == config.Wiegand {
		env.Lines = func(context.Context) (gpio.Adjustable, error) {
			data0, data1 := rc.Wires()
			return b.OpenReader(data0, data1, rc.Request())
		}
	} else {
		env.Sent = func(ctx context.Context) (selftest.Sender, error) {
			src, err := openSender(rc, reader.Setup{Now: gpio.Monotonic})
			if err != nil {
				return nil, err
			}
			return reader.Listen(ctx, src), nil
		}
	}
}

// aloneDisplay is the display while no daemon has it.
type aloneDisplay struct {
	cfg   *config.Config
	board *board.Board
	lcd.Display
}

// test fills every row with a pattern that begins with the code.
func (d *aloneDisplay) test(_ context.Context, code string) (f selftest.DisplayFact, err error) {
	c := d.cfg.Display.Config
	if d.Display, err = openDisplay(c, d.board); err != nil {
		return f, err
	}
	size := d.Size()
	rows := pattern(size, code)
	err = d.Init()
	if err == nil {
		frame, _ := lcd.Lay(d.Charset(), size, strings.Join(rows, "\n")).At(0)
		err = d.Show(frame)
	}
	if err == nil {
		f.Answers, err = d.Probe()
	}
	if err != nil {
		return f, missingDisplay(c, err)
	}
	f.Kind = c.Kind
	f.Look = fmt.Sprintf("Look at the display. Each of its %d rows is full, from the first cell to the last. The first row begins with four digits, the last row ends with %q.",
		size.Rows, rows[size.Rows-1][size.Cols-3:])
	return f, nil
}

// pattern is text for every cell: the code, then the letters in order.
func pattern(size lcd.Size, code string) (rows []string) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	next := 0
	for i := range size.Rows {
		row := ""
		if i == 0 {
			row = code + "-"
		}
		for len(row) < size.Cols {
			row += letters[next%len(letters):][:1]
			next++
		}
		rows = append(rows, row)
	}
	return rows
}

// close leaves the display as the daemon does when it stops.
func (d *aloneDisplay) close() {
	if d.Display == nil {
		return
	}
	if texts, err := panel.NewCatalogue(d.cfg.Display.Language, d.cfg.Texts()); err == nil {
		frame, _ := lcd.Lay(d.Charset(), d.Size(), texts.Text(panel.Message{Key: "stopped"}, d.Size())).At(0)
		_ = d.Show(frame) // the check has said what is wrong with it
	}
	d.Close()
}

// aloneKeyboard reads the keyboards until release.
func aloneKeyboard(ctx context.Context, cfg *config.Config) (k selftest.Keyboard, release func(), err error) {
	keys, err := newKeyboard(cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = keys.Run(ctx) // nil, once ctx is done
	}()
	select {
	case <-keys.Ready():
	case <-ctx.Done():
	}
	return keys, func() { cancel(); <-ended }, nil
}

// missingDisplay says of a display that doesn't answer where one may be.
func missingDisplay(c lcd.Config, err error) error {
	if c.Kind != "hd44780-i2c" || errors.Is(err, lcd.ErrGarbled) || hint.Of(err) != "" {
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) { // there is the bus
		err = fmt.Errorf("no display answers: %w", err)
	}
	if f, opened := os.OpenFile(c.Bus, os.O_RDWR, 0); opened == nil {
		f.Close()
	} else if errors.Is(opened, fs.ErrPermission) {
		return hint.Wrap(err, "add the user that runs Stump to the group i2c")
	}
	var lines []string
	places := c.Search()
	for _, p := range places {
		line := fmt.Sprintf("address = 0x%02x", int(p.Address))
		switch {
		case p.Bus != c.Bus && p.Address == c.Address:
			line = fmt.Sprintf("bus = %q", p.Bus)
		case p.Bus != c.Bus:
			line = fmt.Sprintf("bus = %q and %s", p.Bus, line)
		}
		lines = append(lines, line)
	}
	switch len(lines) {
	case 0:
		return hint.Wrap(err, "nothing answers at any address of a backpack, on any bus: check the display's 5 V and ground, then SDA and SCL, and whether I2C is switched on (Raspberry Pi OS: sudo raspi-config, Interface Options, I2C)")
	case 1:
		return hint.Wrap(err, fmt.Sprintf("something answers at %s: write %s under [display], and run the self-test again", places[0], lines[0]))
	}
	return hint.Wrap(err, "something answers at several places: write under [display] one after the other, and run the self-test again: "+strings.Join(lines, "; "))
}
