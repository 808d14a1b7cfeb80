package lab_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/clock"
	"stump/internal/hint"
	"stump/internal/lab"
	"stump/internal/lab/labtest"
	"stump/internal/lab/wire"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

// station is a ledger with its link.
type station struct {
	*testing.T
	*ledger.Ledger
	before []func(*lab.Link)
	link   *lab.Link
	dir    string
	o      ledger.Options
	end    func()
}

func newStation(t *testing.T, name string, before ...func(*lab.Link)) *station {
	s := &station{T: t, before: before, dir: t.TempDir(), o: ledger.Options{Station: name, SiteKey: sitekey.New()}}
	l, err := ledger.Create(filepath.Join(s.dir, "ledger.db"), s.o)
	s.ok(err)
	s.Ledger = l
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *station) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%v (%s)", err, hint.Of(err))
	}
}

func (s *station) start() {
	s.Helper()
	link, err := lab.New(lab.Options{
		Ledger: s.Ledger, Dir: s.dir, Version: "test", Fault: func() string { return "the reader of " + s.o.Station + " is silent" }, URL: func() string { return "https://" + s.o.Station + ".example" },
		Now: clock.Now, Key: s.SiteKey, Stale: time.Minute,
		Rekey: func(key []byte) error { return s.Rekey(key, s.SiteKey()) },
	})
	s.ok(err)
	s.link = link
	for _, f := range s.before { // it runs
		f(link)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- link.Run(ctx) }()
	s.end = func() {
		cancel()
		s.ok(<-done)
	}
}

func (s *station) stop() {
	if s.end != nil {
		s.end()
		s.end = nil
		s.ok(s.Close())
	}
}

func tag(n int) checkout.Tag { return testkit.Tag(uint64(n), 26) }

func (s *station) person(id string, n int) {
	s.Helper()
	s.ok(s.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id)}, tag(n), "admin", checkout.SourceCLI))
}

func (s *station) device(id string, n int) {
	s.Helper()
	s.ok(s.AddDevice(books.Device{ID: id, Name: strings.ToUpper(id)}, tag(n), "admin", checkout.SourceCLI))
}

func (s *station) bump(person, device int) checkout.Event {
	s.Helper()
	p, err := s.Subject(tag(person))
	s.ok(err)
	d, err := s.Subject(tag(device))
	s.ok(err)
	ev, err := s.Complete(checkout.Completion{Person: p, Device: d, Reader: "door"})
	s.ok(err)
	return ev
}

func (s *station) who() string {
	var all []string
	for l, err := range s.Loans(books.LoanFilter{}) {
		s.ok(err)
		all = append(all, l.DeviceID+"="+l.PersonID)
	}
	return strings.Join(all, " ")
}

// becomes waits until something is so.
func becomes(t *testing.T, what, want string, got func() string) {
	t.Helper()
	var is string
	for range 500 {
		if is = got(); is == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: %q, want %q", what, is, want)
}

func (s *station) join(code string) wire.Joined {
	s.Helper()
	joined, err := s.link.Join(s.Context(), code, lab.JoinOptions{Name: s.o.Station})
	s.ok(err)
	return joined
}

// TestTwoStations: a device that is taken at one is brought back at the other.
func TestTwoStations(t *testing.T) {
	hub, a, b := labtest.New(t), newStation(t, "a"), newStation(t, "b")
	a.person("ann", 1)
	a.device("ipad", 11)
	a.join(hub.Code())
	b.join(hub.Code())
	if string(b.SiteKey()) != string(a.SiteKey()) {
		t.Error("the second station has another site key than the first")
	}
	becomes(t, "the badge at b", "ann", func() string {
		s, err := b.Subject(tag(1))
		b.ok(err)
		return s.ID
	})
	becomes(t, "the tag at b", "ipad", func() string {
		s, err := b.Subject(tag(11))
		b.ok(err)
		return s.ID
	})
	a.bump(1, 11)
	becomes(t, "who has it at b", "ipad=ann", b.who)
	if ev := b.bump(1, 11); ev.Kind != checkout.Return {
		t.Errorf("at b it was a %s", ev.Kind)
	}
	becomes(t, "who has it at a", "", a.who)
	becomes(t, "the stations", "a b", func() string {
		var names []string
		for _, m := range b.link.Status().Members {
			names = append(names, m.Name)
		}
		if len(names) == 2 && names[0] > names[1] {
			names[0], names[1] = names[1], names[0]
		}
		return strings.Join(names, " ")
	})
	if got := hub.Said("b"); got.Fault != "the reader of b is silent" || got.URL != "https://b.example" {
		t.Errorf("the hub hears of b: %+v", got)
	}
}

// TestOutage: bumps go on without the hub, and are told afterwards, whoever was restarted.
func TestOutage(t *testing.T) {
	hub, a, b := labtest.New(t), newStation(t, "a"), newStation(t, "b")
	a.person("ann", 1)
	a.device("ipad", 11)
	a.device("pixel", 12)
	a.join(hub.Code())
	b.join(hub.Code())
	becomes(t, "the last tag at b", "pixel", func() string {
		s, err := b.Subject(tag(12))
		b.ok(err)
		return s.ID
	})
	hub.Unplug(true)
	a.bump(1, 11)
	b.bump(1, 12)
	becomes(t, "that the hub is missed", "true", func() string {
		if s := a.link.Status(); s.Failure != nil {
			return "true"
		}
		return "false"
	})
	if hub.Holder("ipad") != "" {
		t.Fatal("the hub knows of it without a network")
	}
	if n := a.link.Status().Waiting; n != 1 {
		t.Errorf("%d events of a wait, want 1", n)
	}
	a.end()
	a.start()
	hub.Unplug(false)
	becomes(t, "who has what at a", "ipad=ann pixel=ann", a.who)
	becomes(t, "who has what at b", "ipad=ann pixel=ann", b.who)
	if s := a.link.Status(); s.Failure != nil || s.Heard.IsZero() || s.Waiting != 0 {
		t.Errorf("all is well again, but %+v", s)
	}
}

// TestHubLosesEvents: a database that was restored gets again what it had acknowledged.
func TestHubLosesEvents(t *testing.T) {
	hub, a := labtest.New(t), newStation(t, "a")
	a.person("ann", 1)
	a.device("ipad", 11)
	a.join(hub.Code())
	for range 6 {
		a.bump(1, 11)
	}
	_, newest, err := a.OwnChain()
	a.ok(err)
	all := func() string {
		if hub.Events("a") == int(newest.Seq) {
			return "all"
		}
		return "some"
	}
	becomes(t, "the events at the hub", "all", all)
	hub.Forget(4)
	a.bump(1, 11)
	newest.Seq++
	becomes(t, "the events at the hub", "all", all)
}

// TestOldCopy: a ledger that knows less of its chain than the lab says so, and tells nothing.
func TestOldCopy(t *testing.T) {
	hub, a := labtest.New(t), newStation(t, "a")
	a.person("ann", 1)
	a.device("ipad", 11)
	copied := filepath.Join(t.TempDir(), "copy.db")
	a.ok(a.BackupTo(t.Context(), copied))
	a.join(hub.Code())
	a.bump(1, 11)
	becomes(t, "the hub", "ann", func() string { return hub.Holder("ipad") })
	a.stop()

	old, err := os.ReadFile(copied)
	a.ok(err)
	a.ok(os.WriteFile(filepath.Join(a.dir, "ledger.db"), old, 0o600))
	a.ok(os.Remove(filepath.Join(a.dir, "ledger.db.newest")))
	l, err := ledger.Open(filepath.Join(a.dir, "ledger.db"), a.o)
	a.ok(err)
	a.Ledger = l
	a.start()
	becomes(t, "what is said", "the lab has 3 events of this station, the ledger only 2", func() string {
		if f := a.link.Status().Failure; f != nil {
			return f.Error()
		}
		return ""
	})
}

func TestJoinChangesNothing(t *testing.T) {
	hub, a := labtest.New(t), newStation(t, "a")
	a.person("ann", 1)
	hub.Clash(wire.Clash{Kind: "person", ID: "ann", Why: "id", Other: "ann", Name: "Anna"})
	if joined := a.join(hub.Code()); len(joined.Clashes) != 1 {
		t.Errorf("clashes: %+v", joined.Clashes)
	}
	if a.link.Status().Member != nil {
		t.Error("the station has joined in spite of a clash")
	}
	if _, err := os.Stat(filepath.Join(a.dir, lab.FileName)); err == nil {
		t.Error("there is a membership")
	}
	hub.Clash()
	dry, err := a.link.Join(t.Context(), hub.Code(), lab.JoinOptions{Name: "a", DryRun: true})
	a.ok(err)
	if dry.Lab != "lab" || a.link.Status().Member != nil || hub.Events("a") != 0 {
		t.Errorf("the dry run: %+v, %+v", dry, a.link.Status())
	}
	other := labtest.New(t) // of another certificate
	code, err := wire.ParseCode(hub.Code())
	a.ok(err)
	wrong, err := wire.ParseCode(other.Code())
	a.ok(err)
	code.URL = wrong.URL
	code.Pin[0] ^= 1
	if _, err := a.link.Join(t.Context(), code.String(), lab.JoinOptions{Name: "a"}); err == nil || !strings.Contains(err.Error(), "is not the hub") {
		t.Errorf("a hub with another key: %v", err)
	}
}

func TestLeave(t *testing.T) {
	hub, a := labtest.New(t), newStation(t, "a")
	a.person("ann", 1)
	a.device("ipad", 11)
	if _, _, err := a.link.Leave(t.Context()); err == nil {
		t.Error("a station in no lab has left it")
	}
	a.join(hub.Code())
	if _, err := a.link.Join(t.Context(), hub.Code(), lab.JoinOptions{Name: "a"}); err == nil || !strings.Contains(hint.Of(err), "leave") {
		t.Errorf("a second lab: %v", err)
	}
	becomes(t, "the events at the hub", "2", func() string { return string(rune('0' + hub.Events("a"))) })
	m, told, err := a.link.Leave(t.Context())
	a.ok(err)
	a.ok(told)
	if m.Lab != "lab" || a.link.Status().Member != nil || hub.Events("a") != 0 {
		t.Errorf("%+v, %+v", m, a.link.Status())
	}
	a.bump(1, 11)
	hub.Unplug(true)
	a.end()
	a.start()
	if a.link.Status().Member != nil {
		t.Error("after a restart the station is in a lab again")
	}
}

// TestSaid: what an admin says of the register is heard at once, also where no event says so.
func TestSaid(t *testing.T) {
	h, a, b := labtest.New(t), newStation(t, "a"), newStation(t, "b")
	for _, s := range []*station{a, b} {
		_, err := s.link.Join(t.Context(), h.Code(), lab.JoinOptions{Name: s.o.Station})
		s.ok(err)
	}
	becomes(t, "a has told all", "0", func() string { return fmt.Sprint(a.link.Status().Waiting) })
	named := func() string {
		p, err := b.FindPerson("zoe")
		if err != nil {
			return "nobody"
		}
		return p.Name
	}
	a.ok(a.AddPerson(books.Person{ID: "zoe", Name: "Zoe"}, checkout.Tag{}, "admin", checkout.SourceWeb))
	becomes(t, "who b knows", "Zoe", named)
	name := "Zoë"
	a.ok(a.EditPerson("zoe", books.Edit{Name: &name}, "admin", checkout.SourceWeb))
	becomes(t, "who b knows", "Zoë", named)
}

// TestOffice: an office brings the lab no site key, and takes over that of the first station.
func TestOffice(t *testing.T) {
	h, office, a := labtest.New(t), newStation(t, "hub"), newStation(t, "a")
	own := office.SiteKey()
	_, err := office.link.Join(t.Context(), h.Code(), lab.JoinOptions{Name: "hub", Office: true})
	office.ok(err)
	if !bytes.Equal(office.SiteKey(), own) {
		t.Error("the office has another site key, and the lab has none")
	}
	a.person("ann", 1)
	_, err = a.link.Join(t.Context(), h.Code(), lab.JoinOptions{Name: "a"})
	a.ok(err)
	office.ok(office.link.Rekey(a.SiteKey()))
	office.ok(office.link.Rekey(a.SiteKey()))
	becomes(t, "whose badge it is", "ann", func() string {
		p, err := office.Subject(tag(1))
		office.ok(err)
		return p.ID
	})
}
