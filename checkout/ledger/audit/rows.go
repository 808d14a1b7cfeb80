package audit

import (
	"bytes"
	"iter"
	"slices"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/record"
	"stump/internal/count"
)

// Finds reports whether looking for a key leads to its value.
func Finds(b *bolt.Bucket, key, value []byte) bool { return bytes.Equal(b.Get(key), value) }

// Findable looks every row up by its key. After damage to an inner page, a row may be
// reachable by iteration but not by its key.
func (a *Audit) Findable(tx *bolt.Tx) {
	for _, tr := range slices.Concat(record.Trees, record.LaterTrees) {
		b := tx.Bucket(tr.Bucket())
		if tr == record.TreeEvents || b == nil {
			continue // checked with the chains, or not made yet
		}
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if !Finds(b, k, v) {
				a.r.Add("file", "a row of %s exists, but is not found by its key", tr)
			}
		}
	}
}

// Strays finds events that no chain leads to. It comes after all events.
func (a *Audit) Strays(tx *bolt.Tx) {
	there := uint64(0)
	all := tx.Bucket(record.TreeEvents.Bucket()).Cursor()
	for k, _ := all.First(); k != nil; k, _ = all.Next() {
		there++
	}
	if there != a.r.Events {
		a.r.Add("chain", "%s outside of the chains", count.Of(there-a.r.Events, "event"))
	}
}

// Outbox compares the rows with the events, of which read returns one, and with the counts of
// each sink. A row that can't be opened is found by Findable, or by who reads it.
func (a *Audit) Outbox(tx *bolt.Tx, sinks iter.Seq[string], read func(record.Ref) (record.Event, error)) {
	rows := map[uint16]uint64{}
	all := tx.Bucket(record.TreeOutbox.Bucket()).Cursor()
	for k, v := all.First(); k != nil; k, v = all.Next() {
		a.r.Outbox++
		r, sink, ok := record.ParseOutboxKey(k)
		rows[sink]++
		body, err := record.OpenAt(record.TreeOutbox, k, v)
		var o record.OutboxRow
		if err == nil {
			o, err = record.UnpackOutbox(body)
		}
		if !ok || err != nil {
			a.r.Add("outbox", "the row of event %d: a key of %d bytes, %v", r.Seq, len(k), err)
			continue
		}
		if ev, err := read(r); err != nil {
			a.r.Add("outbox", "%v", err)
		} else if ev.Device != o.Device {
			a.r.Add("outbox", "the row of event %d is about %q, the event about %q", r.Seq, o.Device, ev.Device)
		}
	}
	for name := range sinks {
		body, err := record.OpenAt(record.TreeMeta, record.MetaSink(name), tx.Bucket(record.TreeMeta.Bucket()).Get(record.MetaSink(name)))
		c, sinkErr := record.Unpack(record.SinkForm, body)
		if err != nil || sinkErr != nil || c.Queued-c.Done != rows[c.Index] {
			a.r.Add("outbox", "%s for %q, it should be %d", count.Of(rows[c.Index], "row"), name, c.Queued-c.Done)
		}
	}
}
