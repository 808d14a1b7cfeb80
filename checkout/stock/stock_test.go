package stock

import (
	"testing"

	"pgregory.net/rapid"
)

// TestFinding has the table of docs/loans.md.
func TestFinding(t *testing.T) {
	for name, tt := range map[string]struct {
		d    Device
		want Finding
	}{
		"free, shown":                       {Device{Seen: true}, ""},
		"free, not shown":                   {Device{}, Missing},
		"free, brought back meanwhile":      {Device{Moved: true}, ""},
		"a part without a tag, its box was": {Device{InBox: true}, ""},
		"out":                               {Device{Held: true}, ""},
		"out, but shown":                    {Device{Held: true, Seen: true}, Here},
		"shown, then taken":                 {Device{Held: true, Seen: true, Moved: true}, ""},
		"out, its box was shown":            {Device{Held: true, InBox: true}, ""},
		"lost":                              {Device{Lost: true}, ""},
		"lost, but shown":                   {Device{Lost: true, Seen: true}, Found},
		"lost since":                        {Device{Lost: true, Seen: true, Moved: true}, ""},
		"no longer in use":                  {Device{Retired: true}, ""},
		"no longer in use, but shown":       {Device{Retired: true, Seen: true}, Unused},
		"lost and no longer in use":         {Device{Retired: true, Lost: true, Seen: true}, Unused},
	} {
		if got := tt.d.Finding(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestOneWay: what is found is put right by what its correction makes of the device.
func TestOneWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.Bool()
		d := Device{any.Draw(t, "retired"), any.Draw(t, "lost"), false, any.Draw(t, "seen"), any.Draw(t, "moved"), any.Draw(t, "in a box")}
		if !d.Lost && !d.Retired {
			d.Held = any.Draw(t, "held")
		}
		switch is := d; d.Finding() {
		case Missing:
			is.Lost, is.Moved = true, true
			if f := is.Finding(); f != "" {
				t.Fatalf("%+v is lost, and %q", d, f)
			}
		case Here, Found:
			is.Held, is.Lost, is.Moved = false, false, true
			if f := is.Finding(); f != "" {
				t.Fatalf("%+v is back, and %q", d, f)
			}
		}
	})
}
