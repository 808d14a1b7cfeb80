package api

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"stump/checkout"
	"stump/internal/credential"
	"stump/internal/hint"
)

// Who an event was caused by, when the asker does not say.
const anonymous = "admin"

func personRow(p checkout.Person) Person {
	return Person{ID: p.ID, Name: known(p.Name), Email: known(p.Email), Badge: known(p.Badge), Status: p.Status.String()}
}

func deviceRow(d checkout.Device) Device {
	return Device{
		ID: d.ID, Name: known(d.Name), Tag: known(d.Tag), Kind: known(d.Kind), Status: d.Status.String(),
		Person: known(d.HolderName), PersonID: known(d.Holder),
	}
}

func (s *Server) people(w http.ResponseWriter, _ *http.Request) error {
	return stream(w, mapRows(s.o.Ledger.People(), personRow))
}

func (s *Server) devices(w http.ResponseWriter, _ *http.Request) error {
	return stream(w, mapRows(s.o.Ledger.Devices(), deviceRow))
}

// mapRows applies f to every row.
func mapRows[A, B any](rows func(func(A, error) bool), f func(A) B) func(func(B, error) bool) {
	return func(yield func(B, error) bool) {
		for row, err := range rows {
			var b B
			if err == nil {
				b = f(row)
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// tag reads a written credential; nil and "" are no tag.
func (s *Server) tag(written *string) (checkout.Tag, error) {
	if written == nil || *written == "" {
		return checkout.Tag{}, nil
	}
	return s.parseTag(*written)
}

func (s *Server) parseTag(written string) (checkout.Tag, error) {
	bits, err := credential.Parse(written, s.o.Formats)
	if err != nil {
		return checkout.Tag{}, &problemError{http.StatusBadRequest, err}
	}
	return credential.Tag(bits), nil
}

func (s *Server) addPerson(w http.ResponseWriter, r *http.Request) error {
	var c PersonChange
	if err := readJSON(r, &c); err != nil {
		return err
	}
	tag, err := s.tag(c.Badge)
	if err != nil {
		return err
	}
	p := checkout.Person{Name: str(c.Name), Email: str(c.Email)}
	p.ID, err = s.newID(str(c.ID), p.Name, func(id string) error {
		_, err := s.o.Ledger.FindPerson(id)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.o.Ledger.AddPerson(p, tag, anonymous, checkout.SourceCLI); err != nil {
		return err
	}
	return s.writePerson(w, p.ID)
}

func (s *Server) writePerson(w http.ResponseWriter, ref string) error {
	p, err := s.o.Ledger.FindPerson(ref)
	if err != nil {
		return err
	}
	return writeJSON(w, personRow(p))
}

func (s *Server) editPerson(w http.ResponseWriter, r *http.Request) error {
	var c PersonChange
	if err := readJSON(r, &c); err != nil {
		return err
	}
	if c.Badge != nil && *c.Badge == "" {
		return refuse("give another one; somebody who may not borrow is suspended with --status suspended", "a badge can't be taken away")
	}
	tag, err := s.tag(c.Badge)
	if err != nil {
		return err
	}
	p, err := s.o.Ledger.FindPerson(r.PathValue("ref"))
	if err != nil {
		return err
	}
	e := checkout.Edit{Name: c.Name, Email: c.Email}
	if c.Status != nil {
		status, err := parseStatus(*c.Status)
		if err != nil {
			return err
		}
		e.Status = &status
	}
	if !tag.IsZero() {
		// An import of one row changes all of it or nothing.
		row := checkout.PersonRow{ID: p.ID, Name: orKept(c.Name, p.Name), Email: orKept(c.Email, p.Email), Badge: tag}
		if err := s.o.Ledger.ImportPeople([]checkout.PersonRow{row}, anonymous, checkout.SourceCLI); err != nil {
			return withoutLine(err)
		}
	}
	if err := s.o.Ledger.EditPerson(p.ID, e, anonymous, checkout.SourceCLI); err != nil {
		return err
	}
	return s.writePerson(w, p.ID)
}

func parseStatus(word string) (checkout.Status, error) {
	for _, s := range []checkout.Status{checkout.Active, checkout.Suspended, checkout.Retired} {
		if s.String() == word {
			return s, nil
		}
	}
	return 0, refuse("use active, suspended or retired", "%q is no status", word)
}

func (s *Server) retirePerson(w http.ResponseWriter, r *http.Request) error {
	p, err := s.o.Ledger.FindPerson(r.PathValue("ref"))
	if err != nil {
		return err
	}
	if err := s.o.Ledger.RetirePerson(p.ID, anonymous, checkout.SourceCLI); err != nil {
		return err
	}
	return s.writePerson(w, p.ID)
}

func (s *Server) addDevice(w http.ResponseWriter, r *http.Request) error {
	var c DeviceChange
	if err := readJSON(r, &c); err != nil {
		return err
	}
	tag, err := s.tag(c.Tag)
	if err != nil {
		return err
	}
	d := checkout.Device{Name: str(c.Name), Kind: str(c.Kind)}
	d.ID, err = s.newID(str(c.ID), d.Name, func(id string) error {
		_, err := s.o.Ledger.FindDevice(id)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.o.Ledger.AddDevice(d, tag, anonymous, checkout.SourceCLI); err != nil {
		return err
	}
	return s.writeDevice(w, d.ID)
}

func (s *Server) writeDevice(w http.ResponseWriter, ref string) error {
	d, err := s.o.Ledger.FindDevice(ref)
	if err != nil {
		return err
	}
	return writeJSON(w, deviceRow(d))
}

func (s *Server) editDevice(w http.ResponseWriter, r *http.Request) error {
	var c DeviceChange
	if err := readJSON(r, &c); err != nil {
		return err
	}
	if c.Tag != nil && *c.Tag == "" {
		return refuse("give another one; a device that is no longer lent is retired", "a tag can't be taken away")
	}
	tag, err := s.tag(c.Tag)
	if err != nil {
		return err
	}
	d, err := s.o.Ledger.FindDevice(r.PathValue("ref"))
	if err != nil {
		return err
	}
	if !tag.IsZero() {
		row := checkout.DeviceRow{ID: d.ID, Name: orKept(c.Name, d.Name), Kind: orKept(c.Kind, d.Kind), HasKind: true, Tag: tag}
		if err := s.o.Ledger.ImportDevices([]checkout.DeviceRow{row}, anonymous, checkout.SourceCLI); err != nil {
			return withoutLine(err)
		}
	}
	if err := s.o.Ledger.EditDevice(d.ID, checkout.Edit{Name: c.Name, Kind: c.Kind}, anonymous, checkout.SourceCLI); err != nil {
		return err
	}
	return s.writeDevice(w, d.ID)
}

func (s *Server) retireDevice(w http.ResponseWriter, r *http.Request) error {
	d, err := s.o.Ledger.FindDevice(r.PathValue("ref"))
	if err != nil {
		return err
	}
	if err := s.o.Ledger.RetireDevice(d.ID, anonymous, checkout.SourceCLI); err != nil {
		return err
	}
	return s.writeDevice(w, d.ID)
}

// orKept is the new value, or the old one where none is asked for.
func orKept(asked *string, old string) string {
	if asked == nil {
		return old
	}
	return *asked
}

// withoutLine is what is wrong with a row that came from no file.
func withoutLine(err error) error {
	var row *checkout.RowError
	if errors.As(err, &row) {
		return row.Err
	}
	return err
}

// maxImport is more than a register of 100,000 rows needs.
const maxImport = 32 << 20

func (s *Server) importPeople(w http.ResponseWriter, r *http.Request) error {
	rows, err := checkout.ReadPeopleCSV(http.MaxBytesReader(w, r.Body, maxImport), s.parseTag)
	if err != nil {
		return badCSV(err)
	}
	if err := s.o.Ledger.ImportPeople(rows, anonymous, checkout.SourceCLI); err != nil {
		return badCSV(err)
	}
	return writeJSON(w, Imported{len(rows)})
}

func (s *Server) importDevices(w http.ResponseWriter, r *http.Request) error {
	rows, err := checkout.ReadDevicesCSV(http.MaxBytesReader(w, r.Body, maxImport), s.parseTag)
	if err != nil {
		return badCSV(err)
	}
	if err := s.o.Ledger.ImportDevices(rows, anonymous, checkout.SourceCLI); err != nil {
		return badCSV(err)
	}
	return writeJSON(w, Imported{len(rows)})
}

// badCSV says that nothing was imported.
func badCSV(err error) error {
	if errors.Is(err, checkout.ErrCannotSave) {
		return err
	}
	remedy := "nothing was imported; mend the line and import the whole file again"
	if h := hint.Of(err); h != "" {
		remedy += " (" + h + ")"
	}
	return &problemError{http.StatusBadRequest, hint.Wrap(fmt.Errorf("import: %w", err), remedy)}
}

func (s *Server) exportPeople(w http.ResponseWriter, _ *http.Request) error {
	return writeCSV(w, func(out io.Writer) error { return checkout.WritePeopleCSV(out, s.o.Ledger.People()) })
}

func (s *Server) exportDevices(w http.ResponseWriter, _ *http.Request) error {
	return writeCSV(w, func(out io.Writer) error { return checkout.WriteDevicesCSV(out, s.o.Ledger.Devices(), s.deviceTag) })
}

// deviceTag is the written form of a device's tag, "" if it has none.
func (s *Server) deviceTag(id string) (string, error) {
	d, err := s.o.Ledger.FindDevice(id)
	if err != nil || !d.HasTag() {
		return "", err
	}
	tag, err := s.o.Ledger.TagNumber(checkout.KindDevice, id)
	if err != nil {
		return "", nil // enrolled before tags were kept: an import keeps what there is
	}
	bits, err := credential.Bits(tag)
	return credential.String(bits, s.o.Formats), err
}

// writeCSV sends a table whole or not at all; a register fits in memory.
func writeCSV(w http.ResponseWriter, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	_, err := w.Write(b.Bytes())
	return err
}

// newID is the id that was asked for, or one made from the name: lower case
// ASCII letters and digits, with a number behind it if it is taken.
func (s *Server) newID(asked, name string, find func(id string) error) (string, error) {
	if asked != "" {
		return asked, nil
	}
	base := slug(name)
	for n := 1; ; n++ {
		id := base
		if n > 1 {
			id = fmt.Sprintf("%s-%d", base, n)
		}
		err := find(id)
		var several *checkout.AmbiguousError
		if errors.Is(err, checkout.ErrNotFound) {
			return id, nil
		} else if err != nil && !errors.As(err, &several) {
			return "", err
		}
	}
}

// slug is a name as an id.
func slug(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return cmp.Or(strings.Trim(b.String(), "-"), "x")
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
