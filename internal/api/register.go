package api

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/count"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/sheet"
	"stump/lcd"
)

// actorHeader names the admin who asks, escaped as in a query.
const actorHeader = "Stump-Actor"

// actor is who asks; who does not say so is an admin.
func actor(r *http.Request) string {
	name, _ := url.QueryUnescape(r.Header.Get(actorHeader)) // checkActor has seen it
	return cmp.Or(name, "admin")
}

// checkActor refuses a name that the history can't have.
func checkActor(r *http.Request) error {
	name, err := url.QueryUnescape(r.Header.Get(actorHeader))
	if err == nil && name != "" {
		err = checkout.CheckName(name)
	}
	if err != nil {
		return refuse("send a name, escaped as in a query, or leave it out", "%s: %w", actorHeader, err)
	}
	return nil
}

func personRow(p checkout.Person) Person {
	return Person{ID: p.ID, Name: known(p.Name), Email: known(p.Email), Badge: known(p.Badge), Status: p.Status.String()}
}

func deviceRow(d checkout.Device) Device {
	return Device{
		ID: d.ID, Name: known(d.Name), Tag: known(d.Tag), Kind: known(d.Kind), Status: d.Word(),
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

// change is what an admin asks of a person or a device; nil stays as it is.
type change struct{ id, name, email, kind, tag, status *string }

// readChange reads a PersonChange or a DeviceChange.
func readChange(r *http.Request, of checkout.SubjectKind) (change, error) {
	if of == checkout.KindPerson {
		var c PersonChange
		err := readJSON(r, &c)
		if err == nil {
			err = checkout.CheckEmail(str(c.Email))
		}
		return change{id: c.ID, name: trimmed(c.Name), email: c.Email, tag: c.Badge, status: c.Status}, err
	}
	var c DeviceChange
	err := readJSON(r, &c)
	return change{id: c.ID, name: trimmed(c.Name), kind: c.Kind, tag: c.Tag, status: c.Status}, err
}

// add puts a person or a device into the register.
func (s *Server) add(of checkout.SubjectKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := readChange(r, of)
		if err != nil {
			return err
		}
		if c.status != nil {
			return refuse("add them, then change the status", "what is new is active")
		}
		tag, err := s.tag(c.tag)
		if err != nil {
			return err
		}
		id, err := s.newID(str(c.id), str(c.name), of)
		if err != nil {
			return err
		}
		if of == checkout.KindPerson {
			err = s.o.Ledger.AddPerson(checkout.Person{ID: id, Name: str(c.name), Email: str(c.email)}, tag, actor(r), checkout.SourceCLI)
		} else {
			err = s.o.Ledger.AddDevice(checkout.Device{ID: id, Name: str(c.name), Kind: str(c.kind)}, tag, actor(r), checkout.SourceCLI)
		}
		if err != nil {
			return err
		}
		return s.writeRow(w, of, id, tag)
	}
}

// edit changes all that is asked for, or nothing.
func (s *Server) edit(of checkout.SubjectKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := readChange(r, of)
		if err != nil {
			return err
		}
		if c.id != nil {
			return refuse("leave it out", "an id lasts: it can't be changed")
		}
		if c.tag != nil && *c.tag == "" {
			return refuse("give another one; who or what is no longer to be lent is suspended or retired", "a tag can't be taken away")
		}
		e := checkout.Edit{Name: c.name, Email: c.email, Kind: c.kind}
		if e.Tag, err = s.tag(c.tag); err != nil {
			return err
		}
		if c.status != nil {
			status, err := parseStatus(*c.status, of)
			if err != nil {
				return err
			}
			e.Status = &status
		}
		return s.change(w, r, of, e)
	}
}

// retire takes a person or a device out of use.
func (s *Server) retire(of checkout.SubjectKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		retired := checkout.Retired
		return s.change(w, r, of, checkout.Edit{Status: &retired})
	}
}

// change commits an edit and answers with the row as it is then.
func (s *Server) change(w http.ResponseWriter, r *http.Request, of checkout.SubjectKind, e checkout.Edit) error {
	id, err := s.find(of, r.PathValue("ref"))
	if err != nil {
		return err
	}
	commit := s.o.Ledger.EditDevice
	if of == checkout.KindPerson {
		commit = s.o.Ledger.EditPerson
	}
	if err := commit(id, e, actor(r), checkout.SourceCLI); err != nil {
		return err
	}
	return s.writeRow(w, of, id, e.Tag)
}

// find is the id of a person or device by id or name.
func (s *Server) find(of checkout.SubjectKind, ref string) (string, error) {
	if of == checkout.KindPerson {
		p, err := s.o.Ledger.FindPerson(ref)
		return p.ID, err
	}
	d, err := s.o.Ledger.FindDevice(ref)
	return d.ID, err
}

// writeRow answers with the row that was changed; tag is the one that it got, if
// it got one.
func (s *Server) writeRow(w http.ResponseWriter, of checkout.SubjectKind, id string, tag checkout.Tag) error {
	warning := s.unreadable(tag)
	if of == checkout.KindPerson {
		p, err := s.o.Ledger.FindPerson(id)
		if err != nil {
			return err
		}
		return writeJSON(w, struct {
			Person
			Warning
		}{personRow(p), warning})
	}
	d, err := s.o.Ledger.FindDevice(id)
	if err != nil {
		return err
	}
	return writeJSON(w, struct {
		Device
		Warning
	}{deviceRow(d), warning})
}

// unreadable warns of tags that no reader of this station delivers. The number
// that is printed on a card, without its facility, is the usual one.
func (s *Server) unreadable(tags ...checkout.Tag) Warning {
	var first string
	n := 0
	for _, t := range tags {
		if t.IsZero() {
			continue
		}
		bits, err := credential.Bits(t)
		if err != nil {
			continue
		}
		if why := noFormat(bits, s.o.Formats); why != "" {
			first = cmp.Or(first, why)
			n++
		}
	}
	if n == 0 {
		return Warning{}
	}
	return Warning{known(fmt.Sprintf("%s will not be read here: %s; a number alone is the value of all bits: with its facility it is written H10301:84:31066",
		count.Of(n, "tag"), first))}
}

// parseStatus reads a status that an edit may give.
func parseStatus(word string, of checkout.SubjectKind) (checkout.Status, error) {
	allowed, remedy := []checkout.Status{checkout.Active, checkout.Suspended, checkout.Retired}, "use active, suspended or retired"
	if of == checkout.KindDevice {
		allowed, remedy = []checkout.Status{checkout.Active, checkout.Retired}, "use active or retired; `stump devices lost` is for what can't be found"
	}
	for _, s := range allowed {
		if s.String() == word {
			return s, nil
		}
	}
	return 0, refuse(remedy, "%q is no status", word)
}

// maxImport is more than a register of 100,000 rows needs.
const maxImport = 32 << 20

func (s *Server) importPeople(w http.ResponseWriter, r *http.Request) error {
	rows, err := sheet.ReadPeople(http.MaxBytesReader(w, r.Body, maxImport), s.parseTag)
	if err != nil {
		return badCSV(err)
	}
	var tags []checkout.Tag
	for _, p := range rows {
		tags = append(tags, p.Badge)
	}
	n, err := s.o.Ledger.ImportPeople(rows, actor(r), checkout.SourceCLI)
	return s.imported(w, tags, n, err)
}

func (s *Server) importDevices(w http.ResponseWriter, r *http.Request) error {
	rows, err := sheet.ReadDevices(http.MaxBytesReader(w, r.Body, maxImport), s.parseTag)
	if err != nil {
		return badCSV(err)
	}
	var tags []checkout.Tag
	for _, d := range rows {
		tags = append(tags, d.Tag)
	}
	n, err := s.o.Ledger.ImportDevices(rows, actor(r), checkout.SourceCLI)
	return s.imported(w, tags, n, err)
}

// imported answers for rows with these tags.
func (s *Server) imported(w http.ResponseWriter, tags []checkout.Tag, n checkout.Imported, err error) error {
	if err != nil {
		return badCSV(err)
	}
	return writeJSON(w, Imported{Rows: len(tags), Added: n.Added, Changed: n.Changed, Unchanged: n.Unchanged, Warning: s.unreadable(tags...)})
}

// badCSV says that nothing was imported.
func badCSV(err error) error {
	if errors.Is(err, ledger.ErrCannotSave) {
		return err
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &problemError{http.StatusRequestEntityTooLarge, hint.Errorf("nothing was imported; split it and import the parts", "import: the file is larger than %d MB", large.Limit>>20)}
	}
	remedy := "nothing was imported; mend the line and import the whole file again"
	if h := hint.Of(withHint(err)); h != "" {
		remedy += " (" + h + ")"
	}
	return &problemError{http.StatusBadRequest, hint.Wrap(fmt.Errorf("import: %w", err), remedy)}
}

func (s *Server) exportPeople(w http.ResponseWriter, _ *http.Request) error {
	return writeCSV(w, func(out io.Writer) error { return sheet.WritePeople(out, s.o.Ledger.People()) })
}

func (s *Server) exportDevices(w http.ResponseWriter, _ *http.Request) error {
	return writeCSV(w, func(out io.Writer) error { return sheet.WriteDevices(out, s.o.Ledger.Devices(), s.deviceTag) })
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

// newID is the id that was asked for, or one made from the name, with a number
// behind it if it is taken.
func (s *Server) newID(asked, name string, of checkout.SubjectKind) (string, error) {
	if asked != "" {
		return asked, nil
	}
	base := cmp.Or(slug(name), of.String())
	for n := 1; ; n++ {
		id := base
		if n > 1 {
			id = fmt.Sprintf("%s-%d", base, n)
		}
		_, err := s.find(of, id)
		var several *checkout.AmbiguousError
		if errors.Is(err, checkout.ErrNotFound) {
			return id, nil
		} else if err != nil && !errors.As(err, &several) {
			return "", err
		}
	}
}

// slug is a name as an id: lower case letters and digits, in ASCII if each
// letter has a likeness there, as the displays have it, else as they are. It is
// empty for a name without either.
func slug(name string) string {
	name = norm.NFC.String(strings.ToLower(name))
	var ascii, own strings.Builder
	likeness := true
	for _, r := range name {
		like := string(lcd.ASCII.Fold(string(r)))
		if unicode.IsLetter(r) && strings.Contains(like, "?") {
			likeness = false
		}
		dashed(&ascii, like)
		dashed(&own, string(r))
	}
	chosen := &ascii
	if !likeness {
		chosen = &own
	}
	id := []rune(strings.TrimRight(chosen.String(), "-"))
	return strings.TrimRight(string(id[:min(len(id), 40)]), "-")
}

// dashed adds the letters and digits of s, and a dash for all else between them.
func dashed(b *strings.Builder, s string) {
	for _, r := range strings.ToLower(s) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r) && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
}

// trimmed is a name without the blanks that nobody sees around it.
func trimmed(s *string) *string {
	if s == nil {
		return nil
	}
	t := strings.TrimSpace(*s)
	return &t
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
