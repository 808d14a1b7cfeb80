package ledger

import (
	"os"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/report"
)

var (
	// metaSalvage holds the report of the last salvage until an admin acknowledges it.
	metaSalvage = []byte("salvage")
	// metaSimulated exists if simulated lines feed the ledger.
	metaSimulated = []byte("simulated")
)

// Info is the state of a ledger.
type Info struct {
	Path    string
	Station string
	// Chain is the hash of the chain's first event; zero while there is none.
	Chain checkout.Hash
	// Segment identifies this file. A salvage and a restore change it.
	Segment uuid.UUID
	// Seq is the number of this station's newest event.
	Seq  uint64
	Hash checkout.Hash
	// Size is the file's, in bytes.
	Size int64
	// Salvaged is the report of the last salvage, until an admin acknowledges it.
	Salvaged *Salvaged
	// Damaged is damage that the next start will salvage; nil for none.
	Damaged *DamagedError
	// Simulated is what SetSimulated set. Backups and salvages keep it.
	Simulated bool
	// Empty is whether there are no events, people or devices.
	Empty bool
	Health
}

// Info returns the state of the ledger. It reads a few pages.
func (l *Ledger) Info() (Info, error) {
	s := Info{Path: l.path, Station: l.o.Station, Health: l.Health()}
	err := l.view(func(t *txn) {
		s.Segment, s.Chain, s.Empty = l.segment, t.chain(l.own).ID, true
		s.Seq, s.Hash = t.head(l.own)
		for _, tr := range []record.Tree{record.TreeEvents, record.TreePeople, record.TreeDevices} {
			first, _ := t.bucket(tr).Cursor().First()
			s.Empty = s.Empty && first == nil
		}
		s.Simulated = t.get(record.TreeMeta, metaSimulated) != nil
		if b := t.get(record.TreeMeta, metaSalvage); b != nil {
			notice, err := record.Unpack(report.SalvagedForm, b)
			t.must(err)
			s.Salvaged = &notice
		}
	})
	s.Damaged = l.suspected.Load()
	if st, serr := os.Stat(l.path); serr == nil {
		s.Size = st.Size()
	}
	return s, err
}

// Hurt reports whether Info has a salvage or damage. It reads a page.
func (l *Ledger) Hurt() (hurt bool) {
	_ = l.view(func(t *txn) { hurt = t.get(record.TreeMeta, metaSalvage) != nil }) // damage that it meets is noted
	return hurt || l.suspected.Load() != nil
}

// AcknowledgeSalvage removes the report of a salvage, after an admin has seen it.
func (l *Ledger) AcknowledgeSalvage() error {
	return l.update(func(t *txn) { t.delete(record.TreeMeta, metaSalvage) })
}

// SetSimulated notes whether simulated lines feed the ledger.
func (l *Ledger) SetSimulated(on bool) error {
	return l.update(func(t *txn) {
		if on {
			t.put(record.TreeMeta, metaSimulated, nil)
		} else {
			t.delete(record.TreeMeta, metaSimulated)
		}
	})
}
