package lcd

import (
	"strings"
	"testing"
	"time"
)

func TestLay(t *testing.T) {
	tests := []struct {
		size, text string
		want       string // rows joined by |, at the start
	}{
		{"16x2", "Checked out\niPad Mini", "Checked out     |iPad Mini       "},
		{"16x2", "Checked out\niPad Mini\nAnn", "Checked out     |iPad Mini, Ann  "},
		{"16x2", "Checked out\niPad Mini G1\nAnn", "Checked out     |iPad Mini G1    "},
		{"16x4", "Checked out\niPad Mini G1\nAnn", "Checked out     |iPad Mini G1    |Ann             |                "},
		{"20x4", "Checked out\niPod Touch 5th Generation (blue)\nAnn",
			"Checked out         |iPod Touch 5th      |Generation (blue)   |Ann                 "},
		{"16x4", "Returned\nAnna-Katharina Oberhuber", "Returned        |Anna-Katharina  |Oberhuber       |                "},
		{"16x2", "Donaudampfschifffahrtsgesellschaft", "Donaudampfschiff|fahrtsgesellscha"},
		{"16x2", "A Donaudampfschifffahrt", "A Donaudampfschi|fffahrt         "},
		{"16x2", "Lab open\t10:42\n3 out\t^", "Lab open   10:42|3 out          ^"},
		{"16x2", "The laboratory is open\t10:42", "The        10:42|                "},
		{"16x2", "  _Checked In_  \n Device Returned", "  _Checked In_  | Device Returned"},
		{"16x2", "One\n\n \nTwo", "One             |Two             "},
		{"16x2", "Name:\n\rKonstantinopolitanov_", "Name:           |antinopolitanov_"},
		{"16x2", "Name:\n\r_", "Name:           |_               "},
		{"40x2", "Handed over\niPad Mini\nfrom Ben\nto Ann",
			"Handed over                             |iPad Mini, from Ben, to Ann             "},
		{"16x2", "", "                |                "},
	}
	for _, tc := range tests {
		size, err := ParseSize(tc.size)
		if err != nil {
			t.Fatal(err)
		}
		f, _ := Lay(Unicode, size, tc.text).At(0)
		if got := strings.Join(f.Rows(), "|"); got != tc.want {
			t.Errorf("Lay(%s, %q)\n got %q\nwant %q", tc.size, tc.text, got, tc.want)
		}
	}
}

// A line that is too long pauses at both ends, shows every letter, and starts again.
func TestLayRolls(t *testing.T) {
	l := Lay(Unicode, Size{16, 2}, "Checked out\niPod Touch 5th Gen")
	var seen []string
	for at, turns := time.Duration(0), 0; turns < 5; turns++ {
		f, next := l.At(at)
		if next <= at {
			t.Fatalf("at %v the next change is at %v", at, next)
		}
		if g, _ := l.At(next - 1); !g.equal(f) {
			t.Errorf("it changed between %v and %v", at, next)
		}
		seen = append(seen, f.Rows()[1])
		at = next
	}
	want := []string{"iPod Touch 5th G", "Pod Touch 5th Ge", "od Touch 5th Gen", "iPod Touch 5th G", "Pod Touch 5th Ge"}
	if strings.Join(seen, "|") != strings.Join(want, "|") {
		t.Errorf("rolled through %q, want %q", seen, want)
	}
	if l.Pass() != 2*rollHold+rollStep {
		t.Errorf("Pass is %v", l.Pass())
	}
}
