package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/hint"
	"stump/internal/lab/wire"
)

// Options say how to speak with the hub. Log is silent if nil.
type Options struct {
	Ledger *ledger.Ledger
	// Dir is the state folder.
	Dir     string
	Version string
	// Fault is the first thing that is wrong with the station, "" for nothing; may be nil.
	Fault func() string
	// URL is where browsers reach the station, "" for nowhere; may be nil.
	URL func() string
	// Now is the station's time.
	Now func() checkout.Stamp
	// Rekey changes the site key of the station, and keeps the one before.
	Rekey func(key []byte) error
	// News is called when the lab's word has changed something here; may be nil.
	News func()
	// Key is the site key.
	Key func() []byte
	// Stale is how old the lab's word may be before it is said.
	Stale time.Duration
	// Transport carries what is asked of the hub, where that is in this process; nil: HTTPS.
	Transport http.RoundTripper
	Log       *slog.Logger
}

// Link is the task that speaks with the hub. Without a lab it waits for one.
type Link struct {
	o     Options
	again chan struct{} // the membership has changed

	busy sync.Mutex // an event is on its way, or a row is taken over

	mu      sync.Mutex
	member  *Member
	heard   time.Time // of the hub, by the station's clock; zero: not in this run
	mono    time.Duration
	failure error
	members []wire.Member
	turns   []*Turn
	told    atomic.Uint64 // the newest own event that the hub has
	met     atomic.Bool   // told is known
}

// New returns a link to the lab that the station is in, if any.
func New(o Options) (*Link, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m, err := Load(o.Dir)
	return &Link{o: o, member: m, again: make(chan struct{}, 1)}, err
}

func (l *Link) String() string { return "lab" }

// Status is how the station stands in its lab.
type Status struct {
	Member  *Member // nil: in none
	Heard   time.Time
	Failure error
	Waiting int
	Stale   bool
	Members []wire.Member
}

// Status returns how the station stands in its lab.
func (l *Link) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Status{Member: l.member, Heard: l.heard, Failure: l.failure, Members: l.members}
	if l.member != nil && l.met.Load() {
		told := l.told.Load() // first: it only grows
		if _, newest, err := l.o.Ledger.OwnChain(); err == nil && newest.Seq > told {
			s.Waiting = int(newest.Seq - told)
		}
	}
	s.Stale = l.member != nil && l.o.Now().Mono-l.mono > l.o.Stale
	return s
}

// Told is the number of the newest event here that the hub has; false: it is not known.
func (l *Link) Told() (seq uint64, known bool) {
	known = l.met.Load()
	return l.told.Load(), known
}

// Run speaks with the hub until ctx ends.
func (l *Link) Run(ctx context.Context) error {
	l.mu.Lock()
	l.mono = l.o.Now().Mono
	l.mu.Unlock()
	for failures := 0; ctx.Err() == nil; {
		l.mu.Lock()
		m := l.member
		l.mu.Unlock()
		if m == nil {
			select {
			case <-ctx.Done():
			case <-l.again:
			}
			continue
		}
		err := l.session(ctx, m, &failures)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			continue // of another lab
		}
		l.fail(err, failures)
		failures++
		select {
		case <-ctx.Done():
		case <-l.again:
			failures = 0
		case <-time.After(wait(failures)):
		}
	}
	return nil
}

// wait is how long the hub is left alone after failures: 1 s to 16 s, no two stations alike.
// A thousand stations are then 100 questions a second, of which a hub hardly notices.
func wait(failures int) time.Duration {
	most := time.Second << min(failures, 4)
	return most/2 + rand.N(most/2)
}

func (l *Link) fail(err error, failures int) {
	l.mu.Lock()
	l.failure = err
	l.mu.Unlock()
	if failures == 0 {
		l.o.Log.Warn("the lab is not reached; bumps go on", "err", err)
	}
}

// hears notes that the hub has answered.
func (l *Link) hears(at time.Time) {
	l.mu.Lock()
	now := l.o.Now()
	l.heard, l.mono = now.Wall, now.Mono
	l.mu.Unlock()
	if !at.IsZero() {
		l.o.Ledger.HearLab(at)
	}
}

// well notes that the hub has taken what this station has to tell.
func (s *session) well() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		s.o.Log.Info("the lab is reached again")
	}
	s.failure, *s.failures = nil, 0
}

// session speaks with the hub until something fails, or the membership changes.
func (l *Link) session(ctx context.Context, m *Member, failures *int) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	s := &session{Link: l, m: m, c: l.client(m.URL, m.Pin, m.Token), ctx: ctx, failures: failures}
	defer s.c.http.CloseIdleConnections()
	if err := s.meet(); err != nil {
		return err
	}
	var both sync.WaitGroup
	for _, f := range []func() error{s.tellAll, s.listen, s.takeTurns} {
		both.Go(func() { end(f()) })
	}
	select {
	case <-ctx.Done():
	case <-l.again:
		end(nil)
	}
	both.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// session is a conversation with a hub.
type session struct {
	*Link
	m     *Member
	c     *client
	ctx   context.Context
	acked uint64 // the newest own event that the hub has; guarded by busy
	epoch int64  // in which it was acknowledged
	// failures is how often it failed before; guarded by mu.
	failures *int
	// patched counts how often the hub was told of changes of the register.
	patched atomic.Int64
}

// meet compares what the hub has of this station with the ledger.
func (s *session) meet() error {
	ctx, end := context.WithTimeout(s.ctx, 30*time.Second)
	defer end()
	var h wire.Head
	if err := s.c.ask(ctx, http.MethodGet, wire.PathHead, nil, &h); err != nil {
		return err
	}
	s.hears(h.At)
	s.epoch = h.Epoch
	chain, newest, err := s.o.Ledger.OwnChain()
	if err != nil {
		return err
	}
	if own := chain.String(); s.m.Chain != "" && own != s.m.Chain {
		return hint.Errorf("if the card is new: `stump join CODE --replace "+s.m.Name+"`", "the lab knows this station by another ledger")
	}
	return s.agree(h.Newest, newest)
}

// agree finds the event from which on the hub is to be told.
func (s *session) agree(theirs, newest wire.Link) error {
	if theirs.Seq > newest.Seq {
		return hint.Errorf("if an old copy was put back, `stump join CODE --as NAME` gives this one a chain of its own",
			"the lab has %d events of this station, the ledger only %d", theirs.Seq, newest.Seq)
	}
	here, _, ok, err := s.o.Ledger.OwnEvents(theirs.Seq, 0, 0)
	if err != nil {
		return err
	}
	if !ok || here != theirs {
		return hint.Errorf("if this card is a copy of another station's, `stump join CODE --as NAME` gives it a chain of its own",
			"the lab has another event %d of this station than the ledger", theirs.Seq)
	}
	s.acked = theirs.Seq
	s.told.Store(s.acked)
	s.met.Store(true)
	return nil
}

const (
	// heartbeat is how often the hub hears of a station at which nothing happens.
	heartbeat = time.Minute
	// scanEvery is how often all rows of the register are compared with what the lab has.
	scanEvery = 10 * time.Minute
	// mostBytes is about how large the events of one request are.
	mostBytes = 1 << 20
	// mostPatches is how many rows of the register go with one request.
	mostPatches = 500
)

// tellAll tells the hub what happens here.
func (s *session) tellAll() error {
	var scanned time.Duration
	for beat, many := true, true; ; {
		bell := s.o.Ledger.Appended()
		s.tells(false)
		all, more, err := s.o.Ledger.LabUnsaid()
		many = many || more
		if now := s.o.Now().Mono; err == nil && (scanned == 0 || now-scanned > scanEvery || many && now-scanned > heartbeat) {
			all, err = s.o.Ledger.LabPatches(0, 0)
			many, scanned = false, now
		}
		if err != nil {
			return err
		}
		for len(all) > 0 {
			some := all[:min(len(all), mostPatches)]
			all = all[len(some):]
			if _, err := s.tell(some, 0); err != nil {
				return err
			}
		}
		for more := true; more; beat = false {
			sent, err := s.tell(nil, wire.MaxRecords)
			if err != nil {
				return err
			}
			if more = sent > 0; !more && beat {
				if err := s.send(&wire.Append{}, nil); err != nil {
					return err
				}
			}
		}
		s.well()
		s.tells(!many)
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-bell:
		case <-time.After(heartbeat):
			beat = true
			s.eraseGone()
		}
	}
}

// tell sends the next events, at most so many, with what they have changed in the register,
// or with patches alone. It returns how many it sent of both.
func (s *session) tell(patches []wire.Patch, most int) (int, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	a := wire.Append{Patches: patches}
	var last uint64
	if most > 0 {
		after, records, ok, err := s.o.Ledger.OwnEvents(s.acked, most, mostBytes)
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, fmt.Errorf("the event %d, which the hub has, is no longer in the ledger", s.acked)
		}
		if len(records) == 0 {
			return 0, nil
		}
		if last, err = lastOf(records); err != nil {
			return 0, err
		}
		if a.Patches, err = s.o.Ledger.LabPatches(s.acked+1, last); err != nil {
			return 0, err
		}
		a.After, a.Records = after, records
	}
	if err := s.send(&a, &last); err != nil {
		return 0, err
	}
	if len(a.Patches) > 0 {
		s.patched.Add(1)
	}
	return len(a.Records) + len(a.Patches), s.o.Ledger.LabTold(a.Patches)
}

// send sends what a has. last is the number of its last event, and becomes that of the last
// which the hub has; nil if it has none.
func (s *session) send(a *wire.Append, last *uint64) error {
	chain, newest, err := s.o.Ledger.OwnChain()
	if err != nil {
		return err
	}
	if len(a.Records) == 0 {
		if a.After, _, _, err = s.o.Ledger.OwnEvents(s.acked, 0, 0); err != nil {
			return err
		}
	}
	now := s.o.Now()
	a.Epoch, a.Chain, a.Boot, a.Mono = s.epoch, chain.String(), now.BootID, int64(now.Mono)
	a.Station = wire.Station{Name: s.m.Name, Version: s.o.Version}
	if s.o.Fault != nil {
		a.Station.Fault = s.o.Fault()
	}
	if s.o.URL != nil {
		a.Station.URL = s.o.URL()
	}
	s.fenced(a)
	ctx, end := context.WithTimeout(s.ctx, time.Minute)
	defer end()
	var receipts []wire.Accepted
	err = s.c.ask(ctx, http.MethodPost, wire.PathAppend, a, &receipts)
	var p *Problem
	if errors.As(err, &p) && p.Code == wire.CodeGap && p.Head != nil {
		s.epoch = p.Head.Epoch
		return s.agree(p.Head.Newest, newest) // and again from there
	}
	if err != nil {
		return err
	}
	if len(receipts) != len(a.Records) {
		return fmt.Errorf("the hub has acknowledged %d of %d events", len(receipts), len(a.Records))
	}
	at := time.Time{}
	if len(receipts) > 0 {
		at = receipts[len(receipts)-1].HT
		s.acked = *last
	}
	s.told.Store(s.acked)
	s.hears(at)
	return nil
}

// mostAgain is how often in a row rows are asked for once more: a station that tells of many
// changes hears of others meanwhile.
const mostAgain = 3

// listen takes over what is new in the lab.
func (s *session) listen() error {
	again := 0
	cursor, err := s.o.Ledger.Lab()
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		q := url.Values{"epoch": {strconv.FormatInt(cursor.Epoch, 10)}, "since": {strconv.FormatUint(cursor.Ver, 10)}}
		if first {
			q.Set("first", "")
		}
		ctx, end := context.WithTimeout(s.ctx, wire.Wait+30*time.Second)
		var c wire.Changes
		asked := s.patched.Load()
		err := s.c.ask(ctx, http.MethodGet, wire.PathChanges+"?"+q.Encode(), nil, &c)
		end()
		if err != nil {
			return err
		}
		s.hears(c.At)
		taken, err := s.take(c, asked, again < mostAgain)
		if err != nil {
			return err
		}
		if again++; !taken {
			continue
		}
		again = 0
		cursor.Epoch, cursor.Ver = c.Epoch, c.Ver
	}
}

// eraseGone erases who was erased in the lab. Who has a device is erased later: it is tried
// again with each heartbeat.
func (s *session) eraseGone() {
	if err := s.o.Ledger.EraseGone(); err != nil {
		s.o.Log.Warn("somebody who was erased in the lab can't be erased here yet", "err", err)
	}
}

// take takes rows over. While an event is on its way nobody knows whether it or the row is
// the newer. Rows that were asked for before the hub was told of a change here may be older
// than it: if again, they are asked for once more.
func (s *session) take(c wire.Changes, asked int64, again bool) (taken bool, err error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	if c.Stations != nil {
		s.mu.Lock()
		s.members = c.Stations
		s.mu.Unlock()
	}
	if len(c.Subjects)+len(c.Loans) == 0 && !c.More {
		return true, nil
	}
	if again && len(c.Subjects) > 0 && asked != s.patched.Load() {
		return false, nil
	}
	news, err := s.o.Ledger.TakeLab(c, s.acked)
	if err != nil {
		return false, err
	}
	if news && s.o.News != nil {
		s.o.News()
	}
	s.eraseGone()
	return true, nil
}
