package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"stump/checkout"
)

// Trees of the file. The byte is part of every row's envelope: for ever.
type Tree byte

const (
	TreeEvents  Tree = 'e'
	TreeDevices Tree = 'd'
	TreePeople  Tree = 'p'
	TreeTags    Tree = 't'
	TreeOutbox  Tree = 'o'
	TreeUnknown Tree = 'u'
	TreeBoots   Tree = 'b'
	TreeMeta    Tree = 'm'
)

var Trees = []Tree{TreeEvents, TreeDevices, TreePeople, TreeTags, TreeOutbox, TreeUnknown, TreeBoots, TreeMeta}

func (t Tree) Bucket() []byte { return []byte(t.String()) }

// String returns the name of the tree's bucket.
func (t Tree) String() string {
	switch t {
	case TreeEvents:
		return "events"
	case TreeDevices:
		return "devices"
	case TreePeople:
		return "people"
	case TreeTags:
		return "tags"
	case TreeOutbox:
		return "outbox"
	case TreeUnknown:
		return "unknown"
	case TreeBoots:
		return "boots"
	}
	return "meta"
}

var RowMagic = []byte("Rw")

// ErrNotRow is a value that is no row, or a damaged one.
var ErrNotRow = errors.New("not a row, or a damaged one")

// Envelope is a row as it is stored: it names its place, so that it can be
// found in a damaged file.
type Envelope struct {
	Tree      Tree
	Rev       uint64 // number of the transaction that wrote it
	Key, Body []byte
	Size      int
}

// Seal encodes a row.
func (v Envelope) Seal() []byte {
	b := make([]byte, 0, 2+1+10+3+len(v.Key)+3+len(v.Body)+4)
	b = append(b, RowMagic...)
	b = append(b, byte(v.Tree))
	b = binary.AppendUvarint(b, v.Rev)
	b = binary.AppendUvarint(b, uint64(len(v.Key)))
	b = append(b, v.Key...)
	b = binary.AppendUvarint(b, uint64(len(v.Body)))
	b = append(b, v.Body...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// Open reads the row at the start of b and checks its sum.
func Open(b []byte) (Envelope, error) {
	var v Envelope
	if !bytes.HasPrefix(b, RowMagic) || len(b) < len(RowMagic)+1 {
		return v, ErrNotRow
	}
	v.Tree = Tree(b[len(RowMagic)])
	at := len(RowMagic) + 1
	rev, w := binary.Uvarint(b[at:])
	if w <= 0 {
		return v, ErrNotRow
	}
	v.Rev = rev
	at += w
	for _, dst := range []*[]byte{&v.Key, &v.Body} {
		n, w := binary.Uvarint(b[at:])
		if w <= 0 || n > MaxSize || uint64(len(b)-at-w) < n {
			return v, ErrNotRow
		}
		at += w
		*dst = b[at : at+int(n)]
		at += int(n)
	}
	if len(b)-at < 4 || binary.BigEndian.Uint32(b[at:]) != crc32.Checksum(b[:at], castagnoli) {
		return v, ErrNotRow
	}
	v.Size = at + 4
	return v, nil
}

// Row is a person or a device: what the register says, the device's loan, and
// the newest event of its history.
type Row struct {
	Name, Email, Kind, Group string
	Mask                     string // of the tag
	Lookup, Sealed           []byte // of the tag
	Status                   checkout.Status
	Head                     Ref // newest event
	Loan                     Loan
	Condition                string
	Pending                  bool   // the key is a pending ID
	Resolved                 string // who or what the pending ID turned out to be
	Ref                      string // the directory's own key
	ByDirectory              bool   // the directory took them out of use, and may bring them back
}

// Loan is who has a device, as its events say.
type Loan struct {
	Holder  string // "" when free
	Since   Ref    // the event that said so
	At      checkout.Stamp
	Length  time.Duration
	Lost    bool
	Station string // the station's name in that event
}

var rowForm = Form[Row]{
	Text(1, func(r *Row) *string { return &r.Name }),
	Text(2, func(r *Row) *string { return &r.Email }),
	Text(3, func(r *Row) *string { return &r.Kind }),
	Text(4, func(r *Row) *string { return &r.Group }),
	Text(5, func(r *Row) *string { return &r.Mask }),
	Blob(6, func(r *Row) *[]byte { return &r.Lookup }),
	Blob(7, func(r *Row) *[]byte { return &r.Sealed }),
	Uint(8, func(r *Row) *checkout.Status { return &r.Status }),
	Place(9, func(r *Row) *Ref { return &r.Head }),
	Text(10, func(r *Row) *string { return &r.Loan.Holder }),
	Place(11, func(r *Row) *Ref { return &r.Loan.Since }),
	stampBoot(func(r *Row) *checkout.Stamp { return &r.Loan.At }),
	stampMono(func(r *Row) *checkout.Stamp { return &r.Loan.At }),
	stampWall(func(r *Row) *checkout.Stamp { return &r.Loan.At }),
	stampTrusted(func(r *Row) *checkout.Stamp { return &r.Loan.At }),
	Span(16, time.Second, func(r *Row) *time.Duration { return &r.Loan.Length }),
	Flag(17, func(r *Row) *bool { return &r.Loan.Lost }),
	Text(18, func(r *Row) *string { return &r.Condition }),
	Flag(19, func(r *Row) *bool { return &r.Pending }),
	Text(20, func(r *Row) *string { return &r.Resolved }),
	Text(21, func(r *Row) *string { return &r.Ref }),
	Flag(22, func(r *Row) *bool { return &r.ByDirectory }),
	Text(23, func(r *Row) *string { return &r.Loan.Station }),
}

func stampBoot[T any](at func(*T) *checkout.Stamp) Field[T] {
	return Array(12, func(v *T) []byte { return at(v).BootID[:] })
}

func stampMono[T any](at func(*T) *checkout.Stamp) Field[T] {
	return Span(13, 1, func(v *T) *time.Duration { return &at(v).Mono })
}

func stampWall[T any](at func(*T) *checkout.Stamp) Field[T] {
	return Time(14, func(v *T) *time.Time { return &at(v).Wall })
}

func stampTrusted[T any](at func(*T) *checkout.Stamp) Field[T] {
	return Flag(15, func(v *T) *bool { return &at(v).Trusted })
}

// Encode returns the body of the row.
func (r *Row) Encode() []byte { return rowForm.Encode(r) }

// DecodeRow reads the body of a person's or device's row.
func DecodeRow(body []byte) (*Row, error) {
	r, err := rowForm.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRow, err)
	}
	return &r, nil
}

// EventKey is the key of an event: the chain's index, then its sequence number.
func EventKey(r Ref) []byte {
	k := binary.BigEndian.AppendUint16(make([]byte, 0, 10), r.Chain)
	return binary.BigEndian.AppendUint64(k, r.Seq)
}

func ParseEventKey(k []byte) (Ref, bool) {
	if len(k) != 10 {
		return Ref{}, false
	}
	return Ref{binary.BigEndian.Uint16(k), binary.BigEndian.Uint64(k[2:])}, true
}
