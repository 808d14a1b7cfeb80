package daemon

import (
	"slices"
	"testing"

	"stump/hw/board"
	"stump/internal/config"
	"stump/internal/hint"
)

func TestUseBoard(t *testing.T) {
	for _, tt := range []struct{ board, data0, want0 string }{
		{"bbb", config.DefaultData0, "P9_12"},
		{"bbb", "P9_23", "P9_23"},
		{"pi4", config.DefaultData0, "GPIO17"},
	} {
		b, err := board.ByName(tt.board)
		if err != nil {
			t.Fatal(err)
		}
		cfg := &config.Config{Readers: []config.Reader{{Data0: tt.data0, Data1: config.DefaultData1}}}
		UseBoard(cfg, b)
		if got := cfg.Readers[0].Data0; got != tt.want0 {
			t.Errorf("%s: DATA0 %s becomes %s, want %s", tt.board, tt.data0, got, tt.want0)
		}
	}
}

const wiredUp = twoReaders + `
[lights]
green = { line = "GPIO24" }
beeper = { line = "GPIO25", active_low = true }
[display]
kind = "hd44780-gpio"
lines = { rs = "GPIO5", e = "GPIO6", d4 = "GPIO12", d5 = "GPIO13", d6 = "GPIO19", d7 = "GPIO26" }
`

// TestWanted names every line of the configuration once, by its role.
func TestWanted(t *testing.T) {
	cfg := parse(t, wiredUp)
	var got []string
	for _, w := range Wanted(cfg) {
		got = append(got, w.Role+" "+w.Name)
	}
	want := []string{
		"door DATA0 GPIO17", "door DATA1 GPIO18", "window DATA0 GPIO22", "window DATA1 GPIO23",
		"green light GPIO24", "beeper GPIO25",
		"display RS GPIO5", "display E GPIO6", "display D4 GPIO12", "display D5 GPIO13", "display D6 GPIO19", "display D7 GPIO26",
	}
	if !slices.Equal(got, want) {
		t.Errorf("lines\n%q, want\n%q", got, want)
	}
}

func TestWiring(t *testing.T) {
	cfg := parse(t, wiredUp)
	b, err := board.ByName("pi4")
	if err != nil {
		t.Fatal(err)
	}
	w := Wiring(cfg, b, 1)
	if w.Data != [2]string{"GPIO22", "GPIO23"} || w.Divider || len(w.Outputs) != 2 || !w.Outputs[1].ActiveLow || len(w.DisplayLines) != 6 {
		t.Errorf("%+v", w)
	}
	cfg.Display.Kind = "terminal"
	if w := Wiring(cfg, b, 0); w.DisplayLines != nil || w.Data[0] != "GPIO17" {
		t.Errorf("%+v", w)
	}
}

func TestReaderIndex(t *testing.T) {
	cfg := parse(t, twoReaders)
	for name, want := range map[string]int{"": 0, "door": 0, "window": 1} {
		if i, err := ReaderIndex(cfg, name); i != want || err != nil {
			t.Errorf("%q is %d, %v", name, i, err)
		}
	}
	if _, err := ReaderIndex(cfg, "gate"); err == nil || hint.Of(err) != "the configuration has door, window" {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
}
