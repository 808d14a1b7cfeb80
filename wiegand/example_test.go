package wiegand_test

import (
	"fmt"
	"strings"

	"stump/wiegand"
	"stump/wiegand/capture"
)

func ExampleDecoder() {
	h10301, _ := wiegand.FormatByName("H10301")
	d := wiegand.NewDecoder(wiegand.Options{Formats: []*wiegand.Format{h10301}})
	for i, bit := range "00101010001111001010110101" {
		d.Push(wiegand.Edge{Time: int64(i) * 2_000_000, Line: uint8(bit - '0')})
	}
	deadline, _ := d.Deadline()
	for _, r := range d.Advance(deadline) {
		fmt.Println(r.Format, r.Fields.Facility, r.Fields.Number, "after", deadline-r.End, "ns")
	}
	// Output: H10301 84 31066 after 6000000 ns
}

func ExampleDecode() {
	const trace = "0 0 0\n50000 0 1\n2000000 1 0\n2050000 1 1\n4000000 1 0\n4050000 1 1\n6000000 0 0\n6050000 0 1\n"
	raw4, _ := wiegand.FormatByName("raw4")
	d := wiegand.NewDecoder(wiegand.Options{Formats: []*wiegand.Format{raw4}, BothEdges: true})
	err := wiegand.Decode(capture.NewTraceReader(strings.NewReader(trace)), d, func(r *wiegand.Read) error {
		fmt.Println(r.Format, r.Fields.Number)
		return nil
	})
	fmt.Println(err)
	// Output:
	// raw4 6
	// <nil>
}

func ExampleNewFormat() {
	_, err := wiegand.NewFormat(wiegand.CustomFormat{
		Name: "site", Bits: 26, Facility: "1-8", Number: "8-24",
		Parity: []wiegand.CustomParity{{Bit: 26, Kind: "odd", Covers: "13-24"}},
	})
	fmt.Println(err)
	// Output:
	// format "site", number: bit 8 is in facility already
	// format "site", parity 1: bit 26 is outside the frame, whose bits are 0 to 25
}

func ExampleConfusions() {
	a, _ := wiegand.FormatByName("H10306")
	b, _ := wiegand.FormatByName("C1k35s")
	for _, reason := range wiegand.Confusions([]*wiegand.Format{a, b}) {
		fmt.Println(reason)
	}
	// Output: a card of C1k35s that loses its first or last bit can pass as one of H10306 (1 time in 4): enable only the formats that the site's cards have, or give the reader badge and device ranges
}
