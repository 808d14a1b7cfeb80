// Package jobs runs what takes longer than one answer: a self-test, an enrolment, a check
// of the ledger, a backup, and leases of a reader's lines.
//
//	Start ──▶ running ──▶ done, failed, cancelled or expired ──Keep──▶ forgotten
//
// Each job has an owner, who alone may see it besides the admins, and tells what happens in
// events, which are kept with it and can be watched. All of it is in memory, bounded, and
// gone after a restart.
package jobs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"stump/internal/hint"
	"stump/internal/identity"
)

// State is how far a job is.
type State string

// The states. A job is Expired when nobody asked for it for as long as its Hold.
const (
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// The bounds of a room.
const (
	Keep        = time.Hour // how long a job is kept after its end
	Most        = 64        // jobs that are kept; of those that have ended the oldest make room
	MostRunning = 16
	Patience    = 2 * time.Minute // the Hold of what others wait for
	grace       = 20 * time.Second
	maxEvents   = 1000 // of one job: the oldest make room
)

// What ends a job before its time.
var (
	ErrCancelled = errors.New("it was cancelled")
	ErrExpired   = hint.Errorf("begin again, and ask for it from time to time", "nobody asked for it any more")
	ErrReplaced  = errors.New("another one took its place")
	ErrStopping  = hint.Errorf("ask again when it runs", "the station is stopping")
	// ErrNotFound is returned for a job that is not there, or that somebody else has.
	ErrNotFound = hint.Errorf("what has ended is kept for an hour, and only who began it and the admins see it", "there is nothing with this id")
	// ErrFull is returned when too much goes on.
	ErrFull = hint.Errorf("ask again when one of them has ended", "too much is going on already")
)

// EndedError is why a job was cancelled: somebody else than its owner has ended it. It is an
// ErrCancelled.
type EndedError struct{ By string }

func (e *EndedError) Error() string { return e.By + " has ended it" }

// Hint is what to do about it.
func (e *EndedError) Hint() string { return "ask them, or begin again" }

// Is makes it an ErrCancelled.
func (e *EndedError) Is(target error) bool { return target == ErrCancelled }

// BusyError is returned when another job has what a new one needs.
type BusyError struct {
	ID, Kind, By string // of the other
	Since        time.Time
}

func (e *BusyError) Error() string { return fmt.Sprintf("%s has begun %s", e.By, e.Kind) }

// Hint is what to do about it.
func (e *BusyError) Hint() string {
	return "wait until it ends, or end it: with Ctrl-C where it runs, or as an admin"
}

// Spec is what is to be done.
type Spec struct {
	Kind  string // "a self-test", as a person reads it
	Owner identity.Principal
	// On is what only one running job may have, such as a reader's lines; "" for nothing.
	On string
	// Replace ends a job of the same owner that has it; otherwise it is a *BusyError.
	Replace bool
	// Hold is how long the job goes on though nobody calls Renew; 0: to its own end.
	Hold time.Duration
	// Keep is how long the job is kept after its end; 0: as long as any other.
	Keep time.Duration
	// Detail is what more there is to know about the job.
	Detail any
	// Run works until it is done, or ctx is. The cause of ctx says why it should end.
	Run func(ctx context.Context, j *Job) error
	// Forget is called once, when the job is no longer kept. It may be nil.
	Forget func()
}

// Event is something that happened in a job. N counts from 1.
type Event struct {
	N    int             `json:"n"`
	What string          `json:"event"`
	Data json.RawMessage `json:"data"`
}

// Room has the jobs of a station. Its methods are safe for concurrent use.
type Room struct {
	mu     sync.Mutex
	jobs   []*Job // the oldest first
	closed bool
	wg     sync.WaitGroup
}

// NewRoom returns an empty room.
func NewRoom() *Room { return &Room{} }

// String names the task.
func (r *Room) String() string { return "jobs" }

// Run ends all jobs when ctx is done, and returns when they have ended.
func (r *Room) Run(ctx context.Context) error {
	<-ctx.Done()
	r.mu.Lock()
	r.closed = true
	all := slices.Clone(r.jobs)
	r.mu.Unlock()
	for _, j := range all {
		j.End(ErrStopping)
	}
	r.wg.Wait()
	for _, j := range all {
		r.Forget(j)
	}
	return nil
}

// Start begins a job. The error is a *BusyError if another one has what it needs.
func (r *Room) Start(s Spec) (*Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrStopping
	}
	running := 0
	for _, other := range r.jobs {
		if other.state != Running {
			continue
		}
		running++
		switch {
		case s.On == "" || other.On != s.On || context.Cause(other.ctx) != nil && s.Replace:
		case s.Replace && other.Owner.ID == s.Owner.ID:
			other.cancel(ErrReplaced)
		default:
			return nil, &BusyError{ID: other.ID, Kind: other.Kind, By: other.Owner.Name, Since: other.Began}
		}
	}
	if running >= MostRunning {
		return nil, ErrFull
	}
	j := &Job{Spec: s, ID: strings.ToLower(rand.Text()[:16]), Began: time.Now(), room: r, state: Running, changed: make(chan struct{})}
	j.ctx, j.cancel = context.WithCancelCause(identity.With(context.Background(), s.Owner))
	if s.Hold > 0 {
		j.expires = j.Began.Add(s.Hold)
		j.hold = time.AfterFunc(s.Hold, func() { j.cancel(ErrExpired) })
	}
	r.jobs = append(r.jobs, j)
	if len(r.jobs) > Most {
		r.forget(slices.IndexFunc(r.jobs, func(j *Job) bool { return j.state != Running }))
	}
	r.wg.Go(j.run)
	return j, nil
}

// Find returns a job that who may see: their own, or anybody's if they are an admin.
func (r *Room) Find(id string, who identity.Principal) (*Job, error) {
	for _, j := range r.All(who) {
		if j.ID == id {
			return j, nil
		}
	}
	return nil, ErrNotFound
}

// All are the jobs that who may see, the oldest first.
func (r *Room) All(who identity.Principal) []*Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.jobs), func(j *Job) bool { return !j.seenBy(who) })
}

// Leave ends what its owner has to hold, because they have gone.
func (r *Room) Leave(owner string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range r.jobs {
		if j.Owner.ID == owner && j.Hold > 0 {
			j.cancel(ErrExpired)
		}
	}
}

// Forget takes a job out of the room, unless it still runs.
func (r *Room) Forget(j *Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.jobs, j); i >= 0 && j.state != Running {
		r.forget(i)
	}
}

func (r *Room) forget(i int) {
	j := r.jobs[i]
	r.jobs = slices.Delete(r.jobs, i, i+1)
	j.keep.Stop()
	if j.Spec.Forget != nil {
		go j.Spec.Forget() // not under the lock
	}
}

// Job is something that is being done, or was.
type Job struct {
	Spec
	ID    string
	Began time.Time

	room   *Room
	ctx    context.Context
	cancel context.CancelCauseFunc

	// Guarded by the room's mutex.
	state   State
	err     error // why it failed
	ended   time.Time
	expires time.Time   // if nobody asks; zero: never
	hold    *time.Timer // until then; nil for never
	keep    *time.Timer // until the job is forgotten
	events  []Event
	last    int           // number of the newest event
	changed chan struct{} // closed and replaced at every event, and at the end
	done    uint64
	total   uint64
}

// Status is how far a job is.
type Status struct {
	State       State
	Err         error     // why it did not come to its end
	Ended       time.Time // zero while it runs
	Expires     time.Time // if nobody asks; zero: never
	Done, Total uint64    // of what it counts; 0 of 0 if it counts nothing
	Last        int       // number of the newest event
}

// Status returns how far the job is.
func (j *Job) Status() Status {
	j.room.mu.Lock()
	defer j.room.mu.Unlock()
	return Status{j.state, j.err, j.ended, j.expires, j.done, j.total, j.last}
}

func (j *Job) seenBy(who identity.Principal) bool {
	return who.May(identity.Admin) || who.ID == j.Owner.ID && who.ID != ""
}

func (j *Job) run() {
	err := j.Spec.Run(j.ctx, j)
	if errors.Is(err, context.Canceled) && j.ctx.Err() != nil {
		err = context.Cause(j.ctx)
	}
	j.cancel(nil) // what began under the context ends with it
	r := j.room
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		j.state = Done
	case errors.Is(err, ErrExpired):
		j.state = Expired
	case errors.Is(err, ErrCancelled), errors.Is(err, ErrReplaced):
		j.state = Cancelled
	default:
		j.state = Failed
	}
	j.err, j.ended, j.expires = err, time.Now(), time.Time{}
	if j.hold != nil {
		j.hold.Stop()
	}
	keep := Keep
	if j.Spec.Keep > 0 {
		keep = j.Spec.Keep
	}
	j.keep = time.AfterFunc(keep, func() { r.Forget(j) })
	close(j.changed)
	j.changed = make(chan struct{})
}

// Emit tells that something happened. data must be of the kinds that JSON can have.
func (j *Job) Emit(what string, data any) {
	j.room.mu.Lock()
	defer j.room.mu.Unlock()
	j.emit(what, data)
}

func (j *Job) emit(what string, data any) {
	b, err := json.Marshal(data)
	if err != nil {
		b = []byte("null")
	}
	j.last++
	j.events = append(j.events, Event{j.last, what, b})
	if len(j.events) > maxEvents {
		j.events = slices.Delete(j.events, 0, len(j.events)-maxEvents)
	}
	close(j.changed)
	j.changed = make(chan struct{})
}

// Count is the data of the event "progress".
type Count struct {
	Done  uint64 `json:"done"`
	Total uint64 `json:"total"`
}

// Progress notes how much is done; each whole percent is an event.
func (j *Job) Progress(done, total uint64) {
	j.room.mu.Lock()
	defer j.room.mu.Unlock()
	if percent(done, total) != percent(j.done, j.total) || total != j.total {
		j.emit("progress", Count{done, total})
	}
	j.done, j.total = done, total
}

func percent(done, total uint64) uint64 {
	if total == 0 {
		return 0
	}
	return uint64(100 * float64(done) / float64(total))
}

// Next returns the events after a number, as soon as there are any; ended is true when
// there will be no more after these.
func (j *Job) Next(ctx context.Context, after int) (events []Event, ended bool, err error) {
	for {
		j.room.mu.Lock()
		i := len(j.events)
		for i > 0 && j.events[i-1].N > after {
			i--
		}
		events, ended = slices.Clone(j.events[i:]), j.state != Running
		changed := j.changed
		j.room.mu.Unlock()
		if len(events) > 0 || ended {
			return events, ended, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// Renew begins the job's Hold anew, and reports whether it still runs.
func (j *Job) Renew() bool {
	j.room.mu.Lock()
	defer j.room.mu.Unlock()
	if j.state != Running || j.ctx.Err() != nil {
		return false
	}
	if j.hold != nil && j.hold.Stop() { // else it has just expired
		j.expires = time.Now().Add(j.Hold)
		j.hold.Reset(j.Hold)
	}
	return true
}

// Left notes that its holder's connection has ended: the job goes on for a moment, for them
// to come back.
func (j *Job) Left() {
	j.room.mu.Lock()
	defer j.room.mu.Unlock()
	if j.state == Running && j.hold != nil && time.Until(j.expires) > grace && j.hold.Stop() {
		j.expires = time.Now().Add(grace)
		j.hold.Reset(grace)
	}
}

// End asks the job to end, for the cause. What has ended stays as it is.
func (j *Job) End(cause error) { j.cancel(cause) }

// Wait returns when the job has ended, or ctx has, with its error.
func (j *Job) Wait(ctx context.Context) error {
	for after := 0; ; {
		events, ended, err := j.Next(ctx, after)
		if ended || err != nil {
			return err
		}
		after = events[len(events)-1].N
	}
}
