package directory

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/hint"
)

// Status is what "stump sync" shows, ready for JSON: every key is there, null
// is unknown.
type Status struct {
	Directory string       `json:"directory"`
	Sinks     []SinkStatus `json:"sinks"`
	Pull      *PullStatus  `json:"pull"`
	// PendingTags counts unknown tags that events wait for.
	PendingTags int `json:"pending_tags"`
	// Doubts are devices of which the directory and the station have told two
	// stories.
	Doubts []DoubtRow `json:"doubts"`
	// Orphans are sinks that have rows and are no longer configured.
	Orphans []Orphan `json:"orphans"`
}

// SinkStatus is one place.
type SinkStatus struct {
	Name  string `json:"name"`
	Place string `json:"place"`
	State string `json:"state"`
	// Since is when the state began, in this run of the daemon.
	Since  time.Time `json:"since"`
	Reason *string   `json:"reason"`
	Remedy *string   `json:"remedy"`
	// Notes are what will be wrong before long: its clock, its certificate.
	Notes    []string   `json:"notes"`
	Failures int        `json:"failures"`
	Next     *time.Time `json:"next"` // of the next try
	Backlog  int        `json:"backlog"`
	Oldest   *time.Time `json:"oldest"`
	// Stuck are the events that wait for a person, at most 100 of StuckRows.
	StuckRows int   `json:"stuck_rows"`
	Stuck     []Row `json:"stuck"`
}

// Row is an event that waits: for its turn, for the place, or for a person.
type Row struct {
	ID       string          `json:"id"` // for retry, drop, accept; it names the place
	State    string          `json:"state"`
	Event    books.EntryJSON `json:"event"`
	Reason   string          `json:"reason"`
	Remedy   *string         `json:"remedy"`
	Attempts int             `json:"attempts"`
	Theirs   *books.Holding  `json:"theirs"`
}

// DoubtRow is a device of which nobody knows for sure who has it.
type DoubtRow struct {
	ID       string `json:"id"` // for accept
	DeviceID string `json:"device_id"`
	// Event says who has it here, and Theirs what the directory said.
	Event  books.EntryJSON `json:"event"`
	Theirs string          `json:"theirs"`
}

// PullStatus is the last pull.
type PullStatus struct {
	At      *time.Time `json:"at"` // last good one
	Next    *time.Time `json:"next"`
	Error   *string    `json:"error"`
	Remedy  *string    `json:"remedy"`
	People  int        `json:"people"`
	Devices int        `json:"devices"`
	// Notes are what the last pull did not do, and why.
	Notes []string `json:"notes"`
}

// Orphan is a sink without a place.
type Orphan struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// Stopped is the state of a place that is told nothing until a person puts something right.
const Stopped = stopped

const stuckShown = 100

// Status returns the states of the places, and what waits.
func (w *Worker) Status() (Status, error) {
	st := Status{Directory: w.dir.String(), Sinks: []SinkStatus{}, Doubts: []DoubtRow{}, Orphans: []Orphan{}}
	known := map[string]bool{}
	for _, s := range w.senders {
		known[s.sink] = s.to != nil
		if _, local := s.place.(Local); local {
			continue
		}
		one, err := s.status()
		if err != nil {
			return st, err
		}
		one.Notes = w.serverNotes(s.place)
		st.Sinks = append(st.Sinks, one)
	}
	st.Pull = w.pullStatus()
	tags, err := w.ledger.Pending()
	if err != nil {
		return st, err
	}
	st.PendingTags = len(tags)
	doubts, err := w.ledger.Doubts()
	if err != nil {
		return st, err
	}
	for _, d := range doubts {
		st.Doubts = append(st.Doubts, DoubtRow{d.ID, d.Event.Device, eventJSON(d.Event), d.Note})
	}
	sinks, err := w.ledger.Sinks()
	if err != nil {
		return st, err
	}
	slices.Sort(sinks)
	for _, name := range sinks {
		if known[name] {
			continue
		}
		n, err := w.ledger.Backlog(name)
		if err != nil {
			return st, err
		}
		if n > 0 {
			st.Orphans = append(st.Orphans, Orphan{name, n})
		}
	}
	return st, nil
}

func (s *sender) status() (SinkStatus, error) {
	st := s.health.status()
	st.Name, st.Place = s.sink, s.place.String()
	if s.to == nil {
		return st, nil
	}
	var err error
	if st.Backlog, err = s.ledger.Backlog(s.sink); err != nil {
		return st, err
	}
	if st.Oldest, err = s.oldest(st.Backlog); err != nil {
		return st, err
	}
	if due, waits := s.due(); waits && st.State == up {
		st.Next = orNull(wallOf(due))
	}
	stuck, err := s.stuck()
	st.StuckRows = len(stuck)
	for _, key := range stuck[:min(len(stuck), stuckShown)] {
		r, err := s.ledger.OutboxOf(s.sink, key)
		if err != nil {
			continue // delivered meanwhile
		}
		st.Stuck = append(st.Stuck, s.row(r))
	}
	return st, err
}

func (s *sender) row(r ledger.OutboxRow) Row {
	return Row{
		ID: rowID(s.sink, r), State: r.State.String(), Event: eventJSON(r.Event),
		Reason: r.Reason, Remedy: orNull(r.Remedy), Attempts: r.Attempts, Theirs: r.Theirs,
	}
}

// Key is the row's place in the list of Rows.
func (r Row) Key() string { return r.ID }

// Rows yields the events that wait, place by place in the order of delivery; or those
// alone that wait for a person.
func (w *Worker) Rows(p books.Page, stuck bool) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var (
			place string // of the row before; "" for none
			from  ledger.RowKey
			n     int
		)
		if p.After != "" {
			sink, key, err := w.parseRowID(p.After)
			if err == nil && w.sender(sink) == nil {
				err = fmt.Errorf("nothing is delivered to %q any more", sink)
			}
			if err != nil {
				yield(Row{}, hint.Wrap(err, "give what an answer of this list has as next, or begin without after"))
				return
			}
			place, from = sink, key.Next()
		}
		for _, s := range w.senders {
			if s.to == nil || place != "" && s.sink != place {
				continue
			}
			for r, err := range s.rows(from, stuck) {
				if err == nil && !p.Finds(r.Event.DeviceName, r.Event.Device, r.Event.PersonName, r.Event.Person) {
					continue
				}
				if n++; !yield(s.row(r), err) || err != nil || n == p.Limit {
					return
				}
			}
			place, from = "", ledger.RowKey{}
		}
	}
}

// rows are those of the place from one on.
func (s *sender) rows(from ledger.RowKey, stuck bool) iter.Seq2[ledger.OutboxRow, error] {
	read := s.ledger.OutboxFrom
	if stuck {
		read = s.ledger.StuckFrom
	}
	return func(yield func(ledger.OutboxRow, error) bool) {
		for p := (ledger.OutboxPage{Next: from}); !p.End; {
			var err error
			if p, err = read(s.sink, p.Next, pageRows); err != nil {
				yield(ledger.OutboxRow{}, err)
				return
			}
			for _, r := range p.Rows {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// oldest is the time of the first of the rows.
func (s *sender) oldest(rows int) (*time.Time, error) {
	if rows == 0 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := (ledger.OutboxPage{Next: s.queue.front(s.inflight)}); !p.End; {
		var err error
		if p, err = s.ledger.OutboxFrom(s.sink, p.Next, 1); err != nil {
			return nil, err
		}
		if len(p.Rows) > 0 {
			return orNull(p.Rows[0].Event.At.Wall), nil
		}
	}
	return nil, nil
}

// stuck lists the rows that wait for an admin.
func (s *sender) stuck() ([]ledger.RowKey, error) {
	if err := s.survey(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.stuck(), nil
}

// wallOf converts a time of this run to the clock as it is set now: most boards
// learn the time while they run.
func wallOf(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Now().Add(time.Until(t)).Round(0)
}

// Behind reports whether the display should show its mark: the directory, or a
// webhook, is not up, or an event waits for a person. It never blocks for long.
func (w *Worker) Behind() bool {
	for _, s := range w.senders {
		if s.to == nil {
			continue
		}
		if _, state := s.health.wait(); state == down || state == stopped || s.behind.Load() {
			return true
		}
	}
	return false
}

// away is for how long a place may not answer before that is trouble.
const away = 10 * time.Minute

// Trouble is why a place gets nothing, or not all of it, and what to do; "" while all is
// well. It never blocks for long.
func (w *Worker) Trouble(sink string) (reason, remedy string) {
	for _, s := range w.senders {
		if s.sink != sink || s.to == nil {
			continue
		}
		st := s.health.status()
		if st.Reason != nil && (st.State == stopped || time.Since(st.Since) > away) {
			if st.Remedy != nil {
				remedy = *st.Remedy
			}
			return *st.Reason, cmp.Or(remedy, "nothing is lost; `stump sync` says when it is tried again")
		}
		if s.behind.Load() {
			return s.place.String() + ": something waits for an admin", "`stump sync` lists it"
		}
	}
	return "", ""
}

// orNull is null for a zero value.
func orNull[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// eventJSON is the event as "stump history --json" prints it.
func eventJSON(ev checkout.Event) books.EntryJSON {
	return books.Entry{Event: ev, Time: ev.At.Wall, ClockTrusted: ev.At.Trusted}.JSON()
}
