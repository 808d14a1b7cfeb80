package directory

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"stump/checkout"
)

// Memory is an Outbox and a Register without a disk, for tests and for the
// simulated lab. What it holds survives its workers, as the ledger survives a
// kill: give the same Memory to the next worker to play a restart.
type Memory struct {
	mu      sync.Mutex
	sinks   map[string]*memorySink
	records []Record // people and devices, each with its tag
	at      map[key]int
	tags    map[checkout.Tag]int
	pending []PendingTag
	nextID  int
	// Corrections are the events that Dropped and Accepted wrote, for tests.
	Corrections []checkout.Event
	// Writes counts transactions.
	Writes int
	// Fail, if set, is asked before each transaction.
	Fail func(op string) error
}

type key struct {
	kind Kind
	id   string
}

type memorySink struct {
	rows    map[uint64]Row
	order   []uint64 // ascending, may hold delivered ones
	changed []chan struct{}
}

// NewMemory returns an empty Memory for the given sinks.
func NewMemory(sinks ...string) *Memory {
	m := &Memory{sinks: map[string]*memorySink{}, at: map[key]int{}, tags: map[checkout.Tag]int{}}
	for _, s := range sinks {
		m.sinks[s] = &memorySink{rows: map[uint64]Row{}}
	}
	return m
}

// Add writes an event and its rows, as a tap does.
func (m *Memory) Add(ev checkout.Event, pending bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sinks {
		s.rows[ev.Seq] = Row{Seq: ev.Seq, Event: ev, Pending: pending, RowState: RowState{State: Queued}}
		s.order = append(s.order, ev.Seq)
		for _, c := range s.changed {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
}

// AddPending says that the event seq had a tag that nobody knows.
func (m *Memory) AddPending(p PendingTag) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending = append(m.pending, p)
}

func (m *Memory) write(op string) error {
	if m.Fail != nil {
		if err := m.Fail(op); err != nil {
			return err
		}
	}
	m.Writes++
	return nil
}

// Rows implements Outbox.
func (m *Memory) Rows(sink string, from uint64, limit int) ([]Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sinks[sink]
	i, _ := slices.BinarySearch(s.order, from)
	var out []Row
	for _, seq := range s.order[i:] {
		if r, ok := s.rows[seq]; ok {
			if out = append(out, r); len(out) == limit {
				break
			}
		}
	}
	return out, nil
}

// Row implements Outbox.
func (m *Memory) Row(sink string, seq uint64) (Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sinks[sink]
	if s == nil {
		return Row{}, ErrNoRow
	}
	r, ok := s.rows[seq]
	if !ok {
		return Row{}, ErrNoRow
	}
	return r, nil
}

// Open implements Outbox.
func (m *Memory) Open(_ string, r Row, tags bool) (Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := Delivery{Event: r.Event}
	find := func(k Kind, id string) (tag checkout.Tag, ref string) {
		i, ok := m.at[key{k, id}]
		if !ok {
			return
		}
		if tags {
			tag = m.records[i].Tag
		}
		return tag, m.records[i].Ref
	}
	d.PersonTag, d.PersonRef = find(Person, r.Event.Person)
	d.FromTag, d.FromRef = find(Person, r.Event.From)
	d.DeviceTag, d.DeviceRef = find(Device, r.Event.Device)
	return d, nil
}

// SaveRows implements Outbox.
func (m *Memory) SaveRows(sink string, rows map[uint64]RowState) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("save"); err != nil {
		return err
	}
	s := m.sinks[sink]
	for seq, st := range rows {
		if r, ok := s.rows[seq]; ok {
			r.RowState = st
			s.rows[seq] = r
		}
	}
	return nil
}

// Delivered implements Outbox.
func (m *Memory) Delivered(sink string, seqs []uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("delivered"); err != nil {
		return err
	}
	m.remove(sink, seqs...)
	return nil
}

func (m *Memory) remove(sink string, seqs ...uint64) {
	s := m.sinks[sink]
	for _, seq := range seqs {
		delete(s.rows, seq)
	}
	// The front is where delivered rows pile up.
	for len(s.order) > 0 {
		if _, ok := s.rows[s.order[0]]; ok {
			break
		}
		s.order = s.order[1:]
	}
}

// Dropped implements Outbox.
func (m *Memory) Dropped(sink string, seq uint64, actor, note string) error {
	return m.settle(sink, seq, func(ev *checkout.Event) { ev.Actor, ev.Note = actor, note })
}

// Accepted implements Outbox.
func (m *Memory) Accepted(sink string, seq uint64, theirs Holding, actor string) error {
	return m.settle(sink, seq, func(ev *checkout.Event) { ev.Actor, ev.Person = actor, theirs.ID })
}

func (m *Memory) settle(sink string, seq uint64, fill func(*checkout.Event)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sinks[sink]
	if s == nil {
		return ErrNoRow
	}
	r, ok := s.rows[seq]
	if !ok {
		return ErrNoRow
	}
	if err := m.write("settle"); err != nil {
		return err
	}
	m.remove(sink, seq)
	ev := checkout.Event{Kind: checkout.Correct, Device: r.Event.Device}
	fill(&ev)
	m.Corrections = append(m.Corrections, ev)
	return nil
}

// Backlog implements Outbox.
func (m *Memory) Backlog(sink string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sinks[sink].rows), nil
}

// Changed implements Outbox.
func (m *Memory) Changed(sink string) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := make(chan struct{}, 1)
	m.sinks[sink].changed = append(m.sinks[sink].changed, c)
	return c
}

// Records implements Register.
func (m *Memory) Records() iter.Seq2[Record, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Record
	for _, k := range []Kind{Person, Device} {
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

// Sinks implements Outbox.
func (m *Memory) Sinks() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.sinks)), nil
}
