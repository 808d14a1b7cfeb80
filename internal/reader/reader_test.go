package reader

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/internal/credential"
	"stump/internal/keyboard"
	"stump/wiegand"
)

func formats(t testing.TB, names string) (list []*wiegand.Format) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		f, err := wiegand.FormatByName(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

const ms = int64(time.Millisecond)

// typed are the keys of a text, 2 ms apart, on a keyboard of this layout.
func typed(t testing.TB, layout, text string) (chars []Char) {
	t.Helper()
	for i, r := range text {
		c := Char{Time: int64(i+1) * 2 * ms, Rune: r}
		if r != '\n' && r != '\t' {
			var ok bool
			if c.Code, c.Level, ok = keyboard.Key(layout, r); !ok {
				t.Fatalf("%s can't type %q", layout, r)
			}
		}
		chars = append(chars, c)
	}
	return chars
}

func sent(text string) (chars []Char) {
	for i, b := range []byte(text) {
		chars = append(chars, Char{Time: int64(i+1) * ms, Rune: rune(b)})
	}
	return chars
}

// told are reads as a test writes them.
func told(reads []wiegand.Read) string {
	var all []string
	for i := range reads {
		if r := &reads[i]; r.OK() {
			all = append(all, credential.String(r.Bits, []*wiegand.Format{r.Format}))
		} else {
			all = append(all, string(r.Fault))
		}
	}
	return strings.Join(all, " ")
}

// What readers type, and which card it is.
func TestTyped(t *testing.T) {
	for _, tt := range []struct{ number, formats, text, want string }{
		// Fobs with these numbers printed on them (docs/wiring.md).
		{"decimal", "H10301", "0001712142\n", "H10301:26:8206"},
		{"decimal", "H10301", "0001217496\n", "H10301:18:37848"},
		{"decimal", "H10301", "0009236067\n", "H10301:140:61027"},
		{"decimal", "H10301", "1712142\n", "H10301:26:8206"}, // no leading zeros
		{"decimal", "H10301", "0001712142\t", "H10301:26:8206"},
		{"decimal", "H10301", "0001712142", "H10301:26:8206"}, // nothing ends it
		{"decimal", "H10301", "\n\n0001712142\n\n", "H10301:26:8206"},
		{"decimal", "H10301", "0001712142\n0001217496\n", "H10301:26:8206 H10301:18:37848"},
		{"3+5", "H10301", "02608206\n", "H10301:26:8206"},
		{"3+5", "H10301", "026,08206\n", "H10301:26:8206"},
		{"3+5", "H10301", "07730211\n", "H10301:77:30211"},
		{"hex", "H10301", "0A004D7603\n", "H10301:77:30211"},
		{"hex", "H10301", "0a004d7603\n", "H10301:77:30211"},
		{"hex", "raw40", "0A004D7603\n", "raw40:42954749443"},
		{"decimal", "raw32", "0005076483\n", "raw32:5076483"},
		{"decimal", "H10306", "2765933597\n", "H10306:42204:52253"},
		// The first format with room for the number, or the last one's low bits.
		{"decimal", "H10301 H10306", "0001712142\n", "H10301:26:8206"},
		{"decimal", "H10301 H10306", "2765933597\n", "H10306:42204:52253"},
		{"decimal", "H10301", "2765933597\n", "H10301:220:52253"},
		// What is no number.
		{"decimal", "H10301", "000\n", "count"},
		{"decimal", "H10301", "0000000000\n", "count"},
		{"decimal", "H10301", "99999999999999999999\n", "count"},
		{"decimal", "H10301", "0A004D7603\n", "wrong-layout"},
		{"decimal", "H10301", "Ann-Fisher\n", "wrong-layout"},
		{"3+5", "H10301", "0001712142\n", "count"},
		{"3+5", "H10301", "25665535\n", "count"},
		{"3+5", "H10301", "25565536\n", "count"},
		{"hex", "H10301", "0G004D7603\n", "wrong-layout"},
		{"decimal", "H10301", strings.Repeat("1", 65) + "\n", "noise"},
	} {
		o := Options{Kind: USB, Number: tt.number, Layout: "us", Formats: formats(t, tt.formats)}
		if got := told(Decode(typed(t, "us", tt.text), o)); got != tt.want {
			t.Errorf("%s as %s, %q: %s, want %s", tt.number, tt.formats, tt.text, got, tt.want)
		}
	}
}

// What a reader sends whose keyboard is another country's: refused by name, and
// in its own layout a number. Shift and keys without a letter are nothing.
func TestLayouts(t *testing.T) {
	for _, types := range keyboard.Layouts() {
		for _, reads := range keyboard.Layouts() {
			for _, number := range Numbers {
				text := map[string]string{"decimal": "1234567890\n", "3+5": "02608206\n", "hex": "0A004D7603\n"}[number]
				o := Options{Kind: USB, Number: number, Layout: reads, Formats: formats(t, "raw40")}
				want := told(Decode(typed(t, types, text), o))
				chars := Retyped(typed(t, types, text), reads)
				got := told(Decode(chars, o))
				same := true
				for i, c := range chars {
					same = same && c.Rune == rune(text[i])
				}
				if same && got != want || !same && got != string(FaultLayout) {
					t.Errorf("%s typed as %s, read as %s: %s", number, types, reads, got)
				}
				if again := told(Decode(Retyped(chars, types), o)); again != want {
					t.Errorf("%s typed as %s, read again so: %s, want %s", number, types, again, want)
				}
			}
		}
	}
	o := Options{Kind: USB, Number: "decimal", Layout: "fr", Formats: formats(t, "H10301")}
	var chars []Char
	for _, c := range typed(t, "fr", "0001712142\n") {
		chars = append(chars, Char{Time: c.Time - ms, Code: 42}, c) // Shift before each digit
	}
	if got := told(Decode(chars, o)); got != "H10301:26:8206" {
		t.Errorf("with Shift: %s", got)
	}
}

// A pause ends a number by the times of its keys alone, and not before.
func TestPause(t *testing.T) {
	o := Options{Kind: USB, Number: "decimal", Layout: "us", Formats: formats(t, "H10301")}
	d := NewDecoder(o)
	if _, open := d.Deadline(); open {
		t.Error("a number is open before the first key")
	}
	chars := typed(t, "us", "0001712142")
	for _, c := range chars {
		if reads := d.Push(c); reads != nil {
			t.Errorf("after %q: %s", c.Rune, told(reads))
		}
	}
	last := chars[len(chars)-1].Time
	if at, open := d.Deadline(); !open || at != last+typingPause {
		t.Errorf("it ends at %d", at)
	}
	if reads := d.Advance(last + typingPause - 1); reads != nil {
		t.Errorf("too early: %s", told(reads))
	}
	reads := d.Advance(last + typingPause)
	if told(reads) != "H10301:26:8206" || reads[0].Start != chars[0].Time || reads[0].End != last || reads[0].Count != 26 {
		t.Errorf("%+v", reads)
	}
	// The next number ends the one before it, if nothing else told of the pause.
	for i, c := range append(typed(t, "us", "0001712142"), typed(t, "us", "0001217496\n")...) {
		if c.Time += 1000 * ms; i >= 10 {
			c.Time += 2 * typingPause
		}
		reads = append(reads, d.Push(c)...)
	}
	if got := told(reads[1:]); got != "H10301:26:8206 H10301:18:37848" {
		t.Errorf("two numbers: %s", got)
	}
	if s := d.Stats(); s.Reads != 3 || len(s.Faults) != 0 {
		t.Errorf("%+v", s)
	}
}

// A number of which keys were lost is refused: at its beginning, within, and at its
// end. The next one is read again.
func TestLostKeys(t *testing.T) {
	o := Options{Kind: USB, Number: "decimal", Layout: "us", Formats: formats(t, "H10301")}
	whole := typed(t, "us", "0001712142\n")
	for at := range len(whole) + 1 {
		for n := range len(whole) - at + 1 {
			chars := append([]Char{}, whole[:at]...)
			time := 2 * int64(at) * ms
			chars = append(append(chars, Char{Time: time + ms, Lost: true}), whole[at+n:]...)
			next := typed(t, "us", "0001217496\n")
			for i := range next {
				next[i].Time += 10 * typingPause
			}
			want := "overrun H10301:18:37848"
			if at == 0 && n >= 10 || n == 0 && at == 11 { // no digit is left, or all came before
				want = "H10301:18:37848"
			}
			if got := told(Decode(append(chars, next...), o)); !strings.HasSuffix(got, want) {
				t.Errorf("%d keys lost after %d: %s", n, at, got)
			}
		}
	}
}

// Frames of RDM6300 and its kin. The first is from its data sheet: tag 62 E3 08
// 6C ED, checksum 08.
func TestSerial(t *testing.T) {
	for _, tt := range []struct{ formats, bytes, want string }{
		{"raw40", "\x0262E3086CED08\x03", "raw40:424715775213"},
		{"H10301", "\x0262E3086CED08\x03", "H10301:8:27885"},
		{"H10301", "\x020A004D760332\x03", "H10301:77:30211"},
		{"H10301", "\x020A004D760332\r\n\x03", "H10301:77:30211"}, // ID-12 and ID-20
		{"H10301", "\x020A004D760332\r\n", "H10301:77:30211"},
		{"H10301", "\x020A004D760332", "H10301:77:30211"}, // nothing ends it
		{"H10301", "\x020a004d760332\x03", "H10301:77:30211"},
		{"H10301", strings.Repeat("\x020A004D760332\x03", 3), "H10301:77:30211 H10301:77:30211 H10301:77:30211"},
		{"H10301", "4D760332\x03\x020A004D760332\x03", "noise H10301:77:30211"}, // begun in the middle
		{"H10301", "\x020A004D\x020A004D760332\x03", "count H10301:77:30211"},
		{"H10301", "\x020A004D760333\x03", "checksum"},
		{"H10301", "\x020A014D760332\x03", "checksum"},
		{"H10301", "\x020A004D7G0332\x03", "checksum"},
		{"H10301", "\x020A004D7603\x03", "count"},
		{"H10301", "\x020A004D76033200\x03", "count"},
		{"H10301", "\x02\x03", "count"},
		{"H10301", "\r\n\x03\r\n", ""},
		{"H10301", "garbage", "noise"},
		{"H10301", strings.Repeat("\xff", 200), "noise"},
	} {
		o := Options{Kind: Serial, Formats: formats(t, tt.formats)}
		if got := told(Decode(sent(tt.bytes), o)); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.bytes, got, tt.want)
		}
	}
}

// Any tag is the same card whoever reads it: a reader with data lines that sends
// its low bits, a reader that types it in any form, and one on a serial port.
func TestOneTagIsOneCard(t *testing.T) {
	h10301 := formats(t, "H10301")
	rapid.Check(t, func(r *rapid.T) {
		tag := rapid.Uint64Range(1<<12, 1<<40-1).Draw(r, "tag")
		want, err := h10301[0].Pack(wiegand.Fields{Facility: tag >> 16 & 0xff, Number: tag & 0xffff})
		if err != nil {
			r.Fatal(err)
		}
		for _, tt := range []struct{ number, text string }{
			{"decimal", fmt.Sprintf("%010d\n", tag&0xffffffff)}, {"decimal", fmt.Sprintf("%d\n", tag)},
			{"3+5", fmt.Sprintf("%03d%05d\n", tag>>16&0xff, tag&0xffff)}, {"hex", fmt.Sprintf("%010X\n", tag)}, {"hex", fmt.Sprintf("%08x\n", tag&0xffffffff)},
		} {
			reads := Decode(typed(t, "us", tt.text), Options{Kind: USB, Number: tt.number, Layout: "us", Formats: h10301})
			if tag&0xffffffff == 0 {
				continue // no tag has the number 0
			}
			if len(reads) != 1 || reads[0].Bits != want {
				r.Fatalf("%s %q: %s", tt.number, tt.text, told(reads))
			}
		}
		reads := Decode(sent(frame(tag)), Options{Kind: Serial, Formats: h10301})
		if len(reads) != 1 || reads[0].Bits != want {
			r.Fatalf("%q: %s", frame(tag), told(reads))
		}
		if all := Decode(sent(frame(tag)), Options{Kind: Serial, Formats: formats(t, "raw40")}); all[0].Fields.Number != tag {
			r.Fatalf("of %d all bits are %d", tag, all[0].Fields.Number)
		}
	})
}

// One changed bit of a frame, or one byte that is lost or doubled, is never
// another card.
func TestDamagedFrames(t *testing.T) {
	o := Options{Kind: Serial, Formats: formats(t, "raw40")}
	rapid.Check(t, func(r *rapid.T) {
		tag := rapid.Uint64Range(1, 1<<40-1).Draw(r, "tag")
		whole := frame(tag)
		bytes := []byte(whole)
		at := rapid.IntRange(0, len(bytes)-1).Draw(r, "at")
		switch rapid.SampledFrom([]string{"bit", "lost", "doubled"}).Draw(r, "damage") {
		case "bit":
			bytes[at] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		case "lost":
			bytes = append(bytes[:at], bytes[at+1:]...)
		case "doubled":
			bytes = append(bytes[:at+1], bytes[at:]...)
		}
		for _, read := range Decode(sent(string(bytes)), o) {
			if read.OK() && read.Fields.Number != tag {
				r.Fatalf("%q became %q, tag %010X", whole, bytes, read.Fields.Number)
			}
		}
	})
}

// Whatever comes, the decoder ends, keeps little, and never gives a card whose
// number is not in what came.
func FuzzDecoder(f *testing.F) {
	for _, s := range []string{"0001712142\n", "\x020A004D760332\x03", "\x02\x02\x03\n\t", "12\n34", strings.Repeat("7", 300)} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	list := formats(f, "H10301 H10306")
	f.Fuzz(func(t *testing.T, bytes []byte, usb bool) {
		o := Options{Kind: Serial, Formats: list}
		if usb {
			o = Options{Kind: USB, Number: "hex", Layout: "us", Formats: list}
		}
		d, chars := NewDecoder(o), 0
		check := func(reads []wiegand.Read) {
			for _, r := range reads {
				if r.OK() && (r.Format == nil || r.Bits.Len() != r.Format.Len || r.Start > r.End || chars < 4) {
					t.Errorf("%+v after %d characters", r, chars)
				}
			}
		}
		at := int64(0)
		for _, b := range bytes {
			chars++
			at += int64(b) * ms // an N is as long as a pause of a serial reader
			check(d.Push(Char{Time: at, Rune: rune(b)}))
			if len(d.open) > maxChars {
				t.Fatalf("%d characters are kept", len(d.open))
			}
		}
		if at, open := d.Deadline(); open {
			check(d.Advance(at))
		}
		if _, open := d.Deadline(); open {
			t.Error("a number is open after its end")
		}
	})
}
