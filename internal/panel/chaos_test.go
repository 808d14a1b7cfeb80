package panel

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"stump/internal/testkit"
	"stump/lcd"
	"stump/lcd/lcdtest"
)

// victim is a display that can be unplugged and garbled.
type victim struct {
	config lcd.Config
	rows   func() []string
	hurt   []func()
	heal   func() // everything is plugged in again
}

func i2cVictim(r *rand.Rand, grounded bool) victim {
	m := lcdtest.NewBackpack(lcdtest.NewController(size16x2, "A00"))
	m.Grounded = grounded
	return victim{
		config: lcd.Config{Kind: "hd44780-i2c", OpenBus: m.Open},
		rows:   m.Rows,
		hurt: []func(){
			func() { m.Unplug(nil) }, func() { m.Unplug(os.ErrNotExist) }, func() { m.Unplug(unix.ETIMEDOUT) },
			m.Plug, m.Plug, m.Spark, func() { m.BreakAfter(1 + r.IntN(40)) }, m.PowerOn,
		},
		heal: m.Plug,
	}
}

func serialVictim(r *rand.Rand, dialect string) victim {
	m := lcdtest.NewSerial(dialect, size16x2)
	return victim{
		config: lcd.Config{Kind: dialect, OpenPort: m.Open},
		rows:   m.Rows,
		hurt: []func(){
			func() { m.Unplug(unix.EIO) }, func() { m.Unplug(os.ErrNotExist) }, func() { m.Unplug(nil) },
			func() { m.Deafen(true) }, func() { m.Deafen(false) }, m.PowerOn,
		},
		heal: func() { m.Unplug(nil); m.Deafen(false) },
	}
}

// Whatever happens to a display while people tap, every tap is answered at once,
// and soon after the last fault the display shows the right text.
func TestAnyMishapHeals(t *testing.T) {
	victims := map[string]func(*rand.Rand) victim{
		"i2c":          func(r *rand.Rand) victim { return i2cVictim(r, false) },
		"i2c, one-way": func(r *rand.Rand) victim { return i2cVictim(r, true) },
	}
	for _, d := range []string{"sparkfun", "openlcd", "newhaven", "matrix-orbital"} {
		victims[d] = func(r *rand.Rand) victim { return serialVictim(r, d) }
	}
	for name, build := range victims {
		for seed := range uint64(30) {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { mistreat(t, rand.New(rand.NewPCG(seed, 1)), build) })
			})
		}
	}
}

func mistreat(t *testing.T, r *rand.Rand, build func(*rand.Rand) victim) {
	v := build(r)
	d, err := lcd.Open(v.config)
	if err != nil {
		t.Fatal(err)
	}
	log := new(testkit.Log)
	p := start(t, Options{Display: d, Logger: slog.New(slog.NewTextHandler(log, nil)), Idle: func() IdleInfo { return IdleInfo{Out: 3, Behind: true} }})
	time.Sleep(time.Second)
	texts := []string{"iPad", "Žofie's iPad", "iPod Touch 5th Generation (blue)", "é è ê ë à"}
	for range 40 {
		switch r.IntN(3) {
		case 0:
			v.hurt[r.IntN(len(v.hurt))]()
		case 1:
			begin := time.Now()
			say(t, p, Message{Key: "checked-out", Device: texts[r.IntN(len(texts))]})
			if took := time.Since(begin); took > time.Second {
				t.Errorf("a tap was answered after %v", took)
			}
		}
		time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
	}
	v.heal()
	time.Sleep(2*time.Minute + 500*time.Millisecond)
	if got := strings.Join(v.rows(), "|"); got != rows(p.State()) {
		t.Errorf("it shows %q, and should %q; health %+v", got, p.State().Rows, p.Health())
	}
	// A state is said when it changes, and not again.
	last := ""
	for line := range strings.Lines(log.String()) {
		_, line, _ = strings.Cut(line, "level=")
		said, _, _ := strings.Cut(line, "display=")
		if said == last {
			t.Errorf("the log says twice in a row: %s", said)
		}
		last = said
	}
}
