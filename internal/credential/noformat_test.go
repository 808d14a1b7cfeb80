package credential

import (
	"testing"

	"stump/wiegand"
)

func TestNoFormat(t *testing.T) {
	format := func(name string) *wiegand.Format {
		f, err := wiegand.FormatByName(name)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	formats := []*wiegand.Format{format("H10301"), format("H10306")}
	for _, tt := range []struct{ bits, want string }{
		{"00101010001111001010110101", ""},
		{"0010001010011001000000100100010000", ""},
		{"00101010001111001010110100", "26 bits that no enabled format takes: the parity is wrong for H10301"},
		{"0101", "4 bits that no enabled format takes: H10301 26, H10306 34 bits"},
		{"1", "1 bit that no enabled format takes: H10301 26, H10306 34 bits"},
	} {
		bits, err := wiegand.ParseBits(tt.bits)
		if err != nil {
			t.Fatal(err)
		}
		if got := NoFormat(bits, formats); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.bits, got, tt.want)
		}
	}
}
