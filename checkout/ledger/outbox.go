package ledger

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// RowKey identifies an outbox row of a sink, by the place of the row's event in this
// file. Compare gives the order of delivery.
type RowKey = record.Ref

// OutboxRow is an event on its way to a sink.
type OutboxRow struct {
	Key RowKey
	// ID is the written form of Key: the event's number, and for a closed chain the
	// beginning of the chain's name before it: "12", "1f2e3d4c:12".
	ID string
	// Event is the event as it is known now. A pending person or device has no id.
	Event checkout.Event
	// Pending is set while a person or device of the event is not resolved.
	Pending bool
	// Alone: the row waits for no other, and no other for it.
	Alone bool
	// OutboxRow is the worker's state, and the id of the event's device, which may be
	// pending.
	record.OutboxRow
}

// count adds to the counts of a sink.
func (t *txn) count(sink string, queued, done uint64) {
	if t.together != nil {
		t.together.queued[sink] += queued
		return
	}
	c, err := record.Unpack(record.SinkForm, t.get(record.TreeMeta, record.MetaSink(sink)))
	if err != nil || c.Index == 0 {
		t.damaged("the counts of the sink %q", sink)
	}
	c.Queued += queued
	c.Done += done
	t.putSink(sink, c)
}

func (t *txn) putSink(name string, c record.Sink) {
	c.Name = name
	t.put(record.TreeMeta, record.MetaSink(name), record.Pack(record.SinkForm(&c)))
}

// outboxRow reads the event of a row. It resolves pending people and devices, and the
// time of a boot without a clock, as far as they are known now.
func (t *txn) outboxRow(r RowKey, o record.OutboxRow) OutboxRow {
	ev := t.event(r)
	ev.At = ev.Moved()
	ev.At.Wall, ev.At.Trusted = t.times().Wall(ev.At)
	row := OutboxRow{Key: r, ID: t.rowID(r, ev.Chain), OutboxRow: o}
	row.Pending = t.resolve(&ev)
	row.Event, row.Device = ev.Event, ev.Device
	if o.Theirs != nil && o.Theirs.ID != "" {
		theirs := *o.Theirs
		theirs.ID = t.isNow(theirs.ID)
		row.Theirs = &theirs
	}
	for _, id := range []*string{&row.Event.Device, &row.Event.Person, &row.Event.From, &row.Event.Actor} {
		if checkout.IsPendingID(*id) {
			*id = ""
		}
	}
	return row
}

// chainPrefix is how many digits of a chain's name an ID has.
const chainPrefix = 8

func (t *txn) rowID(r RowKey, chain checkout.Hash) string {
	if r.Chain == t.l.own {
		return strconv.FormatUint(r.Seq, 10)
	}
	return fmt.Sprintf("%x:%d", chain[:chainPrefix/2], r.Seq)
}

// ParseRow reads the ID of an outbox row.
func (l *Ledger) ParseRow(id string) (key RowKey, err error) {
	notOne := fmt.Errorf("%q is not the id of an event: a number, or the beginning of a chain's name, a colon and a number", id)
	prefix, number, ok := strings.Cut(id, ":")
	if !ok {
		prefix, number = "", id
	}
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || seq == 0 || ok && len(prefix) < chainPrefix {
		return key, notOne
	}
	if !ok {
		return record.At(l.own, seq), nil
	}
	err = l.view(func(t *txn) {
		for i, c := range t.chains() {
			if strings.HasPrefix(hex.EncodeToString(c.ID[:]), strings.ToLower(prefix)) {
				key = record.At(i, seq)
			}
		}
	})
	if err == nil && key.Seq == 0 {
		err = fmt.Errorf("no chain of this ledger begins with %q", prefix)
	}
	return key, err
}

// ErrNotQueued says that there is no such outbox row, or no longer.
var ErrNotQueued = errors.New("no such event waits here: it was delivered, or dropped")
