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
	"strings"
	"sync"

	"stump/checkout"
)

// The versions of event records. A record of version 1 doesn't hold the id of its
// chain.
const version1, version2 = 1, 2

// Event is an event and what only the ledger needs of it.
type Event struct {
	checkout.Event
	Resolved string // of a Resolve event: the pending ID that became Person or Device
	Whose    []byte // of an Erase event: keyed hash of the person's id
	Links    Links
}

// Ref is the place of an event in this file. Seq starts at 1; the zero Ref is no
// event.
type Ref struct {
	Chain uint16 // index of the chain in this file
	Seq   uint64
}

// At returns the place of event seq of a chain.
func At(chain uint16, seq uint64) Ref { return Ref{chain, seq} }

// Compare orders places: by chain, then by sequence number.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(cmp.Compare(r.Chain, o.Chain), cmp.Compare(r.Seq, o.Seq))
}

// Next returns the place after r in its chain.
func (r Ref) Next() Ref { return Ref{r.Chain, r.Seq + 1} }

// Links lead from an event to the previous events of the same device and people.
// They hold for this file only, so the hashed core doesn't include them.
type Links struct {
	Device, Person, From, Resolved Ref
}

// Secrets are the personal fields of an event, each a salt and a value. Nil: absent
// or erased.
type Secrets struct{ Person, From, Actor, Note []byte }

const (
	saltLen = 16
	// HashLen is the length of a hash in bytes.
	HashLen = 32
	// MaxSize is the longest core, side, key or body in bytes.
	MaxSize = 1 << 16
)

var (
	eventMagic = []byte("Ev")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// ErrNotEvent says that a value is not an event record, or a damaged one.
var ErrNotEvent = errors.New("not an event record")

// core is the hashed part of an event while it is read or written.
type core struct {
	*Event
	gap       checkout.Gap
	selfActor bool           // the actor is the person, and needs no commitment
	resolved  string         // of a device; a person's is among the secrets
	base      checkout.Place // without its Chain where that is the event's own
	commits   [4]checkout.Hash
	// kind is the one for which a program takes the event that does not know its own:
	// newer, empty in most.
	kind, newer checkout.Kind
	missing     string // the names, a line each
}

// older are the kinds for which programs from before them take events: they then have the
// same loans.
var older = map[checkout.Kind]checkout.Kind{checkout.Extend: checkout.Correct, checkout.Incomplete: checkout.Correct,
	checkout.Reserve: checkout.Correct, checkout.Cancel: checkout.Correct, checkout.Ready: checkout.Correct,
	checkout.Remind: checkout.Correct, checkout.Digest: checkout.Correct, checkout.Notify: checkout.Correct,
	checkout.Stock: checkout.Correct, checkout.Seen: checkout.Correct}

// firstCommit is the tag of the first commitment. The others follow in the order of
// Secrets.all. A secret in the side has the tag of its commitment.
const firstCommit = 32

func coreForm(c *core) []Field {
	return []Field{
		{1, &c.Station},
		{2, &c.Seq},
		{3, &c.ID},
		{4, &c.kind},
		{5, &c.Source},
		{6, &c.Reader},
		{7, &c.Device}, // id, or the pending ID
		{8, &c.DeviceName},
		{9, &c.DeviceTag}, // masked
		{10, &c.At.BootID}, {11, &c.At.Mono}, {12, &c.At.Wall}, {13, &c.At.Trusted},
		{14, &c.Prev},
		{15, (*seconds)(&c.Loan)},
		{16, &c.Condition},
		{17, &c.selfActor},
		{18, &c.resolved},
		{23, &c.Whose},
		{19, &c.gap.File}, {20, &c.gap.Seq}, {21, &c.gap.Hash}, {22, &c.gap.Lost}, {24, &c.gap.Others},
		// Version 2.
		{25, &c.Chain}, // absent in a chain's first event
		{26, &c.base.Chain}, {27, &c.base.Seq},
		{28, &c.Heard},
		{29, &c.Closed},
		{30, &c.Mark},
		{31, &c.Happened},
		{firstCommit, &c.commits[0]}, {firstCommit + 1, &c.commits[1]},
		{firstCommit + 2, &c.commits[2]}, {firstCommit + 3, &c.commits[3]},
		{36, &c.newer}, {37, &c.Due},
		{45, &c.Kit}, {46, &c.missing},
		{50, &c.Booking.Seq}, {51, &c.Booking.Kind}, {52, &c.Booking.From}, {53, &c.Booking.To}, {54, &c.Booking.Chain},
		{60, &c.Stage}, {61, &c.Part}, {62, &c.Again},
	}
}

func headForm(h *checkout.Head) []Field {
	return []Field{{1, &h.Station}, {2, &h.Chain}, {3, &h.Seq}, {4, &h.Hash}}
}

// side is the part of a record that may be rewritten.
type side struct {
	erased bool
	links  Links
	Secrets
}

func sideForm(s *side) []Field {
	return []Field{
		{1, &s.erased},
		{2, &s.links.Device}, {3, &s.links.Person}, {4, &s.links.From}, {5, &s.links.Resolved},
		{firstCommit, &s.Person}, {firstCommit + 1, &s.From},
		{firstCommit + 2, &s.Actor}, {firstCommit + 3, &s.Note},
	}
}

var sides = poolOf(sideForm)

// person is the secret about a person.
type person struct{ id, name, tag, resolved string }

func personForm(p *person) []Field {
	return []Field{
		{1, &p.id},
		{2, &p.name},
		{3, &p.tag},
		{4, &p.resolved}, // of a Resolve event: the pending ID
	}
}

var persons = poolOf(personForm)

func (s *Secrets) all() [4]*[]byte { return [4]*[]byte{&s.Person, &s.From, &s.Actor, &s.Note} }

// commitment binds an event to a secret without revealing it.
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

// salted puts a fresh salt before value. It returns nil for no value.
func salted(value []byte) []byte {
	if len(value) == 0 {
		return nil
	}
	b := make([]byte, saltLen, saltLen+len(value))
	rand.Read(b) // never fails, see crypto/rand
	return append(b, value...)
}

// Encode returns the record of ev. It sets the Version and Hash of ev and, for the
// first event of a chain, its Chain.
func Encode(ev *Event) []byte {
	ev.Version = version2
	w := writers.Get().(*writer)
	defer writers.Put(w)
	c := &w.core
	*c.Event = *ev
	*c = core{Event: c.Event, selfActor: ev.Actor != "" && ev.Actor == ev.Person, base: ev.Base}
	if c.base.Chain == ev.Chain {
		c.base.Chain = checkout.Hash{}
	}
	if c.kind = older[ev.Kind]; c.kind != "" {
		c.newer = ev.Kind
	} else {
		c.kind = ev.Kind
	}
	c.missing = strings.Join(ev.Missing, "\n")
	if ev.Gap != nil {
		c.gap = *ev.Gap
	}
	who := person{ev.Person, ev.PersonName, ev.PersonTag, ""}
	if ev.Person != "" {
		who.resolved = ev.Resolved
	} else {
		c.resolved = ev.Resolved
	}
	s := Secrets{
		Person: salted(persons.pack(&who)),
		From:   salted(persons.pack(&person{ev.From, ev.FromName, ev.FromTag, ""})),
		Note:   salted([]byte(ev.Note)),
	}
	if !c.selfActor {
		s.Actor = salted([]byte(ev.Actor))
	}
	for i, v := range s.all() {
		if *v != nil {
			c.commits[i] = commitment(byte(firstCommit+i), *v)
		}
	}
	var room [1024]byte // enough for most
	b := appendForm(append(room[:0], version2), w.form)
	ev.Hash = coreHash(b)
	if ev.Chain.IsZero() {
		ev.Chain = ev.Hash
	}
	return assemble(b, ev.Hash, sides.pack(&side{links: ev.Links, Secrets: s}))
}

// writer has the core of an event, and its form: made once, since it is larger than what it
// writes.
type writer struct {
	core core
	form []Field
}

// writers are those that nobody uses.
var writers = sync.Pool{New: func() any {
	w := &writer{core: core{Event: new(Event)}}
	w.form = coreForm(&w.core)
	return w
}}

// assemble joins the parts of a record.
func assemble(core []byte, hash checkout.Hash, side []byte) []byte {
	b := make([]byte, 0, 2+3+len(core)+HashLen+3+len(side)+4)
	b = append(b, eventMagic...)
	b = binary.AppendUvarint(b, uint64(len(core)))
	b = append(b, core...)
	b = append(b, hash[:]...)
	b = binary.AppendUvarint(b, uint64(len(side)))
	b = append(b, side...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(side, castagnoli))
}

// Parts are the parts of a record. The slices point into it.
type Parts struct {
	Core, Side []byte
	Hash       checkout.Hash
	Size       int // of the whole record in bytes
}

// Split cuts up the record at the start of b and checks its sums. It ignores the
// bytes after the record, so that a damaged file can be searched for records.
func Split(b []byte) (Parts, error) {
	if !bytes.HasPrefix(b, eventMagic) {
		return Parts{}, ErrNotEvent
	}
	c := cutter{rest: b[len(eventMagic):]}
	p := Parts{Core: c.part()}
	hash := c.take(HashLen)
	p.Side = c.part()
	sum := c.take(4)
	if c.bad {
		return Parts{}, ErrNotEvent
	}
	p.Hash = checkout.Hash(hash)
	p.Size = len(b) - len(c.rest)
	if coreHash(p.Core) != p.Hash {
		return p, fmt.Errorf("%w: the hash does not match", ErrNotEvent)
	}
	if crc32.Checksum(p.Side, castagnoli) != binary.BigEndian.Uint32(sum) {
		return p, fmt.Errorf("%w: the personal part is damaged", ErrNotEvent)
	}
	return p, nil
}

// Decode reads a record and checks its hash, checksum and commitments. The last take
// as long as the hash, and reveal the side of another event. The Chain of a record of
// version 1 stays zero.
func Decode(b []byte) (Event, error) {
	p, err := Split(b)
	if err != nil {
		return Event{}, err
	}
	ev := Event{Event: checkout.Event{Hash: p.Hash}}
	c := core{Event: &ev}
	if err := c.read(p.Core); err != nil {
		return Event{}, err
	}
	s, err := sides.unpack(p.Side)
	if err != nil {
		return Event{}, err
	}
	ev.Erased, ev.Links = s.erased, s.links
	if err := s.open(c.commits, ev.Erased); err != nil {
		return Event{}, err
	}
	who, err := persons.unpack(s.Person)
	if err != nil {
		return Event{}, err
	}
	from, err := persons.unpack(s.From)
	if err != nil {
		return Event{}, err
	}
	ev.Person, ev.PersonName, ev.PersonTag = who.id, who.name, who.tag
	ev.From, ev.FromName, ev.FromTag = from.id, from.name, from.tag
	ev.Actor, ev.Note, ev.Resolved = string(s.Actor), string(s.Note), cmp.Or(who.resolved, c.resolved)
	if c.selfActor {
		ev.Actor = ev.Person
	}
	return ev, nil
}

// open checks the secrets against their commitments and removes the salts.
func (s *Secrets) open(commits [4]checkout.Hash, erased bool) error {
	for i, v := range s.all() {
		switch {
		case *v == nil && !commits[i].IsZero() && !erased:
			return fmt.Errorf("%w: a personal field is missing and not erased", ErrNotEvent)
		case *v != nil && commitment(byte(firstCommit+i), *v) != commits[i]:
			return fmt.Errorf("%w: a personal field does not match its commitment", ErrNotEvent)
		case *v != nil && len(*v) < saltLen:
			return fmt.Errorf("%w: a personal field has no salt", ErrNotEvent)
		case *v != nil:
			*v = (*v)[saltLen:]
		}
	}
	return nil
}

// read reads the core.
func (c *core) read(b []byte) error {
	if len(b) == 0 {
		return ErrNotEvent
	}
	if c.Version = b[0]; c.Version != version1 && c.Version != version2 {
		return fmt.Errorf("event record of version %d: this program knows versions up to %d", c.Version, version2)
	}
	if err := decode(coreForm(c), b[1:]); err != nil {
		return err
	}
	g := &c.gap
	if g.File != "" || g.Seq != 0 || !g.Hash.IsZero() || g.Lost != nil || g.Others != nil {
		c.Gap = g
	}
	c.Kind = cmp.Or(c.newer, c.kind)
	if c.missing != "" {
		c.Missing = strings.Split(c.missing, "\n")
	}
	c.Base = c.base
	if c.Base.Seq != 0 && c.Base.Chain.IsZero() {
		c.Base.Chain = c.Chain
	}
	if c.Version == version2 && c.Chain.IsZero() {
		c.Chain = c.Hash
	}
	return nil
}

// Rewrite returns a copy of a record whose side f has changed: the personal values,
// the links, and whether it is erased.
func Rewrite(b []byte, f func(s *Secrets, l *Links, erased *bool)) ([]byte, error) {
	p, err := Split(b)
	if err != nil {
		return nil, err
	}
	s, err := sides.unpack(p.Side)
	if err != nil {
		return nil, err
	}
	f(&s.Secrets, &s.links, &s.erased)
	return assemble(p.Core, p.Hash, sides.pack(&s)), nil
}
