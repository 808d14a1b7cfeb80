package remind

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"mime/quotedprintable"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/checkout/reminder"
	"stump/directory"
	"stump/directory/mail"
	"stump/directory/mail/smtptest"
	"stump/internal/books"
	"stump/internal/sitekey"
)

var (
	wholeYear = flag.Bool("year", false, "a year of 300 people and 400 devices, with 200 kills")
	yearSeed  = flag.Uint64("year.seed", 1, "what happens in it")
)

// year is a lab in simulated time: what people do, a station that is killed, and a mail
// server that is away for a tenth of the time.
type year struct {
	t               *testing.T
	people, devices int
	days, kills     int
	dice            *rand.Rand
	path            string
	o               ledger.Options
	server          *smtptest.Server

	desk    chan struct{} // has a value while the station works; a mutex would stop the time
	trusted atomic.Bool
	mu      sync.Mutex // guards all below
	l       *ledger.Ledger
	stop    context.CancelFunc
	dead    bool
	armed   string // the step at which the station is killed; "" for none
	died    int
	lost    int // kills after the server took a message
	away    bool
	down    []span           // when the station or the server was
	holder  map[string]*held // by device name
	ended   map[string]*held // the last that ended
	all     []*held
	mails   []*yearMail
}

type span struct{ from, to time.Time }

// held is a loan, with one due date.
type held struct {
	device, person   string
	since, due, ends time.Time // ends is zero while it lasts
	told             map[string][]*yearMail
}

// yearMail is a mail that the server took.
type yearMail struct {
	at     time.Time
	to, id string
	data   string
	about  []*held
}

var errDead = errors.New("the station was killed")

// mortal is the ledger of a station that can be killed: from then on nothing is written.
type mortal struct {
	*ledger.Ledger
	y *year
}

// write does a write, unless the station is dead, or dies now: before it or after it.
func (m mortal) write(what string, do func() error) error {
	if m.y.dies("before " + what) {
		return errDead
	}
	err := do()
	if m.y.dies("after " + what) {
		return errDead
	}
	return err
}

func (m mortal) SaveOutbox(sink string, rows ...ledger.OutboxRow) error {
	return m.write("mark", func() error { return m.Ledger.SaveOutbox(sink, rows...) })
}

func (m mortal) Delivered(sink string, keys ...ledger.RowKey) error {
	return m.write("delivered", func() error { return m.Ledger.Delivered(sink, keys...) })
}

func (m mortal) Remind(says []books.Saying, unread ...ledger.RowKey) (done bool, err error) {
	err = m.write("remind", func() error {
		var err error
		done, err = m.Ledger.Remind(says, unread...)
		return err
	})
	return done, err
}

// dies reports whether the station is dead, and kills it if it is to die here.
func (y *year) dies(step string) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.armed == step && !y.dead {
		y.armed, y.dead = "", true
		y.died++
		if slices.Contains([]string{smtptest.Accepted, "answered", "before delivered"}, step) {
			y.lost++
		}
		y.stop()
	}
	return y.dead
}

// steps are where the station dies.
var steps = []string{"before mark", "after mark", "before delivered", "after delivered", "before remind", "after remind",
	smtptest.Connect, smtptest.From, smtptest.To, smtptest.Data, smtptest.Message, smtptest.Accepted, "answered"}

// script is what the mail server does.
func (y *year) script(step, arg string) string {
	if step == smtptest.Accepted {
		y.took(arg)
		if y.dies("answered") {
			return smtptest.OK // the answer comes, and nobody is there to note it
		}
	}
	if y.dies(step) {
		return smtptest.Drop
	}
	return smtptest.OK
}

var (
	lineForm = regexp.MustCompile(`(?m)^  \* (device-\d+): `)
	toForm   = regexp.MustCompile(`(?m)^To: .*<(.*)>`)
	idForm   = regexp.MustCompile(`(?m)^Message-ID: <(.*)@`)
)

// took notes a mail that the server has.
func (y *year) took(data string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(data)))
	if err != nil {
		y.t.Error(err)
	}
	m := &yearMail{at: time.Now(), to: toForm.FindStringSubmatch(data)[1], id: idForm.FindStringSubmatch(data)[1], data: data}
	for _, found := range lineForm.FindAllSubmatch(plain, -1) {
		h := y.holder[string(found[1])]
		if last := y.ended[string(found[1])]; h == nil && last != nil && last.ends.Equal(m.at) {
			h = last // brought back in this very moment
		}
		if h == nil || h.person+"@lab.example" != m.to {
			y.t.Errorf("at %v: %s is reminded of %s, who no longer has it", m.at, m.to, found[1])
			continue
		}
		m.about = append(m.about, h)
	}
	y.mails = append(y.mails, m)
}

// stamp is the station's clock.
func (y *year) stamp() checkout.Stamp {
	return checkout.Stamp{Wall: time.Now(), Trusted: y.trusted.Load()}
}

// station runs the station until ctx ends; it is started again after each death.
func (y *year) station(ctx context.Context) {
	dice := rand.New(rand.NewPCG(*yearSeed, 1))
	for ctx.Err() == nil {
		life, stop := context.WithCancel(ctx)
		y.mu.Lock()
		y.dead, y.stop = false, stop
		late := dice.IntN(4) == 0 // the clock is not known at first
		y.trusted.Store(!late)
		m := mortal{y.l, y}
		y.mu.Unlock()
		r := New(Options{Ledger: m, Rules: reminder.Rules{Stages: stages, At: 9 * time.Hour, Calendar: loan.Calendar{Zone: time.UTC}}, Station: "lab", Stamp: y.stamp})
		post, err := mail.New(mail.Config{Server: "post.lab.example:25", From: "lab@lab.example", TLS: "none", TestDial: y.dial}, mail.Options{Zone: time.UTC})
		if err != nil {
			y.t.Error(err)
			return
		}
		post.Use(r.Look)
		w := directory.NewWorker(directory.Options{Directory: directory.Local{}, Webhooks: map[string]directory.Deliverer{ledger.MailSink: post}, Ledger: m})
		var all sync.WaitGroup
		all.Go(func() { _ = w.Run(life) })
		all.Go(func() { _ = r.Run(life) })
		if late {
			all.Go(func() {
				select {
				case <-time.After(10 * time.Minute):
					y.trusted.Store(true)
				case <-life.Done():
				}
			})
		}
		y.desk <- struct{}{}
		<-life.Done()
		all.Wait()
		stop()
		from := time.Now()
		<-y.desk
		if ctx.Err() != nil {
			return
		}
		if err := y.l.Close(); err != nil {
			y.t.Error(err)
		}
		pause := 2 * time.Second
		if dice.IntN(5) == 0 {
			pause = time.Duration(dice.IntN(90)) * time.Minute // a power cut
		}
		time.Sleep(pause)
		l, err := ledger.Open(y.path, y.o)
		if err != nil {
			y.t.Error(err)
			return
		}
		y.mu.Lock()
		y.l = l
		// The time until the clock is known counts as down.
		y.down = append(y.down, span{from, time.Now().Add(11 * time.Minute)})
		y.mu.Unlock()
	}
}

// dial connects to the mail server, if it is there.
func (y *year) dial(context.Context, string, string) (net.Conn, error) {
	y.mu.Lock()
	away := y.away
	y.mu.Unlock()
	if away {
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	}
	here, there := net.Pipe()
	go y.server.Serve(there)
	return here, nil
}

// outages takes the mail server away for a tenth of the time.
func (y *year) outages(ctx context.Context) {
	dice := rand.New(rand.NewPCG(*yearSeed, 2))
	for {
		works := time.Duration(dice.ExpFloat64() * float64(90*time.Hour))
		broken := time.Duration(dice.ExpFloat64() * float64(10*time.Hour))
		if !rest(ctx, works) {
			return
		}
		y.mu.Lock()
		y.away = true
		y.down = append(y.down, span{time.Now(), time.Now().Add(broken)})
		y.mu.Unlock()
		if !rest(ctx, broken) {
			return
		}
		y.mu.Lock()
		y.away = false
		y.mu.Unlock()
	}
}

func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// act is what people do in an hour.
func (y *year) act() {
	<-y.desk
	defer func() { y.desk <- struct{}{} }()
	if !y.trusted.Load() {
		return // without the time no due date can be given
	}
	busy := y.devices * y.days / (20 * y.days * 24) // a device is taken each 20 days or so
	for range busy + 2 {
		device := fmt.Sprintf("device-%03d", y.dice.IntN(y.devices))
		y.mu.Lock()
		h := y.holder[device]
		y.mu.Unlock()
		if h == nil {
			y.give(device)
		}
	}
	y.mu.Lock()
	open := slices.SortedFunc(maps.Values(y.holder), func(a, b *held) int { return strings.Compare(a.device, b.device) })
	y.mu.Unlock()
	for _, h := range open {
		left := time.Until(h.due).Hours()
		chance := 0.002
		switch {
		case left < -5*24:
			chance = 0.05
		case left < 24:
			chance = 0.02
		}
		switch {
		case y.dice.Float64() < chance:
			y.back(h)
		case left < 24 && y.dice.Float64() < 0.002:
			y.extend(h)
		}
	}
}

func (y *year) note(h *held) {
	h.told = map[string][]*yearMail{}
	y.all = append(y.all, h)
	y.holder[h.device] = h
}

func (y *year) give(device string) {
	h := &held{device: device, person: fmt.Sprintf("p%03d", y.dice.IntN(y.people)), since: time.Now()}
	h.due = h.since.Add(time.Duration(1+y.dice.IntN(20*24)) * time.Hour).Truncate(time.Second)
	_, err := y.l.Give(books.Request{Device: device, Person: h.person, Actor: "root", Due: h.due})
	if err != nil {
		y.t.Error(err)
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.note(h)
}

// back brings a device back. From before it is committed nobody may be reminded of it.
func (y *year) back(h *held) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if _, err := y.l.Return(books.Request{Device: h.device, Actor: "root"}); err != nil {
		y.t.Error(err)
		return
	}
	h.ends = time.Now()
	delete(y.holder, h.device)
	y.ended[h.device] = h
}

func (y *year) extend(h *held) {
	y.mu.Lock()
	defer y.mu.Unlock()
	now := &held{device: h.device, person: h.person, since: time.Now(), due: time.Now().Add(time.Duration(1+y.dice.IntN(200)) * time.Hour).Truncate(time.Second)}
	if _, err := y.l.Extend(books.Request{Device: h.device, Actor: "root", Due: now.due}); err != nil {
		y.t.Error(err)
		return
	}
	h.ends = time.Now()
	y.note(now)
}

// TestYear: nobody is reminded too often or too rarely, or in other words, or of what they
// have brought back, over a year of outages and kills.
func TestYear(t *testing.T) {
	y := &year{t: t, people: 30, devices: 40, days: 40, kills: 30, holder: map[string]*held{}, ended: map[string]*held{}, dice: rand.New(rand.NewPCG(*yearSeed, 0))}
	if *wholeYear {
		y.people, y.devices, y.days, y.kills = 300, 400, 365, 200
	}
	dir := t.TempDir()
	if memory, err := os.MkdirTemp("/dev/shm", "year-"); err == nil {
		dir = memory // a year is 100,000 commits
		defer os.RemoveAll(memory)
	}
	y.path, y.server = filepath.Join(dir, "ledger.db"), smtptest.New(t)
	y.server.SetScript(y.script)
	begin := time.Now()
	synctest.Test(t, func(t *testing.T) {
		y.desk = make(chan struct{}, 1)
		y.trusted.Store(true)
		y.o = ledger.Options{Station: "lab", SiteKey: sitekey.New(), Sinks: []string{ledger.MailSink}, Stamp: y.stamp,
			Loans: loan.Rules{Length: 14 * 24 * time.Hour, Extensions: 9}}
		l, err := ledger.Create(y.path, y.o)
		if err != nil {
			t.Fatal(err)
		}
		y.l = l
		y.fill()
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { y.station(ctx) })
		all.Go(func() { y.outages(ctx) })
		hours := y.days * 24
		for h := range hours {
			time.Sleep(time.Hour)
			if y.dice.IntN(hours) < 3*y.kills {
				y.mu.Lock()
				if y.armed == "" && y.died < y.kills {
					y.armed = steps[y.dice.IntN(len(steps))]
				}
				y.mu.Unlock()
			}
			if hour := h % 24; hour > 6 && hour < 20 {
				time.Sleep(time.Duration(y.dice.IntN(50)) * time.Minute)
				y.act()
			}
		}
		stop()
		all.Wait()
		y.judge(time.Now())
		if err := y.l.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("simulated in %v", time.Since(begin).Round(time.Second))
}

// fill puts everybody and everything into the register.
func (y *year) fill() {
	for i := range y.people {
		id := fmt.Sprintf("p%03d", i)
		if err := y.l.AddPerson(books.Person{ID: id, Name: "Person " + id, Email: id + "@lab.example"}, checkout.Tag{}, "root", checkout.SourceCLI); err != nil {
			y.t.Fatal(err)
		}
	}
	for i := range y.devices {
		id := fmt.Sprintf("device-%03d", i)
		if err := y.l.AddDevice(books.Device{ID: id, Name: id}, checkout.Tag{}, "root", checkout.SourceCLI); err != nil {
			y.t.Fatal(err)
		}
	}
}

// judge compares the mails with what everybody should have got.
func (y *year) judge(end time.Time) {
	t := y.t
	byID, stage := map[string][]*yearMail{}, map[string]string{}
	leader := ""
	for e, err := range y.l.History(books.HistoryFilter{Kind: checkout.Remind}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Part == 0 {
			leader = e.ID.String()
		}
		stage[leader+" "+e.Device] = e.Stage
	}
	days := map[string]string{}
	repeated, other, twice := 0, 0, 0
	for _, m := range y.mails {
		if before := byID[m.id]; len(before) > 0 {
			repeated++
			if before[0].data != m.data {
				other++
			}
		} else {
			day := m.to + m.at.Format(time.DateOnly)
			if days[day] != "" {
				twice++
				t.Errorf("%s got two messages on %s", m.to, m.at.Format(time.DateOnly))
			}
			days[day] = m.id
		}
		byID[m.id] = append(byID[m.id], m)
		for _, h := range m.about {
			s := stage[m.id+" "+h.device]
			if earlier := h.told[s]; len(earlier) > 0 && !bytes.Equal([]byte(earlier[0].data), []byte(m.data)) {
				other++
				t.Errorf("%s of %s: two messages, %s and %s", s, h.device, earlier[0].id, m.id)
			}
			h.told[s] = append(h.told[s], m)
		}
	}
	wanted, missing := 0, 0
	for _, h := range y.all {
		for _, s := range stages {
			due, ok := y.wanted(h, s, end)
			if !ok {
				continue
			}
			wanted++
			if !slices.ContainsFunc(stages, func(o reminder.Stage) bool {
				return o >= s && slices.ContainsFunc(h.told[o.String()], func(m *yearMail) bool { return !m.at.After(due) })
			}) {
				missing++
				t.Errorf("%v of %s, lent %v to %s, due %v: nothing until %v", s, h.device, h.since, h.person, h.due, due)
			}
		}
	}
	t.Logf("%d people, %d devices, %d days: %d loans, %d mails; %d stages had to be told, %d missing; %d kills (%d of them after the server took a mail), %d repetitions, %d different, %d days with two",
		y.people, y.devices, y.days, len(y.all), len(y.mails), wanted, missing, y.died, y.lost, repeated, other, twice)
	if repeated > y.lost || other > 0 || y.died < y.kills/2 {
		t.Errorf("%d repetitions after %d kills, %d in other words", repeated, y.died, other)
	}
}

// calm is how long the station and the mail server must both have worked until somebody
// has a mail: the longest wait between two tries, and a little.
const calm = 17 * time.Minute

// wanted is until when somebody must have been told of a stage; false if they need not,
// because the loan was over by then, or the stage before it began.
func (y *year) wanted(h *held, s reminder.Stage, end time.Time) (until time.Time, ok bool) {
	d := h.due.UTC()
	nine := time.Date(d.Year(), d.Month(), d.Day()+int(s), 9, 0, 0, 0, time.UTC)
	if nine.Before(h.since) {
		return until, false
	}
	for day := nine; day.Before(end); day = day.AddDate(0, 0, 1) {
		midnight := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, time.UTC)
		until = y.quiet(day, midnight)
		if !h.ends.IsZero() && h.ends.Before(minTime(until, midnight)) || until.After(end) {
			return until, false
		}
		if until.Before(midnight) && !y.toldOther(h, day) {
			return until, true
		}
	}
	return until, false
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// toldOther reports whether somebody got a mail on a day without this loan.
func (y *year) toldOther(h *held, day time.Time) bool {
	for _, m := range y.mails {
		if m.to == h.person+"@lab.example" && m.at.Format(time.DateOnly) == day.Format(time.DateOnly) && !slices.Contains(m.about, h) {
			return true
		}
	}
	return false
}

// quiet is the end of the first time of calm from a time on, as far as another.
func (y *year) quiet(from, to time.Time) time.Time {
	at := from
	for moved := true; moved && at.Before(to); {
		moved = false
		for _, d := range y.down {
			if d.from.Before(at.Add(calm)) && d.to.After(at) {
				at, moved = d.to, true
			}
		}
	}
	return at.Add(calm)
}
