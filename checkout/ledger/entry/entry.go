// Package entry has what the register says of a person or device: how what admins, files
// and the directory say changes a row, and in words what is new in it. It writes nothing.
package entry

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Check says why what comes from outside can't be an entry.
func Check(id string, r *record.Row) error {
	return cmp.Or(checkout.CheckID(id), checkout.CheckName(r.Name),
		checkout.CheckText("e-mail address", r.Email, checkout.MaxName),
		checkout.CheckText("kind", r.Kind, checkout.MaxName),
		checkout.CheckText("kit", r.Kit, checkout.MaxName),
		checkout.CheckText("condition", r.Condition, checkout.MaxName),
		checkout.CheckGroups(r.Groups), checkout.CheckLanguage(r.Language), r.Details.Check())
}

// Edit makes the changes of an edit that need no look at others.
func Edit(r *record.Row, e books.Edit) {
	for _, f := range []struct{ dst, src *string }{
		{&r.Name, e.Name}, {&r.Email, e.Email}, {&r.Kind, e.Kind}, {&r.Condition, e.Condition},
		{&r.Serial, e.Serial}, {&r.Place, e.Place}, {&r.Note, e.Note}, {&r.Link, e.Link}, {(*string)(&r.Out), (*string)(e.Out)},
		{(*string)(&r.Groups), (*string)(e.Groups)}, {(*string)(&r.Language), (*string)(e.Language)},
	} {
		if f.src != nil {
			*f.dst = *f.src
		}
	}
	r.Groups = r.Groups.Without(r.RefGroups)
}

// New is the row of somebody or something that a file adds.
func New(in *books.ImportRow) *record.Row {
	return &record.Row{Name: in.Name, Email: in.Email, Kind: in.Kind, Kit: in.Kit, Groups: in.Groups, Language: in.Language, Details: in.Details, Condition: in.Condition}
}

// Import makes the changes of a line of a file but those of tag and status. A column that
// the file lacks changes nothing.
func Import(r *record.Row, in *books.ImportRow) {
	r.Name = in.Name
	if in.HasDetail {
		r.Email, r.Kind = in.Email, in.Kind
	}
	for _, f := range []struct {
		column books.Columns
		dst    *string
		said   string
	}{
		{books.HasSerial, &r.Serial, in.Serial}, {books.HasPlace, &r.Place, in.Place}, {books.HasNote, &r.Note, in.Note},
		{books.HasLink, &r.Link, in.Link}, {books.HasOut, (*string)(&r.Out), string(in.Out)}, {books.HasCondition, &r.Condition, in.Condition},
		{books.HasKit, &r.Kit, in.Kit}, {books.HasLanguage, (*string)(&r.Language), string(in.Language)},
		{books.HasGroups, (*string)(&r.Groups), string(in.Groups.Without(r.RefGroups))},
	} {
		if in.Has&f.column != 0 {
			*f.dst = f.said
		}
	}
}

// Sync makes the changes of the directory but those of tag and status.
func Sync(r *record.Row, in *books.SyncRow) {
	r.Ref, r.Name = in.Ref, in.Name
	if in.Kind == checkout.KindDevice {
		r.Kind = in.Type
		serial, place, link := in.Details()
		r.Serial, r.Place, r.Link = cmp.Or(serial, r.Serial), cmp.Or(place, r.Place), cmp.Or(link, r.Link)
		return
	}
	r.Email, r.Language = in.Email, cmp.Or(in.Language, r.Language)
	if in.HasGroups {
		r.RefGroups, r.Groups = in.Groups(), r.Groups.Without(in.Groups())
	}
}

// Merge adds to p what was is said of was, who is p, and takes it from was.
func Merge(p, was *record.Row) {
	p.Email, p.Language = cmp.Or(p.Email, was.Email), cmp.Or(p.Language, was.Language)
	keys := append(Former(p), Former(was)...)
	if p.Ref == "" {
		p.Ref, p.RefGroups = was.Ref, was.RefGroups
	} else if was.Ref != "" {
		keys = append(keys, was.Ref)
	}
	p.Former = strings.Join(keys, "\n")
	if was.Reminded.After(p.Reminded) {
		p.Reminded = was.Reminded
	}
	p.Groups = p.Groups.And(was.Groups).Without(p.RefGroups)
	was.Email, was.Ref, was.Former, was.Groups, was.RefGroups, was.Language = "", "", "", "", "", ""
}

// Forget takes away the note of a device that names somebody. It reports whether it did.
func Forget(r *record.Row, name string) bool {
	if name == "" || !strings.Contains(r.Note, name) {
		return false
	}
	r.Note = ""
	return true
}

// Former are the directory's keys of those who were merged into a person.
func Former(r *record.Row) []string {
	if r.Former == "" {
		return nil
	}
	return strings.Split(r.Former, "\n")
}

// ID makes an id from a name that is not taken: "Jane Doe" becomes jane-doe, the next one
// jane-doe-2.
func ID(kind checkout.SubjectKind, name string, taken func(id string) bool) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > 40 {
			break
		}
	}
	base := cmp.Or(strings.Trim(b.String(), "-"), kind.String())
	id := func(n int) string {
		if n == 1 {
			return base
		}
		return fmt.Sprintf("%s-%d", base, n)
	}
	last, free := 0, 1
	for taken(id(free)) { // a directory may have thousands of one name
		last, free = free, 2*free
	}
	for free-last > 1 {
		if n := (last + free) / 2; taken(id(n)) {
			last = n
		} else {
			free = n
		}
	}
	return id(free)
}
