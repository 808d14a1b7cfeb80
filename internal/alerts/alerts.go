// Package alerts is the task that tells an admin of faults that last: once when one has
// lasted, and once when it is over. It needs no ledger, whose disk may be the fault.
//
//	faults ─▶ lasting? ─▶ not told yet ─▶ one message with all of them ─▶ each place ─▶ told
//	            told, and gone for a while ─▶ over ──┘                         └─ alerts.json
package alerts

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/safefile"
)

// Place is where messages go.
type Place struct {
	// Name stays the same over restarts.
	Name string
	Send func(context.Context, call.Alert) call.Outcome
}

// Options are what Alerts work with.
type Options struct {
	Station string
	// Faults are what is wrong now. Names repeat only where the fault is the same.
	Faults func() []call.Fault
	// After is how long a fault lasts until it is told.
	After  time.Duration
	Places []Place
	// File keeps what was told.
	File  string
	Stamp func() checkout.Stamp
	Log   *slog.Logger // nil is silent
}

// Times of the task.
const (
	look    = 30 * time.Second // how often it looks, or five times in After
	calm    = time.Minute      // how long a fault is gone before it is over, at most After
	patient = 2 * time.Minute  // how long a message may take
	retry   = time.Minute      // after a failure, then twice as long each time …
	seldom  = 15 * time.Minute // … until it is this long
)

// Alerts is the task.
type Alerts struct {
	Options
	begin  time.Time
	seen   map[string]span
	places []*place
}

// span is since when a fault lasts, and when it was seen last.
type span struct {
	call.Fault
	since, last time.Time
}

// place is what a place was told, and what it is being told.
type place struct {
	Place
	told  map[string]call.Fault // by name
	next  call.Alert            // not empty: it has not arrived yet
	again time.Time             // when that is tried again
	pause time.Duration
}

// New returns Alerts that do nothing until Run.
func New(o Options) *Alerts {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	a := &Alerts{Options: o, seen: map[string]span{}}
	kept := map[string]map[string]call.Fault{}
	raw, err := os.ReadFile(o.File)
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.Log.Warn("can't read which faults an admin was told of; they are told again", "err", err)
	}
	for _, p := range o.Places {
		told := kept[p.Name]
		if told == nil {
			told = map[string]call.Fault{}
		}
		a.places = append(a.places, &place{Place: p, told: told})
	}
	return a
}

func (a *Alerts) String() string { return "alerts" }

// Run looks and tells until ctx is done.
func (a *Alerts) Run(ctx context.Context) error {
	a.begin = time.Now()
	every := time.NewTicker(min(look, a.After/5))
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		a.look(time.Now())
		for _, p := range a.places {
			a.tell(ctx, p)
		}
	}
}

// look notes what is wrong now.
func (a *Alerts) look(now time.Time) {
	for _, f := range a.Faults() {
		s, ok := a.seen[f.Name]
		if !ok {
			s.since = now
		}
		s.Fault, s.last = f, now
		a.seen[f.Name] = s
	}
	maps.DeleteFunc(a.seen, func(_ string, s span) bool { return now.Sub(s.last) >= min(calm, a.After) })
}

// tell tells a place what is new, if anything is.
func (a *Alerts) tell(ctx context.Context, p *place) {
	now := time.Now()
	if now.Before(p.again) {
		return
	}
	next := call.Alert{ID: p.next.ID, Station: a.Station, At: p.next.At}
	for _, name := range slices.Sorted(maps.Keys(a.seen)) {
		if s := a.seen[name]; now.Sub(s.since) >= a.After && p.told[name].Name == "" {
			next.Began = append(next.Began, s.Fault)
		}
	}
	// After a start it takes a while until all that is wrong shows.
	for _, name := range slices.Sorted(maps.Keys(p.told)) {
		if _, lasts := a.seen[name]; !lasts && now.Sub(a.begin) >= a.After {
			next.Over = append(next.Over, p.told[name])
		}
	}
	if len(next.Began)+len(next.Over) == 0 {
		p.next = call.Alert{}
		return
	}
	if !same(next, p.next) {
		next.ID, next.At = uuid.Must(uuid.NewV7()), a.Stamp()
	}
	p.next = next
	limited, end := context.WithTimeout(ctx, patient)
	defer end()
	if o := p.Send(limited, next); o.Verdict != call.OK {
		if p.pause == 0 && ctx.Err() == nil {
			a.Log.Warn("an admin can't be told of faults; trying again", "place", p.Name, "err", o.Reason, "remedy", o.Remedy)
		}
		p.pause = min(max(2*p.pause, retry), seldom)
		p.again = now.Add(p.pause)
		return
	}
	a.Log.Info("an admin was told", "place", p.Name, "faults", len(next.Began), "over", len(next.Over))
	for _, f := range next.Began {
		p.told[f.Name] = f
	}
	for _, f := range next.Over {
		delete(p.told, f.Name)
	}
	p.next, p.pause = call.Alert{}, 0
	a.save()
}

// same reports whether two messages are of the same faults. What they say of them may differ,
// as a measure does.
func same(a, b call.Alert) bool {
	names := func(x, y call.Fault) bool { return x.Name == y.Name }
	return slices.EqualFunc(a.Began, b.Began, names) && slices.EqualFunc(a.Over, b.Over, names)
}

func (a *Alerts) save() {
	kept := map[string]map[string]call.Fault{}
	for _, p := range a.places {
		kept[p.Name] = p.told
	}
	raw, err := json.Marshal(kept)
	if err == nil {
		err = safefile.Write(a.File, append(raw, '\n'), 0o640)
	}
	if err != nil {
		a.Log.Warn("can't note which faults an admin was told of", "err", err)
	}
}
