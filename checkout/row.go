package checkout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/google/uuid"
)

// Trees of the file. The byte is part of every row's envelope: for ever.
type tree byte

const (
	treeEvents  tree = 'e'
	treeDevices tree = 'd'
	treePeople  tree = 'p'
	treeTags    tree = 't'
	treeOutbox  tree = 'o'
	treeUnknown tree = 'u'
	treeBoots   tree = 'b'
	treeMeta    tree = 'm'
)

var allTrees = []tree{treeEvents, treeDevices, treePeople, treeTags, treeOutbox, treeUnknown, treeBoots, treeMeta}

func (t tree) bucket() []byte { return []byte(t.String()) }

// String returns the name of the tree's bucket.
func (t tree) String() string {
	switch t {
	case treeEvents:
		return "events"
	case treeDevices:
		return "devices"
	case treePeople:
		return "people"
	case treeTags:
		return "tags"
	case treeOutbox:
		return "outbox"
	case treeUnknown:
		return "unknown"
	case treeBoots:
		return "boots"
	}
	return "meta"
}

var rowMagic = []byte("Rw")

// errNotRow is a value that is no row, or a damaged one.
var errNotRow = errors.New("not a row, or a damaged one")

// envelope is a row as it is stored: it names its place, so that it can be
// found in a damaged file, and the highest revision is the newest.
type envelope struct {
	tree      tree
	rev       uint64 // number of the transaction that wrote it
	key, body []byte
	size      int
}

// seal encodes a row.
func (v envelope) seal() []byte {
	b := make([]byte, 0, 2+1+10+3+len(v.key)+3+len(v.body)+4)
	b = append(b, rowMagic...)
	b = append(b, byte(v.tree))
	b = binary.AppendUvarint(b, v.rev)
	b = binary.AppendUvarint(b, uint64(len(v.key)))
	b = append(b, v.key...)
	b = binary.AppendUvarint(b, uint64(len(v.body)))
	b = append(b, v.body...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// openRow reads the row at the start of b and checks its sum.
func openRow(b []byte) (envelope, error) {
	var v envelope
	if !bytes.HasPrefix(b, rowMagic) || len(b) < len(rowMagic)+1 {
		return v, errNotRow
	}
	v.tree = tree(b[len(rowMagic)])
	at := len(rowMagic) + 1
	rev, w := binary.Uvarint(b[at:])
	if w <= 0 {
		return v, errNotRow
	}
	v.rev = rev
	at += w
	for _, dst := range []*[]byte{&v.key, &v.body} {
		n, w := binary.Uvarint(b[at:])
		if w <= 0 || n > maxEvent || uint64(len(b)-at-w) < n {
			return v, errNotRow
		}
		at += w
		*dst = b[at : at+int(n)]
		at += int(n)
	}
	if len(b)-at < 4 || binary.BigEndian.Uint32(b[at:]) != crc32.Checksum(b[:at], castagnoli) {
		return v, errNotRow
	}
	v.size = at + 4
	return v, nil
}

// row is a person or a device: what the register says, the device's loan, and
// the newest event of its history.
type row struct {
	name, email, kind, group string
	mask                     string // of the tag
	lookup, sealed           []byte // of the tag
	status                   Status
	head                     ref // newest event
	loan                     loanState
	condition                string
	pending                  bool   // the key is a pending ID
	resolved                 string // who or what the pending ID turned out to be
	ref                      string // the directory's own key
	byDirectory              bool   // the directory took them out of use, and may bring them back
}

// loanState is who has a device, as its events say.
type loanState struct {
	holder string // "" when free
	since  ref    // the event that said so
	at     Stamp  // of that event
	length time.Duration
	lost   bool
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

func (r *row) encode() []byte {
	var e enc
	e.str(rowName, r.name)
	e.str(rowEmail, r.email)
	e.str(rowKind, r.kind)
	e.str(rowGroup, r.group)
	e.str(rowMask, r.mask)
	e.bytes(rowLookup, r.lookup)
	e.bytes(rowSealed, r.sealed)
	e.uint(rowStatus, uint64(r.status))
	e.ref(rowHead, r.head)
	e.str(rowHolder, r.loan.holder)
	e.ref(rowSince, r.loan.since)
	e.stamp(r.loan.at)
	e.int(rowLoan, int64(r.loan.length/time.Second))
	e.flag(rowLost, r.loan.lost)
	e.str(rowCondition, r.condition)
	e.flag(rowPending, r.pending)
	e.str(rowResolved, r.resolved)
	e.str(rowRef, r.ref)
	e.flag(rowByDir, r.byDirectory)
	return e.b
}

func (e *enc) stamp(s Stamp) {
	if s.BootID != uuid.Nil {
		e.bytes(rowBoot, s.BootID[:])
	}
	e.int(rowMono, int64(s.Mono))
	if !s.Wall.IsZero() {
		e.int(rowWall, s.Wall.UnixNano())
	}
	e.flag(rowTrusted, s.Trusted)
}

func decodeRow(body []byte) (*row, error) {
	r := new(row)
	d := dec{b: body}
	for d.next() {
		switch d.tag {
		case rowName:
			r.name = d.str()
		case rowEmail:
			r.email = d.str()
		case rowKind:
			r.kind = d.str()
		case rowGroup:
			r.group = d.str()
		case rowMask:
			r.mask = d.str()
		case rowLookup:
			r.lookup = bytes.Clone(d.v)
		case rowSealed:
			r.sealed = bytes.Clone(d.v)
		case rowStatus:
			r.status = Status(d.uint())
		case rowHead:
			r.head = d.ref()
		case rowHolder:
			r.loan.holder = d.str()
		case rowSince:
			r.loan.since = d.ref()
		case rowBoot:
			d.fixed(r.loan.at.BootID[:])
		case rowMono:
			r.loan.at.Mono = time.Duration(d.int())
		case rowWall:
			r.loan.at.Wall = time.Unix(0, d.int())
		case rowTrusted:
			r.loan.at.Trusted = d.flag()
		case rowLoan:
			r.loan.length = time.Duration(d.int()) * time.Second
		case rowLost:
			r.loan.lost = d.flag()
		case rowCondition:
			r.condition = d.str()
		case rowPending:
			r.pending = d.flag()
		case rowResolved:
			r.resolved = d.str()
		case rowRef:
			r.ref = d.str()
		case rowByDir:
			r.byDirectory = d.flag()
		}
	}
	if d.err != nil {
		return nil, fmt.Errorf("%w: %w", errNotRow, d.err)
	}
	return r, nil
}

// eventKey is the key of an event: the station's index, then its sequence.
func eventKey(r ref) []byte {
	k := binary.BigEndian.AppendUint16(make([]byte, 0, 10), r.station)
	return binary.BigEndian.AppendUint64(k, r.seq)
}

func parseEventKey(k []byte) (ref, bool) {
	if len(k) != 10 {
		return ref{}, false
	}
	return ref{binary.BigEndian.Uint16(k), binary.BigEndian.Uint64(k[2:])}, true
}
