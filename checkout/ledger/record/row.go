package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/google/uuid"

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

// errNotRow is a value that is no row, or a damaged one.
var ErrNotRow = errors.New("not a row, or a damaged one")

// envelope is a row as it is stored: it names its place, so that it can be
// found in a damaged file, and the highest revision is the newest.
type Envelope struct {
	Tree      Tree
	Rev       uint64 // number of the transaction that wrote it
	Key, Body []byte
	Size      int
}

// seal encodes a row.
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

// openRow reads the row at the start of b and checks its sum.
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

// row is a person or a device: what the register says, the device's loan, and
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

// loanState is who has a device, as its events say.
type Loan struct {
	Holder string         // "" when free
	Since  Ref            // the event that said so
	At     checkout.Stamp // of that event
	Length time.Duration
	Lost   bool
}

const (
	rowName      = 1
	rowEmail     = 2
	rowKind      = 3
	rowGroup     = 4
	rowMask      = 5
	rowLookup    = 6
	rowSealed    = 7
	rowStatus    = 8
	rowHead      = 9
	rowHolder    = 10
	rowSince     = 11
	rowBoot      = 12
	rowMono      = 13
	rowWall      = 14
	rowTrusted   = 15
	rowLoan      = 16
	rowLost      = 17
	rowCondition = 18
	rowPending   = 19
	rowResolved  = 20
	rowRef       = 21
	rowByDir     = 22
)

func (r *Row) Encode() []byte {
	var e Encoder
	e.Str(rowName, r.Name)
	e.Str(rowEmail, r.Email)
	e.Str(rowKind, r.Kind)
	e.Str(rowGroup, r.Group)
	e.Str(rowMask, r.Mask)
	e.Bytes(rowLookup, r.Lookup)
	e.Bytes(rowSealed, r.Sealed)
	e.Uint(rowStatus, uint64(r.Status))
	e.Ref(rowHead, r.Head)
	e.Str(rowHolder, r.Loan.Holder)
	e.Ref(rowSince, r.Loan.Since)
	e.Stamp(r.Loan.At)
	e.Int(rowLoan, int64(r.Loan.Length/time.Second))
	e.Flag(rowLost, r.Loan.Lost)
	e.Str(rowCondition, r.Condition)
	e.Flag(rowPending, r.Pending)
	e.Str(rowResolved, r.Resolved)
	e.Str(rowRef, r.Ref)
	e.Flag(rowByDir, r.ByDirectory)
	return e.B
}

func (e *Encoder) Stamp(s checkout.Stamp) {
	if s.BootID != uuid.Nil {
		e.Bytes(rowBoot, s.BootID[:])
	}
	e.Int(rowMono, int64(s.Mono))
	if !s.Wall.IsZero() {
		e.Int(rowWall, s.Wall.UnixNano())
	}
	e.Flag(rowTrusted, s.Trusted)
}

func DecodeRow(body []byte) (*Row, error) {
	r := new(Row)
	d := Decoder{B: body}
	for d.Next() {
		switch d.Tag {
		case rowName:
			r.Name = d.Str()
		case rowEmail:
			r.Email = d.Str()
		case rowKind:
			r.Kind = d.Str()
		case rowGroup:
			r.Group = d.Str()
		case rowMask:
			r.Mask = d.Str()
		case rowLookup:
			r.Lookup = bytes.Clone(d.Value)
		case rowSealed:
			r.Sealed = bytes.Clone(d.Value)
		case rowStatus:
			r.Status = checkout.Status(d.Uint())
		case rowHead:
			r.Head = d.Ref()
		case rowHolder:
			r.Loan.Holder = d.Str()
		case rowSince:
			r.Loan.Since = d.Ref()
		case rowBoot:
			d.Fixed(r.Loan.At.BootID[:])
		case rowMono:
			r.Loan.At.Mono = time.Duration(d.Int())
		case rowWall:
			r.Loan.At.Wall = time.Unix(0, d.Int())
		case rowTrusted:
			r.Loan.At.Trusted = d.Flag()
		case rowLoan:
			r.Loan.Length = time.Duration(d.Int()) * time.Second
		case rowLost:
			r.Loan.Lost = d.Flag()
		case rowCondition:
			r.Condition = d.Str()
		case rowPending:
			r.Pending = d.Flag()
		case rowResolved:
			r.Resolved = d.Str()
		case rowRef:
			r.Ref = d.Str()
		case rowByDir:
			r.ByDirectory = d.Flag()
		}
	}
	if d.Err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRow, d.Err)
	}
	return r, nil
}

// eventKey is the key of an event: the station's index, then its sequence.
func EventKey(r Ref) []byte {
	k := binary.BigEndian.AppendUint16(make([]byte, 0, 10), r.Station)
	return binary.BigEndian.AppendUint64(k, r.Seq)
}

func ParseEventKey(k []byte) (Ref, bool) {
	if len(k) != 10 {
		return Ref{}, false
	}
	return Ref{binary.BigEndian.Uint16(k), binary.BigEndian.Uint64(k[2:])}, true
}
