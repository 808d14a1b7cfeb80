package station

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/learned"
	"stump/internal/panel"
	"stump/internal/task"
	"stump/wiegand"
)

// attendant is the task that stands at a reader's desk. Only its loop touches
// its fields; other goroutines send it calls.
type attendant struct {
	o      Options
	r      ReaderOptions
	log    *slog.Logger
	reads  <-chan wiegand.Read
	leased func() bool // a self-test or a scope has the lines
	calls  chan func()
	ctx    context.Context // done when the loop has ended
	end    context.CancelFunc

	desk   *checkout.Desk
	asked  map[checkout.Tag]*question
	visits int           // counts taps, to see whether somebody has come meanwhile
	enrol  *enrolment    // the tag that an admin expects; nil for none
	naming *naming       // the badge whose owner types a name; nil for none
	number *numbering    // the badge whose owner may type a number; nil for none
	parts  *partsAsked   // the question for parts without a tag; nil for none
	seen   int           // devices that a stock-taking has seen
	edge   time.Duration // the last one of the read that is answered
	source checkout.Source
	noise  noiseLog
	format time.Duration // when the log may speak of unknown formats again

	unsaid *panel.Message // what is missing from a kit, to be said with the next answer; nil for nothing

	answered answered // has a lock of its own
	watch    watch    // has a lock of its own
}

func newAttendant(o Options, r ReaderOptions, reads <-chan wiegand.Read, leased func() bool) *attendant {
	o.Desk.Repeat, o.Desk.Learned, o.Desk.Alone = r.Repeat, o.Learned.Reader(r.Name).Repeat, r.ReturnsAlone
	a := &attendant{
		o: o, r: r, log: o.Log, reads: reads, leased: leased, calls: make(chan func()),
		desk: checkout.NewDesk(o.Desk), source: checkout.SourceReader, asked: map[checkout.Tag]*question{},
		noise: noiseLog{faults: map[wiegand.Fault]int{}}, answered: answered{change: make(chan struct{})},
	}
	a.watch.bumps = map[string]uint64{string(checkout.Checkout): 0, string(checkout.Return): 0, string(checkout.Handover): 0, Refused: 0, Unknown: 0, NotSaved: 0}
	if o.Counting > 0 {
		a.desk.Count(a.now()+o.Counting-StockWindow, StockWindow)
	}
	a.ctx, a.end = context.WithCancel(context.Background())
	return a
}

func (a *attendant) String() string { return `desk "` + a.r.Name + `"` }

// Run attends to reads, calls and the end of the window until ctx is done.
func (a *attendant) Run(ctx context.Context) error {
	task.Urgent()
	defer a.end()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if at, waiting := a.deadline(); waiting {
			timer.Reset(at + grace - a.now())
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			a.stopNaming()
			a.missed(a.desk.Parts())
			return nil
		case read := <-a.reads:
			a.attend(read)
		case call := <-a.calls:
			call()
		case <-timer.C:
			a.expire()
		}
	}
}

// ErrStopping is returned for what is asked of a station that stops.
var ErrStopping = hint.Errorf("ask again when it runs", "the station is stopping")

// do runs f in the loop and returns when it has, or with ctx's error.
func (a *attendant) do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case a.calls <- func() { defer close(done); f() }:
		<-done
		return nil
	case <-a.ctx.Done():
		return ErrStopping
	case <-ctx.Done():
		return fmt.Errorf("the desk does not answer: %w", ctx.Err())
	}
}

// post runs f in the loop, unless that has ended.
func (a *attendant) post(f func()) { _ = a.do(a.ctx, f) }

func (a *attendant) now() time.Duration { return time.Duration(a.o.Now()) }

// deadline is when the desk, an enrolment or a question for a number stops waiting.
func (a *attendant) deadline() (time.Duration, bool) {
	at, waiting := a.desk.Deadline()
	if a.enrol != nil && (!waiting || a.enrol.until < at) {
		at, waiting = a.enrol.until, true
	}
	if a.number != nil && (!waiting || a.number.until < at) {
		at, waiting = a.number.until, true
	}
	return at, waiting
}

// grace is how much later than its window the desk stops waiting: a tap counts
// by its last edge, and the end of its frame is known only later.
const grace = 250 * time.Millisecond

func (a *attendant) expire() {
	now := a.now() - grace
	if a.enrol != nil && now >= a.enrol.until {
		a.endEnrolment()
	}
	if a.number != nil && now >= a.number.until {
		a.endNumber()
	}
	missed, ended := a.desk.Expire(now)
	a.askParts()
	switch said := a.missed(missed); {
	case said != nil && !a.leased():
		a.show(*said)
	case ended && missed == nil:
		a.timedOut()
	}
}

// timedOut says that nobody came in time, but not over what a self-test has on
// the display.
func (a *attendant) timedOut() {
	if !a.leased() {
		a.show(panel.Message{Key: "timeout"})
	}
}

// attend answers one read.
func (a *attendant) attend(read wiegand.Read) {
	a.watch.read(a.now(), &read)
	interval := a.desk.Interval()
	if got := a.answer(read); !got.asking {
		a.answered.note(read.End, got)
	}
	if now := a.desk.Interval(); now != interval {
		a.log.Info("the reader repeats a tag that lies on it", "every", now, "before", interval)
		a.o.Learned.Update(a.r.Name, func(r *learned.Reader) { r.Repeat = now })
	}
}

func (a *attendant) answer(read wiegand.Read) answer {
	if read.Key != 0 {
		return a.key(read.Key)
	}
	if read.Text != "" {
		return a.scanned(read)
	}
	doubtful := a.doubtful(read)
	if !read.OK() && read.Fault != wiegand.FaultPrefix && !doubtful {
		return a.badRead(read)
	}
	tag := credential.Tag(read.Bits)
	subject, err := a.o.Ledger.Subject(tag)
	if err != nil {
		return a.unreadable(err)
	}
	unknown := subject.Kind == checkout.Unknown
	switch {
	case unknown && doubtful:
		return a.badRead(read)
	case a.asking(tag):
		return answer{repeated: true}
	case a.enrol != nil && (unknown || subject.Pending && subject.Kind == a.enrol.kind):
		// A pending tag is nobody's yet: its new owner gets its taps, too.
		return a.enrolTag(read, tag)
	case unknown:
		return a.identify(read, tag)
	}
	return a.tap(time.Duration(read.End), subject)
}

// doubtful reports whether a read needs the register to vouch for its number:
// the repair of a lost bit has spent the parity, or the number is outside the
// rules of a strict reader.
func (a *attendant) doubtful(read wiegand.Read) bool {
	return read.Repaired == wiegand.RepairLost || read.Fault == wiegand.FaultPrefix && a.r.Strict
}

// kind is what the site's rules make of a card.
func (a *attendant) kind(read wiegand.Read) checkout.SubjectKind {
	switch {
	case a.r.Badge != nil && a.r.Badge.Contains(read.Bits, read.Fields):
		return checkout.KindPerson
	case a.r.Device != nil && a.r.Device.Contains(read.Bits, read.Fields):
		return checkout.KindDevice
	}
	return checkout.Unknown
}

// tap takes the tap of somebody known to the desk.
func (a *attendant) tap(at time.Duration, s checkout.Subject) answer {
	a.edge = at
	out := a.desk.Tap(at, s)
	if out.Kind == checkout.Ignored {
		return answer{repeated: true}
	}
	if out.Kind == checkout.Lies {
		return a.show(a.message(out))
	}
	a.visits++
	if s.Tag.IsCard() && !s.Pending && out.Kind != checkout.Refused {
		a.o.Directory.Seen(s.Tag)
	}
	return a.outcome(out)
}

// outcome says what the tap of somebody known did, and commits it if it is the
// second of a pair.
func (a *attendant) outcome(out checkout.Outcome) answer {
	a.stopNaming()
	a.unsaid = a.missed(out.Missed)
	switch out.Kind {
	case checkout.Complete:
		return a.complete(out)
	case checkout.Counted:
		return a.counted(out.Device)
	case checkout.Refused:
		a.refused(out, checkout.RefusedError{Subject: cmp.Or(out.Person, out.Device)})
	case checkout.WaitBadge:
		a.o.Ledger.Expect()
	case checkout.WaitDevice:
		a.o.Ledger.Expect()
		if digits := a.logIn(out.Person); digits != "" {
			return a.show(panel.Message{Key: "log-in", Person: a.name(out.Person), Number: digits})
		}
	}
	if m := a.unsaid; m != nil && (out.Kind == checkout.WaitDevice || out.Kind == checkout.WaitBadge) {
		a.unsaid = nil
		return a.show(*m) // and then what is waited for
	}
	return a.show(a.message(out))
}

// logIn returns the digits with which a browser is logged in that waits for a bump. A
// pending badge is nobody's yet, and who is expected for another reason gets none.
func (a *attendant) logIn(person checkout.Subject) string {
	if a.o.LogIn == nil || person.Pending || a.enrol != nil {
		return ""
	}
	return a.o.LogIn(person)
}

// complete commits what two taps mean, and only then says so.
func (a *attendant) complete(out checkout.Outcome) answer {
	slow := a.admitSlow()
	ev, err := a.commit(out)
	slow()
	var no *checkout.RefusedError
	switch {
	case errors.As(err, &no):
		a.desk.Refuse()
		a.log.Info("refused", "device", out.Device.ID, "person", out.Person.ID, "err", err)
		a.refused(out, *no)
		return a.show(a.refusal(*no))
	case err != nil:
		a.desk.Failed()
		a.watch.bumped(NotSaved)
		a.log.Error("not saved", "err", err)
		return a.show(panel.Message{Key: CannotSave(err)})
	}
	a.desk.Done(ev)
	a.watch.commit(a.o.Ledger.Health().LastCommit, a.now()-a.edge)
	a.watch.bumped(string(ev.Kind))
	a.log.Info(string(ev.Kind), "seq", ev.Seq, "person", logID(ev.Person, ev.PersonTag), "device", logID(ev.Device, ev.DeviceTag))
	m := done(ev)
	if out.Back && a.isComplete(out.Device.Kit) {
		m.Last().Then = &panel.Message{Key: "kit-complete", Device: out.Device.KitName}
	}
	if ev.Overdue != "" {
		m.Last().Then = &panel.Message{Key: "overdue-too", Device: ev.Overdue, For: overdueTime}
	}
	if ev.ReservedBy != "" {
		m.Last().Then = &panel.Message{Key: "reserved-too", Device: m.Device, Holder: ev.ReservedBy, When: ev.ReservedFrom.Local(), At: ev.At.Wall.Local(), For: overdueTime}
	}
	if out.Device.Doubtful {
		m.Last().Then = &panel.Message{Key: "was-doubtful", Device: m.Device, For: doubtTime}
	}
	return a.show(m)
}

// commit saves what two taps mean, or the one at a reader where devices come back alone.
func (a *attendant) commit(out checkout.Outcome) (checkout.Event, error) {
	if out.Person.Kind == checkout.Unknown {
		return a.o.Ledger.Bring(out.Device, a.r.Name)
	}
	return a.o.Ledger.Complete(checkout.Completion{
		Person: out.Person, Device: out.Device, Policy: a.o.Policy, Overdue: a.o.Overdue, Reserved: a.o.Reserved, CheckKits: a.o.CheckKits, CheckUntagged: a.mayName(),
		Back: out.Back, Reader: a.r.Name, Source: a.source,
	})
}

// CannotSave is the key of what the display says while the disk saves nothing.
func CannotSave(err error) string {
	if errors.Is(err, ledger.ErrStopped) {
		return "disk-stopped"
	}
	return "cannot-save"
}

// doubtTime is until when, after the bump of a doubtful device, the display says that
// it was one.
const doubtTime = 10 * time.Second

// overdueTime is how long, after a check-out, the display can take to say that something
// else is overdue.
const overdueTime = 10 * time.Second

// Patience is how long the disk may take before the display says that nothing
// is saved yet.
const Patience = 2 * time.Second

// admitSlow says after Patience that nothing is saved yet, unless the function
// that it returns is called before.
func (a *attendant) admitSlow() (stop func()) {
	said := make(chan struct{})
	timer := time.AfterFunc(Patience, func() {
		defer close(said)
		a.log.Warn("the disk has not saved for seconds; the tap waits")
		a.o.Panel.Show(panel.Message{Key: "saving"}) // not from the loop, which waits
	})
	return func() {
		if !timer.Stop() {
			<-said // so that the answer comes after it
		}
	}
}

// LeastCard is how many bits may be a damaged card: fewer are noise.
const LeastCard = 8

// badRead logs that a frame was refused, and says so if somebody may have shown
// a card.
func (a *attendant) badRead(read wiegand.Read) answer {
	if read.Unknown {
		return a.unknownFormat(read)
	}
	a.noise.note(a.log, a.now(), read)
	if read.Count < LeastCard && read.Fault != wiegand.FaultOverrun {
		return answer{}
	}
	return a.show(panel.Message{Key: "bad-read", Detail: string(read.Fault)})
}

func (a *attendant) unreadable(err error) answer {
	a.log.Error("the register can't be read", "err", err)
	return a.show(panel.Message{Key: "cannot-save"})
}

// follows are the messages that are said after another, before what is waited for.
var follows = map[string]bool{"due": true, "overdue-too": true, "reserved-too": true, "kit-parts": true, "kit-part": true, "kit-without": true, "kit-complete": true, "kit-missing": true}

// show shows a message, and after it again what the station waits for.
func (a *attendant) show(m panel.Message) answer {
	a.askParts()
	if a.unsaid != nil {
		m.Last().Then, a.unsaid = a.unsaid, nil
	}
	if then := a.prompt(); then != nil {
		if last := m.Last(); follows[last.Key] {
			last.Then = then
		} else {
			m.Then = then
		}
	}
	return answer{shown: a.o.Panel.Show(m)}
}

// prompt is what the display says while the station waits for a tag or a name,
// nil when it waits for none or can't get one.
func (a *attendant) prompt() *panel.Message {
	switch {
	case a.leased():
		return nil
	case a.enrol != nil:
		return &panel.Message{Key: "enrol-next", Person: a.enrol.name, For: a.enrol.until - a.now()}
	case a.naming != nil:
		return a.naming.prompt()
	case a.number != nil && a.number.shown:
		return a.number.message(a.now())
	case a.parts != nil && a.parts.typed.Typed != "":
		return a.parts.message()
	}
	s, waiting := a.desk.Waiting()
	if !waiting {
		return a.counting()
	}
	m := a.waits(s)
	if parts := a.desk.Parts(); parts != nil {
		m = asks(parts)
	}
	until, _ := a.desk.Deadline()
	// While a question suspends the window, at least until its answer.
	m.For = max(until-a.now(), askTime) + grace
	return &m
}
