package record

import (
	"time"

	"stump/checkout"
)

// bootRow is what the events of a boot need when its clock was not trusted
// from the beginning.
type Boot struct {
	First    Ref           // the first event whose time was not trusted
	Resolved bool          // a Clock event told the offset
	Offset   time.Duration // wall time minus monotonic time
}

func (b Boot) Encode() []byte {
	var e Encoder
	e.Ref(1, b.First)
	e.Flag(2, b.Resolved)
	e.Int(3, int64(b.Offset))
	return e.B
}

func DecodeBoot(body []byte) (b Boot, err error) {
	d := Decoder{B: body}
	for d.Next() {
		switch d.Tag {
		case 1:
			b.First = d.Ref()
		case 2:
			b.Resolved = d.Flag()
		case 3:
			b.Offset = time.Duration(d.Int())
		}
	}
	return b, d.Err
}

// unknownRow is the row of a tag that nobody has.
type Unknown struct {
	Number      string // masked
	Bits, Count int
	First       time.Time
	Last        checkout.Stamp
}

func (u Unknown) Encode() []byte {
	var e Encoder
	e.Str(1, u.Number)
	e.Uint(2, uint64(u.Bits))
	e.Uint(3, uint64(u.Count))
	e.Int(4, u.First.UnixNano())
	e.Stamp(u.Last)
	return e.B
}

func DecodeUnknown(body []byte) (u Unknown, err error) {
	d := Decoder{B: body}
	for d.Next() {
		switch d.Tag {
		case 1:
			u.Number = d.Str()
		case 2:
			u.Bits = int(d.Uint())
		case 3:
			u.Count = int(d.Uint())
		case 4:
			u.First = time.Unix(0, d.Int())
		case rowBoot:
			d.Fixed(u.Last.BootID[:])
		case rowMono:
			u.Last.Mono = time.Duration(d.Int())
		case rowWall:
			u.Last.Wall = time.Unix(0, d.Int())
		case rowTrusted:
			u.Last.Trusted = d.Flag()
		}
	}
	return u, d.Err
}
