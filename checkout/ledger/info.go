package ledger

import (
	"bytes"
	"encoding/binary"
	"os"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/record"
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
	Hash checkout.Hash
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
		for _, tr := range []record.Tree{record.TreeEvents, record.TreePeople, record.TreeDevices} {
			first, _ := t.tx.Bucket(tr.Bucket()).Cursor().First()
			s.Empty = s.Empty && first == nil
		}
		mark, err := t.get(record.TreeMeta, metaSimulated)
		if err != nil {
			return err
		}
		s.Simulated = mark != nil
		b, err := t.get(record.TreeMeta, metaSalvage)
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
	return l.update(func(t *txn) error { return t.delete(record.TreeMeta, metaSalvage) })
}

// SetSimulated notes whether simulated lines feed the ledger.
func (l *Ledger) SetSimulated(on bool) error {
	return l.update(func(t *txn) error {
		if !on {
			return t.delete(record.TreeMeta, metaSimulated)
		}
		return t.put(record.TreeMeta, metaSimulated, nil)
	})
}

func (s *Salvaged) encode() []byte {
	var e record.Encoder
	e.Str(1, s.File)
	e.Str(2, s.Reason)
	e.Uint(3, s.Events)
	e.Uint(4, s.LastSeq)
	e.Uint(5, uint64(s.Restated))
	if !s.At.IsZero() {
		e.Int(6, s.At.UnixNano())
	}
	var lost []byte
	for _, r := range s.Lost {
		lost = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(lost, r[0]), r[1])
	}
	e.Bytes(7, lost)
	e.Others(12, s.Others)
	e.Uint(10, uint64(s.Made))
	e.Flag(11, s.Partial)
	e.Uint(8, s.Perhaps[0])
	e.Uint(9, s.Perhaps[1])
	return e.B
}

func decodeSalvaged(body []byte) (*Salvaged, error) {
	s := new(Salvaged)
	d := record.Decoder{B: body}
	for d.Next() {
		switch d.Tag {
		case 1:
			s.File = d.Str()
		case 2:
			s.Reason = d.Str()
		case 3:
			s.Events = d.Uint()
		case 4:
			s.LastSeq = d.Uint()
		case 5:
			s.Restated = int(d.Uint())
		case 6:
			s.At = time.Unix(0, d.Int())
		case 12:
			d.Others(&s.Others)
		case 10:
			s.Made = int(d.Uint())
		case 11:
			s.Partial = d.Flag()
		case 8:
			s.Perhaps[0] = d.Uint()
		case 9:
			s.Perhaps[1] = d.Uint()
		case 7:
			for b := bytes.Clone(d.Value); len(b) >= 16; b = b[16:] {
				s.Lost = append(s.Lost, [2]uint64{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])})
			}
		}
	}
	return s, d.Err
}
