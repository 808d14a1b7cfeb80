package ledger

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// site is a ledger with Ann (1), Bob (2) and an iPad (9), known to the directory.
type site struct {
	*Ledger
	t      testing.TB
	moment Moment
}

func newSite(t testing.TB) *site {
	s := &site{Ledger: syncLedger(t), t: t}
	syncRows(t, s.Ledger,
		books.SyncRow{Kind: checkout.KindPerson, Ref: "1", Name: "Ann", Tag: tag26(1)},
		books.SyncRow{Kind: checkout.KindPerson, Ref: "2", Name: "Bob", Tag: tag26(2)},
		books.SyncRow{Kind: checkout.KindDevice, Ref: "9", Name: "iPad", Tag: tag26(900)})
	return s
}

// bump commits two taps.
func (s *site) bump(person, device uint64) {
	s.t.Helper()
	var c checkout.Completion
	for tag, to := range map[uint64]*checkout.Subject{person: &c.Person, device: &c.Device} {
		var err error
		if *to, err = s.Subject(tag26(tag)); err != nil {
			s.t.Fatal(err)
		}
		if to.Kind == checkout.Unknown {
			to.Kind, to.Pending = checkout.KindDevice, true
		}
	}
	if _, err := s.Complete(c); err != nil {
		s.t.Fatal(err)
	}
}

// told marks everything as delivered.
func (s *site) told() {
	s.t.Helper()
	for _, r := range rowsFor(s.t, s.Ledger, DirectorySink) {
		if err := s.Delivered(DirectorySink, r.Key); err != nil {
			s.t.Fatal(err)
		}
	}
}

// ask is the moment before the directory is asked.
func (s *site) ask() { s.askAt("snipe.example") }

func (s *site) askAt(place string) {
	s.t.Helper()
	var err error
	if s.moment, err = s.Moment(DirectorySink, place); err != nil {
		s.t.Fatal(err)
	}
}

// hears takes the directory's word over, and says what became of it: "handover to bob".
func (s *site) hears(seen books.Seen) string {
	s.t.Helper()
	head := s.newest()
	waiting := len(rowsFor(s.t, s.Ledger, DirectorySink))
	why := books.Agreed
	if err := s.TakeOver(s.moment, []books.Seen{seen}, "directory", nil, func(w books.Word) { why = w.Why }); err != nil {
		s.t.Fatal(err)
	}
	if n := len(rowsFor(s.t, s.Ledger, DirectorySink)); n != waiting {
		s.t.Errorf("the directory is told %d rows of its own", n-waiting)
	}
	if s.newest() == head {
		return []string{"agreed", "taken", "busy", "untold", "stranger", "retired", "elsewhere", "many"}[why]
	}
	last := s.entries()[len(s.entries())-1]
	if why != books.Taken || last.Actor != "directory" || last.Source != checkout.SourceSync {
		s.t.Errorf("%v: %+v", why, last)
	}
	if hook := rowsFor(s.t, s.Ledger, "hook"); hook[len(hook)-1].Event.Seq != last.Seq {
		s.t.Error("the webhook does not hear of it")
	}
	d, err := s.FindDevice("ipad")
	if err != nil {
		s.t.Fatal(err)
	}
	text := string(last.Kind) + " by " + last.Person + ", with " + d.Holder
	if last.From != "" {
		text += ", from " + last.From
	}
	return text
}

func (s *site) entries() (all []books.Entry) {
	s.t.Helper()
	for e, err := range s.History(books.HistoryFilter{Device: "ipad"}) {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func (s *site) newest() uint64 {
	i, err := s.Info()
	if err != nil {
		s.t.Fatal(err)
	}
	return i.Seq
}

var (
	byAnn = books.Seen{Device: "9", Holding: books.Holding{Ref: "1", Name: "Ann"}}
	byBob = books.Seen{Device: "9", Holding: books.Holding{Ref: "2", Name: "Bob"}}
	free  = books.Seen{Device: "9", Holding: books.Holding{Free: true}}
)

// TestTakeOver: what the directory says is committed where it is news, and only there.
func TestTakeOver(t *testing.T) {
	lost := func(s *site) { s.bump(1, 900) }
	for name, tc := range map[string]struct {
		before func(*site) // then the directory is asked
		during func(*site) // before its answer counts
		seen   books.Seen
		want   string
	}{
		"the first day: it is out there":         {nil, nil, byAnn, "checkout by ann, with ann"},
		"free on both sides":                     {nil, nil, free, "agreed"},
		"checked in on the page":                 {func(s *site) { s.bump(1, 900); s.told() }, nil, free, "return by ann, with "},
		"handed over on the page":                {func(s *site) { s.bump(1, 900); s.told() }, nil, byBob, "handover by bob, with bob, from ann"},
		"with the same person":                   {func(s *site) { s.bump(1, 900); s.told() }, nil, byAnn, "agreed"},
		"back here, out again on the page":       {func(s *site) { s.bump(1, 900); s.bump(1, 900); s.told() }, nil, byAnn, "checkout by ann, with ann"},
		"the event waits":                        {lost, nil, free, "busy"},
		"the event is delivered meanwhile":       {lost, (*site).told, free, "busy"},
		"bumped meanwhile":                       {nil, lost, byBob, "busy"},
		"bumped and delivered meanwhile":         {nil, func(s *site) { s.bump(1, 900); s.told() }, free, "busy"},
		"dropped by an admin":                    {func(s *site) { s.bump(1, 900); s.drop() }, nil, free, "untold"},
		"dropped, and bumped since":              {func(s *site) { s.bump(1, 900); s.drop(); s.bump(2, 900); s.told() }, nil, free, "return by bob, with "},
		"with somebody who is not here":          {nil, nil, books.Seen{Device: "9", Holding: books.Holding{Ref: "3", Name: "Cem"}}, "stranger"},
		"with a location":                        {nil, nil, books.Seen{Device: "9", Elsewhere: "the location Berlin"}, "elsewhere"},
		"with a location, and here with Ann":     {func(s *site) { s.bump(1, 900); s.told() }, nil, books.Seen{Device: "9", Elsewhere: "the location Berlin"}, "elsewhere"},
		"a device that is not here":              {nil, nil, books.Seen{Device: "8", Holding: books.Holding{Ref: "1"}}, "agreed"},
		"retired here":                           {func(s *site) { s.retire() }, nil, byAnn, "retired"},
		"a pending tag that turns out to be it":  {func(s *site) { s.bump(1, 901) }, func(s *site) { s.resolve(901); s.told() }, free, "busy"},
		"out here since before the directory":    {func(s *site) { s.askAt("old.example"); s.bump(1, 900); s.told() }, nil, free, "untold"},
		"moved since it is the directory":        {func(s *site) { s.askAt("old.example"); s.ask(); s.bump(1, 900); s.told() }, nil, free, "return by ann, with "},
		"a file from before places were noted":   {func(s *site) { s.bump(1, 900); s.told() }, nil, free, "return by ann, with "},
		"free here since before, and out there":  {func(s *site) { s.askAt("old.example"); s.bump(1, 900); s.bump(1, 900); s.told() }, nil, byBob, "checkout by bob, with bob"},
		"lost here, free there":                  {func(s *site) { s.lose(); s.told() }, nil, free, "agreed"},
		"lost here, and out again on the page":   {func(s *site) { s.lose(); s.told() }, nil, byBob, "checkout by bob, with bob"},
		"by the key she had before a merge":      {func(s *site) { s.bump(1, 900); s.told(); s.merge("ann", "bob") }, nil, byAnn, "agreed"},
		"taken over under that key":              {func(s *site) { s.merge("ann", "bob") }, nil, byAnn, "checkout by bob, with bob"},
		"suspended people still have what it is": {func(s *site) { s.suspend() }, nil, byAnn, "checkout by ann, with ann"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if tc.before != nil {
				tc.before(s)
			}
			s.ask()
			if tc.during != nil {
				tc.during(s)
			}
			if got := s.hears(tc.seen); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			if r := verify(t, s.Ledger); !r.OK() {
				t.Error(r)
			}
			s.ask()
			if again := s.hears(tc.seen); tc.want != "busy" && again != tc.want && again != "agreed" {
				t.Errorf("heard again: %s", again)
			}
		})
	}
}

func verify(t testing.TB, l *Ledger) *Report {
	t.Helper()
	r, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *site) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) drop() {
	s.check(s.Drop(DirectorySink, []RowKey{rowsFor(s.t, s.Ledger, DirectorySink)[0].Key}, "admin", checkout.SourceCLI, "why"))
}

func (s *site) retire() {
	status := checkout.Retired
	s.check(s.EditDevice("ipad", books.Edit{Status: &status}, "admin", checkout.SourceCLI))
}

func (s *site) suspend() {
	status := checkout.Suspended
	s.check(s.EditPerson("ann", books.Edit{Status: &status}, "admin", checkout.SourceCLI))
}

func (s *site) resolve(tag uint64) {
	_, err := s.EnrolDevice("ipad", tag26(tag), "admin", checkout.SourceCLI)
	s.check(err)
}

func (s *site) merge(old, into string) {
	_, err := s.MergePeople(old, into, "admin", checkout.SourceCLI)
	s.check(err)
}

func (s *site) lose() {
	_, err := s.Lose(books.Request{Device: "ipad", Actor: "admin"})
	s.check(err)
}

// TestTakeOverDue: the loan ends when the directory says, else as the station lends.
func TestTakeOverDue(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for due, want := range map[time.Time]time.Duration{
		now.Add(50 * time.Hour): 50 * time.Hour, now.Add(-time.Hour): time.Second, {}: 24 * time.Hour,
	} {
		s := newSite(t)
		s.o.Loans.Length = 24 * time.Hour
		s.o.Stamp = func() checkout.Stamp { return checkout.Stamp{Wall: now, Trusted: true} }
		s.ask()
		seen := byAnn
		seen.Due = due
		s.hears(seen)
		for loan, err := range s.Loans(books.LoanFilter{Now: now.Add(2 * time.Second)}) {
			if got := loan.Due.Sub(now); err != nil || got != want || loan.Overdue != (want == time.Second) {
				t.Errorf("due %v: after %v, %v, %+v", due, got, err, loan)
			}
		}
	}
}

// TestTakeOverMany: more than one transaction takes, and more returns at once than are
// believed.
func TestTakeOverMany(t *testing.T) {
	s := newSite(t)
	var rows []books.SyncRow
	var out, in []books.Seen
	for i := range 3*takeAtOnce + 1 {
		ref := fmt.Sprint("d", i)
		rows = append(rows, books.SyncRow{Kind: checkout.KindDevice, Ref: ref, Name: fmt.Sprint("Device ", i)})
		out = append(out, books.Seen{Device: ref, Holding: byAnn.Holding})
		in = append(in, books.Seen{Device: ref, Holding: free.Holding})
	}
	syncRows(t, s.Ledger, rows...)
	for _, step := range []struct {
		seen    []books.Seen
		believe bool
		loans   int
	}{{out, false, len(out)}, {in, false, len(out)}, {in, true, 0}} {
		s.ask()
		var words []books.Word
		err := s.TakeOver(s.moment, step.seen, "directory", func(returns, loans int) bool {
			if returns != len(out) || loans != len(out) {
				t.Errorf("%d returns of %d loans", returns, loans)
			}
			return step.believe
		}, func(w books.Word) { words = append(words, w) })
		held := slices.ContainsFunc(words, func(w books.Word) bool { return w.Why == books.Many })
		loans := slices.Collect(func(yield func(books.Loan) bool) {
			for l := range s.Loans(books.LoanFilter{}) {
				if !yield(l) {
					return
				}
			}
		})
		if err != nil || len(words) != len(out) || len(loans) != step.loans || held != (step.loans > 0 && step.seen[0].Free) {
			t.Errorf("%d words, %d loans, held %v, %v; want %d loans", len(words), len(loans), held, err, step.loans)
		}
	}
}

// TestHome: where a device stands is kept, without an event.
func TestHome(t *testing.T) {
	s := newSite(t)
	head := s.newest()
	for _, home := range []string{"3 Device Lab", "3 Device Lab", "4 Shelf", ""} {
		s.ask()
		seen := free
		seen.Home = home
		if got := s.hears(seen); got != "agreed" || s.newest() != head {
			t.Errorf("%s, %d events", got, s.newest()-head)
		}
		if d, err := s.FindDevice("ipad"); err != nil || d.Home != home {
			t.Errorf("its home is %q (%v), want %q", d.Home, err, home)
		}
	}
}

// TestDoubt: a doubt is seen wherever the device is, and ends with the next move, or an
// admin's word.
func TestDoubt(t *testing.T) {
	s := newSite(t)
	seen := func() string {
		t.Helper()
		sub, err := s.Subject(tag26(900))
		s.check(err)
		doubts, err := s.Doubts()
		s.check(err)
		text := fmt.Sprint(sub.Doubtful, len(doubts))
		for loan, err := range s.Loans(books.LoanFilter{}) {
			s.check(err)
			text += fmt.Sprint(" ", loan.Doubtful)
		}
		if r := verify(t, s.Ledger); !r.OK() {
			t.Error(r)
		}
		return text
	}
	s.bump(1, 900)
	key := rowsFor(t, s.Ledger, DirectorySink)[0].Key
	if _, err := s.Right(key, "admin"); !errors.Is(err, ErrNotQueued) {
		t.Errorf("right without a doubt: %v", err)
	}
	s.check(s.Doubt(key, DirectorySink, "it had it"))
	head := s.newest()
	s.check(s.Doubt(key, DirectorySink, "it had it"))
	if got := seen(); got != "true 1 true" || s.newest() != head {
		t.Errorf("doubted twice: %s, %d events more", got, s.newest()-head)
	}
	for _, other := range []RowKey{{}, record.At(1, 1), record.At(1, 999)} {
		if _, err := s.Right(other, "admin"); !errors.Is(err, ErrNotQueued) {
			t.Errorf("another event is right: %v", err)
		}
	}
	ev, err := s.Right(key, "admin")
	if got := seen(); err != nil || ev.Kind != checkout.Correct || ev.Actor != "admin" || got != "false 0 false" {
		t.Errorf("right: %v, %+v, %s", err, ev, got)
	}
	s.check(s.Doubt(key, DirectorySink, "again"))
	s.bump(1, 900)
	if got := seen(); got != "false 0" {
		t.Errorf("after the next bump: %s", got)
	}
	s.check(s.Doubt(key, DirectorySink, "of an earlier event"))
	if got := seen(); got != "true 1" {
		t.Errorf("a free device in doubt: %s", got)
	}
}

// TestRev: the directory's revision is kept whenever both agree, without an event where
// nothing moved, and a doubt outlives its word.
func TestRev(t *testing.T) {
	s := newSite(t)
	rev := func(want string) {
		t.Helper()
		if d, err := s.FindDevice("ipad"); err != nil || d.DirectoryRev != want {
			t.Errorf("rev %q (%v), want %q", d.DirectoryRev, err, want)
		}
	}
	heard := func(seen books.Seen, rev string) string {
		s.ask()
		seen.Rev = rev
		return s.hears(seen)
	}
	head := s.newest()
	if got := heard(free, "5"); got != "agreed" || s.newest() != head {
		t.Errorf("free: %s, %d events", got, s.newest()-head)
	}
	rev("5")
	if got := heard(byAnn, "6"); got != "checkout by ann, with ann" {
		t.Error(got)
	}
	rev("6")
	heard(byAnn, "8")
	rev("8")
	heard(byAnn, "")
	rev("8")
	s.bump(1, 900)
	heard(byAnn, "9") // on its way
	rev("8")
	key := rowsFor(t, s.Ledger, DirectorySink)[0].Key
	s.check(s.Told(DirectorySink, key, "11"))
	s.check(s.Told(DirectorySink, key, "11"))
	rev("11")
	if n := len(rowsFor(t, s.Ledger, DirectorySink)); n != 0 {
		t.Errorf("%d rows after it was told", n)
	}
	s.check(s.Doubt(key, DirectorySink, "why"))
	heard(byBob, "12")
	if doubts, err := s.Doubts(); err != nil || len(doubts) != 1 || doubts[0].Event.Person != "bob" || doubts[0].Note == "" {
		t.Errorf("%+v, %v", doubts, err)
	}
	s.bump(2, 900)
	if doubts, err := s.Doubts(); err != nil || len(doubts) != 0 {
		t.Errorf("after a bump: %+v, %v", doubts, err)
	}
	if r := verify(t, s.Ledger); !r.OK() {
		t.Error(r)
	}
}
