package directory

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"stump/checkout"
	"stump/directory/call"
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
	kind checkout.SubjectKind
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
func (m *Memory) Rows(sink string, from uint64, limit int) (Page, error) {
	return m.page(sink, from, limit, func(Row) bool { return true })
}

// StuckRows implements Outbox.
func (m *Memory) StuckRows(sink string, from uint64, limit int) (Page, error) {
	return m.page(sink, from, limit, func(r Row) bool { return r.State.stuck() })
}

func (m *Memory) page(sink string, from uint64, limit int, want func(Row) bool) (Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, p := m.sinks[sink], Page{Next: from}
	i, _ := slices.BinarySearch(s.order, from)
	for _, seq := range s.order[i:] {
		if len(p.Rows) == limit {
			return p, nil
		}
		p.Next = seq + 1
		if r, ok := s.rows[seq]; ok && want(r) {
			p.Rows = append(p.Rows, r)
		}
	}
	p.End = true
	return p, nil
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
func (m *Memory) Open(_ string, r Row, tags bool) (call.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := call.Delivery{Event: r.Event}
	find := func(k checkout.SubjectKind, id string) (tag checkout.Tag, ref string) {
		i, ok := m.at[key{k, id}]
		if !ok {
			return
		}
		if tags {
			tag = m.records[i].Tag
		}
		return tag, m.records[i].Ref
	}
	d.PersonTag, d.PersonRef = find(checkout.KindPerson, r.Event.Person)
	d.FromTag, d.FromRef = find(checkout.KindPerson, r.Event.From)
	d.DeviceTag, d.DeviceRef = find(checkout.KindDevice, r.Event.Device)
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
func (m *Memory) Dropped(sink string, seqs []uint64, actor, note string) error {
	dropped := 0
	for _, seq := range seqs {
		err := m.settle(sink, seq, func(ev *checkout.Event) { ev.Actor, ev.Note = actor, note })
		if err == nil {
			dropped++
		} else if !errors.Is(err, ErrNoRow) {
			return err
		}
	}
	if dropped == 0 {
		return ErrNoRow
	}
	return nil
}

// Accepted implements Outbox.
func (m *Memory) Accepted(sink string, seq uint64, theirs call.Holding, actor string) error {
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

// Stranded implements Outbox: its station has but one name.
func (m *Memory) Stranded() (map[string]uint64, error) { return nil, nil }

// Changed implements Outbox.
func (m *Memory) Changed(sink string) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := make(chan struct{}, 1)
	m.sinks[sink].changed = append(m.sinks[sink].changed, c)
	return c
}

// Sinks implements Outbox.
func (m *Memory) Sinks() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.sinks)), nil
}
