package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"stump/checkout"
	"stump/internal/api/namesake"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console/imports"
	"stump/internal/count"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/sheet"
)

// party is a person or a device.
type party struct {
	id, name string
	status   checkout.Status
	tags     []string // what is shown of those that work
	revision string   // of one that was asked for alone
	row      any      // the Person or Device of lists
}

// Key is the party's place in the list.
func (p party) Key() string { return p.id }

// MarshalJSON writes the row.
func (p party) MarshalJSON() ([]byte, error) { return json.Marshal(p.row) }

// register is one half of the register: the people, or the devices.
type register struct {
	kind      checkout.SubjectKind
	path, tag string // what routes and commands call the list, and a tag

	all   func(books.Page) iter.Seq2[party, error]
	find  func(ref string) (party, error) // by id or name
	add   func(l books.Keeper, c change, tag checkout.Tag, by identity.Principal) error
	edit  func(l books.Keeper, ref string, e books.Edit, actor string, source checkout.Source) error
	write func(ctx context.Context, csv io.Writer) error
}

func (s *Server) registers(l books.Keeper) (people, devices *register) {
	people = &register{
		kind: checkout.KindPerson, path: "people", tag: "badge",
		all: func(p books.Page) iter.Seq2[party, error] { return mapRows(l.People(p), personParty) },
		find: func(ref string) (party, error) {
			p, err := l.FindPerson(ref)
			return personParty(p), err
		},
		add: func(l books.Keeper, c change, badge checkout.Tag, by identity.Principal) error {
			return l.AddPerson(books.Person{ID: *c.id, Name: str(c.Name), Email: str(c.Email), Groups: str(c.Groups), Language: str(c.Language)}, badge, by.Name, by.Source)
		},
		edit: books.Keeper.EditPerson,
		write: func(ctx context.Context, csv io.Writer) error {
			return sheet.WritePeople(csv, namesake.Present(until(ctx, l.People(books.Page{}))))
		},
	}
	devices = &register{
		kind: checkout.KindDevice, path: "devices", tag: "tag",
		all: func(p books.Page) iter.Seq2[party, error] { return mapRows(l.Devices(p), deviceParty) },
		find: func(ref string) (party, error) {
			d, err := l.FindDevice(ref)
			return deviceParty(d), err
		},
		add: func(l books.Keeper, c change, tag checkout.Tag, by identity.Principal) error {
			return l.AddDevice(books.Device{ID: *c.id, Name: str(c.Name), Kind: str(c.Kind), Condition: str(c.Condition), Kit: str(c.Kit), Details: books.Details{
				Serial: str(c.Serial), Place: str(c.Place), Note: str(c.Note), Link: str(c.Link), Out: str(c.Out)}}, tag, by.Name, by.Source)
		},
		edit: books.Keeper.EditDevice,
		write: func(ctx context.Context, csv io.Writer) error {
			return sheet.WriteDevices(csv, until(ctx, l.Devices(books.Page{})), s.deviceTag)
		},
	}
	return people, devices
}

// of is the half of the register that has this kind.
func (s *Server) of(kind checkout.SubjectKind) *register {
	if kind == checkout.KindDevice {
		return s.devices
	}
	return s.people
}

func personParty(p books.Person) party {
	return party{p.ID, p.Name, p.Status, p.Live(), p.Revision, wire.Person{
		ID: p.ID, Name: known(p.Name), Email: known(p.Email), Badge: known(p.Badge()), Status: p.Status.String(), Groups: groupNames(p.AllGroups()),
		Language: known(string(p.Language)),
	}}
}

func deviceParty(d books.Device) party {
	return party{d.ID, d.Name, d.Status, strings.Fields(d.Tag), d.Revision, wire.Device{
		ID: d.ID, Name: known(d.Name), Tag: known(d.Tag), Kind: known(d.Kind), Status: d.Word(),
		Person: known(d.HolderName), PersonID: known(d.Holder),
		Serial: known(d.Serial), Place: known(d.Place), Note: known(d.Note), Link: known(d.Link), Out: known(string(d.Out)), Condition: known(d.Condition), Kit: known(d.Kit),
	}}
}

// groupNames are groups as a list that is never null.
func groupNames(g checkout.Groups) []string { return append([]string{}, g.Names()...) }

func (reg *register) list(_ *http.Request, _ query, p books.Page) (iter.Seq2[party, error], error) {
	return reg.all(p), nil
}

// edits is the command that changes a person or device.
func (reg *register) edits(id, flags string) string {
	return "`stump " + reg.path + " edit " + hint.ShellWord(id) + " " + flags + "`"
}

// giveTag is the command that gives a person or device a tag.
func (reg *register) giveTag(id string) string { return reg.edits(id, "--"+reg.tag+" CREDENTIAL") }

// change is a PersonChange or a DeviceChange: what is changed as it is written, and the rest.
type change struct {
	books.Edit
	id, tag, status, more, lost, found *string
}

func personChange(c *wire.PersonChange) change {
	e := books.Edit{Name: c.Name, Email: c.Email, Language: (*checkout.Language)(c.Language)}
	if c.Groups != nil {
		groups := checkout.GroupsOf(*c.Groups...)
		e.Groups = &groups
	}
	return change{Edit: e, id: c.ID, tag: c.Badge, status: c.Status, more: c.AddBadge, lost: c.LostBadge, found: c.FoundBadge}
}

func deviceChange(c *wire.DeviceChange) change {
	return change{id: c.ID, tag: c.Tag, status: c.Status, Edit: books.Edit{Name: c.Name, Kind: c.Kind, Kit: c.Kit, Condition: c.Condition,
		Serial: c.Serial, Place: c.Place, Note: c.Note, Link: c.Link, Out: (*checkout.Day)(c.Out)}}
}

// changed reads a change for f.
func changed[C any](reg *register, read func(C) change, f func(*http.Request, *register, change) (any, error)) func(*http.Request, C) (any, error) {
	return func(r *http.Request, in C) (any, error) {
		c := read(in)
		if c.Name != nil {
			name := strings.TrimSpace(*c.Name)
			c.Name = &name
		}
		if err := checkout.CheckEmail(str(c.Email)); err != nil {
			return nil, err
		}
		return f(r, reg, c)
	}
}

// add puts a person or a device into the register.
func (s *Server) add(r *http.Request, reg *register, c change) (any, error) {
	if c.status != nil || c.more != nil || c.lost != nil || c.found != nil {
		return nil, refuse("add them, then change the status", "what is new is active")
	}
	tag, err := s.tag(c.tag)
	if err != nil {
		return nil, err
	}
	if str(c.id) == "" {
		id, err := books.NewID(s.o.Books, reg.kind, str(c.Name))
		if err != nil {
			return nil, err
		}
		c.id = &id
	}
	l, err := s.on(r, reg.kind, "")
	if err != nil {
		return nil, err
	}
	if err := reg.add(l, c, tag, identity.Of(r.Context())); err != nil {
		return nil, err
	}
	return s.row(reg, *c.id, c, nil, tag)
}

// edit makes all the changes, or none.
func (s *Server) edit(r *http.Request, reg *register, c change) (any, error) {
	if c.id != nil {
		return nil, refuse("leave it out", "an id lasts: it can't be changed")
	}
	if c.tag != nil && *c.tag == "" {
		return nil, refuse("give another one; to stop lending, suspend or retire its owner", "a tag can't be taken away")
	}
	e, err := c.Edit, error(nil)
	if e.Tag, err = s.tag(c.tag); err != nil {
		return nil, err
	}
	if e.MoreBadge, err = s.tag(c.more); err != nil {
		return nil, err
	}
	for _, b := range []struct {
		ref     *books.BadgeRef
		written *string
	}{{&e.LostBadge, c.lost}, {&e.FoundBadge, c.found}} {
		if *b.ref, err = s.badgeRef(b.written); err != nil {
			return nil, err
		}
	}
	for _, status := range []checkout.Status{checkout.Active, checkout.Suspended, checkout.Retired} {
		if str(c.status) == status.String() {
			e.Status = &status
		}
	}
	if c.status != nil && e.Status == nil {
		return nil, refuse("use active, suspended (people only) or retired; `stump devices lost` is for what can't be found", "%q is not a status", *c.status)
	}
	return s.commitEdit(r, reg, c, e)
}

// retire takes a person or a device out of use.
func (s *Server) retire(reg *register) handler {
	return object(func(r *http.Request) (any, error) {
		retired := checkout.Retired
		return s.commitEdit(r, reg, change{}, books.Edit{Status: &retired})
	})
}

// commitEdit changes the person or device of the path.
func (s *Server) commitEdit(r *http.Request, reg *register, c change, e books.Edit) (any, error) {
	p, err := reg.find(r.PathValue("ref"))
	if err != nil {
		return nil, err
	}
	l, err := s.on(r, reg.kind, p.id)
	if err != nil {
		return nil, err
	}
	by := identity.Of(r.Context())
	if err := reg.edit(l, p.id, e, by.Name, by.Source); err != nil {
		return nil, err
	}
	return s.row(reg, p.id, c, p.tags, e.Tag, e.MoreBadge)
}

// row is the answer to a change: the row as it is now, what is shown of the old tags
// that no longer work, and a warning of new ones that no reader of this station delivers
// or that may mean another card, and of a new name that somebody else has.
func (s *Server) row(reg *register, id string, c change, old []string, tags ...checkout.Tag) (any, error) {
	p, err := reg.find(id)
	if err != nil {
		return nil, err
	}
	twin := s.namesakes(reg, id, str(c.Name))
	gone := wire.Gone{Gone: slices.DeleteFunc(old, func(tag string) bool { return slices.Contains(p.tags, tag) })}
	var strange unreadable
	for _, t := range tags {
		strange.look(s, t)
	}
	warning := wire.Warn(strange.warning(), twin, credential.Doubt(str(c.tag), s.o.Formats), credential.Doubt(str(c.more), s.o.Formats))
	switch row := p.row.(type) {
	case wire.Person:
		return struct {
			wire.Version
			wire.Person
			wire.Warning
			wire.Gone
		}{wire.Version{Revision: p.revision}, row, warning, gone}, nil
	case wire.Device:
		return struct {
			wire.Version
			wire.Device
			wire.Warning
			wire.Gone
		}{wire.Version{Revision: p.revision}, row, warning, gone}, nil
	}
	return nil, nil
}

// tag reads a written credential; nil and "" are no tag.
func (s *Server) tag(written *string) (checkout.Tag, error) {
	if str(written) == "" {
		return checkout.Tag{}, nil
	}
	return s.parseTag(*written)
}

// badgeRef reads which badge of a person is meant: a written credential, or the end of
// its number as lists show it; nil and "" are none.
func (s *Server) badgeRef(written *string) (ref books.BadgeRef, err error) {
	for _, dots := range []string{"…", "..."} {
		if end, ok := strings.CutPrefix(str(written), dots); ok {
			return books.BadgeRef{Shown: "…" + end}, nil
		}
	}
	ref.Tag, err = s.tag(written)
	return ref, err
}

func (s *Server) parseTag(written string) (checkout.Tag, error) {
	bits, err := s.o.ParseCard(written)
	return credential.Tag(bits), err
}

// unreadable counts tags that no reader of this station delivers.
type unreadable struct {
	n     int
	first string // why
}

func (u *unreadable) look(s *Server, t checkout.Tag) {
	if t.IsZero() {
		return
	}
	bits, err := credential.Bits(t)
	if err != nil {
		return
	}
	if why := credential.NoFormat(bits, s.o.Formats); why != "" {
		u.first = cmp.Or(u.first, why)
		u.n++
	}
}

func (u *unreadable) warning() string {
	if u.n == 0 {
		return ""
	}
	return fmt.Sprintf("%s will not be read here: %s", count.Of(u.n, "tag"), u.first)
}

// maxImport is the size of the largest CSV file, in bytes. A register of 100,000
// rows needs less.
const maxImport = 32 << 20

// imports reads a CSV file: all of it, or nothing.
func (s *Server) imports(reg *register) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		csv := http.MaxBytesReader(w, r.Body, maxImport)
		o, mapped, err := importOptions(reg, r)
		if err != nil {
			return err
		}
		l, err := s.on(r, reg.kind, "")
		if err != nil {
			return err
		}
		answer, err := s.importCSV(r.Context(), l, reg, csv, mapped, o)
		var row *books.RowError
		if errors.As(err, &row) {
			return s.badRow(err)
		}
		if err != nil {
			return err
		}
		return writeJSON(w, answer)
	}
}

// importPage imports a file of a page, or says what that would change.
func (s *Server) importPage(r *http.Request, kind checkout.SubjectKind, file io.Reader, pairs []string, dryRun bool) (imports.Result, error) {
	reg := s.people
	if kind == checkout.KindDevice {
		reg = s.devices
	}
	mapped, err := sheet.Mapping(kind, pairs)
	if err != nil {
		return imports.Result{}, err
	}
	by := identity.Of(r.Context())
	n, err := s.importCSV(r.Context(), s.o.Books, reg, file, mapped, books.ImportOptions{Actor: by.Name, Source: by.Source, DryRun: dryRun})
	if row := (*books.RowError)(nil); errors.As(err, &row) {
		err = s.badRow(err)
	}
	return imports.Result{Added: n.Added, Changed: n.Changed, Unchanged: n.Unchanged, Warning: str(n.Warning.Warning), Changes: n.Changes}, err
}

// importOptions reads how to import: dry_run=true changes nothing, and each map is a
// "HEADER=column".
func importOptions(reg *register, r *http.Request) (o books.ImportOptions, mapped map[string]string, err error) {
	q, err := params(r, "dry_run", "map*")
	if err != nil {
		return o, nil, err
	}
	by := identity.Of(r.Context())
	o = books.ImportOptions{Actor: by.Name, Source: by.Source}
	if o.DryRun, err = q.flag("dry_run"); err != nil {
		return o, nil, err
	}
	mapped, err = sheet.Mapping(reg.kind, r.URL.Query()["map"])
	return o, mapped, err
}

// importCSV saves the rows of a CSV file, or in a dry run tells what it would change.
func (s *Server) importCSV(ctx context.Context, l books.Keeper, reg *register, csv io.Reader, mapped map[string]string, o books.ImportOptions) (wire.Imported, error) {
	in := &counted{r: csv}
	defer in.giveBack()
	var strange unreadable
	doubts, doubt := 0, ""
	rows := sheet.Rows(reg.kind, in, sheet.Options{Map: mapped, Parse: func(written string) (checkout.Tag, error) {
		if d := credential.Doubt(written, s.o.Formats); d != "" {
			doubts, doubt = doubts+1, cmp.Or(doubt, d)
		}
		return s.parseTag(written)
	}})
	n, err := l.Import(ctx, reg.kind, func(yield func(books.ImportRow, error) bool) {
		for row, err := range rows {
			strange.look(s, row.Tag)
			if !yield(row, err) {
				return
			}
		}
	}, o)
	twin := ""
	if err == nil && !o.DryRun && reg.kind == checkout.KindPerson {
		twin = namesake.OfNew(s.o.Books, n.New)
	}
	return wire.Imported{Rows: n.Rows(), Added: n.Added, Changed: n.Changed, Unchanged: n.Unchanged, Warning: wire.Warn(strange.warning(), wire.Several(doubts, doubt), twin, tooLate(n.Late)), Changes: n.Changes}, err
}

// counted counts the bytes of a file.
type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

// giveBack gives back the memory that a large file took, which Go would do bit by bit.
func (c *counted) giveBack() {
	if c.n > maxBody {
		debug.FreeOSMemory()
	}
}

// tooLate warns of rows that were not done in whole.
func tooLate(rows []*books.RowError) string {
	if rows == nil {
		return ""
	}
	return wire.Several(len(rows), "while the file was imported, somebody at the desk was faster: "+rows[0].Error())
}

// badRow adds to the error of lines that nothing was imported, and what to do.
func (s *Server) badRow(err error) error {
	remedy := func(err error) string {
		_, remedy := s.explain(err)
		return cmp.Or(hint.Of(err), remedy)
	}
	if several := (*books.BadLines)(nil); errors.As(err, &several) {
		for _, e := range several.Lines {
			if r := remedy(e.Err); r != "" && hint.Of(e.Err) == "" {
				e.Err = hint.Wrap(e.Err, r)
			}
		}
		return refuse("nothing was imported; correct these lines and import the whole file again", "import: %w", err)
	}
	more := ""
	if r := remedy(err); r != "" {
		more = " (" + r + ")"
	}
	return refuse("nothing was imported; correct the line and import the whole file again"+more, "import: %w", err)
}

func exports(reg *register) handler {
	return bare(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		return reg.write(r.Context(), w)
	})
}

// until ends a list when nobody waits for it any more.
func until[T any](ctx context.Context, all iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range all {
			if !yield(v, cmp.Or(ctx.Err(), err)) {
				return
			}
		}
	}
}

// erase erases all that is personal about somebody who has no device.
func (s *Server) erase(r *http.Request) (any, error) {
	by := identity.Of(r.Context())
	l, err := s.on(r, checkout.KindPerson, r.PathValue("ref"))
	if err != nil {
		return nil, err
	}
	p, err := l.FindPerson(r.PathValue("ref"))
	if err == nil {
		err = l.ErasePerson(r.PathValue("ref"), by.Name, by.Source)
	}
	if err == nil && s.o.Access != nil {
		s.o.Access.Forget(p.ID, p.Name)
	}
	return struct{}{}, err
}

// dossier is all that is held about a person.
func (s *Server) dossier(r *http.Request) (any, error) {
	d, err := books.DossierOf(r.Context(), s.o.Books, r.PathValue("ref"))
	if err != nil {
		return wire.Dossier{}, err
	}
	return wire.Dossier{Person: personParty(d.Person).row.(wire.Person), Dossier: d}, nil
}

// deviceTag is the written form of a device's tag, "" if it has none.
func (s *Server) deviceTag(id string) (string, error) {
	tag, err := s.o.Books.TagNumber(checkout.KindDevice, id)
	if err != nil || tag.IsZero() {
		return "", nil // enrolled before tags were kept: an import keeps what there is
	}
	bits, err := credential.Bits(tag)
	return credential.String(bits, s.o.Formats), err
}
