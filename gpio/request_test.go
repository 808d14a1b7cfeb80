package gpio

import "testing"

// TestParseBias: every bias is read as it is written; nothing is the line's own.
func TestParseBias(t *testing.T) {
	for _, b := range []Bias{BiasAsIs, BiasDisabled, BiasPullUp, BiasPullDown} {
		if got, err := ParseBias(b.String()); err != nil || got != b {
			t.Errorf("%s is read as %s, %v", b, got, err)
		}
	}
	if got, err := ParseBias(""); err != nil || got != BiasAsIs {
		t.Errorf("no bias is read as %s, %v", got, err)
	}
	for _, s := range []string{"up", "Pull-Up", "off ", "none"} {
		if got, err := ParseBias(s); err == nil {
			t.Errorf("%q is read as %s", s, got)
		}
	}
}

func TestLineString(t *testing.T) {
	l := Line{Chip: "/dev/gpiochip4", Offset: 17}
	if got := l.String(); got != "/dev/gpiochip4 line 17" {
		t.Error(got)
	}
	l.Name = "GPIO17 = header pin 11"
	if got := l.String(); got != l.Name {
		t.Error(got)
	}
}
