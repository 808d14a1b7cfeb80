//go:build services

package hub

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/clock"
	"stump/internal/lab"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

// wired is a station with a ledger, whose plug can be pulled.
type wired struct {
	*testing.T
	*ledger.Ledger
	link *lab.Link
	name string
	away atomic.Bool
	plug *httptest.Server
}

// trusted is the time of a station whose clock is right.
func trusted() checkout.Stamp {
	now := clock.Now()
	now.Trusted = true
	return now
}

// newWired makes a station that reaches the hub by a plug of its own.
func newWired(t *testing.T, x *served, name string) *wired {
	s := &wired{T: t, name: name}
	hub := x.Handler()
	s.plug = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.away.Load() {
			panic(http.ErrAbortHandler)
		}
		hub.ServeHTTP(w, r)
	}))
	dir := t.TempDir()
	l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{Station: name, SiteKey: sitekey.New(), Stamp: trusted})
	s.ok(err)
	s.Ledger = l
	s.link, err = lab.New(lab.Options{
		Ledger: l, Dir: dir, Version: "test", Now: clock.Now, Key: l.SiteKey, Stale: time.Minute,
		Rekey: func(key []byte) error { return l.Rekey(key, l.SiteKey()) },
	})
	s.ok(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.link.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		s.ok(<-done)
		s.plug.CloseClientConnections()
		s.plug.Close()
		s.ok(l.Close())
	})
	return s
}

func (s *wired) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *wired) join(x *served) {
	s.Helper()
	code, err := x.Keys.NewCode(s.plug.URL, nil)
	s.ok(err)
	s.ok(x.Store.AddCode(s.Context(), x.lab, code))
	joined, err := s.link.Join(s.Context(), code.String(), lab.JoinOptions{Name: s.name})
	s.ok(err)
	if len(joined.Clashes) > 0 {
		s.Fatalf("%s clashes: %+v", s.name, joined.Clashes)
	}
}

// pull pulls the plug, or puts it back.
func (s *wired) pull(out bool) {
	s.away.Store(out)
	if out {
		s.plug.CloseClientConnections()
	}
}

// bump is somebody who reads the display: who gets the wrong answer bumps again.
func (s *wired) bump(person, device checkout.Tag, takes bool) {
	s.Helper()
	for range 2 {
		p, err := s.Subject(person)
		s.ok(err)
		d, err := s.Subject(device)
		s.ok(err)
		ev, err := s.Complete(checkout.Completion{Person: p, Device: d, Reader: "door"})
		s.ok(err)
		if took := ev.Kind != checkout.Return; took == takes {
			return
		}
	}
	s.Fatalf("%s: two bumps did not do", s.name)
}

func (s *wired) who() string {
	s.Helper()
	var all []string
	for l, err := range s.Loans(books.LoanFilter{}) {
		s.ok(err)
		all = append(all, l.DeviceID+"="+l.PersonID)
	}
	return strings.Join(all, " ")
}

// reserved is what is reserved, in the order of people.
func (s *wired) reserved() string {
	s.Helper()
	var lines []string
	for r, err := range s.Reservations(books.ReservationFilter{}) {
		s.ok(err)
		lines = append(lines, r.PersonID+"="+r.DeviceID)
	}
	slices.Sort(lines)
	clashes, err := s.Clashes()
	s.ok(err)
	return fmt.Sprint(strings.Join(lines, " "), ", clashes: ", len(clashes))
}

// agree waits until all stations say the same, of who has what or so.
func agree(t *testing.T, want string, all []*wired, say func(*wired) string) {
	t.Helper()
	var is []string
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		is = is[:0]
		for _, s := range all {
			is = append(is, say(s))
		}
		if !slices.ContainsFunc(is, func(s string) bool { return s != want }) {
			return
		}
	}
	t.Fatalf("after a minute the stations have\n%s\nwant\n%s", strings.Join(is, "\n"), want)
}

// TestWholeLab lets people carry devices between three stations whose plugs are pulled. In
// the end each station has what is so, which is what the last bump of each device said.
func TestWholeLab(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	x := serve(t)
	var all []*wired
	for _, name := range []string{"lab-a", "lab-b", "lab-c"} {
		all = append(all, newWired(t, x, name))
	}
	const people, devices = 5, 6
	badge := func(n int) checkout.Tag { return testkit.Tag(uint64(100+n), 26) }
	tag := func(n int) checkout.Tag { return testkit.Tag(uint64(200+n), 26) }
	for n := range people {
		all[0].ok(all[0].AddPerson(books.Person{ID: fmt.Sprint("p", n), Name: fmt.Sprint("Person ", n)}, badge(n), "admin", checkout.SourceCLI))
	}
	for n := range devices {
		all[0].ok(all[0].AddDevice(books.Device{ID: fmt.Sprint("d", n), Name: fmt.Sprint("Device ", n)}, tag(n), "admin", checkout.SourceCLI))
	}
	for _, s := range all {
		s.join(x)
	}
	for _, s := range all[1:] {
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if d, err := s.Subject(tag(devices - 1)); err == nil && d.ID != "" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s never heard of the last device", s.name)
			}
		}
	}

	// Nobody is at two stations within half a second, which is longer than an event may be on
	// its way on a busy machine: lab time is no more exact than that.
	const walk = 500 * time.Millisecond
	at := map[int]time.Time{} // of a device's last bump
	holder := map[int]int{}   // by device, from 1
	for round := range 4 {
		for _, s := range all {
			s.pull(rnd.IntN(2) == 0)
		}
		for range 25 {
			s, d, p := all[rnd.IntN(len(all))], rnd.IntN(devices), rnd.IntN(people)
			time.Sleep(time.Until(at[d].Add(walk)))
			switch {
			case holder[d] == p+1:
				s.bump(badge(p), tag(d), false)
				holder[d] = 0
			default:
				s.bump(badge(p), tag(d), true)
				holder[d] = p + 1
			}
			at[d] = time.Now()
		}
		for _, s := range all {
			s.pull(false)
		}
		var want []string
		for d := range devices {
			if p := holder[d]; p > 0 {
				want = append(want, fmt.Sprintf("d%d=p%d", d, p-1))
			}
		}
		agree(t, strings.Join(want, " "), all, (*wired).who)
		t.Logf("round %d: %s", round, strings.Join(want, " "))
	}
	for _, s := range all {
		r, err := s.Verify(t.Context(), ledger.VerifyOptions{})
		s.ok(err)
		if !r.OK() {
			t.Errorf("the ledger of %s does not verify: %+v", s.name, r.Faults)
		}
	}
}

// TestReservationsOfTheLab: what is reserved at one station is so at all, what two reserve while
// their plugs are pulled is said at each, and whoever is erased has reserved nothing.
func TestReservationsOfTheLab(t *testing.T) {
	x := serve(t)
	all := []*wired{newWired(t, x, "lab-a"), newWired(t, x, "lab-b")}
	a, b := all[0], all[1]
	for _, id := range []string{"ann", "ben", "cem"} {
		a.ok(a.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id)}, checkout.Tag{}, "admin", checkout.SourceCLI))
		a.ok(a.AddDevice(books.Device{ID: "of-" + id, Name: "Of " + id}, checkout.Tag{}, "admin", checkout.SourceCLI))
	}
	from := time.Now().Add(24 * time.Hour)
	book := func(s *wired, person, device string) (id string) {
		made, err := s.Reserve(books.Booking{Device: device, Person: person, From: from, To: from.Add(time.Hour), Actor: "admin", Source: checkout.SourceCLI})
		s.ok(err)
		return made[0].ID
	}
	book(a, "ann", "of-ann") // before there was a lab
	a.join(x)
	b.join(x)
	agree(t, "ann=of-ann, clashes: 0", all, (*wired).reserved)
	a.pull(true)
	book(a, "ann", "of-ben")
	id := book(b, "ben", "of-ben")
	b.pull(true)
	a.pull(false)
	b.pull(false)
	agree(t, "ann=of-ann ann=of-ben ben=of-ben, clashes: 1", all, (*wired).reserved)
	_, err := b.CancelReservation(id, "", "", "admin", checkout.SourceCLI)
	b.ok(err)
	agree(t, "ann=of-ann ann=of-ben, clashes: 0", all, (*wired).reserved)
	book(b, "cem", "of-cem")
	agree(t, "ann=of-ann ann=of-ben cem=of-cem, clashes: 0", all, (*wired).reserved)

	a.pull(true)
	b.ok(b.ErasePerson("ann", "admin", checkout.SourceCLI))
	db, err := pgx.Connect(t.Context(), x.url)
	b.ok(err)
	defer db.Close(t.Context())
	for named := 1; named > 0; time.Sleep(10 * time.Millisecond) {
		b.ok(db.QueryRow(t.Context(), `select count(*) from subject where doc::text like '%"ann"%' or doc::text like '%ANN%'`).Scan(&named))
	}
	a.pull(false)
	agree(t, "cem=of-cem, clashes: 0", all, (*wired).reserved)
	for _, s := range all {
		r, err := s.Verify(t.Context(), ledger.VerifyOptions{})
		s.ok(err)
		if !r.OK() {
			t.Errorf("the ledger of %s does not verify: %+v", s.name, r.Faults)
		}
	}
}
