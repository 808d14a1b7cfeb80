package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"sync"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// Tree is a tree of the file. The byte is part of every row, so it never changes.
type Tree byte

// The trees, as the comment of package ledger describes them.
const (
	TreeEvents  Tree = 'e'
	TreeDevices Tree = 'd'
	TreePeople  Tree = 'p'
	TreeTags    Tree = 't'
	TreeOutbox  Tree = 'o'
	TreeUnknown Tree = 'u'
	TreeBoots   Tree = 'b'
	TreeMeta    Tree = 'm'

	TreeReservations Tree = 'r'
)

var treeNames = map[Tree]string{TreeEvents: "events", TreeDevices: "devices", TreePeople: "people", TreeTags: "tags",
	TreeOutbox: "outbox", TreeUnknown: "unknown", TreeBoots: "boots", TreeMeta: "meta",
	TreeReservations: "reservations"}

// Trees are all trees of a file.
var Trees = []Tree{TreeEvents, TreeDevices, TreePeople, TreeTags, TreeOutbox, TreeUnknown, TreeBoots, TreeMeta}

// LaterTrees are made with their first row, so that a file may lack them.
var LaterTrees = []Tree{TreeReservations}

// String returns the name of the tree's bucket.
func (t Tree) String() string { return treeNames[t] }

// Kind is the kind of what has rows in t; Unknown of nobody.
func (t Tree) Kind() checkout.SubjectKind {
	switch t {
	case TreePeople:
		return checkout.KindPerson
	case TreeDevices:
		return checkout.KindDevice
	}
	return checkout.Unknown
}

// TreeOf has the rows of devices, or else of people.
func TreeOf(k checkout.SubjectKind) Tree {
	if k == checkout.KindDevice {
		return TreeDevices
	}
	return TreePeople
}

// buckets are the keys of the trees' buckets.
var buckets = func() (all [math.MaxUint8 + 1][]byte) {
	for t, name := range treeNames {
		all[t] = []byte(name)
	}
	return all
}()

// Bucket returns the key of the tree's bucket, which is not to be changed.
func (t Tree) Bucket() []byte { return buckets[t] }

var rowMagic = []byte("Rw")

// ErrNotRow says that a value is not a row, or a damaged one.
var ErrNotRow = errors.New("not a row, or a damaged one")

// Envelope is a row with its place, by which it is recognised in a damaged file.
type Envelope struct {
	Tree      Tree
	Rev       uint64 // number of the transaction that wrote it
	Key, Body []byte
	Size      int // of the whole row in bytes; set by Open
}

// Seal encodes a row.
func (v Envelope) Seal() []byte {
	b := make([]byte, 0, 2+1+10+3+len(v.Key)+3+len(v.Body)+4)
	b = append(b, rowMagic...)
	b = append(b, byte(v.Tree))
	b = binary.AppendUvarint(b, v.Rev)
	for _, part := range [][]byte{v.Key, v.Body} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// Open reads the row at the start of b and checks its sum. Key and Body point into b.
func Open(b []byte) (Envelope, error) {
	if !bytes.HasPrefix(b, rowMagic) {
		return Envelope{}, ErrNotRow
	}
	c := cutter{rest: b[len(rowMagic):]}
	tree := c.take(1)
	v := Envelope{Rev: c.uvarint(), Key: c.part(), Body: c.part()}
	checked := b[:len(b)-len(c.rest)]
	sum := c.take(4)
	if c.bad || binary.BigEndian.Uint32(sum) != crc32.Checksum(checked, castagnoli) {
		return Envelope{}, ErrNotRow
	}
	v.Tree, v.Size = Tree(tree[0]), len(checked)+4
	return v, nil
}

// OpenAt reads the body of a row, b, which lies in a tree under a key. It points into b, and
// is not nil. The error says that there is no row that belongs there.
func OpenAt(tree Tree, key, b []byte) ([]byte, error) {
	v, err := Open(b)
	if err != nil || v.Tree != tree || !bytes.Equal(v.Key, key) || v.Size != len(b) {
		return nil, fmt.Errorf("the row %q of %s: %w", key, tree, ErrNotRow)
	}
	if v.Body == nil {
		v.Body = []byte{}
	}
	return v.Body, nil
}

// Row is a person or a device: its entry in the register, the device's loan, and the
// newest event of its history.
type Row struct {
	Name, Email, Kind string
	Kit               string // of a device: the id of the kit that it is a part of
	Mask              string // of the tag
	Lookup, Sealed    []byte // of the tag
	Status            checkout.Status
	Head              Ref // newest event
	Loan              Loan
	Condition         string
	Pending           bool   // the key is a pending ID
	Resolved          string // the id that the pending ID became
	Ref               string // the directory's own key
	ByDirectory       bool   // the directory set the status, and may set it back
	Home              string // the directory's key of the place where the device stands when it is free
	Rev               string // the directory's revision of who has it, when it and the loan agreed last
	Former            string // the keys of those who were merged into a person, a line each
	// Groups and RefGroups are a person's, by an admin's and by the directory's word.
	Groups, RefGroups checkout.Groups
	Language          checkout.Language // of a person
	Seen              Ref               // the newest event of a stock-taking that saw the device
	Found             string            // what the last stock-taking has found of it
	books.Details                       // of a device
	Reminded          time.Time         // when a person was reminded last
	// LabVer and LabBase are what the lab had of the row last: its version there, and
	// hashes of its fields.
	LabVer  uint64
	LabBase []byte
	// LabDoubt: the lab doubts the event here that says who has the device.
	LabDoubt bool
}

// Loan says who has a device.
type Loan struct {
	Holder  string // "" when free
	Since   Ref    // the event that says so
	At      checkout.Stamp
	Length  time.Duration
	Lost    bool
	Station string // the station's name in that event
	Mark    checkout.Mark
	Marked  Ref    // the event that says so
	Kit     string // the kit with which the device changed hands; "" by itself
	// Told is the first event of the last message that reminded of it, and Stage which
	// reminder that was; empty after Changed, which said last until when it is.
	Told, Changed Ref
	Stage         string
}

// RowForm is the form of a Row.
func RowForm(r *Row) []Field {
	return append([]Field{
		{1, &r.Name}, {2, &r.Email}, {3, &r.Kind}, {4, &r.Kit},
		{5, &r.Mask}, {6, &r.Lookup}, {7, &r.Sealed},
		{8, &r.Status},
		{9, &r.Head},
		{10, &r.Loan.Holder},
		{11, &r.Loan.Since},
		{16, (*seconds)(&r.Loan.Length)},
		{17, &r.Loan.Lost},
		{18, &r.Condition},
		{19, &r.Pending},
		{20, &r.Resolved},
		{21, &r.Ref},
		{22, &r.ByDirectory},
		{27, &r.Former},
		{23, &r.Loan.Station},
		{24, &r.Home},
		{28, &r.Rev},
		{25, &r.Loan.Mark},
		{26, &r.Loan.Marked},
		{40, &r.Groups}, {41, &r.RefGroups},
		{42, &r.Serial}, {43, &r.Place}, {44, &r.Note}, {45, &r.Link}, {46, &r.Out},
		{50, &r.Loan.Kit},
		{60, &r.Loan.Told}, {61, &r.Loan.Changed}, {62, &r.Loan.Stage}, {63, &r.Reminded}, {64, &r.Language}, {65, &r.Seen}, {66, &r.Found},
		{90, &r.LabVer}, {91, &r.LabBase}, {92, &r.LabDoubt},
	}, stampFields(&r.Loan.At)...)
}

var rows = poolOf(RowForm)

// lately has the rows that were read last, by their bytes. It begins anew when it is full.
var lately struct {
	sync.Mutex
	rows map[string]*Row
}

// mostLately is how many rows lately has at most: less than 200 kB.
const mostLately = 128

// ReadRow reads a row, which nobody may change: who reads the same bytes soon again gets the
// same one. Lists read the same few rows again and again.
func ReadRow(b []byte) (*Row, error) {
	lately.Lock()
	defer lately.Unlock()
	if r := lately.rows[string(b)]; r != nil {
		return r, nil
	}
	r, err := rows.unpack(b)
	if err != nil {
		return &r, err
	}
	if len(lately.rows) == mostLately || lately.rows == nil {
		lately.rows = make(map[string]*Row, mostLately)
	}
	lately.rows[string(b)] = &r
	return &r, nil
}

// UnpackRow reads a row. Nobody may change the bytes that it points to.
func UnpackRow(b []byte) (Row, error) {
	r, err := ReadRow(b)
	return *r, err
}

// Own is a copy that can be changed; nil of nil.
func (r *Row) Own() *Row {
	if r == nil {
		return nil
	}
	mine := *r
	return &mine
}

// PackRow writes a row.
func PackRow(r *Row) []byte { return rows.pack(r) }

// EventKey returns the key of an event: the chain's index, then the sequence number.
func EventKey(r Ref) []byte {
	k := binary.BigEndian.AppendUint16(make([]byte, 0, 10), r.Chain)
	return binary.BigEndian.AppendUint64(k, r.Seq)
}

// ParseEventKey splits the key of an event; false when it is not one.
func ParseEventKey(k []byte) (Ref, bool) {
	if len(k) != 10 {
		return Ref{}, false
	}
	return Ref{binary.BigEndian.Uint16(k), binary.BigEndian.Uint64(k[2:])}, true
}

// Boot is a boot whose clock was not trusted from the beginning.
type Boot struct {
	First    Ref           // the first event without a trusted time
	Resolved bool          // a Clock event has given the offset
	Offset   time.Duration // wall time minus monotonic time
}

// BootForm is the form of a Boot.
func BootForm(b *Boot) []Field {
	return []Field{{1, &b.First}, {2, &b.Resolved}, {3, &b.Offset}}
}

// Unknown is a tag that belongs to nobody and no device.
type Unknown struct {
	Number      string // masked
	Bits, Count int
	First       time.Time
	Last        checkout.Stamp
	// Sealed is the number itself, under the site key; nil in rows of before it was kept.
	Sealed []byte
	Reader string // where it was shown last
	Fits   string // "person" or "device" if it can be nothing else
	// Ignored: an admin wants to hear no more of it.
	Ignored bool
}

// UnknownForm is the form of an Unknown.
func UnknownForm(u *Unknown) []Field {
	return append([]Field{
		{1, &u.Number},
		{2, &u.Bits},
		{3, &u.Count},
		{4, &u.First},
		{5, &u.Sealed},
		{6, &u.Reader},
		{7, &u.Fits},
		{8, &u.Ignored},
	}, stampFields(&u.Last)...)
}

// Chain is a chain of events in this file.
type Chain struct {
	// ID is the hash of its first event, zero while it has none.
	ID checkout.Hash
	// Name is the station's name in its events of version 1, which don't hold the
	// chain's id. Empty: it has no such events.
	Name string
}

// ChainForm is the form of a Chain.
func ChainForm(c *Chain) []Field {
	return []Field{{1, &c.ID}, {2, &c.Name}}
}
