package station

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"stump/checkout"
	"stump/directory"
	"stump/internal/credential"
	"stump/internal/panel"
	"stump/internal/task"
	"stump/wiegand"
)

// attendant is the state of a reader's desk; only the attendTask's goroutine
// touches it, but for what has a lock of its own.
type attendant struct {
	desk   *checkout.Desk
	enrol  *enrolment
	typing context.CancelFunc // ends the question for a name; nil when none is open
	line   typedLine
	atDesk *task.Signal
	gone   chan struct{} // closed when nobody is at the desk any more
	noise  noiseLog
	// stranger is the last tag that was answered without the desk.
	stranger stranger
	watch    watch
	bumped   bumps
}

// bumps is what the desk has attended to.
type bumps struct {
	sync.Mutex
	end      int64         // last edge of the newest read
	answer   uint64        // the panel's number of the newest answer
	repeated bool          // the newest read was the reader repeating itself
	change   chan struct{} // closed when a read was attended to
}

type attendTask Reader

func (a *attendTask) String() string         { return `desk "` + a.Name + `"` }
func (a *attendTask) Ready() <-chan struct{} { return a.atDesk.C() }

// Run attends to reads, calls and the end of the window until ctx is done.
func (a *attendTask) Run(ctx context.Context) error {
	defer close(a.gone)
	a.atDesk.Give()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if at, waiting := a.nextDeadline(); waiting {
			timer.Reset(at + grace - a.now())
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			a.stopTyping()
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

func (a *attendTask) now() time.Duration { return time.Duration(a.o.Now()) }

// nextDeadline is when the desk or an enrolment stops waiting.
func (a *attendTask) nextDeadline() (time.Duration, bool) {
	at, waiting := a.desk.Deadline()
	if a.enrol != nil && (!waiting || a.enrol.until < at) {
		return a.enrol.until, true
	}
	return at, waiting
}

// grace is how much later than its window the desk stops waiting: a tap counts
// by its last edge, and that its frame is over is known some time after.
const grace = 250 * time.Millisecond

func (a *attendTask) expire() {
	now := a.now() - grace
	if a.enrol != nil && now >= a.enrol.until {
		a.endEnrolment()
	}
	if _, done := a.desk.Expire(now); done {
		a.timedOut()
	}
}

// timedOut says that what waited did so in vain, but not over what a self-test
// has on the display.
func (a *attendTask) timedOut() {
	if !(*Reader)(a).Lent() {
		a.show(panel.Message{Key: "timeout"})
	}
}

// attend answers one read.
func (a *attendTask) attend(read wiegand.Read) {
	b := &a.bumped
	answer, repeated := a.answer(read)
	if repeated {
		answer = b.answer
	}
	b.Lock()
	b.end, b.answer, b.repeated = read.End, answer, repeated
	close(b.change)
	b.change = make(chan struct{})
	b.Unlock()
}

// answer returns the panel's number of the answer to a read, or that there is
// none, since the reader repeats itself.
func (a *attendTask) answer(read wiegand.Read) (shown uint64, repeated bool) {
	a.watch.read(a.now(), &read)
	if read.Key != 0 {
		a.log.Debug("key press")
		return 0, false
	}
	registered := read.Fault == wiegand.FaultPrefix || read.Repaired == wiegand.RepairLost
	if !read.OK() && !registered {
		return a.badRead(read), false
	}
	tag := credential.Tag(read.Bits)
	if a.stranger.again(tag, read.End) {
		return 0, true
	}
	subject, err := a.o.Ledger.Subject(tag)
	if err != nil {
		a.log.Error("the register can't be read", "err", err)
		return a.show(panel.Message{Key: "cannot-save"}), false
	}
	nobodys := subject.Kind == checkout.Unknown
	if nobodys && (read.Repaired == wiegand.RepairLost || read.Fault == wiegand.FaultPrefix && a.Strict) {
		// The parity bit is spent: only the register could have vouched for
		// this number.
		return a.badRead(read), false
	}
	// A pending tag is nobody's yet either: with its new owner come its bumps.
	if a.enrol != nil && (nobodys || subject.Pending && subject.Kind == a.enrol.kind) {
		a.stranger.met(tag, read.End)
		return a.enrolTag(tag), false
	}
	if nobodys {
		if subject, err = a.identify(read, tag); err != nil {
			a.stranger.met(tag, read.End)
			return a.unknown(read, tag), false
		}
	}
	if a.o.Directory != nil && !subject.Pending {
		a.o.Directory.Seen(tag)
	}
	a.stopTyping()
	return a.tap(checkout.Tap{At: time.Duration(read.End), Reader: a.Name, Subject: subject})
}

// stranger is the guard against a reader that repeats a tag which the desk
// does not get to see: an unknown one, or one for an enrolment.
type stranger struct {
	tag    checkout.Tag
	at     int64
	repeat time.Duration
}

func (s *stranger) met(tag checkout.Tag, at int64) { s.tag, s.at = tag, at }

// again reports whether the reader repeats itself. Every sighting counts, as
// it does at the desk; another card in between proves that this one was lifted.
func (s *stranger) again(tag checkout.Tag, at int64) bool {
	if s.tag != tag || time.Duration(at-s.at) >= s.repeat {
		s.tag = checkout.Tag{}
		return false
	}
	s.at = at
	return true
}

// kind is what the site's rules make of a card.
func (a *attendTask) kind(read wiegand.Read) checkout.SubjectKind {
	switch {
	case a.Badge != nil && a.Badge(read):
		return checkout.KindPerson
	case a.Device != nil && a.Device(read):
		return checkout.KindDevice
	}
	return checkout.Unknown
}

// mask is what the log shows of a tag.
func (a *attendTask) mask(tag checkout.Tag) string {
	return credential.Mask(tag, a.Decoder.Formats)
}

// directoryKind is the directory's word for a kind.
func directoryKind(k checkout.SubjectKind) directory.Kind {
	switch k {
	case checkout.KindPerson:
		return directory.Person
	case checkout.KindDevice:
		return directory.Device
	}
	return directory.Unknown
}

var errNobody = errors.New("nobody's tag")

// identify finds out whose a tag is that the register does not know. While the
// directory can't be asked, a tag that fits a rule is pending: the bump is
// recorded with it.
func (a *attendTask) identify(read wiegand.Read, tag checkout.Tag) (checkout.Subject, error) {
	if a.o.Directory == nil {
		return checkout.Subject{}, errNobody
	}
	kind := a.kind(read)
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	answer, err := a.o.Directory.WhatIs(ctx, tag, directoryKind(kind))
	switch {
	case err != nil && kind != checkout.Unknown:
		a.log.Info("pending tag: the directory can't be asked", "tag", a.mask(tag), "kind", kind, "err", err)
		return checkout.Subject{Kind: kind, Tag: tag, Pending: true}, nil
	case err != nil || !answer.Known:
		return checkout.Subject{}, errNobody
	}
	subject, err := a.o.Ledger.Subject(tag)
	if err == nil && subject.Kind == checkout.Unknown {
		err = errNobody
	}
	return subject, err
}

// askTime is how long a person waits for the directory to know them.
const askTime = time.Second

// unknown answers a tag that nobody knows. It shows its number, joins the list
// of unknown tags and disturbs nothing that waits.
func (a *attendTask) unknown(read wiegand.Read, tag checkout.Tag) uint64 {
	if err := a.o.Ledger.NoteUnknown(tag); err != nil {
		a.log.Warn("the unknown tag is not listed", "err", err)
	}
	a.log.Info("unknown tag", "tag", a.mask(tag))
	kind := a.kind(read)
	if kind == checkout.KindPerson && a.mayType() {
		return a.askName(read, tag)
	}
	key := map[checkout.SubjectKind]string{
		checkout.Unknown: "unknown-tag", checkout.KindPerson: "unknown-badge", checkout.KindDevice: "unknown-device",
	}[kind]
	return a.show(panel.Message{Key: key, Number: credential.String(read.Bits, a.Decoder.Formats)})
}

// tap takes a tap to the desk and its outcome to ledger and panel.
func (a *attendTask) tap(t checkout.Tap) (shown uint64, repeated bool) {
	out := a.desk.Tap(t)
	switch out.Kind {
	case checkout.Ignored:
		return 0, true
	case checkout.Complete:
		return a.complete(out), false
	default:
		return a.show(a.message(out)), false
	}
}

// complete commits what two bumps mean, and only then says so.
func (a *attendTask) complete(out checkout.Outcome) uint64 {
	slow := a.admitSlow()
	ev, err := a.o.Ledger.Complete(checkout.Completion{
		Person: out.Person, Device: out.Device, Policy: a.o.Policy, Reader: a.Name, Source: checkout.SourceReader,
	})
	slow()
	var no *checkout.RefusedError
	switch {
	case errors.As(err, &no):
		a.desk.Refuse()
		a.log.Info("refused", "device", out.Device.ID, "person", out.Person.ID, "err", err)
		return a.show(a.refusal(no.Subject, no.Holder))
	case errors.Is(err, checkout.ErrRefused):
		// Erased, or given another tag, between the two bumps.
		a.desk.Refuse()
		a.log.Info("refused", "device", out.Device.ID, "person", out.Person.ID, "err", err)
		return a.show(panel.Message{Key: "refused", Detail: strings.TrimPrefix(err.Error(), checkout.ErrRefused.Error()+": ")})
	case err != nil:
		a.desk.Failed()
		a.log.Error("not saved", "err", err)
		return a.show(panel.Message{Key: "cannot-save"})
	}
	a.desk.Done(ev)
	a.watch.commit(a.now(), a.o.Ledger.Health().LastCommit)
	a.log.Info(string(ev.Kind), "seq", ev.Seq, "person", logID(ev.Person, ev.PersonTag), "device", logID(ev.Device, ev.DeviceTag))
	return a.show(a.done(ev))
}

// Patience is how long a person is left without a word while the disk writes.
const Patience = 2 * time.Second

// admitSlow says after a while that nothing is saved yet, unless the function
// that it returns is called before.
func (a *attendTask) admitSlow() (stop func()) {
	said := make(chan struct{})
	timer := time.AfterFunc(Patience, func() {
		defer close(said)
		a.log.Warn("the disk has not saved for seconds; the tap waits")
		a.o.Panel.Show(panel.Message{Key: "saving"}) // not from the desk's goroutine
	})
	return func() {
		if !timer.Stop() {
			<-said // so that the answer comes after it
		}
	}
}

// LeastCard is how many bits may be a card, damaged: fewer are noise.
const LeastCard = 8

// badRead says that a frame was refused, and why to the log.
func (a *attendTask) badRead(read wiegand.Read) uint64 {
	a.noise.note(a.log, a.now(), read)
	// Noise alone is nobody standing there: only what may have been a card is
	// answered.
	if read.Bits.Len() < LeastCard && read.Fault != wiegand.FaultOverrun {
		return 0
	}
	return a.show(panel.Message{Key: "bad-read", Detail: string(read.Fault)})
}

// show shows a message, and after it again what the station waits for.
func (a *attendTask) show(m panel.Message) uint64 {
	m.Then = a.prompt()
	return a.o.Panel.Show(m)
}

// prompt is what the display says while the station waits for a tag or a name,
// nil when it waits for none, or can't have one.
func (a *attendTask) prompt() *panel.Message {
	switch {
	case (*Reader)(a).Lent():
		return nil
	case a.enrol != nil:
		return &panel.Message{Key: "enrol-next", Person: a.enrol.name, For: a.enrol.until - a.now()}
	case a.typing != nil:
		return a.question()
	}
	s, waiting := a.desk.Waiting()
	if !waiting {
		return nil
	}
	out := checkout.Outcome{Kind: checkout.WaitDevice, Person: s}
	if s.Kind == checkout.KindDevice {
		out = checkout.Outcome{Kind: checkout.WaitBadge, Device: s}
	}
	m := a.message(out)
	until, _ := a.desk.Deadline()
	m.For = until + grace - a.now()
	return &m
}

// call runs f where the desk's state may be touched.
func (r *Reader) call(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case r.calls <- func() { defer close(done); f() }:
		<-done
		return nil
	case <-r.gone:
		return errors.New("the station is stopping")
	case <-ctx.Done():
		return fmt.Errorf("the desk does not answer: %w", ctx.Err())
	}
}

// Answered waits until the desk has attended to a read whose last edge came
// after that time of the station's clock, and the panel has shown its answer.
func (r *Reader) Answered(ctx context.Context, after int64) error {
	for {
		r.bumped.Lock()
		end, answer, change := r.bumped.end, r.bumped.answer, r.bumped.change
		r.bumped.Unlock()
		if end > after {
			return r.o.Panel.Answered(ctx, answer)
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Repeated reports whether the newest read was ignored, as the reader repeating
// itself.
func (r *Reader) Repeated() bool {
	r.bumped.Lock()
	defer r.bumped.Unlock()
	return r.bumped.repeated
}

// Alive returns when the desk has nothing else to do, or with ctx's error.
func (r *Reader) Alive(ctx context.Context) error { return r.call(ctx, func() {}) }
