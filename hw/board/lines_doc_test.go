package board

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDocumentedMessages holds docs/lines.md to what is really printed.
func TestDocumentedMessages(t *testing.T) {
	doc, err := os.ReadFile("../../docs/lines.md")
	if err != nil {
		t.Fatal(err)
	}
	pi4 := func() *fakeHost {
		h := newHost(t)
		h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
		h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesPiOS...)
		return h
	}
	whole := pi4()
	expander := pi4()
	expander.chip("gpiochip1", "expander", "", 4, "DOOR", "", "", "DOOR")
	busy := pi4()
	busy.chips["gpiochip0"].lines[18].Used, busy.chips["gpiochip0"].lines[18].Consumer = true, "snd-pwm"
	secret := pi4()
	secret.fail["gpiochip0"] = unix.EACCES
	empty := newHost(t)
	for _, c := range []struct {
		host *fakeHost
		Wanted
	}{
		{whole, Wanted{"stump DATA0", "GPIO17"}},
		{whole, Wanted{"stump DATA0", "pin 17"}},
		{whole, Wanted{"stump DATA0", "17"}},
		{whole, Wanted{"stump DATA0", "GPIO77"}},
		{expander, Wanted{"stump DATA0", "DOOR"}},
		{busy, Wanted{"stump DATA1", "GPIO18"}},
		{secret, Wanted{"stump DATA0", "GPIO17"}},
		{empty, Wanted{"stump DATA0", "GPIO17"}},
	} {
		var row strings.Builder
		text, _ := c.host.board().Survey([]Wanted{c.Wanted})
		for line := range strings.Lines(text) {
			if row.Len() > 0 || strings.HasPrefix(line, c.Role) {
				row.WriteString("    " + line)
			}
		}
		printed := strings.ReplaceAll(row.String(), c.host.root, "")
		if !strings.Contains(string(doc), printed) {
			t.Errorf("docs/lines.md does not have\n%s", printed)
		}
	}
}
