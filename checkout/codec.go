package checkout

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
type enc struct{ b []byte }

func (e *enc) bytes(tag byte, v []byte) {
	if len(v) == 0 {
		return
	}
	e.b = append(e.b, tag)
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *enc) str(tag byte, v string) {
	if v == "" {
		return
	}
	e.b = append(e.b, tag)
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *enc) uint(tag byte, v uint64) {
	if v == 0 {
		return
	}
	var buf [binary.MaxVarintLen64]byte
	e.bytes(tag, buf[:binary.PutUvarint(buf[:], v)])
}

func (e *enc) int(tag byte, v int64) {
	if v == 0 {
		return
	}
	var buf [binary.MaxVarintLen64]byte
	e.bytes(tag, buf[:binary.PutVarint(buf[:], v)])
}

func (e *enc) flag(tag byte, v bool) {
	if v {
		e.bytes(tag, []byte{1})
	}
}

// dec walks over the fields of a record.
type dec struct {
	b   []byte
	tag byte
	v   []byte // valid as long as the record is
	err error
}

// next moves to the next field; false at the end or on an error.
func (d *dec) next() bool {
	if d.err != nil || len(d.b) == 0 {
		return false
	}
	n, w := binary.Uvarint(d.b[1:])
	if w <= 0 || n > uint64(len(d.b)-1-w) {
		d.err = errShort
		return false
	}
	d.tag = d.b[0]
	d.v = d.b[1+w : 1+w+int(n)]
	d.b = d.b[1+w+int(n):]
	return true
}

func (d *dec) str() string { return string(d.v) }

func (d *dec) uint() uint64 {
	v, w := binary.Uvarint(d.v)
	if w <= 0 {
		d.err = errShort
	}
	return v
}

func (d *dec) int() int64 {
	v, w := binary.Varint(d.v)
	if w <= 0 {
		d.err = errShort
	}
	return v
}

func (d *dec) flag() bool { return len(d.v) == 1 && d.v[0] == 1 }

// fixed copies a field of exactly len(dst) bytes.
func (d *dec) fixed(dst []byte) {
	if len(d.v) != len(dst) {
		d.err = errShort
		return
	}
	copy(dst, d.v)
}
