// Package record encodes the events and rows of the ledger's file.
//
// A record is a list of fields: a tag byte, a length as a uvarint, the bytes. A
// field with its type's zero value is left out. Readers skip unknown tags, so a
// record can gain fields without a new version. A form is the table of a
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
	"reflect"
	"slices"
	"sync"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// errShort is a record that ends in the middle of a field.
var errShort = errors.New("record ends in the middle of a field")

// Field is one field of a record.
type Field struct {
	tag byte
	at  any // points to the value
}

// Of returns the field with a tag. at points to its value: a text, a number, a bool, a
// time, a duration, bytes, or one of the lists that put knows.
func Of(tag byte, at any) Field { return Field{tag, at} }

// Pack returns a record with these fields. A form, such as [RowForm], returns the fields
// of a value in the order in which they are written.
func Pack(form []Field) []byte {
	var room [512]byte // enough for most
	return append([]byte(nil), appendForm(room[:0], form)...)
}

func appendForm(b []byte, form []Field) []byte {
	for _, f := range form {
		b = f.put(b)
	}
	return b
}

// Unpack reads a record. The result doesn't share memory with b.
func Unpack[T any](form func(*T) []Field, b []byte) (v T, err error) {
	err = decode(form(&v), b)
	return v, err
}

// Decoder reads and writes many records of a form. It is for one goroutine.
type Decoder[T any] struct {
	v    T
	form []Field // of v: made once, since it is larger than what it reads
}

// NewDecoder returns a decoder of a form.
func NewDecoder[T any](form func(*T) []Field) *Decoder[T] {
	d := new(Decoder[T])
	d.form = form(&d.v)
	return d
}

// Unpack reads a record as the function of that name does.
func (d *Decoder[T]) Unpack(b []byte) (v T, err error) {
	d.v = v
	err = decode(d.form, b)
	return d.v, err
}

// Pack writes a record as the function of that name does.
func (d *Decoder[T]) Pack(v *T) []byte {
	d.v = *v
	return Pack(d.form)
}

// pool has decoders of a form that nobody uses. It is for many goroutines.
type pool[T any] struct{ free sync.Pool }

func poolOf[T any](form func(*T) []Field) *pool[T] {
	return &pool[T]{sync.Pool{New: func() any { return NewDecoder(form) }}}
}

func (p *pool[T]) unpack(b []byte) (T, error) {
	d := p.free.Get().(*Decoder[T])
	defer p.free.Put(d)
	return d.Unpack(b)
}

func (p *pool[T]) pack(v *T) []byte {
	d := p.free.Get().(*Decoder[T])
	defer p.free.Put(d)
	return d.Pack(v)
}

func decode(form []Field, b []byte) error {
	next := 0 // fields are usually in the order of the form
	return fields(b, func(tag byte, body []byte) bool {
		for range form {
			at := next
			if next++; next == len(form) {
				next = 0
			}
			if form[at].tag == tag {
				return form[at].get(body)
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

// seconds is a duration of which whole seconds are stored.
type seconds time.Duration

// named are the ranges of numbers that a name has.
type named struct {
	name string
	runs [][2]uint64
}

func namedForm(n *named) []Field { return []Field{{1, &n.name}, {2, &n.runs}} }

// put appends the field to b, unless its value is zero. A list has a field for each
// element.
func (f Field) put(b []byte) []byte {
	switch p := f.at.(type) {
	case *map[string][][2]uint64:
		for _, name := range slices.Sorted(maps.Keys(*p)) {
			b = f.putForm(b, namedForm(&named{name, (*p)[name]}))
		}
		return b
	case *[]checkout.Head:
		for i := range *p {
			b = f.putForm(b, headForm(&(*p)[i]))
		}
		return b
	case **books.Holding:
		if *p != nil {
			b = f.putForm(b, holdingForm(*p))
		}
		return b
	}
	return f.putValue(b)
}

// putValue appends a field of a value, unless that is zero.
func (f Field) putValue(b []byte) []byte {
	at := len(b)
	return f.close(f.value(append(b, f.tag, 0)), at)
}

// putForm appends a field that is a record of values, unless it is empty.
func (f Field) putForm(b []byte, form []Field) []byte {
	at := len(b)
	b = append(b, f.tag, 0)
	for _, in := range form {
		b = in.putValue(b)
	}
	return f.close(b, at)
}

// close writes the length of the field that begins at a place and has room for a short one.
// A field without a value is taken away.
func (f Field) close(b []byte, at int) []byte {
	begin := at + 2
	n := len(b) - begin
	switch {
	case n == 0:
		return b[:at]
	case n < 0x80: // which is one byte of a uvarint
		b[at+1] = byte(n)
		return b
	}
	var length [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(length[:], uint64(n))
	b = append(b, length[:w-1]...) // makes room
	copy(b[at+1+w:], b[begin:begin+n])
	copy(b[at+1:], length[:w])
	return b
}

// value appends the bytes of the field's value, none if it is zero.
func (f Field) value(b []byte) []byte {
	switch p := f.at.(type) {
	case *string:
		return append(b, *p...)
	case *[]byte:
		return append(b, *p...)
	case *bool:
		if *p {
			b = append(b, 1)
		}
	case *time.Duration:
		return appendSigned(b, int64(*p))
	case *seconds:
		return appendSigned(b, int64(time.Duration(*p)/time.Second))
	case *time.Time:
		if !p.IsZero() {
			return appendSigned(b, p.UnixNano())
		}
	case *Ref:
		if p.Seq != 0 {
			return appendUvarints(b, uint64(p.Chain), p.Seq)
		}
	case *[][2]uint64:
		for _, r := range *p {
			b = appendUvarints(b, r[:]...)
		}
	case *uint64:
		return appendUnsigned(b, *p)
	case *checkout.Hash:
		if !p.IsZero() {
			return append(b, p[:]...)
		}
	case *memo: // is only read
	default:
		return plain(b, reflect.ValueOf(f.at).Elem())
	}
	return b
}

// plain appends the bytes of a text, an array such as a hash, or a number that is not
// negative.
func plain(b []byte, v reflect.Value) []byte {
	switch {
	case v.IsZero():
		return b
	case v.Kind() == reflect.String:
		return append(b, v.String()...)
	case v.CanInt():
		return appendUnsigned(b, uint64(v.Int()))
	case v.CanUint():
		return appendUnsigned(b, v.Uint())
	}
	return append(b, v.Bytes()...)
}

// appendUnsigned appends the bytes of a number, none of 0.
func appendUnsigned(b []byte, n uint64) []byte {
	if n == 0 {
		return b
	}
	return binary.AppendUvarint(b, n)
}

// appendSigned appends the bytes of a number that may be negative, none of 0.
func appendSigned(b []byte, n int64) []byte {
	if n == 0 {
		return b
	}
	return binary.AppendVarint(b, n)
}

// get reads the field's value; false: b is not such a value.
func (f Field) get(b []byte) bool {
	if p, ok := f.at.(*string); ok { // as most are
		*p = string(b)
		return true
	}
	unsigned, w := binary.Uvarint(b)
	n := int64(unsigned>>1) ^ -int64(unsigned&1) // as binary.Varint reads it
	switch p := f.at.(type) {
	case *[]byte:
		*p = bytes.Clone(b)
	case *bool:
		*p = len(b) == 1 && b[0] == 1
	case *time.Duration:
		*p = time.Duration(n)
		return w > 0
	case *seconds:
		*p = seconds(n) * seconds(time.Second)
		return w > 0
	case *time.Time:
		*p = time.Unix(0, n)
		return w > 0
	case *Ref:
		c := cutter{rest: b}
		chain, seq := c.uvarint(), c.uvarint()
		if c.bad || len(c.rest) > 0 || chain > math.MaxUint16 {
			return false
		}
		*p = Ref{uint16(chain), seq}
	case *[][2]uint64:
		all, ok := uvarints(b)
		*p = nil
		for pair := range slices.Chunk(all, 2) {
			if len(pair) < 2 {
				return false
			}
			*p = append(*p, [2]uint64(pair))
		}
		return ok
	case *map[string][][2]uint64:
		one, err := Unpack(namedForm, b)
		if *p == nil {
			*p = map[string][][2]uint64{}
		}
		(*p)[one.name] = one.runs
		return err == nil
	case *[]checkout.Head:
		one, err := Unpack(headForm, b)
		*p = append(*p, one)
		return err == nil
	case **books.Holding:
		one, err := Unpack(holdingForm, b)
		*p = &one
		return err == nil
	case *memo:
		p.read(b)
	default:
		return setPlain(reflect.ValueOf(f.at).Elem(), b, unsigned, w > 0)
	}
	return true
}

// setPlain reads what plain has written: b, or n if isNumber.
func setPlain(v reflect.Value, b []byte, n uint64, isNumber bool) bool {
	switch {
	case v.Kind() == reflect.String:
		v.SetString(string(b))
	case v.CanInt():
		v.SetInt(int64(n))
		return isNumber
	case v.CanUint():
		v.SetUint(n)
		return isNumber
	default:
		return reflect.Copy(v, reflect.ValueOf(b)) == len(b) && len(b) == v.Len()
	}
	return true
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
func stampFields(s *checkout.Stamp) []Field {
	return []Field{{12, &s.BootID}, {13, &s.Mono}, {14, &s.Wall}, {15, &s.Trusted}}
}
