package ledger

import (
	"slices"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// tellPeople appends an event for each person who is told by mail of what an event did, for
// the same device. Who has no address is told nothing.
func (t *txn) tellPeople(ev *record.Event) {
	if !slices.Contains(t.l.o.Sinks, MailSink) {
		return
	}
	for _, told := range checkout.Notices(t.l.o.Notify, &ev.Event) {
		p := t.known(record.TreePeople, told.Whom)
		if p.tree == 0 || p.row.Email == "" {
			continue
		}
		say := record.Event{Event: checkout.Event{Kind: checkout.Notify, Stage: string(told.Notice), Source: checkout.SourceSystem,
			Reader: ev.Reader, At: ev.At, Happened: ev.Happened, Note: strings.Join(ev.Along, ", ")}}
		t.setFrom(&say, told.Other)
		t.append(&say, p, t.known(record.TreeDevices, ev.Device))
	}
}
