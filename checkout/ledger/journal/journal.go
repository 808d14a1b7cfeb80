// Package journal keeps the rows of an import from the moment they are read until all of
// them are in the register.
//
// The rows come once, and are needed several times: to find those that say the same thing
// twice, to check each against the register, and to apply them in pieces. A few stay in
// memory. More go to a file beside the ledger, not into it: what is refused then never
// was in the ledger or its backups, and no tap waits while it is written.
//
//	LEDGER.import.new-*   rows that are being read and checked
//	LEDGER.import         rows of which the ledger has a Mark: they are being applied
//
// A file begins with a random id. A row is the length of its body, the body, and a CRC-32C
// of it. Tags are sealed under the site key.
package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/safefile"
	"stump/internal/sitekey"
)

// Most is how many rows an import may have.
const Most = 300_000

// Key is where the Mark stands in the ledger's meta tree.
var Key = []byte("import")

// Mark says that the rows of a journal are being applied.
type Mark struct {
	ID     uuid.UUID // of the journal
	Kind   checkout.SubjectKind
	Actor  string
	Source checkout.Source
	// Done is the place up to which the rows are in the register.
	Done uint64
	End  uint64 // where the last row ends
}

func markForm(m *Mark) []record.Field {
	return []record.Field{record.Of(1, &m.ID), record.Of(2, &m.Kind), record.Of(3, &m.Actor), record.Of(4, &m.Source), record.Of(5, &m.Done), record.Of(6, &m.End)}
}

// Journal is the rows of an import. It is not safe for concurrent use.
type Journal struct {
	ID uuid.UUID

	ledger string // path
	few    int    // rows that stay in memory
	keys   *sitekey.Ring
	file   *os.File // nil: all rows are in early
	out    *bufio.Writer
	early  []byte // the first rows, with the head of the file
	end    uint64
	rows   int
	index  index
}

// headLen is where the first row begins.
const headLen = 16

// New returns a journal without rows, of which so many stay in memory. More go to a file
// beside the ledger.
func New(ledger string, keys *sitekey.Ring, few int) *Journal {
	id := uuid.New()
	return &Journal{ID: id, ledger: ledger, keys: keys, few: few, early: id[:], end: headLen}
}

// kept is where the journal of a ledger lies while it is applied.
func kept(ledger string) string { return ledger + ".import" }

// open opens the journal that Keep kept. Errors: os.ErrNotExist, ErrDamaged.
func open(ledger string, keys *sitekey.Ring) (*Journal, error) {
	f, err := os.OpenFile(kept(ledger), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	j := &Journal{ledger: ledger, keys: keys, file: f}
	st, err := f.Stat()
	if err == nil {
		j.end = uint64(st.Size())
		if _, err = f.ReadAt(j.ID[:], 0); err != nil {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// remove removes the journal that was kept beside a ledger, if there is one.
func remove(ledger string) error {
	if err := os.Remove(kept(ledger)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Len is how many rows there are.
func (j *Journal) Len() int { return j.rows }

// Big reports whether there are more rows than stay in memory.
func (j *Journal) Big() bool { return j.file != nil }

// stored is a row in the journal.
type stored struct {
	books.ImportRow
	lookup, sealed []byte // of the tag
}

func storedForm(r *stored) []record.Field {
	return []record.Field{
		record.Of(1, &r.ID), record.Of(2, &r.Name), record.Of(3, &r.Email), record.Of(4, &r.Kind), record.Of(5, &r.HasDetail),
		record.Of(6, &r.Status), record.Of(7, &r.Line), record.Of(8, &r.lookup), record.Of(9, &r.sealed),
		record.Of(10, &r.Has), record.Of(11, &r.Groups), record.Of(12, &r.Serial), record.Of(13, &r.Place), record.Of(14, &r.Note),
		record.Of(15, &r.Details.Link), record.Of(16, &r.Out), record.Of(17, &r.Condition), record.Of(18, &r.Kit), record.Of(19, &r.Language),
		record.Of(20, &r.Holder), record.Of(21, &r.Since), record.Of(22, &r.Due),
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (j *Journal) add(r books.ImportRow) error {
	if j.rows == Most {
		return hint.Errorf("nothing was imported; import it in parts", "more than %d rows", Most)
	}
	if j.rows == j.few {
		if err := j.spill(); err != nil {
			return err
		}
	}
	s := stored{ImportRow: r}
	if !r.Tag.IsZero() {
		s.lookup, s.sealed = j.keys.Find(r.Tag, 0), j.keys.Seal(r.Tag)
	}
	body := record.Pack(storedForm(&s))
	b := append(binary.AppendUvarint(nil, uint64(len(body))), body...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, castagnoli))
	j.rows++
	j.end += uint64(len(b))
	if j.file == nil {
		j.early = append(j.early, b...)
		return nil
	}
	_, err := j.out.Write(b)
	return err
}

// spill moves the rows to a file.
func (j *Journal) spill() (err error) {
	j.file, err = os.CreateTemp(filepath.Dir(j.ledger), filepath.Base(kept(j.ledger))+".new-*")
	if err != nil {
		return err
	}
	j.out = bufio.NewWriterSize(j.file, 64<<10)
	_, err = j.out.Write(j.early)
	j.early = nil
	return err
}

// flush makes all rows readable.
func (j *Journal) flush() error {
	if j.out == nil {
		return nil
	}
	return j.out.Flush()
}

// Keep makes the rows last: they are on the disk, where open finds them.
func (j *Journal) Keep() error {
	if err := errors.Join(j.flush(), j.file.Sync()); err != nil {
		return err
	}
	if err := os.Rename(j.file.Name(), kept(j.ledger)); err != nil {
		return err
	}
	j.out = nil
	return safefile.SyncDir(filepath.Dir(j.ledger))
}

// Close closes the file. One that was not kept goes away.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	f := j.file
	j.file = nil
	err := f.Close()
	if j.out != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// ErrDamaged says that a journal can't be read to its end.
var ErrDamaged = errors.New("the journal of the import is damaged")

// Each calls f with each row from a place on, 0 for the first, until f returns false. at is
// the row's place, and next the one behind it.
func (j *Journal) Each(from uint64, f func(r books.ImportRow, at, next uint64) bool) error {
	return j.each(from, func(s *stored, at, next uint64) (bool, error) {
		if err := j.unseal(s); err != nil {
			return false, err
		}
		return f(s.ImportRow, at, next), nil
	})
}

func (j *Journal) each(from uint64, f func(s *stored, at, next uint64) (bool, error)) error {
	if err := j.flush(); err != nil {
		return err
	}
	at := max(from, headLen)
	in := bufio.NewReaderSize(j.section(at), 64<<10)
	for at < j.end {
		s, n, err := read(in)
		if err != nil {
			return err
		}
		if more, err := f(&s, at, at+n); err != nil || !more {
			return err
		}
		at += n
	}
	return nil
}

// at reads the row at a place.
func (j *Journal) at(place uint64) (stored, error) {
	s, _, err := read(bufio.NewReaderSize(j.section(place), 256))
	if err == nil {
		err = j.unseal(&s)
	}
	return s, err
}

func (j *Journal) section(at uint64) io.Reader {
	if j.file == nil {
		return io.NewSectionReader(sliceAt(j.early), int64(at), int64(j.end-at))
	}
	return io.NewSectionReader(j.file, int64(at), int64(j.end-at))
}

type sliceAt []byte

func (b sliceAt) ReadAt(p []byte, at int64) (int, error) {
	n := copy(p, b[min(int64(len(b)), at):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// read reads the next row, which takes n bytes.
func read(in *bufio.Reader) (s stored, n uint64, err error) {
	size, err := binary.ReadUvarint(in)
	if err == nil && size > record.MaxSize {
		err = errors.New("a length that no row has")
	}
	if err != nil {
		return s, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	b := make([]byte, size+4)
	if _, err = io.ReadFull(in, b); err == nil {
		body := b[:size]
		if binary.BigEndian.Uint32(b[size:]) != crc32.Checksum(body, castagnoli) {
			err = errors.New("a sum is wrong")
		} else {
			s, err = record.Unpack(storedForm, body)
		}
	}
	if err != nil {
		return s, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return s, uint64(len(binary.AppendUvarint(nil, size))) + size + 4, nil
}

func (j *Journal) unseal(s *stored) (err error) {
	if s.lookup != nil {
		s.Tag, err = j.keys.Unseal(s.lookup, s.sealed)
	}
	return err
}
