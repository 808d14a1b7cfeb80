package wiring

import (
	"os"
	"strings"
	"testing"

	"stump/hw/board"
)

func plan(t *testing.T, p Plan) *Plan {
	t.Helper()
	b, err := board.ByName("pi4")
	if err != nil {
		t.Fatal(err)
	}
	p.Board = b
	return &p
}

// TestReadersDocument holds the picture in docs/readers.md to the program.
func TestReadersDocument(t *testing.T) {
	const path, fence = "../../docs/readers.md", "\n```\n"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), `converter = "divider"`+"`:\n"+fence)
	_, after, ok2 := strings.Cut(rest, fence)
	if !ok || !ok2 {
		t.Fatalf("%s has no picture", path)
	}
	text, err := plan(t, Plan{Kind: "serial", Port: "/dev/serial0", Display: "none"}).Text(80, false)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ = strings.Cut(text, "\n\nBefore")
	want := before + `converter = "divider"` + "`:\n" + fence + text + fence + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(page) != want {
		t.Errorf("%s is out of date: go test ./hw/wiring -update", path)
	}
}

// What goes where of readers without data lines, as text and as a picture.
func TestReadersWithoutDataLines(t *testing.T) {
	for name, tt := range map[string]struct {
		plan      Plan
		has, lack string // parted by |
	}{
		"serial": {Plan{Kind: "serial", Port: "/dev/serial0", Display: "none"},
			"reader TX           HV1 to LV1   10 (GPIO15)|reader +            HV           2 (5V)|login console|RDM6300|1  level converter", "DATA0|HOLD|Wiegand|USB"},
		"serial with a divider": {Plan{Kind: "serial", Port: "/dev/ttyS0", Display: "none", Divider: true},
			"reader TX           10k / 20k    10 (GPIO15)|1  resistor 10|1  resistor 20|goes to the divider", "level converter|DATA0"},
		"serial and a display": {Plan{Kind: "serial", Port: "/dev/serial0", Display: "hd44780-i2c"},
			"reader TX           HV1 to LV1|display SDA         HV2 to LV2|display SCL         HV3 to LV3", "DATA0"},
		"an adapter": {Plan{Kind: "serial", Port: "/dev/ttyUSB0", Display: "none"},
			"USB     serial reader       -            any USB socket|USB serial adapter|TX to RX", "HV|level converter|login console|jumper"},
		"usb":               {Plan{Kind: "usb", Display: "none"}, "USB     usb reader|/dev/input/by-id", "HV|level converter|DATA0|5 V kills"},
		"usb and a display": {Plan{Kind: "usb", Display: "hd44780-i2c"}, "converter HV        HV           2 (5V)|display SDA         HV1 to LV1", "reader +|DATA0"},
		"usb and lines":     {Plan{Kind: "usb", Display: "hd44780-gpio", DisplayLines: []DisplayLine{{"RS", "GPIO25"}}}, "display RS", "converter"},
	} {
		p := plan(t, tt.plan)
		text, err := p.Text(100, false)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for want := range strings.SplitSeq(tt.has, "|") {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q:\n%s", name, want, text)
			}
		}
		for odd := range strings.SplitSeq(tt.lack, "|") {
			if strings.Contains(text, odd) {
				t.Errorf("%s has %q:\n%s", name, odd, text)
			}
		}
		svg, err := p.SVG()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(svg, "DATA0") || strings.Contains(svg, "HOLD") || !strings.Contains(svg, p.Kind+" reader") {
			t.Errorf("%s: the picture is of another reader", name)
		}
		if strings.Contains(svg, "level converter") != strings.Contains(text, "level converter") {
			t.Errorf("%s: text and picture differ over the converter", name)
		}
		if missing := p.Adapt(); len(missing) != 0 {
			t.Errorf("%s: missing %q", name, missing)
		}
	}
}
