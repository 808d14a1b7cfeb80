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
	"time"

	"stump/checkout"
)

// The versions of event records. Records of version 1 don't name their chain:
// the file does.
const (
	version1 = 1
	version2 = 2
)

// Event is an event as the file has it: with what only the ledger needs.
type Event struct {
	checkout.Event
	Resolved string // Resolve: the pending ID that is now Person or Device
	Whose    []byte // Erase: keyed hash of the person's id
	Links    Links
}

// Ref is the place of an event in this file; no event has Seq 0.
type Ref struct {
	Chain uint16 // index of the chain in this file
	Seq   uint64
}

// At returns the place of the event seq of a chain.
func At(chain uint16, seq uint64) Ref { return Ref{chain, seq} }

// Compare orders places: by chain, then by sequence number.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(cmp.Compare(r.Chain, o.Chain), cmp.Compare(r.Seq, o.Seq))
}

// Next is the place after r in its chain.
func (r Ref) Next() Ref { return Ref{r.Chain, r.Seq + 1} }

// Links lead from an event to the event before it of the same device and
// people. They are not part of the hashed core: they are this file's.
type Links struct {
	Device, Person, From, Resolved Ref
}

// Secrets are the personal fields of an event, each salt and value; nil is
// absent or erased.
type Secrets struct{ Person, From, Actor, Note []byte }

const (
	saltLen = 16
	HashLen = 32
	// MaxSize is the most bytes of a core or a side; a name has at most 1,000.
	MaxSize = 1 << 16
)

var (
	// EventMagic begins every event record.
	EventMagic = []byte("Ev")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// ErrNotEvent is a value that is no event record, or a damaged one.
var ErrNotEvent = errors.New("not an event record")

// core is the hashed part of an event, while it is read or written.
type core struct {
	*Event
	gap       checkout.Gap
	selfActor bool           // the actor is the person: there is no commitment to it
	resolved  string         // of a device; that of a person is among the secrets
	base      checkout.Place // its Chain is absent where it is the event's own
	commits   [4]checkout.Hash
}

// firstCommit is the tag of the first commitment; they are in the order of
// Secrets.all. The secret in the side has the tag of its commitment.
const firstCommit = 32

var coreForm = Form[core]{
	Text(1, func(c *core) *string { return &c.Station }),
	Uint(2, func(c *core) *uint64 { return &c.Seq }),
	Array(3, func(c *core) []byte { return c.ID[:] }),
	Text(4, func(c *core) *checkout.Kind { return &c.Kind }),
	Text(5, func(c *core) *checkout.Source { return &c.Source }),
	Text(6, func(c *core) *string { return &c.Reader }),
	Text(7, func(c *core) *string { return &c.Device }), // id, or the pending ID
	Text(8, func(c *core) *string { return &c.DeviceName }),
	Text(9, func(c *core) *string { return &c.DeviceTag }), // masked
	Array(10, func(c *core) []byte { return c.At.BootID[:] }),
	Span(11, 1, func(c *core) *time.Duration { return &c.At.Mono }),
	Time(12, func(c *core) *time.Time { return &c.At.Wall }),
	Flag(13, func(c *core) *bool { return &c.At.Trusted }),
	Array(14, func(c *core) []byte { return c.Prev[:] }),
	Span(15, time.Second, func(c *core) *time.Duration { return &c.Loan }),
	Text(16, func(c *core) *string { return &c.Condition }),
	Flag(17, func(c *core) *bool { return &c.selfActor }),
	Text(18, func(c *core) *string { return &c.resolved }),
	Blob(23, func(c *core) *[]byte { return &c.Whose }),
	Text(19, func(c *core) *string { return &c.gap.File }),
	Uint(20, func(c *core) *uint64 { return &c.gap.Seq }),
	Array(21, func(c *core) []byte { return c.gap.Hash[:] }),
	Runs(22, func(c *core) *[][2]uint64 { return &c.gap.Lost }),
	NamedRuns(24, func(c *core) *map[string][][2]uint64 { return &c.gap.Others }),
	// Version 2.
	Array(25, func(c *core) []byte { return c.Chain[:] }), // absent in the first event of a chain
	Array(26, func(c *core) []byte { return c.base.Chain[:] }),
	Uint(27, func(c *core) *uint64 { return &c.base.Seq }),
	Time(28, func(c *core) *time.Time { return &c.Heard }),
	closedHeads(29),
	Array(firstCommit, func(c *core) []byte { return c.commits[0][:] }),
	Array(firstCommit+1, func(c *core) []byte { return c.commits[1][:] }),
	Array(firstCommit+2, func(c *core) []byte { return c.commits[2][:] }),
	Array(firstCommit+3, func(c *core) []byte { return c.commits[3][:] }),
}

// closedHeads are the heads of closed chains, a field a chain.
func closedHeads(tag byte) Field[core] {
	form := Form[checkout.Head]{
		Text(1, func(h *checkout.Head) *string { return &h.Station }),
		Array(2, func(h *checkout.Head) []byte { return h.Chain[:] }),
		Uint(3, func(h *checkout.Head) *uint64 { return &h.Seq }),
		Array(4, func(h *checkout.Head) []byte { return h.Hash[:] }),
	}
	return Field[core]{tag, func(b []byte, c *core) []byte {
		for i := range c.Closed {
			b = appendField(b, tag, form.Encode(&c.Closed[i]))
		}
		return b
	}, func(c *core, b []byte) bool {
		h, err := form.Decode(b)
		c.Closed = append(c.Closed, h)
		return err == nil
	}}
}

// side is the part of a record that may be rewritten.
type side struct {
	erased bool
	links  Links
	Secrets
}

var sideForm = Form[side]{
	Flag(1, func(s *side) *bool { return &s.erased }),
	Place(2, func(s *side) *Ref { return &s.links.Device }),
	Place(3, func(s *side) *Ref { return &s.links.Person }),
	Place(4, func(s *side) *Ref { return &s.links.From }),
	Place(5, func(s *side) *Ref { return &s.links.Resolved }),
	Blob(firstCommit, func(s *side) *[]byte { return &s.Person }),
	Blob(firstCommit+1, func(s *side) *[]byte { return &s.From }),
	Blob(firstCommit+2, func(s *side) *[]byte { return &s.Actor }),
	Blob(firstCommit+3, func(s *side) *[]byte { return &s.Note }),
}

// person is a person as a secret.
type person struct{ id, name, tag, resolved string }

var personForm = Form[person]{
	Text(1, func(p *person) *string { return &p.id }),
	Text(2, func(p *person) *string { return &p.name }),
	Text(3, func(p *person) *string { return &p.tag }),
	Text(4, func(p *person) *string { return &p.resolved }), // Resolve: the pending ID
}

func (s *Secrets) all() [4]*[]byte { return [4]*[]byte{&s.Person, &s.From, &s.Actor, &s.Note} }

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

// salted puts a fresh salt before value; nil for no value.
func salted(value []byte) []byte {
	if len(value) == 0 {
		return nil
	}
	b := make([]byte, saltLen, saltLen+len(value))
	rand.Read(b) // never fails, see crypto/rand
	return append(b, value...)
}

// Encode seals ev: it fills in Version, Hash and, in the first event of a
// chain, Chain, and returns the record.
func Encode(ev *Event) []byte {
	ev.Version = version2
	c := core{Event: ev, selfActor: ev.Actor != "" && ev.Actor == ev.Person, base: ev.Base}
	if c.base.Chain == ev.Chain {
		c.base.Chain = checkout.Hash{}
	}
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
		Person: salted(personForm.Encode(&who)),
		From:   salted(personForm.Encode(&person{ev.From, ev.FromName, ev.FromTag, ""})),
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
	b := coreForm.append([]byte{version2}, &c)
	ev.Hash = coreHash(b)
	if ev.Chain.IsZero() {
		ev.Chain = ev.Hash
	}
	return assemble(b, ev.Hash, sideForm.Encode(&side{links: ev.Links, Secrets: s}))
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

// Parts are a record cut up; the slices point into it.
type Parts struct {
	Core, Side []byte
	Hash       checkout.Hash
	Size       int // of the whole record
}

// Split cuts up the record at the start of b and checks its sums. What comes
// after the record is left alone, so that records can be found in a damaged file.
func Split(b []byte) (Parts, error) {
	var p Parts
	if !bytes.HasPrefix(b, EventMagic) {
		return p, ErrNotEvent
	}
	rest := b[len(EventMagic):]
	// take cuts off n bytes; nil when there are not so many.
	take := func(n int) (v []byte) {
		if n < 0 || n > len(rest) {
			rest = nil
			return nil
		}
		v, rest = rest[:n:n], rest[n:]
		return v
	}
	part := func() []byte {
		n, w := binary.Uvarint(rest)
		if w <= 0 || n > MaxSize {
			return take(-1)
		}
		take(w)
		return take(int(n))
	}
	p.Core = part()
	hash := take(HashLen)
	p.Side = part()
	sum := take(4)
	if p.Core == nil || hash == nil || p.Side == nil || sum == nil {
		return Parts{}, ErrNotEvent
	}
	p.Hash = checkout.Hash(hash)
	p.Size = len(b) - len(rest)
	if coreHash(p.Core) != p.Hash {
		return p, fmt.Errorf("%w: the hash does not hold", ErrNotEvent)
	}
	if crc32.Checksum(p.Side, castagnoli) != binary.BigEndian.Uint32(sum) {
		return p, fmt.Errorf("%w: the personal part is damaged", ErrNotEvent)
	}
	return p, nil
}

// Decode reads a record and checks its hash and checksum. The commitments are
// checked too: they cost as much again as the hash, and catch a side that was
// exchanged. Of a record of version 1 the Chain is left empty.
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
	s, err := sideForm.Decode(p.Side)
	if err != nil {
		return Event{}, err
	}
	ev.Erased, ev.Links = s.erased, s.links
	for i, v := range s.all() {
		switch {
		case *v == nil && !c.commits[i].IsZero() && !ev.Erased:
			return Event{}, fmt.Errorf("%w: a personal field is missing and not erased", ErrNotEvent)
		case *v != nil && commitment(byte(firstCommit+i), *v) != c.commits[i]:
			return Event{}, fmt.Errorf("%w: a personal field is not what was committed", ErrNotEvent)
		case *v != nil && len(*v) < saltLen:
			return Event{}, fmt.Errorf("%w: a personal field has no salt", ErrNotEvent)
		}
	}
	if err := ev.fill(&s.Secrets); err != nil {
		return Event{}, err
	}
	if c.selfActor {
		ev.Actor = ev.Person
	}
	return ev, nil
}

// read reads the core.
func (c *core) read(b []byte) error {
	if len(b) == 0 {
		return ErrNotEvent
	}
	if c.Version = b[0]; c.Version != version1 && c.Version != version2 {
		return fmt.Errorf("event record of version %d: this program knows versions up to %d", c.Version, version2)
	}
	if err := coreForm.decode(c, b[1:]); err != nil {
		return err
	}
	g := &c.gap
	if g.File != "" || g.Seq != 0 || !g.Hash.IsZero() || g.Lost != nil || g.Others != nil {
		c.Gap = g
	}
	c.Resolved, c.Base = c.resolved, c.base
	if c.Base.Seq != 0 && c.Base.Chain.IsZero() {
		c.Base.Chain = c.Chain
	}
	if c.Version == version2 && c.Chain.IsZero() {
		c.Chain = c.Hash
	}
	return nil
}

// fill takes the values out of the secrets.
func (ev *Event) fill(s *Secrets) error {
	value := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		return b[saltLen:]
	}
	who, err := personForm.Decode(value(s.Person))
	if err != nil {
		return err
	}
	ev.Person, ev.PersonName, ev.PersonTag = who.id, who.name, who.tag
	if who.resolved != "" {
		ev.Resolved = who.resolved
	}
	from, err := personForm.Decode(value(s.From))
	ev.From, ev.FromName, ev.FromTag = from.id, from.name, from.tag
	ev.Actor, ev.Note = string(value(s.Actor)), string(value(s.Note))
	return err
}

// Rewrite returns a copy of a record in which f changed the side: the personal
// values, the links, and whether it is erased.
func Rewrite(b []byte, f func(s *Secrets, l *Links, erased *bool)) ([]byte, error) {
	p, err := Split(b)
	if err != nil {
		return nil, err
	}
	s, err := sideForm.Decode(p.Side)
	if err != nil {
		return nil, err
	}
	f(&s.Secrets, &s.links, &s.erased)
	return assemble(p.Core, p.Hash, sideForm.Encode(&s)), nil
}
