package station

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/directory/call"
	"stump/gpio"
	"stump/internal/books"
	"stump/internal/credential"
	"stump/internal/learned"
	"stump/internal/panel"
	"stump/internal/sitekey"
	"stump/internal/task"
	"stump/internal/testkit"
	"stump/lcd"
	"stump/wiegand"
)

// The cards of the tests, by who or what has them.
var cards = map[string]string{
	"ann": "H10301:17:1", "ben": "H10301:17:2", "eve": "H10301:17:3",
	"ipad": "H10301:200:1", "mini": "H10301:200:2",
}

// lab is a station on a simulated reader, with a real ledger, in the fake time
// of a synctest bubble.
type lab struct {
	t      *testing.T
	o      Options
	r      ReaderOptions
	ledger *ledger.Ledger
	panel  *panel.Panel
	sim    *gpio.Sim
	reader *Reader
	log    *testkit.Log
	now    func() int64
	serve  func(...task.Task) // until the end of the test
	stop   func()
}

func key() []byte { return bytes.Repeat([]byte{7}, sitekey.Len) }

// inLab runs f in a lab with ann, ben and eve, an iPad and a mini.
func inLab(t *testing.T, change func(*Options, *ReaderOptions), f func(*lab)) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		ledger, err := ledger.Create(path, ledger.Options{Station: "lab", SiteKey: key(), SealTags: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"ann", "ben", "eve"} {
			must(t, ledger.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id)}, tagOf(t, id), "test", checkout.SourceCLI))
		}
		for _, id := range []string{"ipad", "mini"} {
			must(t, ledger.AddDevice(books.Device{ID: id, Name: strings.ToUpper(id)}, tagOf(t, id), "test", checkout.SourceCLI))
		}
		start := time.Now()
		l := &lab{t: t, ledger: ledger, log: new(testkit.Log), now: func() int64 { return int64(time.Hour + time.Since(start)) }}
		l.sim = gpio.NewSim(l.now)
		size, err := lcd.ParseSize("20x4")
		must(t, err)
		log := slog.New(slog.NewTextHandler(l.log, nil))
		l.panel = panel.New(panel.Options{
			Display: lcd.None(size), Logger: log, Idle: func() panel.IdleInfo { return panel.IdleInfo{Clock: time.Now()} },
		})
		h10301, err := wiegand.FormatByName("H10301")
		must(t, err)
		worker := directory.NewWorker(directory.Options{Directory: directory.Local{}, Ledger: ledger})
		o := Options{Ledger: ledger, Panel: l.panel, Trace: NewTrace(ledger, log), Policy: checkout.PolicyHandover, Directory: worker, Now: l.now, Log: log}
		r := ReaderOptions{Name: "door", Source: l.sim, Decoder: wiegand.Options{Formats: []*wiegand.Format{h10301}, RepairLost: true}}
		if change != nil {
			change(&o, &r)
		}
		l.o, l.r, l.reader, l.ledger = o, r, NewReader(o, r), o.Ledger
		// Not t.Context(), which ends outside the bubble.
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		l.stop = func() {
			stop()
			running.Wait()
		}
		defer func() {
			l.stop()
			l.ledger.Close()
		}()
		l.serve = func(tasks ...task.Task) {
			ready := make(chan struct{})
			running.Go(func() {
				if err := task.Serve(ctx, log, func() { close(ready) }, tasks...); err != nil {
					t.Error(err)
				}
			})
			<-ready
		}
		l.serve(append(l.reader.Tasks(), l.panel, l.o.Trace)...)
		f(l)
	})
}

// another returns the lab at another reader.
func (l *lab) another(name string) *lab {
	other := *l
	other.sim = gpio.NewSim(l.now)
	other.r.Name, other.r.Source = name, other.sim
	other.reader = NewReader(l.o, other.r)
	l.serve(other.reader.Tasks()...)
	return &other
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func bitsOf(t *testing.T, card string) wiegand.Bits {
	t.Helper()
	if written, ok := cards[card]; ok {
		card = written
	}
	if written, ok := strings.CutPrefix(card, "bits:"); ok {
		bits, err := wiegand.ParseBits(written)
		must(t, err)
		return bits
	}
	bits, err := credential.Parse(card, nil)
	must(t, err)
	return bits
}

func tagOf(t *testing.T, card string) checkout.Tag { return credential.Tag(bitsOf(t, card)) }

// bump shows a card, waits for the answer, and returns the display's text.
func (l *lab) bump(card string) string {
	l.t.Helper()
	at := l.now()
	l.sim.Present(bitsOf(l.t, card))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := l.reader.Answered(ctx, at); err != nil {
		l.t.Fatalf("%s: %v", card, err)
	}
	return l.display()
}

func (l *lab) display() string {
	synctest.Wait()
	var words []string
	for _, row := range l.panel.State().Rows {
		words = append(words, strings.Fields(row)...)
	}
	return strings.Join(words, " ")
}

// wants bumps a card and wants the display to say something.
func (l *lab) wants(card, text string) {
	l.t.Helper()
	if got := l.bump(card); !strings.Contains(got, text) {
		l.t.Fatalf("after %s the display says %q, want %q", card, got, text)
	}
}

// holds wants device to be with person, "" for nobody.
func (l *lab) holds(device, person string) {
	l.t.Helper()
	d, err := l.ledger.FindDevice(device)
	must(l.t, err)
	if d.Holder != person {
		l.t.Fatalf("%s is with %q, want %q", device, d.Holder, person)
	}
}

func TestBumpsInEitherOrder(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.wants("ann", "Hello ANN")
		l.wants("ipad", "Checked out")
		l.holds("ipad", "ann")
		l.wants("mini", "MINI")
		l.wants("ben", "Checked out")
		l.holds("mini", "ben")
	})
}

// After a message that changed nothing for what waits, the display asks again
// for what it waits for, to the end of the window and no longer.
func TestPromptComesBack(t *testing.T) {
	const strange = "H10301:201:5"
	inLab(t, func(_ *Options, r *ReaderOptions) { r.Device = &wiegand.Range{Facilities: []uint64{201}} }, func(l *lab) {
		shows := func(after time.Duration, text string) {
			t.Helper()
			time.Sleep(after)
			if got := l.display(); !strings.Contains(got, text) {
				t.Fatalf("the display says %q, want %q", got, text)
			}
		}
		l.wants("ann", "Hello ANN")
		l.wants(strange, "Unknown device")
		shows(9*time.Second, "Hello ANN")
		if s := l.panel.State(); s.Beeps != 4 { // one for Ann, three for the tag
			t.Errorf("%d beeps", s.Beeps)
		}
		l.wants("bits:11111111111111", "Bad tag read")
		shows(4*time.Second, "Hello ANN")
		green := 0
		for range 8 {
			time.Sleep(250 * time.Millisecond)
			synctest.Wait()
			if l.panel.State().Green {
				green++
			}
		}
		if green < 2 || green > 6 {
			t.Errorf("the light does not blink: it is green %d of 8 times", green)
		}
		shows(30*time.Second, "Hello ANN")
		shows(16*time.Second, "Time is up")
		shows(4*time.Second, "Lab open")

		l.wants("ann", "Hello ANN")
		l.wants(strange, "Unknown device")
		l.wants("ipad", "Checked out")
		shows(10*time.Second, "Lab open")
	})
}

func TestWindow(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		// The window counts from the badge's last edge to the device's last.
		l.bump("ann")
		time.Sleep(59*time.Second + 700*time.Millisecond)
		l.wants("ipad", "Checked out")

		time.Sleep(10 * time.Second)
		l.wants("ben", "Hello BEN")
		time.Sleep(61 * time.Second)
		if got := l.display(); !strings.Contains(got, "Time is up") {
			t.Errorf("after the window the display says %q", got)
		}
		l.wants("mini", "Tap your badge")
		l.holds("mini", "")
		time.Sleep(61 * time.Second)
		l.wants("ben", "Hello BEN")
		l.holds("mini", "")
	})
}

func TestWindowRestartsWithAnotherBadge(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.wants("ann", "Hello ANN")
		time.Sleep(50 * time.Second)
		l.wants("ben", "Hello BEN")
		time.Sleep(50 * time.Second)
		l.wants("ipad", "Checked out")
		l.holds("ipad", "ben")

		l.wants("mini", "MINI")
		time.Sleep(3 * time.Second)
		l.wants("ipad", "with BEN")
		l.wants("ann", "Handed over")
		l.holds("ipad", "ann")
		l.holds("mini", "")
	})
}

func TestCardLeftOnTheReader(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.wants("ann", "Hello ANN")
		l.wants("ipad", "Checked out")
		time.Sleep(time.Second) // it beeps for a while
		beeps := l.panel.State().Beeps
		// The reader repeats the device for a minute: never a return, nobody is asked
		// for a badge, and it is said once that it lies there.
		said := 0
		for range 60 {
			time.Sleep(time.Second)
			l.bump("ipad")
			if strings.Contains(l.display(), "IPAD lies on the reader") {
				said++
			}
		}
		l.holds("ipad", "ann")
		if said < 3 || said > 5 {
			t.Errorf("for %d s it says that the device lies there", said)
		}
		if got := l.panel.State().Beeps; got != beeps {
			t.Error("a repeat beeped")
		}
		// The next badge does not get it.
		l.wants("ben", "Hello BEN")
		for range 4 {
			time.Sleep(1800 * time.Millisecond)
			l.bump("ipad")
		}
		l.holds("ipad", "ann")
		if got := l.display(); !strings.Contains(got, "IPAD lies on the reader") {
			t.Errorf("the display says %q", got)
		}
		time.Sleep(5 * time.Second)
		if got := l.display(); !strings.Contains(got, "Hello BEN") {
			t.Errorf("then the display says %q", got)
		}
		l.wants("ipad", "Handed over") // it was taken away, and bumped
		l.holds("ipad", "ben")
	})
}

// The station keeps over a restart how often its reader repeats a tag.
func TestIntervalIsKept(t *testing.T) {
	dir := t.TempDir()
	taps := func(want string) {
		inLab(t, func(o *Options, _ *ReaderOptions) { o.Learned = learned.Open(dir, nil) }, func(l *lab) {
			l.serve(l.o.Learned)
			for range 5 {
				l.bump("mini")
				time.Sleep(4 * time.Second)
			}
			time.Sleep(time.Minute)
			l.bump("ann")
			l.bump("ipad")
			time.Sleep(4 * time.Second)
			l.wants("ipad", want)
		})
	}
	taps("lies on the reader") // learned just now
	if got := learned.Open(dir, nil).Reader("door").Repeat.Round(100 * time.Millisecond); got < 4*time.Second || got > 4200*time.Millisecond {
		t.Errorf("kept is %v", got)
	}
	inLab(t, func(o *Options, _ *ReaderOptions) { o.Learned = learned.Open(dir, nil) }, func(l *lab) {
		l.bump("ann")
		time.Sleep(4 * time.Second)
		l.bump("ann")
		if !l.reader.Repeated() {
			t.Error("after a restart the reader's interval is not known")
		}
	})
	inLab(t, func(_ *Options, r *ReaderOptions) { r.Repeat = 8 * time.Second }, func(l *lab) {
		l.bump("ann")
		time.Sleep(9 * time.Second)
		l.bump("ann")
		if !l.reader.Repeated() {
			t.Error("the configured interval does not count")
		}
	})
}

func TestSamePair(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.bump("ann")
		l.wants("ipad", "Checked out")
		time.Sleep(3 * time.Second)
		l.wants("ipad", "IPAD with ANN")
		time.Sleep(time.Second)
		l.wants("ann", "Checked out") // the result again, and nothing changed
		l.holds("ipad", "ann")
		time.Sleep(5 * time.Second)
		l.wants("ann", "Hello ANN")
		l.wants("ipad", "Returned")
		l.holds("ipad", "")
	})
}

func TestPolicies(t *testing.T) {
	for policy, want := range map[checkout.Policy][2]string{
		checkout.PolicyHandover: {"Handed over", "ben"},
		checkout.PolicyReturn:   {"Returned", ""},
		checkout.PolicyRefuse:   {"Still with ANN", "ann"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			inLab(t, func(o *Options, _ *ReaderOptions) { o.Policy = policy }, func(l *lab) {
				l.bump("ann")
				l.wants("ipad", "Checked out")
				time.Sleep(3 * time.Second)
				l.bump("ben")
				l.wants("ipad", want[0])
				l.holds("ipad", want[1])
			})
		})
	}
}

func TestBatch(t *testing.T) {
	inLab(t, func(o *Options, _ *ReaderOptions) { o.Desk.Batch = 10 * time.Second }, func(l *lab) {
		l.bump("ann")
		l.wants("ipad", "Checked out")
		time.Sleep(9 * time.Second)
		l.wants("mini", "Checked out")
		l.holds("mini", "ann")
		time.Sleep(11 * time.Second)
		l.wants("mini", "with ANN")
	})
}

// A tag that nobody knows ends the turn of whoever waits, unless it can only be a
// device.
func TestUnknownTags(t *testing.T) {
	change := func(_ *Options, r *ReaderOptions) {
		r.Badge, r.Device = &wiegand.Range{Facilities: []uint64{18}}, &wiegand.Range{Facilities: []uint64{201}}
	}
	inLab(t, change, func(l *lab) {
		l.wants("ann", "Hello ANN")
		l.wants("H10301:99:54711", "Unknown tag Again: ANN H10301:99:54711")
		l.wants("ipad", "Tap your badge")
		l.wants("H10301:18:5", "Unknown badge Again: IPAD H10301:18:5")
		l.wants("ben", "Hello BEN")
		l.wants("H10301:201:5", "Unknown device H10301:201:5")
		time.Sleep(time.Second) // it beeps for a while
		beeps := l.panel.State().Beeps
		for range 5 { // it lies on the reader
			l.bump("H10301:201:5")
			time.Sleep(time.Second)
		}
		if got := l.panel.State().Beeps; got != beeps {
			t.Errorf("a repeated unknown tag beeped %d times", got-beeps)
		}
		l.wants("ipad", "Checked out")
		l.holds("ipad", "ben")

		l.o.Trace.Save(true)
		seen, err := l.ledger.UnknownTags()
		must(t, err)
		counts := map[string]int{}
		for _, s := range seen {
			counts[s.Number] = s.Count
		}
		if len(seen) != 3 {
			t.Errorf("unknown tags %v", seen)
		}
		for number, n := range counts {
			if n != 1 {
				t.Errorf("%s was shown once and counted %d times", number, n)
			}
		}
		if l.log.Count("54711") != 0 {
			t.Error("the log has a whole number")
		}
	})
}

func TestBadReads(t *testing.T) {
	const damaged = "bits:00100011111000011101010100" // a parity is wrong
	inLab(t, nil, func(l *lab) {
		l.wants("ann", "Hello ANN")
		l.wants(damaged, "Bad tag read tap again")
		l.wants("ipad", "Checked out")
		l.holds("ipad", "ann")

		// A broken reader fills neither log nor ears for long.
		for i := range 300 { // another card each time: three equal ones are no wire's fault
			time.Sleep(time.Second)
			l.bump("bits:" + bitsOf(t, fmt.Sprintf("H10301:17:%d", 100+i)).Flip(0).String())
		}
		if n := l.log.Count("bad reads"); n < 4 || n > 7 {
			t.Errorf("%d lines in 5 minutes, want one a minute", n)
		}
		if l.log.Count(`faults="parity ×5`) == 0 {
			t.Errorf("the log does not name and count the fault:\n%s", l.log.String())
		}
	})
}

func TestNoiseIsNobody(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.wants("ann", "Hello ANN")
		l.bump("bits:010")
		if got := l.display(); !strings.Contains(got, "Hello ANN") {
			t.Errorf("three stray bits made the display say %q", got)
		}
		l.wants("ipad", "Checked out")
	})
}

var retired = checkout.Retired

func TestRefusedByName(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		suspended := checkout.Suspended
		must(t, l.ledger.EditPerson("eve", books.Edit{Status: &suspended}, "test", checkout.SourceCLI))
		must(t, l.ledger.EditDevice("mini", books.Edit{Status: &retired}, "test", checkout.SourceCLI))
		must(t, l.ledger.EditPerson("ben", books.Edit{MoreBadge: tagOf(t, "H10301:17:7")}, "test", checkout.SourceCLI))
		must(t, l.ledger.EditPerson("ben", books.Edit{LostBadge: books.BadgeRef{Tag: tagOf(t, "H10301:17:7")}}, "test", checkout.SourceCLI))
		must(t, l.ledger.EditPerson("ben", books.Edit{Tag: tagOf(t, "H10301:17:8")}, "test", checkout.SourceCLI))
		l.wants("ann", "Hello ANN")
		l.wants("eve", "See the desk Again: ANN EVE may not borrow now")
		l.wants("ipad", "Tap your badge")
		l.wants("H10301:17:7", "Lost badge Again: IPAD see the desk")
		time.Sleep(2 * time.Second)
		l.wants("ann", "Hello ANN")
		l.wants("ben", "Old badge Again: ANN see the desk") // his first one
		time.Sleep(2 * time.Second)
		l.wants("ann", "Hello ANN")
		l.wants("mini", "No longer in use MINI")
		l.wants("ipad", "Checked out")
		l.holds("ipad", "ann")
		l.refusals("suspended: …3 eve door", "lost badge: …7 ben door", "replaced badge: …2 ben door", "no longer in use: …2 mini door")
	})
}

// refusals wants the list of refusals to be this.
func (l *lab) refusals(want ...string) {
	l.t.Helper()
	time.Sleep(2 * time.Second) // they are saved later
	synctest.Wait()
	var got []string
	for e, err := range l.ledger.History(books.HistoryFilter{Kind: checkout.Refuse}) {
		must(l.t, err)
		got = append(got, strings.Join(strings.Fields(e.Note+" "+e.Person+" "+e.Device+" "+e.Reader), " "))
	}
	if !slices.Equal(got, want) {
		l.t.Errorf("listed are %q, want %q", got, want)
	}
}

// Every refusal is listed, once a minute for each tag and reason, and none of them
// costs more than a commit.
func TestRefusalsAreListed(t *testing.T) {
	rules := func(o *Options, r *ReaderOptions) {
		o.Policy = checkout.PolicyRefuse
		r.Badge = &wiegand.Range{Facilities: []uint64{18}}
	}
	inLab(t, rules, func(l *lab) {
		l.bump("ann")
		l.wants("ipad", "Checked out")
		time.Sleep(3 * time.Second)
		l.bump("ben")
		l.wants("ipad", "Still with ANN")
		before := l.ledger.Health().Commits
		for range 10 {
			l.wants("H10301:18:5", "Unknown badge")
			time.Sleep(2 * time.Second)
			l.wants("H10301:99:6", "Unknown tag")
			time.Sleep(3 * time.Second)
		}
		if n := l.ledger.Health().Commits - before; n > 3 {
			t.Errorf("a minute of refusals cost %d commits", n)
		}
		want := []string{"still with ANN: …1 ben ipad door", "unknown badge: …5 door", "unknown tag: …6 door"}
		l.refusals(want...)
		time.Sleep(time.Minute)
		l.bump("H10301:18:5")
		l.refusals(append(want, "unknown badge: …5 door")...)
		l.o.Trace.Save(true)
		seen, err := l.ledger.UnknownTags()
		must(t, err)
		if len(seen) != 2 || seen[0].Count+seen[1].Count != 21 {
			t.Errorf("unknown tags %+v", seen)
		}
		for e, err := range l.ledger.History(books.HistoryFilter{Person: "ben"}) {
			if must(t, err); e.Kind == checkout.Refuse {
				t.Error("the ordinary history tells a refusal")
			}
		}
	})
}

// What is said does not depend on the list: here its ledger is gone.
func TestRefusalIsSaidAnyway(t *testing.T) {
	inLab(t, func(o *Options, _ *ReaderOptions) {
		gone, err := ledger.Create(filepath.Join(t.TempDir(), "gone.db"), ledger.Options{Station: "lab", SiteKey: key()})
		must(t, err)
		must(t, gone.Close())
		o.Trace = NewTrace(gone, o.Log)
	}, func(l *lab) {
		l.wants("H10301:99:6", "Unknown tag")
		time.Sleep(5 * time.Second)
		if l.log.Count("refusals are not listed") != 1 {
			t.Errorf("the log says %s", l.log.String())
		}
		l.bump("ann")
		l.wants("ipad", "Checked out")
	})
}

// What changed between the two bumps is refused by its own name, whoever had
// the device when it was bumped.
func TestRefusedBetweenTheBumps(t *testing.T) {
	suspended := checkout.Suspended
	suspend := func(l *lab, who string) {
		must(l.t, l.ledger.EditPerson(who, books.Edit{Status: &suspended}, "test", checkout.SourceCLI))
	}
	for _, c := range []struct {
		name, first, second, want, holder string
		policy                            checkout.Policy
		before, between                   func(*lab)
	}{
		{name: "suspended, the device held", first: "ben", second: "ipad", want: "See the desk BEN", holder: "ann",
			before: func(l *lab) { l.bump("ann"); l.bump("ipad") }, between: func(l *lab) { suspend(l, "ben") }},
		{name: "retired, the device waits", first: "ipad", second: "ben", want: "No longer in use IPAD",
			between: func(l *lab) {
				must(l.t, l.ledger.EditDevice("ipad", books.Edit{Status: &retired}, "test", checkout.SourceCLI))
			}},
		{name: "given to another, the device waits", first: "ipad", second: "ben", want: "Still with EVE IPAD", holder: "eve",
			policy: checkout.PolicyRefuse, between: func(l *lab) {
				_, err := l.ledger.Give(books.Request{Device: "ipad", Person: "eve", Actor: "test"})
				must(l.t, err)
			}},
		{name: "erased, the badge waits", first: "ben", second: "ipad", want: "Not possible no person",
			between: func(l *lab) { must(l.t, l.ledger.ErasePerson("ben", "test", checkout.SourceCLI)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(o *Options, _ *ReaderOptions) { o.Policy = c.policy }, func(l *lab) {
				if c.before != nil {
					c.before(l)
					time.Sleep(6 * time.Second)
				}
				l.bump(c.first)
				c.between(l)
				l.wants(c.second, c.want)
				l.holds("ipad", c.holder)
			})
		})
	}
}

// A holder whom nobody knows yet is named by the end of the number, here the
// decimal of all bits.
func TestPendingHolder(t *testing.T) {
	for policy, want := range map[checkout.Policy]string{
		checkout.PolicyRefuse: "Still with …299 IPAD", checkout.PolicyHandover: "Handed over IPAD from …299 to ANN",
	} {
		inLab(t, func(o *Options, r *ReaderOptions) {
			o.Directory, o.Policy = deaf{o.Directory}, policy
			r.Badge = &wiegand.Range{Facilities: []uint64{17}}
		}, func(l *lab) {
			l.bump("H10301:17:54321")
			l.wants("ipad", "Saved for later")
			time.Sleep(6 * time.Second)
			l.wants("ipad", "IPAD with …299")
			l.wants("ann", want)
		})
	}
}

func TestEnrolment(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		enrol := func(kind checkout.SubjectKind, id, name string) <-chan Enrolled {
			t.Helper()
			done, err := l.reader.Enrol(context.Background(), kind, id, name, "admin")
			must(t, err)
			return done
		}
		// What waits goes on waiting, and known tags are taps as ever.
		l.wants("ann", "Hello ANN")
		done := enrol(checkout.KindDevice, "mini", "MINI")
		if got := l.display(); !strings.Contains(got, "Tap the tag of MINI") {
			t.Errorf("the display says %q", got)
		}
		l.wants("ben", "Hello BEN")
		l.wants("H10301:200:77", "Tag now belongs to MINI")
		if e := <-done; e.Err != nil || e.Record.ID != "mini" {
			t.Errorf("%+v", e)
		}
		l.bump("H10301:200:77") // the reader repeats it: no tap yet
		l.holds("mini", "")
		time.Sleep(2 * time.Second)
		l.wants("H10301:200:77", "Checked out")
		l.holds("mini", "ben")
		l.wants("mini", "Unknown tag") // its tag of before

		// A newer enrolment takes the place of an older one.
		first := enrol(checkout.KindPerson, "ann", "ANN")
		second := enrol(checkout.KindPerson, "ben", "BEN")
		if e := <-first; e.Err == nil {
			t.Error("the older enrolment succeeded")
		}
		time.Sleep(59 * time.Second)
		l.wants("H10301:17:88", "Tag now belongs to BEN")
		must(t, (<-second).Err)

		// After a minute nobody is enrolled any more.
		third := enrol(checkout.KindPerson, "ann", "ANN")
		time.Sleep(61 * time.Second)
		if e := <-third; !errors.Is(e.Err, ErrNotShown) {
			t.Errorf("%v", e.Err)
		}
		l.wants("H10301:17:99", "Unknown tag")
	})
}

func TestUnknownTagThatIsEnrolledAtOnce(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.wants("H10301:17:88", "Unknown tag")
		done, err := l.reader.Enrol(context.Background(), checkout.KindPerson, "ann", "ANN", "admin")
		must(t, err)
		l.wants("H10301:17:88", "Tag now belongs to ANN")
		must(t, (<-done).Err)
	})
}

// TestNeverAFalseYes takes the ledger away in different ways: the display may
// say anything but yes.
func TestNeverAFalseYes(t *testing.T) {
	yes := func(s string) bool {
		return strings.Contains(s, "Checked out") || strings.Contains(s, "Returned") || strings.Contains(s, "Handed over") || strings.Contains(s, "belongs")
	}
	t.Run("closed", func(t *testing.T) {
		inLab(t, nil, func(l *lab) {
			l.bump("ann")
			l.ledger.Close()
			if got := l.bump("ipad"); yes(got) || !strings.Contains(got, "Can't save") {
				t.Errorf("the display says %q", got)
			}
			if l.panel.State().Green {
				t.Error("the green light is on")
			}
		})
	})
	t.Run("read-only", func(t *testing.T) {
		readOnly := func(o *Options, _ *ReaderOptions) {
			path := o.Ledger.Path()
			o.Ledger.Close()
			l, err := ledger.OpenReadOnly(path, ledger.Options{Station: "lab", SiteKey: key()})
			must(t, err)
			o.Ledger = l
		}
		inLab(t, readOnly, func(l *lab) {
			l.wants("ann", "Hello ANN")
			for range 3 { // the second bump can be tried again at once
				if got := l.bump("ipad"); yes(got) || !strings.Contains(got, "Can't save see the desk") {
					t.Errorf("the display says %q", got)
				}
			}
			if l.panel.State().Green {
				t.Error("the green light is on")
			}
			done, err := l.reader.Enrol(context.Background(), checkout.KindPerson, "ann", "ANN", "admin")
			must(t, err)
			if got := l.bump("H10301:17:88"); yes(got) {
				t.Errorf("the display says %q", got)
			}
			if e := <-done; e.Err == nil {
				t.Error("enrolled in a ledger that can't be written")
			}
			if l.log.Count("not saved") == 0 {
				t.Error("the log does not tell")
			}
		})
	})
}

// deaf is a directory that can't be asked.
type deaf struct{ Directory }

func (deaf) WhatIs(context.Context, checkout.Tag, checkout.SubjectKind) (books.SyncRow, error) {
	return books.SyncRow{}, call.ErrOffline
}

func TestPendingWhileTheDirectoryIsAway(t *testing.T) {
	badges := func(o *Options, r *ReaderOptions) {
		o.Directory = deaf{o.Directory}
		r.Badge = &wiegand.Range{Facilities: []uint64{17}}
	}
	inLab(t, badges, func(l *lab) {
		got := l.bump("H10301:17:54321")
		if !strings.Contains(got, "Hello") || strings.Contains(got, "54321") || !strings.Contains(got, "321") {
			t.Errorf("the display says %q", got)
		}
		l.wants("ipad", "Saved for later")
		d, err := l.ledger.FindDevice("ipad")
		must(t, err)
		if d.HolderName == "" {
			t.Error("the bump was lost")
		}
		l.wants("H10301:99:1", "Unknown tag") // fits no rule
		if l.log.Count("54321") != 0 {
			t.Error("the log has a whole number")
		}
	})
}

// An expected tag may have been bumped before, while nobody could be asked: its
// bumps are then its owner's.
func TestEnrolmentOfAPendingTag(t *testing.T) {
	inLab(t, func(o *Options, r *ReaderOptions) {
		o.Directory = deaf{o.Directory}
		r.Badge = &wiegand.Range{Facilities: []uint64{17}}
		r.Device = &wiegand.Range{Facilities: []uint64{200}}
	}, func(l *lab) {
		l.bump("H10301:17:54321")
		l.bump("H10301:200:54321")
		must(t, l.ledger.AddPerson(books.Person{ID: "zoe", Name: "ZOE"}, checkout.Tag{}, "test", checkout.SourceCLI))
		time.Sleep(6 * time.Second)
		done, err := l.reader.Enrol(context.Background(), checkout.KindPerson, "zoe", "ZOE", "admin")
		must(t, err)
		l.wants("H10301:200:54321", "Tap your badge") // it can't be a badge
		l.wants("H10301:17:54321", "Tag now belongs to ZOE")
		if e := <-done; e.Err != nil {
			t.Error(e.Err)
		}
		for loan, err := range l.ledger.Loans(books.LoanFilter{}) {
			if must(t, err); loan.PersonID != "zoe" {
				t.Errorf("the loan is %+v", loan)
			}
		}
	})
}

// The guards know a pending tag again, although its first bump gives it a row,
// and the directory a name.
func TestPendingPairIsNotUndone(t *testing.T) {
	rules := func(o *Options, r *ReaderOptions) {
		o.Directory = deaf{o.Directory}
		r.Badge = &wiegand.Range{Facilities: []uint64{17}}
		r.Device = &wiegand.Range{Facilities: []uint64{200}}
	}
	const badge, device = "H10301:17:54321", "H10301:200:54321"
	inLab(t, rules, func(l *lab) {
		l.wants(badge, "Hello")
		l.wants(device, "Saved for later")
		l.wants(badge, "Saved for later") // they are still there
		l.wants(device, "Saved for later")
		time.Sleep(2 * time.Second)
		l.wants(badge, "Hello")
		time.Sleep(1200 * time.Millisecond)
		l.wants(device, "Saved for later") // the same result again
		time.Sleep(1600 * time.Millisecond)
		_, err := l.ledger.Resolve(tagOf(t, badge), "eve")
		must(t, err)
		l.wants(badge, "Hello EVE")
		l.bump(device)
		loans := 0
		for loan, err := range l.ledger.Loans(books.LoanFilter{}) {
			must(t, err)
			if loans++; loan.PersonID != "eve" {
				t.Errorf("the loan is %+v", loan)
			}
		}
		if loans != 1 {
			t.Errorf("%d loans", loans)
		}
	})
}

func TestLentLinesMakeNoLoans(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.wants("ann", "Hello ANN")
		lent, err := l.reader.Lease(Holder{Name: "Ann", For: ForTest})
		must(t, err)
		if _, err := l.reader.Lease(Holder{Name: "Ann", For: ForTest}); !errors.As(err, new(*LeasedError)) {
			t.Errorf("lent twice: %v", err)
		}
		l.sim.Present(bitsOf(t, "ipad"))
		edges := make([]wiegand.Edge, 256)
		n := 0
		for end := l.now() + int64(time.Second); l.now() < end; {
			m, _, err := lent.Read(edges[n:], end)
			must(t, err)
			n += m
		}
		if n != 26 {
			t.Errorf("the borrower had %d edges of 26", n)
		}
		must(t, lent.Close())
		l.holds("ipad", "")
		l.wants("ipad", "Checked out")
		if l.log.Count("overrun") != 0 {
			t.Error("the borrowed edges count as lost")
		}
	})
}

// A self-test's code stays until the lines are given back, whatever ends
// meanwhile; then the display says what the station waits for, or is idle.
func TestSelfTestLeavesTheDisplay(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		test := func(took time.Duration, want string) {
			t.Helper()
			lent, err := l.reader.Lease(Holder{Name: "Ann", For: ForTest})
			must(t, err)
			l.panel.Show(panel.Message{Key: "display-code", Number: "4711"})
			time.Sleep(took)
			if got := l.display(); !strings.Contains(got, "4711") {
				t.Errorf("during the test the display says %q", got)
			}
			must(t, lent.Close())
			if got := l.display(); !strings.Contains(got, want) {
				t.Errorf("after the test the display says %q, want %q", got, want)
			}
		}
		test(time.Second, "Lab open")
		l.wants("ann", "Hello ANN")
		test(time.Second, "Hello ANN")
		l.wants("ipad", "Checked out")
		l.reader.Resume() // cuts nobody's answer short
		if got := l.display(); !strings.Contains(got, "Checked out") {
			t.Errorf("the display says %q", got)
		}
		l.wants("ben", "Hello BEN")
		time.Sleep(50 * time.Second)
		test(20*time.Second, "Lab open")
		l.wants("mini", "MINI Tap your badge")

		// An admin may expect a tag meanwhile; it is asked for afterwards.
		lent, err := l.reader.Lease(Holder{Name: "Ann", For: ForTest})
		must(t, err)
		_, err = l.reader.Enrol(context.Background(), checkout.KindPerson, "eve", "EVE", "admin")
		must(t, err)
		if got := l.display(); !strings.Contains(got, "Self-test: Ann") {
			t.Errorf("during the test the display says %q", got)
		}
		must(t, lent.Close())
		if got := l.display(); !strings.Contains(got, "Tap the tag of EVE") {
			t.Errorf("after the test the display says %q", got)
		}
	})
}

func TestStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := NewReader(Options{Now: func() int64 { return int64(time.Since(start)) }}, ReaderOptions{Name: "x", Source: gpio.NewSim(func() int64 { return int64(time.Since(start)) })})
		if len(r.Tasks()) != 2 || r.Tasks()[0].String() != `reader "x"` || r.Tasks()[1].String() != `desk "x"` {
			t.Errorf("tasks %v", r.Tasks())
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- task.Serve(ctx, nil, nil, r.Tasks()...) }()
		synctest.Wait()
		stop()
		must(t, <-ended)
		// Who had the lines gives them back without waiting for anybody.
		begin := time.Now()
		if err := r.Alive(context.Background()); err == nil || time.Since(begin) != 0 {
			t.Errorf("a stopped desk answers %v after %v", err, time.Since(begin))
		}
	})
}
