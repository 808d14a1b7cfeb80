package station

import (
	"context"
	"errors"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/wiegand"
)

// mayType reports whether the owner of an unknown badge can be asked for a name.
func (a *attendTask) mayType() bool {
	return a.o.Keyboard != nil && a.o.EnrolPeople != directory.EnrolOff && len(a.o.Keyboard.Plugged()) > 0
}

// askName asks the owner of an unknown badge to type a name. What waits at the
// desk goes on waiting; a known tag ends the question.
func (a *attendTask) askName(read wiegand.Read, tag checkout.Tag) uint64 {
	a.stopTyping()
	ctx, cancel := context.WithCancel(context.Background())
	a.typing = cancel
	shown := a.showTyped(ctx, keyboard.View{})
	go func() {
		answer, err := a.o.Keyboard.Ask(ctx, keyboard.Question{
			Names: a.names, Free: a.o.EnrolPeople == directory.EnrolFree,
			Show: func(v keyboard.View) { a.showTyped(ctx, v) },
		})
		// Back to the desk's own goroutine, unless it has gone on to somebody
		// else meanwhile.
		_ = (*Reader)(a).call(ctx, func() {
			if ctx.Err() == nil {
				a.typed(read, tag, answer, err)
			}
		})
		cancel()
	}()
	return shown
}

// typedLine is what the display shows of an open question for a name. The
// keyboard's goroutine writes it.
type typedLine struct {
	sync.Mutex
	message panel.Message
	until   time.Duration
}

func (a *attendTask) stopTyping() {
	if a.typing == nil {
		return
	}
	a.line.Lock() // no letter is shown after it
	a.typing()
	a.line.Unlock()
	a.typing = nil
}

// question is the open question with what was typed so far.
func (a *attendTask) question() *panel.Message {
	a.line.Lock()
	defer a.line.Unlock()
	m := a.line.message
	m.For = a.line.until - a.now()
	return &m
}

// names are the people who may be meant.
func (a *attendTask) names() []string {
	var names []string
	for p, err := range a.o.Ledger.People() {
		if err != nil {
			a.log.Error("the register can't be read", "err", err)
			break
		}
		if p.Status == checkout.Active {
			names = append(names, p.Name)
		}
	}
	return names
}

// showTyped shows the line as it is typed, until ctx ends the question.
func (a *attendTask) showTyped(ctx context.Context, v keyboard.View) uint64 {
	m := panel.Message{Key: "type-name", Detail: v.Typed, For: keyboard.Silence + grace}
	if v.Offer != "" {
		m.Key, m.Person = "type-name-hint", v.Offer
		if v.Free {
			m.Key = "type-name-tab"
		}
	}
	a.line.Lock()
	defer a.line.Unlock()
	if ctx.Err() != nil {
		return 0
	}
	a.line.message, a.line.until = m, a.now()+m.For
	return a.o.Panel.Show(m)
}

// typed enrols whoever typed a name, and lets their tap go on.
func (a *attendTask) typed(read wiegand.Read, tag checkout.Tag, answer keyboard.Answer, err error) {
	a.typing = nil
	if err != nil {
		a.show(panel.Message{Key: "cancelled"})
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), enrolTime)
	defer cancel()
	rec, err := a.o.Directory.Enrol(ctx, directory.EnrolRequest{
		Kind: directory.Person, Who: answer.Name, Tag: tag, Actor: answer.Name,
		Source: checkout.SourceKeyboard, Policy: a.o.EnrolPeople,
	})
	switch {
	case errors.Is(err, directory.ErrNobody):
		a.show(panel.Message{Key: "name-unknown", Detail: answer.Name})
		return
	case errors.Is(err, ledger.ErrCannotSave):
		a.log.Error("not enrolled", "err", err)
		a.show(panel.Message{Key: "cannot-save"})
		return
	case err != nil:
		a.log.Warn("not enrolled", "err", err)
		a.show(panel.Message{Key: "refused", Detail: enrolProblem(err)})
		return
	}
	a.log.Info("enrolled", "id", rec.ID, "tag", a.mask(tag))
	subject, err := a.o.Ledger.Subject(tag)
	if err != nil || subject.Kind == checkout.Unknown {
		a.show(panel.Message{Key: "enrolled", Person: rec.Name})
		return
	}
	// The tap counts from now: typing took its time.
	a.tap(checkout.Tap{At: max(time.Duration(read.End), a.now()), Reader: a.Name, Subject: subject})
}

// enrolProblem is why somebody was not enrolled, short enough for a display.
func enrolProblem(err error) string {
	switch {
	case errors.Is(err, directory.ErrHasBadge):
		return "has a badge"
	case errors.Is(err, directory.ErrTaken):
		return "tag is taken"
	case errors.Is(err, directory.ErrAmbiguous):
		return "several have it"
	case errors.Is(err, directory.ErrNobody):
		return "nobody by name"
	case errors.Is(err, directory.ErrOffline):
		return "try again later"
	}
	return err.Error()
}
