package wiegand

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	d := mustFormat(t, "H10301").Describe()
	if d.Layout != "PFFFFFFFFNNNNNNNNNNNNNNNNP" || *d.Checks != "even 0 over 1-12; odd 25 over 13-24" || d.Proof != "confirmed" || *d.Facility != 255 || d.Number != 65535 {
		t.Errorf("%+v", d)
	}
	for _, f := range Formats() {
		d := f.Describe()
		if len(d.Layout) != f.Len || d.Source == "" || (d.Proof == "confirmed") != (d.Cards != nil) {
			t.Errorf("%+v", d)
		}
		for _, p := range f.parity {
			if places, err := parsePlaces(writePlaces(p.covers)); err != nil || !slices.Equal(places, p.covers) {
				t.Errorf("%s: %v is written %s", f.Name, p.covers, writePlaces(p.covers))
			}
		}
	}
	if d := mustFormat(t, "raw26").Describe(); d.Checks != nil || d.Source != "any frame of this length" {
		t.Errorf("%+v", d)
	}
	// A 34-bit frame that fails its parity still fits what checks nothing, and says so.
	b, err := ParseBits("0100111010100101111001011110111000")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range Fitting(b, []*Format{mustFormat(t, "raw34")}) {
		all = append(all, f.Name+" "+f.Trust())
	}
	if want := "N10002 unchecked, confirmed; raw34 unchecked, unverified; Optus34 unchecked, unverified; SMP34 unchecked, unverified"; fmt.Sprint(strings.Join(all, "; ")) != want {
		t.Errorf("%s, want %s", strings.Join(all, "; "), want)
	}
}

var update = flag.Bool("update", false, "write the table of docs/cards.md anew")

// TestFormatTable keeps the table of docs/cards.md as the formats are.
func TestFormatTable(t *testing.T) {
	const path, begin, end = "../docs/cards.md", "<!-- formats -->\n", "<!-- end -->"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table", path)
	}
	table := "| format | bits | facility | number | checks | proof | source, doubt |\n|---|---|---|---|---|---|---|\n"
	for _, f := range Formats() {
		d := f.Describe()
		facility, checks, proof, source := "–", "none", d.Proof, d.Source
		if d.Facility != nil {
			facility = fmt.Sprint("to ", *d.Facility)
		}
		if f.Checked() {
			checks = "yes"
		}
		if d.Cards != nil {
			proof = "confirmed: " + *d.Cards
		}
		if d.Doubt != nil {
			source += ". Doubt: " + *d.Doubt
		}
		table += fmt.Sprintf("| %s | %d | %s | to %d | %s | %s | %s |\n", d.Name, d.Bits, facility, d.Number, checks, proof, source)
	}
	want := before + begin + table + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(doc) != want {
		t.Errorf("%s is not as the formats are: run go test ./wiegand -update", path)
	}
}
