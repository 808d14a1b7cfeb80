package daemon

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"stump/hw/selftest"
	"stump/internal/hint"
	"stump/lcd"
	"stump/lcd/lcdtest"
)

func TestSelfTestWithoutADaemon(t *testing.T) {
	o := simOptions(t, "[display]\nkind = \"hd44780-i2c\"\nbus = \"/dev/i2c-3\"")
	env, err := StandaloneTest(o.Config, o.StateDir, "")
	if err != nil {
		t.Fatal(err)
	}
	if fact, err := env.Ledger(t.Context()); err != nil || fact.Events != 0 {
		t.Errorf("before the daemon has ever run: %+v, %v", fact, err)
	}
	var files []string
	for _, f := range env.Devices {
		files = append(files, f.Path+" "+f.Group)
	}
	if len(files) != 2 || !strings.HasSuffix(files[0], " gpio") || files[1] != "/dev/i2c-3 i2c" {
		t.Errorf("files %q", files)
	}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	addSeed(t, d)
	d.Ledger.Close()
	if fact, err := env.Ledger(t.Context()); err != nil || fact.People != 1 {
		t.Errorf("%+v, %v", fact, err)
	}
}

// aloneWith is a self-test without a daemon of a station with this file, and what it
// found by check.
func aloneWith(t *testing.T, toml string, prepare func(*lcd.Config)) (found map[string]selftest.Result, said []string) {
	t.Helper()
	cfg := parse(t, toml)
	if prepare != nil {
		prepare(&cfg.Display.Config)
	}
	env, err := StandaloneTest(cfg, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	env.Network, env.Say = nil, func(s string) { said = append(said, s) }
	found = map[string]selftest.Result{}
	selftest.Run(t.Context(), env, func(r selftest.Result) { found[r.Check] = r })
	return found, said
}

// on is a modelled backpack at an address of a bus.
func on(bus string, a uint16) (*lcdtest.Backpack, func(*lcd.Config)) {
	m := lcdtest.NewBackpack(lcdtest.NewController(lcd.Size{Cols: 16, Rows: 2}, "A00").Untimed())
	m.Addr, m.Hertz = a, 0
	return m, func(c *lcd.Config) {
		c.Buses = func() []string { return []string{"/dev/i2c-0", "/dev/i2c-1", "/dev/i2c-3"} }
		c.OpenBus = func(path string) (periphBus, error) {
			if path == bus {
				return m.Open(path)
			}
			return emptyBus{}, nil
		}
	}
}

// What is configured is never called not configured: it is tested, or the result
// says how it can be.
func TestAloneTestsWhatIsConfigured(t *testing.T) {
	for name, toml := range map[string]string{
		"all": `[display]
kind = "hd44780-i2c"
[keyboard]
device = "auto"
[lights]
green = { line = "GPIO22" }
[directory]
kind = "endpoints"
checkinout = "http://127.0.0.1:1/x?{staff}{asset}"
[[webhook]]
url = "http://127.0.0.1:1/hook"
secret_file = "/dev/null"
`,
		"a display on the daemon's terminal": "[display]\nkind = \"terminal\"\n",
		"a serial display":                   "[display]\nkind = \"sparkfun\"\nport = \"/dev/none\"\n",
		"a display on lines":                 "[display]\nkind = \"hd44780-gpio\"\nlines = { rs = \"GPIO5\", e = \"GPIO6\", d4 = \"GPIO12\", d5 = \"GPIO13\", d6 = \"GPIO16\", d7 = \"GPIO19\" }\n",
	} {
		found, _ := aloneWith(t, toml, nil)
		for check, r := range found {
			if strings.Contains(r.Measured, "configured") && !strings.Contains(name, "display") {
				t.Errorf("%s: %s: %+v", name, check, r)
			}
		}
		if r := found["display"]; strings.Contains(r.Measured, "no display is configured") || r.Result != selftest.Fail && !strings.Contains(r.Measured, "stump run") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	found, _ := aloneWith(t, "[display]\nkind = \"none\"", nil)
	for check, want := range map[string]string{"display": "no display is configured", "keyboard": "no keyboard is configured", "outputs": "no lights or beeper are configured", "queue": "nothing is to be reported"} {
		if r := found[check]; r.Result != selftest.Skip || r.Measured != want {
			t.Errorf("of nothing: %s: %+v", check, r)
		}
	}
}

// A display that answers shows a pattern on all its cells, which begins with the
// code, and at the end that the station is out of service.
func TestAloneDisplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, plug := on("/dev/i2c-1", 0x27)
		cfg := parse(t, "[display]\nkind = \"hd44780-i2c\"\n[desk]\n")
		plug(&cfg.Display.Config)
		env, err := StandaloneTest(cfg, t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		f, err := env.Display(t.Context(), "4711")
		if err != nil || !f.Answers || f.Kind != "hd44780-i2c" || !strings.Contains(f.Look, "2 rows") || !strings.Contains(f.Look, `ends with "YZ0"`) {
			t.Errorf("%+v, %v", f, err)
		}
		if want := []string{"4711-ABCDEFGHIJK", "LMNOPQRSTUVWXYZ0"}; !slices.Equal(model.Rows(), want) {
			t.Errorf("shown %q, want %q", model.Rows(), want)
		}
		env.Close()
		if got := strings.Join(model.Rows(), "|"); got != "Out of service  |see the desk    " {
			t.Errorf("left %q", got)
		}
	})
}

// A display that doesn't answer is looked for, and the line to change is named.
func TestAloneDisplayIsLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			bus           string
			address       uint16
			toml          string
			result        selftest.Verdict
			measured, fix string
		}{
			{"/dev/i2c-1", 0x27, "address = 0x3f", selftest.Fail, "no display answers: /dev/i2c-1 address 0x3f", "Something answers at 0x27 on /dev/i2c-1: write address = 0x27 under [display]"},
			{"/dev/i2c-1", 0x3f, "", selftest.Fail, "address 0x27", "write address = 0x3f under [display]"},
			{"/dev/i2c-0", 0x27, "", selftest.Fail, "/dev/i2c-1 address 0x27", `write bus = "/dev/i2c-0" under [display]`},
			{"/dev/i2c-3", 0x20, "", selftest.Fail, "/dev/i2c-1 address 0x27", `write bus = "/dev/i2c-3" and address = 0x20 under [display]`},
			{"/dev/i2c-9", 0x27, "", selftest.Fail, "/dev/i2c-1 address 0x27", "Nothing answers at any address of a backpack, on any bus: check the display's 5 V"},
			{"/dev/i2c-1", 0x3f, "address = 0x3f", selftest.Pass, "hd44780-i2c answers; nobody was there to read it", ""},
		} {
			_, plug := on(c.bus, c.address)
			found, _ := aloneWith(t, "[display]\nkind = \"hd44780-i2c\"\n"+c.toml, plug)
			r := found["display"]
			if r.Result != c.result || !strings.Contains(r.Measured, c.measured) || !strings.Contains(r.Remedy, c.fix) {
				t.Errorf("at 0x%02x on %s, configured %q: %+v", c.address, c.bus, c.toml, r)
			}
		}
	})
}

// Several chips that may be it are all named; a display that is there but out of
// step is not looked for.
func TestMissingDisplay(t *testing.T) {
	c := lcd.Config{Kind: "hd44780-i2c", Bus: "/dev/none-1", Address: 0x27}
	c.Buses = func() []string { return []string{"/dev/none-0"} }
	c.OpenBus = func(string) (periphBus, error) { return echoBus{}, nil }
	if err := missingDisplay(c, unix.EREMOTEIO); !strings.Contains(hint.Of(err), "at several places") || !strings.Contains(hint.Of(err), `bus = "/dev/none-0"; `) || !errors.Is(err, unix.EREMOTEIO) {
		t.Errorf("%v: %s", err, hint.Of(err))
	}
	if err := missingDisplay(c, lcd.ErrGarbled); err != lcd.ErrGarbled {
		t.Errorf("%v", err)
	}
	c.Kind = "openlcd"
	if err := missingDisplay(c, os.ErrNotExist); err != os.ErrNotExist {
		t.Errorf("%v", err)
	}
}

// The daemon's own self-test looks for the display, too.
func TestDaemonLooksForTheDisplay(t *testing.T) {
	o := simOptions(t, "[display]\nkind = \"hd44780-i2c\"\n")
	_, plug := on("/dev/i2c-1", 0x3f)
	plug(&o.Config.Display.Config)
	o.Sim, o.StateNamed = false, true
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	run(t, d)
	if _, err := d.testDisplay(t.Context(), "4711"); !strings.Contains(hint.Of(err), "write address = 0x3f under [display]") {
		t.Errorf("%v: %s", err, hint.Of(err))
	}
}

// A serial display can't answer: nobody was there to read it, or somebody was.
func TestAloneSerialDisplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := lcdtest.NewSerial("newhaven", lcd.Size{Cols: 20, Rows: 4})
		found, said := aloneWith(t, "[display]\nkind = \"newhaven\"\nsize = \"20x4\"", func(c *lcd.Config) { c.OpenPort = m.Open })
		if r := found["display"]; r.Result != selftest.Skip || !strings.Contains(r.Measured, "nobody was there") {
			t.Errorf("%+v", r)
		}
		if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "Each of its 4 rows is full") }) {
			t.Errorf("said %q", said)
		}
	})
}

func TestPattern(t *testing.T) {
	for _, size := range []lcd.Size{{Cols: 16, Rows: 2}, {Cols: 20, Rows: 4}, {Cols: 40, Rows: 2}, {Cols: 16, Rows: 4}} {
		rows := pattern(size, "4711")
		if len(rows) != size.Rows || !strings.HasPrefix(rows[0], "4711-A") {
			t.Errorf("%v: %q", size, rows)
		}
		for _, r := range rows {
			if len(r) != size.Cols || strings.Contains(r, " ") {
				t.Errorf("%v: %q is not full", size, r)
			}
		}
	}
}

// The keyboard is given back at once: the answers to the next questions may be typed
// on it.
func TestAloneKeyboard(t *testing.T) {
	k, release, err := aloneKeyboard(t.Context(), parse(t, "[keyboard]\ndevice = \"/dev/input/none\""))
	if err != nil {
		t.Fatal(err)
	}
	if got := k.Plugged(); len(got) > 0 {
		t.Errorf("plugged: %q", got)
	}
	release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, release, err = aloneKeyboard(ctx, parse(t, "")); err != nil {
		t.Fatal(err)
	}
	release()
}
