package wiegand

import (
	"strings"
	"testing"
)

// TestNormal: the tag A4DCCC1D, or EM4100 0A004D7603, is one card however readers
// send it.
func TestNormal(t *testing.T) {
	for _, tt := range []struct {
		format, data string // the data in hex, first bit first
		steps        string
		want         string // format and number
		facility     uint64
		number       uint64
	}{
		{"UID32", "a4dccc1d", "", "UID32", 0, 0xa4dccc1d},
		{"H10306", "a4dccc1d", "strip-parity", "UID32", 0, 0xa4dccc1d},
		{"H10306", "1dccdca4", "reverse-bytes,strip-parity", "UID32", 0, 0xa4dccc1d},
		{"raw32", "1dccdca4", "reverse-bytes,as UID32", "UID32", 0, 0xa4dccc1d},
		{"UID32LSB", "1dccdca4", "reverse-bytes,as UID32", "UID32", 0, 0xa4dccc1d},
		{"H10306", "1dccdca4", "reverse-bytes", "H10306", 0xa4dc, 0xcc1d},
		{"W42", "0a004d7603", "as H10301", "H10301", 77, 30211},
		{"W44", "0a004d7603", "as H10301", "H10301", 77, 30211},
		{"H10306", "004d7603", "as H10301", "H10301", 77, 30211},
		{"H10301", "4d7603", "", "H10301", 77, 30211},
		{"H10301", "4d7603", "strip-parity", "raw24", 0, 0x4d7603},
		{"W42", "0a004d7603", "strip-parity,as W44", "W44", 0, 0x0a004d7603},
	} {
		f := mustFormat(t, tt.format)
		var data Bits
		for _, c := range tt.data {
			v := strings.IndexRune("0123456789abcdef", c)
			for i := 3; i >= 0; i-- {
				data.Append(uint8(v >> i & 1))
			}
		}
		b, err := f.PackData(data)
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		if tt.steps != "" {
			steps = strings.Split(tt.steps, ",")
		}
		n, err := ParseNormal(steps, FormatByName)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := f.Unpack(b)
		r := Read{Bits: b, Format: f, Fields: v}
		n.Apply(&r)
		if r.Format.Name != tt.want || r.Fields != (Fields{Facility: tt.facility, Number: tt.number}) {
			t.Errorf("%s %s %s: %s %+v", tt.format, tt.data, tt.steps, r.Format, r.Fields)
		}
		if got, ok := r.Format.Unpack(r.Bits); !ok || got != r.Fields {
			t.Errorf("%s: %s is no card of it", r.Format, r.Bits)
		}
		if to, err := n.Format(f); err != nil || to.Name != tt.want {
			t.Errorf("%s %s: format %v, %v", tt.format, tt.steps, to, err)
		}
	}
	for steps, want := range map[string]string{"reverse": "not a step", "as H10305": "unknown format", "": "not a step"} {
		if _, err := ParseNormal([]string{steps}, FormatByName); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", steps, err, want)
		}
	}
	for format, steps := range map[string]string{"H10302": "reverse-bytes", "H10301": "as UID32"} {
		n, err := ParseNormal([]string{steps}, FormatByName)
		if err != nil {
			t.Fatal(err)
		}
		f := mustFormat(t, format)
		if to, err := n.Format(f); err == nil {
			t.Errorf("%s, %s: %s", format, steps, to)
		}
		b, _ := f.Pack(Fields{Number: 5})
		r := Read{Bits: b, Format: f}
		if n.Apply(&r); r.Bits != b || r.Format != f {
			t.Errorf("%s, %s: became %s", format, steps, r.Bits)
		}
	}
	// A refused frame and a key stay as they are.
	n, _ := ParseNormal([]string{"strip-parity"}, FormatByName)
	for _, r := range []Read{{Bits: card(t), Fault: FaultParity}, {Bits: BitsFromUint64(5, 4), Key: '5'}} {
		if was := r; func() bool { n.Apply(&r); return r != was }() {
			t.Errorf("%+v became %+v", was, r)
		}
	}
}
