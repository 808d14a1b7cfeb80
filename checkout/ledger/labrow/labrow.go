// Package labrow turns rows of the register into the fields that the stations of a lab
// share, and back. It writes nothing.
//
// A row remembers what the lab had of it last, as short hashes of its fields. What has
// another hash was changed here since, and is told to the lab; what has the same takes the
// lab's next word.
package labrow

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// field is one field of a row.
type field struct {
	name string
	at   func(*record.Row) *string
}

// fields are those of people and devices. The order is that of the hashes in a row: a new
// one comes last.
var fields = []field{
	{"name", func(r *record.Row) *string { return &r.Name }},
	{"email", func(r *record.Row) *string { return &r.Email }},
	{"kind", func(r *record.Row) *string { return &r.Kind }},
	{"kit", func(r *record.Row) *string { return &r.Kit }},
	{"condition", func(r *record.Row) *string { return &r.Condition }},
	{"ref", func(r *record.Row) *string { return &r.Ref }},
	{"former", func(r *record.Row) *string { return &r.Former }},
	{"groups", func(r *record.Row) *string { return (*string)(&r.Groups) }},
	{"directory_groups", func(r *record.Row) *string { return (*string)(&r.RefGroups) }},
	{"serial", func(r *record.Row) *string { return &r.Serial }},
	{"place", func(r *record.Row) *string { return &r.Place }},
	{"note", func(r *record.Row) *string { return &r.Note }},
	{"link", func(r *record.Row) *string { return &r.Link }},
	{"out", func(r *record.Row) *string { return (*string)(&r.Out) }},
	{"merged_into", func(r *record.Row) *string { return &r.Resolved }},
	{"language", func(r *record.Row) *string { return (*string)(&r.Language) }},
}

// The names of fields that are no text of a row.
const (
	status      = "status"
	byDirectory = "by_directory"
	// Erased is the field of somebody whose other fields are gone.
	Erased    = "erased"
	tagPrefix = "tag/"
)

// numbered is the place of status and byDirectory among the hashes.
var names = func() []string {
	all := []string{status, byDirectory}
	for _, f := range fields {
		all = append(all, f.name)
	}
	return all
}()

// Tag is a tag of somebody or something.
type Tag struct {
	Lookup, Sealed []byte
	Mask           string
	Status         checkout.Status // of a badge
}

// Fields are the fields of a row with its tags, without empty ones.
func Fields(r *record.Row, tags []Tag) map[string]string {
	all := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			all[name] = value
		}
	}
	for _, f := range fields {
		set(f.name, *f.at(r))
	}
	if r.Status != checkout.Active {
		set(status, r.Status.String())
	}
	if r.ByDirectory {
		set(byDirectory, "1")
	}
	return WithTags(all, tags)
}

// WithTags are fields with these tags in place of those that they have.
func WithTags(all map[string]string, tags []Tag) map[string]string {
	maps.DeleteFunc(all, func(name, _ string) bool { return strings.HasPrefix(name, tagPrefix) })
	for _, t := range tags {
		all[tagPrefix+hex.EncodeToString(t.Lookup)] = strings.Join([]string{t.Status.String(), t.Mask, base64.StdEncoding.EncodeToString(t.Sealed)}, "|")
	}
	return all
}

// TagsOf are the tags among fields, in no order. What can't be read is left out.
func TagsOf(all map[string]string) (tags []Tag) {
	for name, value := range all {
		digits, ok := strings.CutPrefix(name, tagPrefix)
		lookup, err := hex.DecodeString(digits)
		parts := strings.Split(value, "|")
		if !ok || err != nil || len(lookup) == 0 || len(parts) != 3 {
			continue
		}
		t := Tag{Lookup: lookup, Mask: parts[1], Status: statusOf(parts[0])}
		if t.Sealed, err = base64.StdEncoding.DecodeString(parts[2]); err != nil || len(t.Sealed) == 0 {
			t.Sealed = nil
		}
		tags = append(tags, t)
	}
	return tags
}

func statusOf(word string) checkout.Status {
	for s := checkout.Active; s <= checkout.OldBadge; s++ {
		if s.String() == word {
			return s
		}
	}
	return checkout.Active
}

// sum is a short hash of a value; zero of none.
func sum(value string) (h [4]byte) {
	if value != "" {
		full := sha256.Sum256([]byte(value))
		copy(h[:], full[:])
		h[0] |= 1 // not the hash of none
	}
	return h
}

const sumLen, lookupLen = 4, 16

// Base is what a row remembers of the fields that the lab has of it.
func Base(all map[string]string) []byte {
	var b []byte
	for _, name := range names {
		h := sum(all[name])
		b = append(b, h[:]...)
	}
	b = append([]byte{byte(len(names))}, b...)
	for _, t := range slices.Sorted(maps.Keys(all)) {
		if digits, ok := strings.CutPrefix(t, tagPrefix); ok {
			lookup, err := hex.DecodeString(digits)
			if err == nil && len(lookup) == lookupLen {
				h := sum(all[t])
				b = append(append(b, lookup...), h[:]...)
			}
		}
	}
	return b
}

// baseOf reads a Base.
func baseOf(b []byte) map[string][sumLen]byte {
	all := map[string][sumLen]byte{}
	if len(b) == 0 || len(b) < 1+int(b[0])*sumLen {
		return all
	}
	n, rest := int(b[0]), b[1:]
	for i := range n {
		if i < len(names) {
			all[names[i]] = [sumLen]byte(rest[i*sumLen:])
		}
	}
	for rest = rest[n*sumLen:]; len(rest) >= lookupLen+sumLen; rest = rest[lookupLen+sumLen:] {
		all[tagPrefix+hex.EncodeToString(rest[:lookupLen])] = [sumLen]byte(rest[lookupLen:])
	}
	return all
}

// Diff are the fields that were changed here since the lab had base, with "" for what is
// gone; nil for none.
func Diff(base []byte, now map[string]string) map[string]string {
	var changed map[string]string
	before := baseOf(base)
	for name, h := range before {
		if sum(now[name]) != h {
			put(&changed, name, now[name])
		}
	}
	for name, value := range now {
		if _, known := before[name]; !known {
			put(&changed, name, value)
		}
	}
	return changed
}

func put(m *map[string]string, name, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[name] = value
}

// Merge are the fields of a row after the lab's word: the lab's, but where somebody here has
// changed one since base.
func Merge(base []byte, here, lab map[string]string) map[string]string {
	all := maps.Clone(lab)
	for name, value := range Diff(base, here) {
		if all[name] = value; value == "" {
			delete(all, name)
		}
	}
	return all
}

// Set writes fields into a row, but for tags.
func Set(r *record.Row, all map[string]string) {
	for _, f := range fields {
		*f.at(r) = all[f.name]
	}
	r.Status = statusOf(all[status])
	r.ByDirectory = all[byDirectory] != ""
}

// Same reports whether two sets of fields are the same.
func Same(a, b map[string]string) bool { return maps.Equal(a, b) }

// Unchanged reports whether fields are those of a base.
func Unchanged(base []byte, all map[string]string) bool { return bytes.Equal(base, Base(all)) }
