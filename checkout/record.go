package checkout

import (
	"bytes"
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
)

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
	saltLen  = 16
	hashLen  = 32
	maxEvent = 1 << 16 // of core or side; a name has at most 1,000 bytes
)

var (
	eventMagic = []byte("Ev")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// errNotEvent is a value that is no event record, or a damaged one.
var errNotEvent = errors.New("not an event record")

// commitment binds an event to a secret without telling it.
func commitment(field byte, secret []byte) Hash {
	h := sha256.New()
	h.Write([]byte("stump commitment 1\x00"))
	h.Write([]byte{field})
	h.Write(secret) // the salt has a fixed length and comes first
	return Hash(h.Sum(nil))
}

// coreHash is the hash of an event.
func coreHash(core []byte) Hash {
	h := sha256.New()
	h.Write([]byte("stump event 1\x00"))
	h.Write(core)
	return Hash(h.Sum(nil))
}

// secrets are the personal fields of an event, each salt and value; nil is
// absent or erased.
type secrets struct{ person, from, actor, note []byte }

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
	var e enc
	e.str(secretID, id)
	e.str(secretName, name)
	e.str(secretTag, tag)
	e.str(secretResolved, resolved)
	return e.b
}

// encodeEvent seals ev: it fills in Version and Hash and returns the record.
func encodeEvent(ev *stored) []byte {
	ev.Version = recordVersion
	s := secrets{
		person: salted(secretPerson(ev.Person, ev.PersonName, ev.PersonTag, resolvedIf(ev, ev.Person != ""))),
		from:   salted(secretPerson(ev.From, ev.FromName, ev.FromTag, "")),
		note:   salted([]byte(ev.Note)),
	}
	selfActor := ev.Actor != "" && ev.Actor == ev.Person
	if !selfActor {
		s.actor = salted([]byte(ev.Actor))
	}
	e := enc{b: []byte{recordVersion}}
	e.str(coreStation, ev.Station)
	e.uint(coreSeq, ev.Seq)
	e.bytes(coreID, ev.ID[:])
	e.str(coreKind, string(ev.Kind))
	e.str(coreSource, string(ev.Source))
	e.str(coreReader, ev.Reader)
	e.str(coreDevice, ev.Device)
	e.str(coreDevName, ev.DeviceName)
	e.str(coreDevTag, ev.DeviceTag)
	if ev.At.BootID != uuid.Nil {
		e.bytes(coreBoot, ev.At.BootID[:])
	}
	e.int(coreMono, int64(ev.At.Mono))
	if !ev.At.Wall.IsZero() {
		e.int(coreWall, ev.At.Wall.UnixNano())
	}
	e.flag(coreTrusted, ev.At.Trusted)
	if !ev.Prev.IsZero() {
		e.bytes(corePrev, ev.Prev[:])
	}
	e.int(coreLoan, int64(ev.Loan/time.Second))
	e.str(coreCondition, ev.Condition)
	e.flag(coreSelfActor, selfActor)
	e.str(coreResolved, resolvedIf(ev, ev.Person == ""))
	e.bytes(coreWhose, ev.whose)
	encodeGap(&e, ev.Gap)
	for _, f := range s.fields() {
		if *f.v != nil {
			c := commitment(f.tag, *f.v)
			e.bytes(f.tag, c[:])
		}
	}
	ev.Hash = coreHash(e.b)
	return assemble(e.b, ev.Hash, encodeSide(s, ev.links, false))
}

// resolvedIf keeps the pending ID of a person among the secrets and that of a
// device in the core.
func resolvedIf(ev *stored, here bool) string {
	if here {
		return ev.resolved
	}
	return ""
}

func encodeGap(e *enc, g *Gap) {
	if g == nil {
		return
	}
	e.str(coreGapFile, g.File)
	e.uint(coreGapSeq, g.Seq)
	if !g.Hash.IsZero() {
		e.bytes(coreGapHash, g.Hash[:])
	}
	e.bytes(coreGapLost, encodePairs(g.Lost))
	e.others(coreGapOther, g.Others)
}

// others writes numbers of other stations, a field a station.
func (e *enc) others(tag byte, all map[string][][2]uint64) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var o enc
		o.str(1, name)
		o.bytes(2, encodePairs(all[name]))
		e.bytes(tag, o.b)
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

func (s *secrets) fields() [4]field {
	return [4]field{{corePerson, &s.person}, {coreFrom, &s.from}, {coreActor, &s.actor}, {coreNote, &s.note}}
}

// encodeSide writes the part of a record that may be rewritten.
func encodeSide(s secrets, l links, erased bool) []byte {
	var e enc
	e.flag(sideErased, erased)
	e.ref(sideLinkDevice, l.device)
	e.ref(sideLinkPerson, l.person)
	e.ref(sideLinkFrom, l.from)
	e.ref(sideLinkResolved, l.resolved)
	for _, f := range s.fields() {
		e.bytes(f.tag, *f.v)
	}
	return e.b
}

func (e *enc) ref(tag byte, r ref) {
	if r.seq == 0 {
		return
	}
	var buf [2 * binary.MaxVarintLen64]byte
	n := binary.PutUvarint(buf[:], uint64(r.station))
	n += binary.PutUvarint(buf[n:], r.seq)
	e.bytes(tag, buf[:n])
}

func (d *dec) ref() ref {
	st, w := binary.Uvarint(d.v)
	if w <= 0 || st > 0xffff {
		d.err = errShort
		return ref{}
	}
	seq, w2 := binary.Uvarint(d.v[w:])
	if w2 <= 0 {
		d.err = errShort
	}
	return ref{uint16(st), seq}
}

// assemble joins the parts of a record.
func assemble(core []byte, hash Hash, side []byte) []byte {
	b := make([]byte, 0, 2+3+len(core)+hashLen+3+len(side)+4)
	b = append(b, eventMagic...)
	b = binary.AppendUvarint(b, uint64(len(core)))
	b = append(b, core...)
	b = append(b, hash[:]...)
	b = binary.AppendUvarint(b, uint64(len(side)))
	b = append(b, side...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(side, castagnoli))
}

// parts are a record cut up; the slices point into it.
type parts struct {
	core, side []byte
	hash       Hash
	size       int // of the whole record
}

// split cuts up the record at the start of b and checks its sums. What comes
// after the record is left alone, so that records can be found in a damaged file.
func split(b []byte) (parts, error) {
	var p parts
	if !bytes.HasPrefix(b, eventMagic) {
		return p, errNotEvent
	}
	at := len(eventMagic)
	take := func(n int) []byte {
		v := b[at : at+n]
		at += n
		return v
	}
	length := func() int {
		n, w := binary.Uvarint(b[at:])
		if w <= 0 || n > maxEvent {
			return -1
		}
		at += w
		return int(n)
	}
	n := length()
	if n < 0 || len(b)-at < n+hashLen {
		return p, errNotEvent
	}
	p.core = take(n)
	copy(p.hash[:], take(hashLen))
	n = length()
	if n < 0 || len(b)-at < n+4 {
		return p, errNotEvent
	}
	p.side = take(n)
	sum := binary.BigEndian.Uint32(take(4))
	p.size = at
	if coreHash(p.core) != p.hash {
		return p, fmt.Errorf("%w: the hash does not hold", errNotEvent)
	}
	if crc32.Checksum(p.side, castagnoli) != sum {
		return p, fmt.Errorf("%w: the personal part is damaged", errNotEvent)
	}
	return p, nil
}
