//go:build services

package store

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/custody"
	"stump/internal/hub/hubtest"
	"stump/internal/lab/wire"
)

// In the model stations go away and come back, send again what has arrived, lose their
// power and with it the time, and people read the display and bump again when it does not
// say what they meant. The lab is held to what package custody makes of all events at once.

// board is a station of the model.
type board struct {
	*hubtest.Board
	from     Sender
	away     bool
	epoch    int64
	ver      uint64
	rows     map[string]wire.Loan // as they came down
	receipts []wire.Accepted
	rebooted bool
}

// base is what the station knows of a device: the newer of its own event that is not
// accepted and the lab's row.
func (b *board) base(device string) (checkout.Place, string) {
	for i := len(b.Events) - 1; i >= len(b.receipts); i-- {
		if ev := b.Events[i]; ev.Device == device && ev.Kind.MovesDevice() {
			return hubtest.At(ev), personOf(ev)
		}
	}
	row, ok := b.rows[device]
	if !ok {
		return checkout.Place{}, ""
	}
	h, _ := parseHash(row.Chain)
	return checkout.Place{Chain: h, Seq: row.Seq}, row.Person
}

func personOf(ev checkout.Event) string {
	if ev.Kind == checkout.Checkout {
		return ev.Person
	}
	return ""
}

// model is a lab, and where each device is.
type model struct {
	*rapid.T
	x      *site
	now    time.Time
	mu     sync.Mutex
	boards []*board
	truth  map[string]string
}

func newModel(t *rapid.T, x *site) *model {
	m := &model{T: t, now: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC), truth: map[string]string{}, x: &site{TB: x.TB, Store: x.Store, url: x.url}}
	var err error
	m.x.lab, err = x.Lab(x.Context(), uuid.NewString(), true)
	m.ok(err)
	x.testOnlyClock = m.clock
	for i := range rapid.IntRange(2, 4).Draw(t, "stations") {
		b := hubtest.New(fmt.Sprint("station-", i), m.now)
		joined := m.x.join(b)
		m.boards = append(m.boards, &board{Board: b, from: joined.from, rows: map[string]wire.Loan{}})
	}
	return m
}

func (m *model) clock() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *model) pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	for _, b := range m.boards {
		b.Now = m.now
	}
}

func (m *model) ok(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *model) any() *board {
	return m.boards[rapid.IntRange(0, len(m.boards)-1).Draw(m.T, "station")]
}

// bump is somebody who takes a device or brings it back, and looks at the display.
func (m *model) bump(*rapid.T) {
	b := m.any()
	device := rapid.SampledFrom([]string{"ipad", "pixel", "nexus"}).Draw(m.T, "device")
	person := rapid.SampledFrom([]string{"ann", "ben", "cem"}).Draw(m.T, "person")
	wanted := person
	if has := m.truth[device]; has != "" && rapid.IntRange(0, 9).Draw(m.T, "brings it back") < 6 {
		person, wanted = has, ""
	} else if has == person {
		wanted = ""
	}
	for range 3 {
		base, has := b.base(device)
		to := person
		if has == person {
			to = ""
		}
		b.Bump(device, to, person, base)
		m.truth[device] = to
		m.pass(6 * time.Second)
		if to == wanted {
			break
		}
	}
	if !b.away {
		m.sync(b)
	}
	m.pass(time.Duration(rapid.IntRange(1, 600).Draw(m.T, "seconds")) * time.Second)
}

// send sends what is not acknowledged, and more where a receipt may have been lost.
func (m *model) send(b *board) error {
	n := len(b.receipts)
	from := max(0, n-rapid.SampledFrom([]int{0, 0, 0, 1, 3, 1000}).Draw(m.T, "again"))
	most := rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(m.T, "at once")
	for {
		p := b.Next(from, most)
		if len(p.Records) == 0 {
			return nil
		}
		got, err := m.x.Append(m.x.Context(), b.from, p)
		if err != nil {
			return err
		}
		for i, r := range got {
			switch at := from + i; {
			case at == len(b.receipts):
				b.receipts = append(b.receipts, r)
			case b.receipts[at] != r:
				return fmt.Errorf("event %d of %s has the receipt %v, and had %v", at+1, b.Name, r, b.receipts[at])
			}
		}
		from += len(got)
	}
}

// sync sends, and hears what is so.
func (m *model) sync(b *board) {
	m.Helper()
	m.ok(m.send(b))
	m.hear(b)
}

func (m *model) hear(b *board) {
	m.Helper()
	for more := true; more; {
		c, err := m.x.Changes(m.x.Context(), b.from, b.epoch, b.ver, 0)
		m.ok(err)
		for _, l := range c.Loans {
			if l.Ver <= b.ver && c.Epoch == b.epoch || l.Ver > c.Ver {
				m.Fatalf("a row of version %d between %d and %d", l.Ver, b.ver, c.Ver)
			}
			b.rows[l.Device] = l
		}
		b.epoch, b.ver, more = c.Epoch, c.Ver, c.More
	}
	b.Heard = m.now
}

// together is two stations that send at once.
func (m *model) together(*rapid.T) {
	done := make(chan error)
	var all []*board
	for _, b := range m.boards {
		if !b.away {
			all = append(all, b)
		}
	}
	for _, b := range all {
		p := b.Next(len(b.receipts), 0)
		go func() {
			got, err := m.x.Append(m.x.Context(), b.from, p)
			b.receipts = append(b.receipts, got...)
			done <- err
		}()
	}
	for range all {
		if err := <-done; err != nil {
			m.Fatal(err)
		}
	}
}

func (m *model) goes(*rapid.T) { m.any().away = true }

func (m *model) comes(*rapid.T) {
	b := m.any()
	b.away = false
	m.sync(b)
}

// reboots: its clock is wrong from then on, and nobody knows it until it is heard.
func (m *model) reboots(*rapid.T) {
	b := m.any()
	if !b.away || rapid.IntRange(0, 3).Draw(m.T, "plug") > 0 {
		return
	}
	b.Boot, b.Began, b.Trusted, b.rebooted = uuid.New(), m.now, false, true
	b.Lies = -time.Duration(rapid.IntRange(0, 90*24).Draw(m.T, "hours")) * time.Hour
}

// lies: the wall clock of a station is wrong, and it does not know.
func (m *model) lies(*rapid.T) {
	b := m.any()
	b.Trusted, b.Lies = true, time.Duration(rapid.IntRange(-90*24, 90*24).Draw(m.T, "hours"))*time.Hour
}

// checkAll brings all stations together, and checks what holds whatever happened.
func (m *model) checkAll() {
	for range 2 {
		for _, b := range m.boards {
			m.pass(time.Minute)
			b.away = false
			m.sync(b)
		}
	}
	all := m.events()
	byDevice := map[string][]custody.Statement{}
	for _, b := range m.boards {
		for i, ev := range b.Events {
			s := custody.Statement{Place: hubtest.At(ev), Device: ev.Device, Person: personOf(ev), Base: ev.Base, At: b.receipts[i].HT}
			got := all[s.Place]
			if !bytes.Equal(got.record, b.Records[i]) || !got.ht.Equal(s.At) || got.labSeq != int64(b.receipts[i].LabSeq) {
				m.Fatalf("%v is not in the lab as its station knows it", s.Place)
			}
			if i > 0 && !s.At.After(b.receipts[i-1].HT) {
				m.Fatalf("%v comes before the event before it in its chain", s.Place)
			}
			if base, ok := all[s.Base]; s.Base.Seq > 0 && (!ok || !s.At.After(base.ht)) {
				m.Fatalf("%v comes before its base", s.Place)
			}
			byDevice[ev.Device] = append(byDevice[ev.Device], s)
		}
	}
	m.checkRows(byDevice)
}

// checkRows holds the rows and the list to a fold of all statements.
func (m *model) checkRows(byDevice map[string][]custody.Statement) {
	blind := map[checkout.Place]custody.Sight{}
	for device, of := range byDevice {
		slices.SortFunc(of, custody.Compare)
		var before custody.Statement
		for _, s := range of {
			if sight := custody.See(before, s); sight != custody.Seen {
				blind[s.Place] = sight
			}
			before = s
		}
		for _, b := range m.boards {
			row := b.rows[device]
			if row.Person != before.Person || row.Seq != before.Seq || row.Chain != before.Chain.String() || !row.At.Equal(before.At) || row.Doubtful != (blind[before.Place] == custody.Doubtful) {
				m.Fatalf("%s has %s as %+v, and all events together say %+v", b.Name, device, row, before)
			}
			if !b.rebooted && b == m.boards[0] && m.sound() && row.Person != m.truth[device] {
				m.Fatalf("%s is with %q, and the lab says with %q", device, m.truth[device], row.Person)
			}
		}
	}
	for _, b := range m.boards[1:] {
		if !maps.Equal(b.rows, m.boards[0].rows) || b.ver != m.boards[0].ver {
			m.Fatalf("two stations that have heard the same know different things:\n%v\n%v", b.rows, m.boards[0].rows)
		}
	}
	listed := m.listed()
	if !maps.Equal(listed, blind) {
		m.Fatalf("listed are %v, and blind are %v", listed, blind)
	}
}

// sound reports whether no station lost its power while it was away.
func (m *model) sound() bool {
	return !slices.ContainsFunc(m.boards, func(b *board) bool { return b.rebooted })
}

// kept is what the lab has of an event.
type kept struct {
	labSeq int64
	ht     time.Time
	record []byte
}

// events are all that the lab has. Their numbers are without a gap.
func (m *model) events() map[checkout.Place]kept {
	rows, err := m.x.pool.Query(m.x.Context(), `select chain, seq, lab_seq, ht, record from event where lab = $1 order by lab_seq`, m.x.lab)
	m.ok(err)
	all := map[checkout.Place]kept{}
	n := int64(0)
	for rows.Next() {
		var (
			chain []byte
			seq   int64
			k     kept
		)
		m.ok(rows.Scan(&chain, &seq, &k.labSeq, &k.ht, &k.record))
		if n++; k.labSeq != n {
			m.Fatalf("event %d of the lab has the number %d", n, k.labSeq)
		}
		all[placeOf(chain, &seq)] = k
	}
	m.ok(rows.Err())
	sent := 0
	for _, b := range m.boards {
		sent += len(b.Events)
	}
	if len(all) != sent {
		m.Fatalf("the lab has %d events, and there are %d", len(all), sent)
	}
	return all
}

// listed are the events that are listed.
func (m *model) listed() map[checkout.Place]custody.Sight {
	rows, err := m.x.pool.Query(m.x.Context(), `select chain, seq, kind from conflict where lab = $1`, m.x.lab)
	m.ok(err)
	all := map[checkout.Place]custody.Sight{}
	for rows.Next() {
		var (
			chain []byte
			seq   int64
			kind  string
		)
		m.ok(rows.Scan(&chain, &seq, &kind))
		p := placeOf(chain, &seq)
		if _, twice := all[p]; twice {
			m.Fatalf("%v is listed twice", p)
		}
		all[p] = custody.Sight(kind)
	}
	m.ok(rows.Err())
	return all
}

var models = flag.Int("models", 60, "how many labs TestModel plays")

// TestModel: whatever happens to stations, the lab has each event once, in an order that
// contradicts nothing that is certain; its rows are what all events together say, they are
// the same everywhere, and what a station did not see is listed once.
func TestModel(t *testing.T) {
	x := newSite(t)
	if err := flag.Set("rapid.checks", fmt.Sprint(*models)); err != nil {
		t.Fatal(err)
	}
	blind, events := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t, x)
		t.Repeat(map[string]func(*rapid.T){
			"bump": m.bump, "bump, too": m.bump, "bump also": m.bump, "goes": m.goes, "comes": m.comes, "together": m.together, "reboots": m.reboots, "lies": m.lies,
			"": func(*rapid.T) {},
		})
		m.checkAll()
		blind, events = blind+len(m.listed()), events+len(m.events())
	})
	t.Logf("%d events, %d of them blind", events, blind)
	if events < 10**models || blind < events/100 {
		t.Errorf("%d events, %d of them blind: too little has happened", events, blind)
	}
}
