// Package record is the form of events and rows in the ledger's file.
//
// Every record is a list of fields: a tag byte, a uvarint length, the bytes. A
// field that has its type's zero value is absent. Readers skip tags that they
// don't know, so a record may gain fields without a new version. A [Form] is
// the table of a record's fields; tags are for ever.
//
// An event is stored as
//
//	"Ev" | len core | core | SHA-256(core) | len side | side | CRC-32C(side)
//
// The core never changes. It carries the hash of the chain's event before it and
// salted commitments to what is personal. The side carries the salts and the
// values, and links to the previous events of the same device and people; it can
// be erased, and the chain still verifies.
//
// Every other row names its tree and key, and has a checksum, so that it can be
// told from rubbish in a damaged file:
//
//	"Rw" | tree | revision | len key | key | len body | body | CRC-32C
package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"
)

// errShort is a record that ends in the middle of a field.
var errShort = errors.New("record ends in the middle of a field")

// Field is one field of a record of type T.
type Field[T any] struct {
	tag byte
	put func(b []byte, v *T) []byte // appends the field, unless it is absent
	get func(v *T, b []byte) bool
}

// field is a Field whose bytes value returns; none: it is absent.
func field[T any](tag byte, value func(v *T) []byte, get func(v *T, b []byte) bool) Field[T] {
	return Field[T]{tag, func(b []byte, v *T) []byte { return appendField(b, tag, value(v)) }, get}
}

// Form is the table of the fields of a T, in the order in which they are written.
type Form[T any] []Field[T]

// Encode returns v as a record.
func (f Form[T]) Encode(v *T) []byte { return f.append(nil, v) }

func (f Form[T]) append(b []byte, v *T) []byte {
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

// Decode reads a record. What it keeps is copied out of b.
func (f Form[T]) Decode(b []byte) (T, error) {
	var v T
	err := f.decode(&v, b)
	return v, err
}

func (f Form[T]) decode(v *T, b []byte) error {
	next := 0 // fields mostly come in their order
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

// fields calls get with each field; the body points into b.
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

// Uint is a number that is never negative.
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

// number is a signed number that get and set make of a field.
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

// Span is a duration, kept in units of unit.
func Span[T any](tag byte, unit time.Duration, at func(*T) *time.Duration) Field[T] {
	return number(tag, func(v *T) int64 { return int64(*at(v) / unit) },
		func(v *T, n int64) { *at(v) = time.Duration(n) * unit })
}

// Time is an instant in nanoseconds; the zero time is absent.
func Time[T any](tag byte, at func(*T) *time.Time) Field[T] {
	return number(tag, func(v *T) int64 {
		if at(v).IsZero() {
			return 0
		}
		return at(v).UnixNano()
	}, func(v *T, n int64) { *at(v) = time.Unix(0, n) })
}

// Place is a [Ref]; that of no event is absent.
func Place[T any](tag byte, at func(*T) *Ref) Field[T] {
	return field(tag, func(v *T) []byte {
		if r := *at(v); r.Seq != 0 {
			return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(r.Chain)), r.Seq)
		}
		return nil
	}, func(v *T, b []byte) bool {
		chain, w := binary.Uvarint(b)
		if w <= 0 || chain > 0xffff {
			return false
		}
		seq, w2 := binary.Uvarint(b[w:])
		*at(v) = Ref{uint16(chain), seq}
		return w2 > 0
	})
}

// Runs are runs of numbers, each a first and a last.
func Runs[T any](tag byte, at func(*T) *[][2]uint64) Field[T] {
	return field(tag, func(v *T) []byte { return appendRuns(*at(v)) },
		func(v *T, b []byte) (ok bool) { *at(v), ok = parseRuns(b); return ok })
}

func appendRuns(runs [][2]uint64) (b []byte) {
	for _, r := range runs {
		b = binary.AppendUvarint(binary.AppendUvarint(b, r[0]), r[1])
	}
	return b
}

func parseRuns(b []byte) (runs [][2]uint64, ok bool) {
	for len(b) > 0 {
		first, w := binary.Uvarint(b)
		if w <= 0 {
			return nil, false
		}
		last, w2 := binary.Uvarint(b[w:])
		if w2 <= 0 {
			return nil, false
		}
		runs = append(runs, [2]uint64{first, last})
		b = b[w+w2:]
	}
	return runs, true
}

// NamedRuns are runs of numbers by name, a field a name.
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
