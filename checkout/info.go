package checkout

import (
	"bytes"
	"encoding/binary"
	"os"
	"time"

	"github.com/google/uuid"
)

var (
	// metaSalvage is where the ledger remembers that it was salvaged.
	metaSalvage = []byte("salvage")
	// metaSimulated is there if simulated lines feed the ledger.
	metaSimulated = []byte("simulated")
)

// Info tells how the ledger is.
type Info struct {
	Path    string
	Station string
	// Segment identifies this file: it is another one after a salvage or a
	// restore.
	Segment uuid.UUID
	// Seq is the number of this station's newest event.
	Seq  uint64
	Hash Hash
	// Size is the file's, in bytes.
	Size int64
	// Salvaged is what was saved from a damaged file, until an admin has
	// acknowledged it.
	Salvaged *Salvaged
	// Damaged is damage that was met and is to be salvaged at the next start;
	// nil for none.
	Damaged *DamagedError
	// Simulated is whether SetSimulated said so. Backups and what is salvaged
	// keep it.
	Simulated bool
	// Empty is whether nothing has happened yet and the register is empty.
	Empty bool
	Health
}

// Info returns how the ledger is. It is cheap.
func (l *Ledger) Info() (Info, error) {
	s := Info{Path: l.path, Station: l.o.Station, Health: l.Health()}
	err := l.view(func(t *txn) (err error) {
		s.Segment = l.segment
		if s.Seq, s.Hash, err = t.head(l.own); err != nil {
			return err
		}
		s.Empty = true
		for _, tr := range []tree{treeEvents, treePeople, treeDevices} {
			first, _ := t.tx.Bucket(tr.bucket()).Cursor().First()
			s.Empty = s.Empty && first == nil
		}
		mark, err := t.get(treeMeta, metaSimulated)
		if err != nil {
			return err
		}
		s.Simulated = mark != nil
		b, err := t.get(treeMeta, metaSalvage)
		if err == nil && b != nil {
			s.Salvaged, err = decodeSalvaged(b)
		}
		return err
	})
	s.Damaged = l.suspected.Load()
	if st, serr := os.Stat(l.path); serr == nil {
		s.Size = st.Size()
	}
	return s, err
}

// AcknowledgeSalvage takes the notice of a salvage away: an admin has seen it.
func (l *Ledger) AcknowledgeSalvage() error {
	return l.update(func(t *txn) error { return t.delete(treeMeta, metaSalvage) })
}

// SetSimulated notes whether simulated lines feed the ledger.
func (l *Ledger) SetSimulated(on bool) error {
	return l.update(func(t *txn) error {
		if !on {
			return t.delete(treeMeta, metaSimulated)
		}
		return t.put(treeMeta, metaSimulated, nil)
	})
}

func (s *Salvaged) encode() []byte {
	var e enc
	e.str(1, s.File)
	e.str(2, s.Reason)
	e.uint(3, s.Events)
	e.uint(4, s.LastSeq)
	e.uint(5, uint64(s.Restated))
	if !s.At.IsZero() {
		e.int(6, s.At.UnixNano())
	}
	var lost []byte
	for _, r := range s.Lost {
		lost = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(lost, r[0]), r[1])
	}
	e.bytes(7, lost)
	e.others(12, s.Others)
	e.uint(10, uint64(s.Made))
	e.flag(11, s.Partial)
	e.uint(8, s.Perhaps[0])
	e.uint(9, s.Perhaps[1])
	return e.b
}

func decodeSalvaged(body []byte) (*Salvaged, error) {
	s := new(Salvaged)
	d := dec{b: body}
	for d.next() {
		switch d.tag {
		case 1:
			s.File = d.str()
		case 2:
			s.Reason = d.str()
		case 3:
			s.Events = d.uint()
		case 4:
			s.LastSeq = d.uint()
		case 5:
			s.Restated = int(d.uint())
		case 6:
			s.At = time.Unix(0, d.int())
		case 12:
			d.others(&s.Others)
		case 10:
			s.Made = int(d.uint())
		case 11:
			s.Partial = d.flag()
		case 8:
			s.Perhaps[0] = d.uint()
		case 9:
			s.Perhaps[1] = d.uint()
		case 7:
			for b := bytes.Clone(d.v); len(b) >= 16; b = b[16:] {
				s.Lost = append(s.Lost, [2]uint64{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])})
			}
		}
	}
	return s, d.err
}
