package directory

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"stump/checkout"
)

// Records implements Register.
func (m *Memory) Records() iter.Seq2[Record, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Record
	for _, k := range []checkout.SubjectKind{checkout.KindPerson, checkout.KindDevice} {
		for _, r := range m.records {
			if r.Kind == k {
				r.HasTag, r.Tag = !r.Tag.IsZero(), checkout.Tag{}
				all = append(all, r)
			}
		}
	}
	return func(yield func(Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// ByTag implements Register.
func (m *Memory) ByTag(tag checkout.Tag) (Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.tags[tag]
	if !ok {
		return Record{}, false, nil
	}
	r := m.records[i]
	r.HasTag, r.Tag = true, checkout.Tag{}
	return r, true, nil
}

// Apply implements Register.
func (m *Memory) Apply(changes []Record, _ Asker) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("apply"); err != nil {
		return nil, err
	}
	records, at, tags := slices.Clone(m.records), maps.Clone(m.at), maps.Clone(m.tags)
	for _, c := range changes {
		if i, taken := m.tags[c.Tag]; taken && m.records[i].Kind == c.Kind {
			delete(m.tags, c.Tag)
			m.records[i].Tag = checkout.Tag{}
		}
	}
	out := slices.Clone(changes)
	for i, c := range changes {
		var err error
		if out[i], err = m.apply(c); err != nil {
			m.records, m.at, m.tags = records, at, tags
			return nil, err
		}
	}
	m.resolve()
	return out, nil
}

func (m *Memory) apply(c Record) (Record, error) {
	i, known := m.at[key{c.Kind, c.ID}]
	if owner, taken := m.tags[c.Tag]; taken && !c.Tag.IsZero() && (!known || owner != i) {
		return Record{}, fmt.Errorf("tag %v of %s: %w: %s", c.Tag, c.Name, ErrTaken, m.records[owner].Name)
	}
	if !known {
		if c.ID == "" {
			m.nextID++
			c.ID = fmt.Sprintf("r%d", m.nextID)
		}
		i = len(m.records)
		m.records = append(m.records, Record{})
		m.at[key{c.Kind, c.ID}] = i
	}
	was := m.records[i]
	if c.Tag.IsZero() {
		c.Tag = was.Tag
	}
	if m.tags[was.Tag] == i {
		delete(m.tags, was.Tag)
	}
	if !c.Tag.IsZero() {
		m.tags[c.Tag] = i
	}
	c.Holds, c.Retired = was.Holds, was.Retired
	m.records[i] = c
	return c, nil
}

// resolve gives pending events their people and devices.
func (m *Memory) resolve() {
	m.pending = slices.DeleteFunc(m.pending, func(p PendingTag) bool {
		if _, known := m.tags[p.Tag]; !known {
			return false
		}
		for _, s := range m.sinks {
			if r, ok := s.rows[p.Seq]; ok {
				r.Pending = false
				s.rows[p.Seq] = r
			}
		}
		return true
	})
}

// PendingTags implements Register.
func (m *Memory) PendingTags(limit int) ([]PendingTag, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := slices.Clone(m.pending)
	slices.SortFunc(p, func(a, b PendingTag) int { return int(a.Seq) - int(b.Seq) })
	return p[:min(limit, len(p))], nil
}
