package ledger

import (
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// FirstWord takes a sink's word about a device that this ledger had not seen move before
// the row's event: it removes the row, and gives the device to holder, "" for nobody, by
// an event whose actor is the sink. It does nothing and returns false if the device moved
// before that event or since, or the row no longer exists.
func (l *Ledger) FirstWord(sink string, key RowKey, holder string) (taken bool, err error) {
	err = l.update(func(t *txn) {
		taken = false
		about := t.event(key)
		t.resolve(&about)
		device := t.deviceOr(about.Device)
		if device == nobody || !t.onlyMove(device, key) || t.removeOutbox(sink, []RowKey{key}, nil) == 0 {
			return
		}
		taken = true
		t.moveTo(&record.Event{Event: checkout.Event{
			Actor: sink, Source: checkout.SourceSync, Note: fmt.Sprintf("event %d: the directory's first word about this device", key.Seq),
		}}, device, holder, key)
	})
	return taken && err == nil, err
}

// onlyMove reports whether the event at key is the only one that says who has the device.
func (t *txn) onlyMove(device party, key RowKey) bool {
	only := device.row.Loan.Since == key
	t.walk(device, func(at record.Ref, ev *record.Event) bool {
		if ev.Kind.MovesDevice() && ev.Kind != checkout.Resolve && at != key {
			only = false
		}
		return only
	})
	return only
}
