// Package record encodes the events and rows of the ledger's file.
//
// A record is a list of fields: a tag byte, a length as a uvarint, the bytes. A
// field with its type's zero value is left out. Readers skip unknown tags, so a
// record can gain fields without a new version. A [Form] is the table of a
// record's fields; a tag is never reused.
//
// An event is stored as
//
//	"Ev" | len core | core | SHA-256(core) | len side | side | CRC-32C(side)
//
// The core never changes. It holds the hash of the previous event of the chain and
// salted commitments to the personal values. The side holds the salts and values,
// and links to the previous events of the same device and people. The side can be
// erased, and the chain still verifies.
//
// Every other row holds its tree, its key and a checksum, so that a reader of a
// damaged file recognises it:
//
//	"Rw" | tree | revision | len key | key | len body | body | CRC-32C
package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"stump/checkout"
)

// errShort is a record that ends in the middle of a field.
var errShort = errors.New("record ends in the middle of a field")

// Field is one field of a record of type T.
type Field[T any] struct {
	tag byte
	put func(b []byte, v *T) []byte // appends the field, unless it is absent
	get func(v *T, b []byte) bool   // false: the bytes are not a value of the field
}

// field makes a Field: value returns its bytes, none when the field is absent.
func field[T any](tag byte, value func(v *T) []byte, get func(v *T, b []byte) bool) Field[T] {
	return Field[T]{tag, func(b []byte, v *T) []byte { return appendField(b, tag, value(v)) }, get}
}

// Form is the table of the fields of a T, in the order in which they are written.
type Form[T any] []Field[T]

// Encode returns v as a record.
func (f Form[T]) Encode(v *T) (b []byte) {
	for i := range f {
		b = f[i].put(b, v)
	}
	return b
}

func appendField(b []byte, tag byte, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	b = append(b, tag)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// Decode reads a record. The result doesn't share memory with b.
func (f Form[T]) Decode(b []byte) (T, error) {
	var v T
	err := f.decode(&v, b)
	return v, err
}

func (f Form[T]) decode(v *T, b []byte) error {
	next := 0 // fields are usually in the order of the form
	return fields(b, func(tag byte, body []byte) bool {
		for range f {
			at := next
			if next++; next == len(f) {
				next = 0
			}
			if f[at].tag == tag {
				return f[at].get(v, body)
			}
		}
		return true
	})
}

// fields calls get with each field, whose body points into b.
func fields(b []byte, get func(tag byte, body []byte) bool) error {
	for len(b) > 0 {
		n, w := binary.Uvarint(b[1:])
		if w <= 0 || n > uint64(len(b)-1-w) {
			return errShort
		}
		if !get(b[0], b[1+w:1+w+int(n)]) {
			return errShort
		}
		b = b[1+w+int(n):]
	}
	return nil
}

// Text is a string.
func Text[T any, S ~string](tag byte, at func(*T) *S) Field[T] {
	return field(tag, func(v *T) []byte { return []byte(*at(v)) },
		func(v *T, b []byte) bool { *at(v) = S(b); return true })
}

// Blob is a slice of bytes.
func Blob[T any](tag byte, at func(*T) *[]byte) Field[T] {
	return field(tag, func(v *T) []byte { return *at(v) },
		func(v *T, b []byte) bool { *at(v) = bytes.Clone(b); return true })
}

// Array is an array of bytes, such as a hash: at returns it as a slice.
func Array[T any](tag byte, at func(*T) []byte) Field[T] {
	return field(tag, func(v *T) []byte {
		b := at(v)
		if len(bytes.Trim(b, "\x00")) == 0 {
			return nil
		}
		return b
	}, func(v *T, b []byte) bool { return copy(at(v), b) == len(b) && len(b) == len(at(v)) })
}

// Flag is a bool.
func Flag[T any](tag byte, at func(*T) *bool) Field[T] {
	return field(tag, func(v *T) []byte {
		if *at(v) {
			return []byte{1}
		}
		return nil
	}, func(v *T, b []byte) bool { *at(v) = len(b) == 1 && b[0] == 1; return true })
}

// Uint is an unsigned number.
func Uint[T any, N ~uint64 | ~int | ~uint16 | ~uint8](tag byte, at func(*T) *N) Field[T] {
	return field(tag, func(v *T) []byte {
		if *at(v) == 0 {
			return nil
		}
		return binary.AppendUvarint(nil, uint64(*at(v)))
	}, func(v *T, b []byte) bool {
		n, w := binary.Uvarint(b)
		*at(v) = N(n)
		return w > 0
	})
}

// number is a signed number, which get and set convert to and from the Go value.
func number[T any](tag byte, get func(*T) int64, set func(*T, int64)) Field[T] {
	return field(tag, func(v *T) []byte {
		if get(v) == 0 {
			return nil
		}
		return binary.AppendVarint(nil, get(v))
	}, func(v *T, b []byte) bool {
		n, w := binary.Varint(b)
		set(v, n)
		return w > 0
	})
}

// Span is a duration, rounded down to a multiple of unit.
func Span[T any](tag byte, unit time.Duration, at func(*T) *time.Duration) Field[T] {
	return number(tag, func(v *T) int64 { return int64(*at(v) / unit) },
		func(v *T, n int64) { *at(v) = time.Duration(n) * unit })
}

// Time is an instant with nanoseconds, without its time zone.
func Time[T any](tag byte, at func(*T) *time.Time) Field[T] {
	return number(tag, func(v *T) int64 {
		if at(v).IsZero() {
			return 0
		}
		return at(v).UnixNano()
	}, func(v *T, n int64) { *at(v) = time.Unix(0, n) })
}

// Place is a [Ref].
func Place[T any](tag byte, at func(*T) *Ref) Field[T] {
	return field(tag, func(v *T) []byte {
		if r := *at(v); r.Seq != 0 {
			return appendUvarints(nil, uint64(r.Chain), r.Seq)
		}
		return nil
	}, func(v *T, b []byte) bool {
		n, ok := uvarints(b)
		if !ok || len(n) != 2 || n[0] > math.MaxUint16 {
			return false
		}
		*at(v) = Ref{uint16(n[0]), n[1]}
		return true
	})
}

// Runs are ranges of numbers, each the first and the last.
func Runs[T any](tag byte, at func(*T) *[][2]uint64) Field[T] {
	return field(tag, func(v *T) (b []byte) {
		for _, r := range *at(v) {
			b = appendUvarints(b, r[:]...)
		}
		return b
	}, func(v *T, b []byte) bool {
		n, ok := uvarints(b)
		*at(v) = nil
		for pair := range slices.Chunk(n, 2) {
			if len(pair) < 2 {
				return false
			}
			*at(v) = append(*at(v), [2]uint64(pair))
		}
		return ok
	})
}

func appendUvarints(b []byte, all ...uint64) []byte {
	for _, n := range all {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func uvarints(b []byte) (all []uint64, ok bool) {
	c := cutter{rest: b}
	for len(c.rest) > 0 && !c.bad {
		all = append(all, c.uvarint())
	}
	return all, !c.bad
}

// cutter cuts a record into parts. bad is set when a part is not whole, and every
// later part is then nil.
type cutter struct {
	rest []byte
	bad  bool
}

// take cuts off n bytes.
func (c *cutter) take(n uint64) (v []byte) {
	if c.bad = c.bad || n > uint64(len(c.rest)); c.bad {
		return nil
	}
	v, c.rest = c.rest[:n:n], c.rest[n:]
	return v
}

// uvarint cuts off a number.
func (c *cutter) uvarint() uint64 {
	n, w := binary.Uvarint(c.rest)
	c.bad = c.bad || w <= 0
	c.take(uint64(max(w, 0)))
	return n
}

// part cuts off a length and that many bytes.
func (c *cutter) part() []byte {
	n := c.uvarint()
	c.bad = c.bad || n > MaxSize
	return c.take(n)
}

// stampFields are the fields of a stamp, with the tags 12 to 15.
func stampFields[T any](at func(*T) *checkout.Stamp) []Field[T] {
	return []Field[T]{
		Array(12, func(v *T) []byte { return at(v).BootID[:] }),
		Span(13, 1, func(v *T) *time.Duration { return &at(v).Mono }),
		Time(14, func(v *T) *time.Time { return &at(v).Wall }),
		Flag(15, func(v *T) *bool { return &at(v).Trusted }),
	}
}

// List is a list of records, with a field for each.
func List[T, E any](tag byte, form Form[E], at func(*T) *[]E) Field[T] {
	return Field[T]{tag, func(b []byte, v *T) []byte {
		for i := range *at(v) {
			b = appendField(b, tag, form.Encode(&(*at(v))[i]))
		}
		return b
	}, func(v *T, b []byte) bool {
		e, err := form.Decode(b)
		*at(v) = append(*at(v), e)
		return err == nil
	}}
}

// NamedRuns are ranges of numbers by name, with a field for each name.
func NamedRuns[T any](tag byte, at func(*T) *map[string][][2]uint64) Field[T] {
	type named struct {
		name string
		runs [][2]uint64
	}
	form := Form[named]{
		Text(1, func(n *named) *string { return &n.name }),
		Runs(2, func(n *named) *[][2]uint64 { return &n.runs }),
	}
	return Field[T]{tag, func(b []byte, v *T) []byte {
		all := *at(v)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			b = appendField(b, tag, form.Encode(&named{name, all[name]}))
		}
		return b
	}, func(v *T, b []byte) bool {
		n, err := form.Decode(b)
		if all := at(v); *all == nil {
			*all = map[string][][2]uint64{}
		}
		(*at(v))[n.name] = n.runs
		return err == nil
	}}
}
