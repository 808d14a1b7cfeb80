package record

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
)

// compare orders places: by station, a later name of it after an earlier one,
// then by sequence.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(cmp.Compare(r.Station, o.Station), cmp.Compare(r.Seq, o.Seq))
}

// recordVersion is the version of event records that this code writes.
const recordVersion = 1

// Fields of the core of an event. Numbers are for ever.
const (
	coreStation   = 1
	coreSeq       = 2
	coreID        = 3
	coreKind      = 4
	coreSource    = 5
	coreReader    = 6
	coreDevice    = 7 // id, or the pending ID
	coreDevName   = 8
	coreDevTag    = 9 // masked
	coreBoot      = 10
	coreMono      = 11
	coreWall      = 12
	coreTrusted   = 13
	corePrev      = 14
	coreLoan      = 15 // seconds
	coreCondition = 16
	coreSelfActor = 17 // the actor is the person: there is no commitment to it
	coreResolved  = 18 // Resolve of a device: the pending ID
	coreGapFile   = 19
	coreGapSeq    = 20
	coreGapHash   = 21
	coreGapLost   = 22 // pairs of uvarints
	coreWhose     = 23 // Erase: keyed hash of the person's id
	coreGapOther  = 24 // a station's name, and pairs of uvarints; may come more than once

	corePerson = 32 // commitments
	coreFrom   = 33
	coreActor  = 34
	coreNote   = 35
)

// Fields of the side of an event.
const (
	sideErased       = 1
	sideLinkDevice   = 2
	sideLinkPerson   = 3
	sideLinkFrom     = 4
	sideLinkResolved = 5
	// The secrets have the number of their commitment: salt, then value.
)

// Fields of a person as a secret value.
const (
	secretID       = 1
	secretName     = 2
	secretTag      = 3
	secretResolved = 4 // Resolve of a person: the pending ID
)

const (
	saltLen = 16
	HashLen = 32
	MaxSize = 1 << 16 // of core or side; a name has at most 1,000 bytes
)

var (
	EventMagic = []byte("Ev")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// errNotEvent is a value that is no event record, or a damaged one.
var ErrNotEvent = errors.New("not an event record")

// commitment binds an event to a secret without telling it.
func commitment(field byte, secret []byte) checkout.Hash {
	h := sha256.New()
	h.Write([]byte("stump commitment 1\x00"))
	h.Write([]byte{field})
	h.Write(secret) // the salt has a fixed length and comes first
	return checkout.Hash(h.Sum(nil))
}

// coreHash is the hash of an event.
func coreHash(core []byte) checkout.Hash {
	h := sha256.New()
	h.Write([]byte("stump event 1\x00"))
	h.Write(core)
	return checkout.Hash(h.Sum(nil))
}

// secrets are the personal fields of an event, each salt and value; nil is
// absent or erased.
type Secrets struct{ Person, From, Actor, Note []byte }

// salted puts a fresh salt before value; nil for no value.
func salted(value []byte) []byte {
	if len(value) == 0 {
		return nil
	}
	b := make([]byte, saltLen, saltLen+len(value))
	rand.Read(b) // never fails, see crypto/rand
	return append(b, value...)
}

// secretPerson encodes a person as a secret value.
func secretPerson(id, name, tag, resolved string) []byte {
	var e Encoder
	e.Str(secretID, id)
	e.Str(secretName, name)
	e.Str(secretTag, tag)
	e.Str(secretResolved, resolved)
	return e.B
}

// encodeEvent seals ev: it fills in Version and Hash and returns the record.
func Encode(ev *Event) []byte {
	ev.Version = recordVersion
	s := Secrets{
		Person: salted(secretPerson(ev.Person, ev.PersonName, ev.PersonTag, resolvedIf(ev, ev.Person != ""))),
		From:   salted(secretPerson(ev.From, ev.FromName, ev.FromTag, "")),
		Note:   salted([]byte(ev.Note)),
	}
	selfActor := ev.Actor != "" && ev.Actor == ev.Person
	if !selfActor {
		s.Actor = salted([]byte(ev.Actor))
	}
	e := Encoder{B: []byte{recordVersion}}
	e.Str(coreStation, ev.Station)
	e.Uint(coreSeq, ev.Seq)
	e.Bytes(coreID, ev.ID[:])
	e.Str(coreKind, string(ev.Kind))
	e.Str(coreSource, string(ev.Source))
	e.Str(coreReader, ev.Reader)
	e.Str(coreDevice, ev.Device)
	e.Str(coreDevName, ev.DeviceName)
	e.Str(coreDevTag, ev.DeviceTag)
	if ev.At.BootID != uuid.Nil {
		e.Bytes(coreBoot, ev.At.BootID[:])
	}
	e.Int(coreMono, int64(ev.At.Mono))
	if !ev.At.Wall.IsZero() {
		e.Int(coreWall, ev.At.Wall.UnixNano())
	}
	e.Flag(coreTrusted, ev.At.Trusted)
	if !ev.Prev.IsZero() {
		e.Bytes(corePrev, ev.Prev[:])
	}
	e.Int(coreLoan, int64(ev.Loan/time.Second))
	e.Str(coreCondition, ev.Condition)
	e.Flag(coreSelfActor, selfActor)
	e.Str(coreResolved, resolvedIf(ev, ev.Person == ""))
	e.Bytes(coreWhose, ev.Whose)
	encodeGap(&e, ev.Gap)
	for _, f := range s.fields() {
		if *f.v != nil {
			c := commitment(f.tag, *f.v)
			e.Bytes(f.tag, c[:])
		}
	}
	ev.Hash = coreHash(e.B)
	return assemble(e.B, ev.Hash, encodeSide(s, ev.Links, false))
}

// resolvedIf keeps the pending ID of a person among the secrets and that of a
// device in the core.
func resolvedIf(ev *Event, here bool) string {
	if here {
		return ev.Resolved
	}
	return ""
}

func encodeGap(e *Encoder, g *checkout.Gap) {
	if g == nil {
		return
	}
	e.Str(coreGapFile, g.File)
	e.Uint(coreGapSeq, g.Seq)
	if !g.Hash.IsZero() {
		e.Bytes(coreGapHash, g.Hash[:])
	}
	e.Bytes(coreGapLost, encodePairs(g.Lost))
	e.Others(coreGapOther, g.Others)
}

// others writes numbers of other stations, a field a station.
func (e *Encoder) Others(tag byte, all map[string][][2]uint64) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var o Encoder
		o.Str(1, name)
		o.Bytes(2, encodePairs(all[name]))
		e.Bytes(tag, o.B)
	}
}

func encodePairs(all [][2]uint64) (b []byte) {
	for _, r := range all {
		b = binary.AppendUvarint(binary.AppendUvarint(b, r[0]), r[1])
	}
	return b
}

// field is one of the secrets with its number.
type field struct {
	tag byte
	v   *[]byte
}

func (s *Secrets) fields() [4]field {
	return [4]field{{corePerson, &s.Person}, {coreFrom, &s.From}, {coreActor, &s.Actor}, {coreNote, &s.Note}}
}

// encodeSide writes the part of a record that may be rewritten.
func encodeSide(s Secrets, l Links, erased bool) []byte {
	var e Encoder
	e.Flag(sideErased, erased)
	e.Ref(sideLinkDevice, l.Device)
	e.Ref(sideLinkPerson, l.Person)
	e.Ref(sideLinkFrom, l.From)
	e.Ref(sideLinkResolved, l.Resolved)
	for _, f := range s.fields() {
		e.Bytes(f.tag, *f.v)
	}
	return e.B
}

func (e *Encoder) Ref(tag byte, r Ref) {
	if r.Seq == 0 {
		return
	}
	var buf [2 * binary.MaxVarintLen64]byte
	n := binary.PutUvarint(buf[:], uint64(r.Station))
	n += binary.PutUvarint(buf[n:], r.Seq)
	e.Bytes(tag, buf[:n])
}

func (d *Decoder) Ref() Ref {
	st, w := binary.Uvarint(d.Value)
	if w <= 0 || st > 0xffff {
		d.Err = errShort
		return Ref{}
	}
	seq, w2 := binary.Uvarint(d.Value[w:])
	if w2 <= 0 {
		d.Err = errShort
	}
	return Ref{uint16(st), seq}
}

// assemble joins the parts of a record.
func assemble(core []byte, hash checkout.Hash, side []byte) []byte {
	b := make([]byte, 0, 2+3+len(core)+HashLen+3+len(side)+4)
	b = append(b, EventMagic...)
	b = binary.AppendUvarint(b, uint64(len(core)))
	b = append(b, core...)
	b = append(b, hash[:]...)
	b = binary.AppendUvarint(b, uint64(len(side)))
	b = append(b, side...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(side, castagnoli))
}

// parts are a record cut up; the slices point into it.
type Parts struct {
	Core, Side []byte
	Hash       checkout.Hash
	Size       int // of the whole record
}

// split cuts up the record at the start of b and checks its sums. What comes
// after the record is left alone, so that records can be found in a damaged file.
func Split(b []byte) (Parts, error) {
	var p Parts
	if !bytes.HasPrefix(b, EventMagic) {
		return p, ErrNotEvent
	}
	at := len(EventMagic)
	take := func(n int) []byte {
		v := b[at : at+n]
		at += n
		return v
	}
	length := func() int {
		n, w := binary.Uvarint(b[at:])
		if w <= 0 || n > MaxSize {
			return -1
		}
		at += w
		return int(n)
	}
	n := length()
	if n < 0 || len(b)-at < n+HashLen {
		return p, ErrNotEvent
	}
	p.Core = take(n)
	copy(p.Hash[:], take(HashLen))
	n = length()
	if n < 0 || len(b)-at < n+4 {
		return p, ErrNotEvent
	}
	p.Side = take(n)
	sum := binary.BigEndian.Uint32(take(4))
	p.Size = at
	if coreHash(p.Core) != p.Hash {
		return p, fmt.Errorf("%w: the hash does not hold", ErrNotEvent)
	}
	if crc32.Checksum(p.Side, castagnoli) != sum {
		return p, fmt.Errorf("%w: the personal part is damaged", ErrNotEvent)
	}
	return p, nil
}

// decodeCore reads the hashed part. commits are in the order of secrets.fields.
func (ev *Event) decodeCore(core []byte, commits *[4]checkout.Hash) (selfActor bool, err error) {
	if len(core) == 0 {
		return false, ErrNotEvent
	}
	if ev.Version = core[0]; ev.Version != recordVersion {
		return false, fmt.Errorf("event record of version %d: this program knows version %d", ev.Version, recordVersion)
	}
	d := Decoder{B: core[1:]}
	for d.Next() {
		switch d.Tag {
		case coreStation:
			ev.Station = d.Str()
		case coreSeq:
			ev.Seq = d.Uint()
		case coreID:
			d.Fixed(ev.ID[:])
		case coreKind:
			ev.Kind = checkout.Kind(d.Str())
		case coreSource:
			ev.Source = checkout.Source(d.Str())
		case coreReader:
			ev.Reader = d.Str()
		case coreDevice:
			ev.Device = d.Str()
		case coreDevName:
			ev.DeviceName = d.Str()
		case coreDevTag:
			ev.DeviceTag = d.Str()
		case coreBoot:
			d.Fixed(ev.At.BootID[:])
		case coreMono:
			ev.At.Mono = time.Duration(d.Int())
		case coreWall:
			ev.At.Wall = time.Unix(0, d.Int())
		case coreTrusted:
			ev.At.Trusted = d.Flag()
		case corePrev:
			d.Fixed(ev.Prev[:])
		case coreLoan:
			ev.Loan = time.Duration(d.Int()) * time.Second
		case coreCondition:
			ev.Condition = d.Str()
		case coreSelfActor:
			selfActor = d.Flag()
		case coreResolved:
			ev.Resolved = d.Str()
		case coreWhose:
			ev.Whose = bytes.Clone(d.Value)
		case coreGapFile, coreGapSeq, coreGapHash, coreGapLost, coreGapOther:
			ev.decodeGap(&d)
		case corePerson, coreFrom, coreActor, coreNote:
			d.Fixed(commits[d.Tag-corePerson][:])
		}
	}
	return selfActor, d.Err
}

func (ev *Event) decodeGap(d *Decoder) {
	if ev.Gap == nil {
		ev.Gap = new(checkout.Gap)
	}
	switch d.Tag {
	case coreGapFile:
		ev.Gap.File = d.Str()
	case coreGapSeq:
		ev.Gap.Seq = d.Uint()
	case coreGapHash:
		d.Fixed(ev.Gap.Hash[:])
	case coreGapLost:
		ev.Gap.Lost = d.Pairs()
	case coreGapOther:
		d.Others(&ev.Gap.Others)
	}
}

// decodeSide reads the links and cuts out the secrets.
func (ev *Event) decodeSide(side []byte) (Secrets, error) {
	var s Secrets
	d := Decoder{B: side}
	for d.Next() {
		switch d.Tag {
		case sideErased:
			ev.Erased = d.Flag()
		case sideLinkDevice:
			ev.Links.Device = d.Ref()
		case sideLinkPerson:
			ev.Links.Person = d.Ref()
		case sideLinkFrom:
			ev.Links.From = d.Ref()
		case sideLinkResolved:
			ev.Links.Resolved = d.Ref()
		case corePerson:
			s.Person = d.Value
		case coreFrom:
			s.From = d.Value
		case coreActor:
			s.Actor = d.Value
		case coreNote:
			s.Note = d.Value
		}
	}
	return s, d.Err
}

// fill takes the values out of the secrets.
func (ev *Event) fill(s Secrets) error {
	for _, f := range s.fields() {
		if *f.v != nil && len(*f.v) < saltLen {
			return fmt.Errorf("%w: a personal field has no salt", ErrNotEvent)
		}
	}
	person := func(b []byte, id, name, tag, resolved *string) error {
		if b == nil {
			return nil
		}
		d := Decoder{B: b[saltLen:]}
		for d.Next() {
			switch d.Tag {
			case secretID:
				*id = d.Str()
			case secretName:
				*name = d.Str()
			case secretTag:
				*tag = d.Str()
			case secretResolved:
				*resolved = d.Str()
			}
		}
		return d.Err
	}
	var none string
	if err := person(s.Person, &ev.Person, &ev.PersonName, &ev.PersonTag, &ev.Resolved); err != nil {
		return err
	}
	if err := person(s.From, &ev.From, &ev.FromName, &ev.FromTag, &none); err != nil {
		return err
	}
	if s.Actor != nil {
		ev.Actor = string(s.Actor[saltLen:])
	}
	if s.Note != nil {
		ev.Note = string(s.Note[saltLen:])
	}
	return nil
}

// stored is an event as the file has it: with what only the ledger needs.
type Event struct {
	checkout.Event
	Resolved string // Resolve: the pending ID that is now Person or Device
	Whose    []byte // Erase: keyed hash of the person's id
	Links    Links
}

// Ref is the place of an event in this file; no event has Seq 0.
type Ref struct {
	Station uint16 // index of the station in this file
	Seq     uint64
}

// At returns the place of the event seq of a station.
func At(station uint16, seq uint64) Ref { return Ref{station, seq} }

// links lead from an event to the event before it of the same device and
// people. They are not part of the hashed core: they are this file's.
type Links struct {
	Device, Person, From, Resolved Ref
}
