// Package record is the form of events and rows in the ledger's file.
package record

import (
	"encoding/binary"
	"errors"
)

// Records are lists of fields: a tag byte, a uvarint length, the bytes. An
// absent field has its type's zero value. Readers skip tags that they do not
// know, so that a record may gain fields without a new version.

// errShort is a record that ends in the middle of a field.
var errShort = errors.New("record ends in the middle of a field")

// enc appends fields.
type Encoder struct{ B []byte }

func (e *Encoder) Bytes(tag byte, v []byte) {
	if len(v) == 0 {
		return
	}
	e.B = append(e.B, tag)
	e.B = binary.AppendUvarint(e.B, uint64(len(v)))
	e.B = append(e.B, v...)
}

func (e *Encoder) Str(tag byte, v string) {
	if v == "" {
		return
	}
	e.B = append(e.B, tag)
	e.B = binary.AppendUvarint(e.B, uint64(len(v)))
	e.B = append(e.B, v...)
}

func (e *Encoder) Uint(tag byte, v uint64) {
	if v == 0 {
		return
	}
	var buf [binary.MaxVarintLen64]byte
	e.Bytes(tag, buf[:binary.PutUvarint(buf[:], v)])
}

func (e *Encoder) Int(tag byte, v int64) {
	if v == 0 {
		return
	}
	var buf [binary.MaxVarintLen64]byte
	e.Bytes(tag, buf[:binary.PutVarint(buf[:], v)])
}

func (e *Encoder) Flag(tag byte, v bool) {
	if v {
		e.Bytes(tag, []byte{1})
	}
}

// dec walks over the fields of a record.
type Decoder struct {
	B     []byte
	Tag   byte
	Value []byte // valid as long as the record is
	Err   error
}

// next moves to the next field; false at the end or on an error.
func (d *Decoder) Next() bool {
	if d.Err != nil || len(d.B) == 0 {
		return false
	}
	n, w := binary.Uvarint(d.B[1:])
	if w <= 0 || n > uint64(len(d.B)-1-w) {
		d.Err = errShort
		return false
	}
	d.Tag = d.B[0]
	d.Value = d.B[1+w : 1+w+int(n)]
	d.B = d.B[1+w+int(n):]
	return true
}

func (d *Decoder) Str() string { return string(d.Value) }

func (d *Decoder) Uint() uint64 {
	v, w := binary.Uvarint(d.Value)
	if w <= 0 {
		d.Err = errShort
	}
	return v
}

func (d *Decoder) Int() int64 {
	v, w := binary.Varint(d.Value)
	if w <= 0 {
		d.Err = errShort
	}
	return v
}

func (d *Decoder) Flag() bool { return len(d.Value) == 1 && d.Value[0] == 1 }

// fixed copies a field of exactly len(dst) bytes.
func (d *Decoder) Fixed(dst []byte) {
	if len(d.Value) != len(dst) {
		d.Err = errShort
		return
	}
	copy(dst, d.Value)
}
