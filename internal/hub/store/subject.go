package store

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"stump/internal/lab/wire"
)

// Fields of subjects that the hub knows. It keeps all others as they are.
const (
	tagField    = "tag/" // and what a tag is looked up by
	erasedField = "erased"
	nameField   = "name"
)

// subjectKey names a person or device.
type subjectKey struct{ kind, id string }

// field is the value of a field, the version that set it, and the station.
type field struct {
	Value string `json:"v"`
	Ver   int64  `json:"n"`
	By    string `json:"b,omitempty"`
}

// subject is a row of the register.
type subject struct {
	subjectKey
	ver     int64
	doc     map[string]field
	erased  bool
	changed bool
}

// wire is the subject as stations get it.
func (s *subject) wire() wire.Subject {
	w := wire.Subject{Kind: s.kind, ID: s.id, Ver: uint64(s.ver), Fields: map[string]string{}}
	for name, f := range s.doc {
		if f.Value != "" {
			w.Fields[name] = f.Value
		}
	}
	return w
}

// loadSubjects reads people and devices.
func loadSubjects(b *pgx.Batch, groups map[int64]*group, k *keysOf) {
	var (
		lab int64
		s   subject
		doc []byte
	)
	each(b, []any{&lab, &s.kind, &s.id, &s.ver, &doc, &s.erased}, func() error {
		one := s
		groups[lab].subjects[s.subjectKey] = &one
		return json.Unmarshal(doc, &one.doc)
	}, `select s.lab, s.kind, s.id, s.ver, s.doc, s.erased from unnest($1::bigint[], $2::text[], $3::text[]) as w(lab, kind, id)
join subject s on s.lab = w.lab and s.kind = w.kind and s.id = w.id`, k.labs, k.kinds, k.names)
}

// loadTags reads whose tags are.
func loadTags(b *pgx.Batch, groups map[int64]*group, k *keysOf) {
	var (
		lab    int64
		lookup string
		owner  subjectKey
	)
	each(b, []any{&lab, &lookup, &owner.kind, &owner.id}, func() error {
		groups[lab].tags[lookup] = owner
		return nil
	}, `select t.lab, t.lookup, t.kind, t.id from unnest($1::bigint[], $2::text[]) as w(lab, lookup) join subject_tag t on t.lab = w.lab and t.lookup = w.lookup`, k.labs, k.names)
}

// patches takes what a station has changed in the register.
func (g *group) patches(j *job) error {
	outdated, err := g.outdated(j)
	if err != nil {
		return err
	}
	for i := range j.Patches {
		if err := g.patch(&j.Patches[i], j.from.Name, outdated); err != nil {
			return err
		}
	}
	return nil
}

// patch changes the fields that nobody else has changed since the version that the station knew;
// of what is outdated it changes none.
func (g *group) patch(p *wire.Patch, station string, outdated bool) error {
	key := subjectKey{p.Kind, p.ID}
	s := g.subjects[key]
	if outdated = outdated && s != nil; s == nil {
		s = &subject{subjectKey: key, doc: map[string]field{}}
		g.subjects[key] = s
	}
	ver := g.next()
	switch {
	case s.erased:
		s.ver, s.changed = ver, true // it comes down again
		return nil
	case p.Fields[erasedField] != "":
		return g.erase(s, ver)
	}
	// What is taken away comes first: a device gets a tag once its other one is gone.
	names := slices.SortedFunc(maps.Keys(p.Fields), func(a, b string) int {
		return cmp.Or(min(len(p.Fields[a]), 1)-min(len(p.Fields[b]), 1), strings.Compare(a, b))
	})
	for _, name := range names {
		was, value := s.doc[name], p.Fields[name]
		switch {
		case was.Value == value:
		case outdated, was.Ver > int64(p.Base) && was.By != station:
			g.refuse("field", s, name, was.Value, value, station)
		case value != "" && was.Value == "" && strings.HasPrefix(name, tagField) && s.hasTagForGood():
			g.refuse("tag", s, name, s.kind+" "+s.id, value, station)
		case !g.tag(s, name, value):
			owner := g.tags[strings.TrimPrefix(name, tagField)]
			g.refuse("tag", s, name, owner.kind+" "+owner.id, value, station)
		default:
			s.doc[name] = field{value, ver, station}
		}
	}
	s.ver, s.changed = ver, true
	return nil
}

// hasTagForGood reports whether a device has a tag, beside which it can't have another.
func (s *subject) hasTagForGood() bool {
	for name, f := range s.doc {
		if s.kind == deviceKind && f.Value != "" && strings.HasPrefix(name, tagField) {
			return true
		}
	}
	return false
}

// tag gives a tag to a subject, or takes it away where value is empty; false if somebody
// else has it. Any other field is no tag.
func (g *group) tag(s *subject, name, value string) bool {
	lookup, isTag := strings.CutPrefix(name, tagField)
	if !isTag {
		return true
	}
	owner, taken := g.tags[lookup]
	switch {
	case taken && owner != s.subjectKey:
		return value == ""
	case value == "" && taken:
		delete(g.tags, lookup)
		g.rows.Queue(`delete from subject_tag where lab = $1 and lookup = $2`, g.id, lookup)
	case value != "" && !taken:
		g.tags[lookup] = s.subjectKey
		g.rows.Queue(`insert into subject_tag (lab, lookup, kind, id) values ($1, $2, $3, $4)`, g.id, lookup, s.kind, s.id)
	}
	return true
}

// refuse lists what was not taken.
func (g *group) refuse(kind string, s *subject, name, kept, refused, station string) {
	device := ""
	if s.kind == deviceKind {
		device = s.id
	}
	g.rows.Queue(`insert into conflict (lab, id, kind, device, subject_kind, subject, field, kept, refused, station, at) values ($1, $2, $3, nullif($4, ''), $5, $6, $7, $8, $9, $10, $11)`,
		g.id, g.next(), kind, device, s.kind, s.id, name, kept, refused, station, g.now)
}

const saveSubjects = `insert into subject (lab, kind, id, ver, doc, erased)
select lab, kind, id, ver, doc::jsonb, erased from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::boolean[]) as s(lab, kind, id, ver, doc, erased)
on conflict (lab, kind, id) do update set ver = excluded.ver, doc = excluded.doc, erased = excluded.erased`

func queueSubjects(b *pgx.Batch, groups []*group) {
	var (
		kinds, ids, docs []string
		labs, vers       []int64
		erased           []bool
	)
	for _, g := range groups {
		for _, s := range g.subjects {
			if !s.changed {
				continue
			}
			doc, _ := json.Marshal(s.doc) // never fails
			labs, kinds, ids, docs = append(labs, g.id), append(kinds, s.kind), append(ids, s.id), append(docs, string(doc))
			vers, erased = append(vers, s.ver), append(erased, s.erased)
		}
	}
	if kinds != nil {
		b.Queue(saveSubjects, labs, kinds, ids, vers, docs, erased)
	}
}
