package store

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/lab/wire"
)

// Bounds of what a station may send of a person or device.
const (
	mostFields = 200
	mostField  = 8 << 10 // bytes, of a name and its value
	mostID     = 256     // bytes
)

// parcel is an Append that was read. Its records are the next of one chain: what only the
// database knows is whether they follow what it has.
type parcel struct {
	*wire.Append
	chain  checkout.Hash
	after  checkout.Hash // zero at the beginning of the chain
	events []record.Event
	size   int // in bytes, about
}

// open reads an Append, and checks all that can be checked of it alone.
func open(a *wire.Append) (*parcel, error) {
	p := &parcel{Append: a}
	ok := true
	if len(a.Records) > 0 || a.Chain != "" {
		p.chain, ok = parseHash(a.Chain)
	}
	if a.After.Seq != 0 && ok {
		p.after, ok = parseHash(a.After.Hash)
	}
	switch {
	case !ok || a.After.Seq == 0 && a.After.Hash != "":
		return nil, invalid("a chain and the event before are named by the hash of an event")
	case len(a.Records) > wire.MaxRecords:
		return nil, invalid("there are %d events, and at most %d may be sent at once", len(a.Records), wire.MaxRecords)
	case !plainText(a.Station.Name, a.Station.Version, a.Station.Fault):
		return nil, invalid("the station is described by a text that can't be kept")
	}
	prev := checkout.Head{Seq: a.After.Seq, Hash: p.after}
	for _, b := range a.Records {
		ev, err := p.next(prev, b)
		if err != nil {
			return nil, err
		}
		prev = checkout.Head{Seq: ev.Seq, Hash: ev.Hash}
		p.events = append(p.events, ev)
		p.size += 3 * len(b) // and what was read of it
	}
	for i := range a.Patches {
		if err := checkPatch(&a.Patches[i]); err != nil {
			return nil, err
		}
		for name, value := range a.Patches[i].Fields {
			p.size += len(name) + len(value)
		}
	}
	p.size += 1 << 10
	return p, nil
}

// next reads the record of the event after prev.
func (p *parcel) next(prev checkout.Head, b []byte) (record.Event, error) {
	parts, err := record.Split(b)
	if err == nil && len(parts.Core) > 0 && parts.Core[0] > newestRecord {
		return record.Event{}, problem(wire.CodeNewer, "install the newer stump-hub", "an event is of version %d, which this hub does not know", parts.Core[0])
	}
	ev, err := record.Decode(b)
	switch {
	case err != nil:
		return ev, forged("%v", err)
	case parts.Size != len(b):
		return ev, forged("%d bytes follow event %d", len(b)-parts.Size, ev.Seq)
	case ev.Chain != p.chain:
		return ev, forged("event %d is of another chain", ev.Seq)
	case ev.Prev != prev.Hash:
		return ev, forged("event %d does not follow the one before it", ev.Seq)
	case ev.Seq != prev.Seq+1 && !isSegment(&ev, prev.Seq):
		return ev, forged("event %d comes after event %d", ev.Seq, prev.Seq)
	case !plainText(ev.Device, ev.Person, ev.From, ev.Actor, ev.Station, ev.Kit, ev.Resolved, string(ev.Kind)):
		return ev, invalid("event %d has a text that can't be kept", ev.Seq)
	}
	return ev, nil
}

// newestRecord is the newest version of records that this program knows.
const newestRecord = 2

// isSegment reports whether an event begins a new segment of its chain, in which numbers
// are left out.
func isSegment(ev *record.Event, before uint64) bool {
	return ev.Gap != nil && (ev.Kind == checkout.Salvage || ev.Kind == checkout.Restore) && ev.Seq > before
}

func forged(format string, args ...any) error {
	return problem(wire.CodeForged, "`stump verify` checks the station's own events", format, args...)
}

func invalid(format string, args ...any) error {
	return problem(wire.CodeInvalid, "are station and hub of versions that know each other?", format, args...)
}

// parseHash reads a hash as it is written on the wire.
func parseHash(s string) (h checkout.Hash, ok bool) {
	n, err := hex.Decode(h[:], []byte(s[:min(len(s), 2*len(h))]))
	return h, err == nil && n == len(h) && len(s) == 2*len(h)
}

// plainText reports whether PostgreSQL can keep texts.
func plainText(all ...string) bool {
	for _, s := range all {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || len(s) > mostField {
			return false
		}
	}
	return true
}

// The kinds of subjects on the wire.
const (
	personKind = "person"
	deviceKind = "device"
	// A reservation has a device or a kind, a person, and times. The hub keeps it as it is.
	bookingKind = "reservation"
)

func checkPatch(p *wire.Patch) error {
	switch {
	case p.Kind != personKind && p.Kind != deviceKind && p.Kind != bookingKind:
		return invalid("a patch is of a %q", p.Kind)
	case p.ID == "" || len(p.ID) > mostID || !plainText(p.ID):
		return invalid("a patch names its %s by an id that can't be kept", p.Kind)
	case len(p.Fields) > mostFields:
		return invalid("a patch has %d fields, and at most %d are kept", len(p.Fields), mostFields)
	}
	for name, value := range p.Fields {
		if name == "" || len(name) > mostID || !plainText(name, value) {
			return invalid("a patch of the %s %s has a field that can't be kept", p.Kind, p.ID)
		}
	}
	return nil
}
