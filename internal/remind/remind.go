// Package remind is the task that reminds people of what they have: by the rules of
// checkout/reminder it commits whom it is time to tell, and it says what their message says
// when it is sent.
//
//	loans ─▶ rules ─▶ events and rows of the outbox ─▶ mail: Look ─▶ what they still have
package remind

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/reminder"
	"stump/internal/books"
)

// Ledger is what reminders need of the station's ledger.
type Ledger interface {
	Loans(books.LoanFilter) iter.Seq2[books.Loan, error]
	History(books.HistoryFilter) iter.Seq2[books.Entry, error]
	People(books.Page) iter.Seq2[books.Person, error]
	FindPerson(ref string) (books.Person, error)
	ParseRow(id string) (ledger.RowKey, error)
	OutboxOf(sink string, key ledger.RowKey) (ledger.OutboxRow, error)
	StuckFrom(sink string, from ledger.RowKey, limit int) (ledger.OutboxPage, error)
	Remind(says []books.Saying, unread ...ledger.RowKey) (bool, error)
	Digest(after time.Time, note string) (bool, error)
	Appended() <-chan struct{}
}

// Options are what Reminders work with.
type Options struct {
	Ledger  Ledger
	Rules   reminder.Rules
	Station string
	// Stamp is the time, and whether it is right.
	Stamp func() checkout.Stamp
	// Link is where a loan can be extended; "" for nowhere. May be nil.
	Link func(books.Loan) string
	// Extensions is how often who has a device may extend the loan.
	Extensions int
	// Weekly: an admin is told each week, at the address Admin, which may be empty.
	Weekly bool
	Admin  string
	// Turn is the work of reminding, which one station of a lab does for all; nil: this one does.
	Turn Turn
	Log  *slog.Logger // nil is silent
}

// Turn is the work of reminding people, which one station of a lab does for all.
type Turn interface {
	// Mine reports whether it is this station's.
	Mine() bool
	// Claim returns what is to be said here, since no station of the lab has said it.
	Claim(ctx context.Context, what []string) (fresh []string, err error)
}

// Reminders is the task.
type Reminders struct {
	Options
	told time.Time       // the week of which the digest is committed
	said map[string]bool // what another station of the lab has said
}

// New returns Reminders that do nothing until Run.
func New(o Options) *Reminders {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return &Reminders{Options: o, said: map[string]bool{}}
}

func (r *Reminders) String() string { return "reminders" }

// settle is how long after an event the loans are looked at, once for all that happen
// meanwhile.
const settle = 5 * time.Second

// Run works until ctx is done. It wakes up with each minute, and looks at the loans when
// the time of day has come or something has happened.
func (r *Reminders) Run(ctx context.Context) error {
	looked := false // at all loans, since people are reminded today
	for ctx.Err() == nil {
		happened := r.Ledger.Appended()
		now := r.Stamp()
		switch open := now.Trusted && r.Rules.Open(now.Wall); {
		case !open:
			looked, happened = false, nil
		case !looked:
			looked = r.look()
		}
		next := time.NewTimer(now.Wall.Truncate(time.Minute).Add(time.Minute).Sub(now.Wall))
		select {
		case <-ctx.Done():
		case <-next.C:
			if midnight := r.Stamp().Wall; !r.Rules.SameDay(now.Wall, midnight) {
				looked = false
			}
		case <-happened:
			looked = false
			next.Reset(settle)
			select {
			case <-ctx.Done():
			case <-next.C:
			}
		}
		next.Stop()
	}
	return nil
}

// look commits what is due, and reports whether it could.
func (r *Reminders) look() bool {
	if r.Turn != nil && !r.Turn.Mine() {
		return false
	}
	n, err := r.Remind()
	if err == nil {
		err = r.Digest()
	}
	switch {
	case err != nil:
		r.Log.Error("nobody is reminded; trying again", "err", err)
	case n > 0:
		r.Log.Info("it is time to remind people", "people", n)
	}
	return err == nil
}

// ofRules is a loan as the rules see it; false for one without an end, or of somebody who
// is not known.
func ofRules(l books.Loan) (one reminder.Loan, ok bool) {
	known := l.ClockTrusted || !l.Before.IsZero()
	if l.Due.IsZero() || !known || l.PersonID == "" || l.DeviceID == "" {
		return one, false
	}
	last, err := reminder.ParseStage(l.Stage)
	return reminder.Loan{Since: l.Meant, Due: l.Due, Told: err == nil, Last: last}, true
}

// Remind commits which stages of loans have come, one message for each person, and returns
// how many people there are; none while the clock is not trusted.
func (r *Reminders) Remind() (n int, err error) {
	now := r.Stamp()
	if !now.Trusted || !r.Rules.Open(now.Wall) {
		return 0, nil
	}
	come := map[string][]books.Loan{}
	for pass := range 2 { // first who, then all that they have: most have nothing that is due
		for l, err := range r.Ledger.Loans(books.LoanFilter{Now: now.Wall}) {
			if err != nil {
				return 0, err
			}
			one, ok := ofRules(l)
			if _, there := come[l.PersonID]; ok && pass == 1 && there {
				come[l.PersonID] = append(come[l.PersonID], l)
			} else if ok && pass == 0 && r.Rules.Say(time.Time{}, now.Wall, []reminder.Loan{one}) != nil {
				come[l.PersonID] = nil
			}
		}
		if len(come) == 0 {
			break
		}
	}
	for _, id := range slices.Sorted(maps.Keys(come)) {
		done, err := r.person(id, come[id], now.Wall)
		if err != nil {
			return n, err
		}
		if done {
			n++
		}
	}
	return n, nil
}

// person commits what somebody is to be told of their loans.
func (r *Reminders) person(id string, all []books.Loan, now time.Time) (bool, error) {
	p, err := r.Ledger.FindPerson(id)
	if err != nil {
		return false, err
	}
	all = withoutParts(all)
	var (
		loans  []reminder.Loan
		unread []ledger.RowKey
	)
	for _, l := range all {
		one, _ := ofRules(l)
		if one.Told {
			key, row, err := r.row(l.Told)
			switch {
			case err != nil:
				return false, err
			case row == nil || row.State.Stuck():
			case row.Touched:
				return false, nil // they may have it: first it is sent again, as it was
			default:
				one.Waits, unread = true, append(unread, key)
			}
		}
		loans = append(loans, one)
	}
	var says []books.Saying
	for _, s := range r.Rules.Say(p.Reminded, now, loans) {
		says = append(says, books.Saying{Loan: all[s.Loan], Stage: s.Stage.String(), Again: s.Again})
	}
	if says, err = r.unsaid(says); err != nil || says == nil {
		return false, err
	}
	return r.Ledger.Remind(says, unread...)
}

// claimTime is how long the hub has to say what is to be said here, and mostSaid how much of
// what others have said is kept.
const (
	claimTime = 30 * time.Second
	mostSaid  = 5000
)

// unsaid are those sayings that no other station of the lab has said; nil if none of them is new.
func (r *Reminders) unsaid(says []books.Saying) (all []books.Saying, err error) {
	if r.Turn == nil || says == nil {
		return says, nil
	}
	var keys []string
	for i := range says {
		l := &says[i].Loan
		keys = append(keys, strings.Join([]string{l.DeviceID, place(l.Began), l.Due.UTC().Format(time.DateOnly), says[i].Stage}, " "))
	}
	if err := r.claim(keys...); err != nil {
		return nil, err
	}
	fresh := false
	for i, s := range says {
		if !r.said[keys[i]] {
			all, fresh = append(all, s), fresh || !s.Again
		}
	}
	if !fresh {
		return nil, nil
	}
	return all, nil
}

// claim notes in said which of what is to be said another station has said.
func (r *Reminders) claim(keys ...string) error {
	if len(r.said) > mostSaid {
		clear(r.said) // the hub says it again
	}
	var ask []string
	for _, k := range keys {
		if !r.said[k] {
			ask = append(ask, k)
		}
	}
	if r.Turn == nil || ask == nil {
		return nil
	}
	ctx, end := context.WithTimeout(context.Background(), claimTime)
	defer end()
	fresh, err := r.Turn.Claim(ctx, ask)
	if err != nil {
		return err
	}
	for _, k := range ask {
		if !slices.Contains(fresh, k) {
			r.said[k] = true
		}
	}
	return nil
}

// withoutParts leaves out the parts of kits that the same person has: they come back with
// their kit.
func withoutParts(all []books.Loan) []books.Loan {
	return slices.DeleteFunc(slices.Clone(all), func(part books.Loan) bool {
		return part.Kit != "" && slices.ContainsFunc(all, func(kit books.Loan) bool { return kit.DeviceID == part.Kit })
	})
}

// row is the row of a message among the mails; nil if it has none any more.
func (r *Reminders) row(of checkout.Place) (key ledger.RowKey, row *ledger.OutboxRow, err error) {
	key, err = r.Ledger.ParseRow(place(of))
	if err != nil {
		return key, nil, err
	}
	found, err := r.Ledger.OutboxOf(ledger.MailSink, key)
	if errors.Is(err, ledger.ErrNotQueued) {
		return key, nil, nil
	}
	return key, &found, err
}

// place is the written form of a place.
func place(p checkout.Place) string {
	return books.Entry{Event: checkout.Event{Chain: p.Chain, Seq: p.Seq}}.Key()
}
