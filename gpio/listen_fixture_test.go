//go:build fixture

package gpio_test

import (
	"testing"

	"stump/gpio"
)

// Pulses on lines that nobody configured are found; a line in use is left out.
func TestKernelListen(t *testing.T) {
	c := chip(t, "listen")
	line := func(offset int) gpio.Line { return gpio.Line{Chip: c.Path(), Offset: offset} }
	open(t, gpio.Request{Data0: line(0), Data1: line(1)})
	stop, err := gpio.ListenLines([]gpio.Line{line(1), line(2), line(3), line(4)})
	if err != nil {
		t.Fatal(err)
	}
	c.Send(2, 3, frame, usual)
	heard, err := stop()
	if err != nil {
		t.Fatal(err)
	}
	falls := map[string]int{}
	for _, a := range heard {
		falls[a.Line] = len(a.Falls)
	}
	zeros := 0
	for _, b := range frame {
		if b == '0' {
			zeros++
		}
	}
	if len(heard) != 3 || falls[line(2).String()] != zeros || falls[line(3).String()] != len(frame)-zeros || falls[line(4).String()] != 0 {
		t.Errorf("heard %v", falls)
	}
	open(t, gpio.Request{Data0: line(2), Data1: line(3)}) // they were given back
	if _, err := gpio.ListenLines([]gpio.Line{line(0)}); err == nil {
		t.Error("a line in use was listened to")
	}
	if _, err := gpio.ListenLines(nil); err == nil {
		t.Error("no lines, and no error")
	}
}
