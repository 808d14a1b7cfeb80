package station

import (
	"context"
	"errors"
	"sync"
	"time"

	"stump/checkout"
	"stump/directory"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/wiegand"
)

// naming is the open question for the name of an unknown badge's owner. The
// keyboard's goroutine shows what is typed.
type naming struct {
	a      *attendant
	cancel context.CancelFunc
	over   string // whose turn the badge has ended

	mu      sync.Mutex
	ended   bool // nothing is shown any more
	message panel.Message
	until   time.Duration
}

// mayType reports whether the owner of an unknown badge can be asked for a name.
func (a *attendant) mayType() bool {
	return a.o.Keyboard != nil && a.mayEnrol() && len(a.o.Keyboard.Plugged()) > 0
}

// mayEnrol reports whether people may be enrolled at the station.
func (a *attendant) mayEnrol() bool { return a.o.EnrolPeople != directory.EnrolOff }

// askName asks the owner of an unknown badge, which has ended somebody's turn, to
// type a name. A known tag ends the question.
func (a *attendant) askName(read wiegand.Read, tag checkout.Tag, over string) answer {
	a.stopNaming()
	ctx, cancel := context.WithCancel(a.ctx)
	n := &naming{a: a, cancel: cancel, over: over}
	a.naming = n
	shown := n.show(keyboard.View{})
	go func() {
		defer cancel()
		name, err := a.o.Keyboard.Ask(ctx, keyboard.Question{
			Names: a.names, Free: a.o.EnrolPeople == directory.EnrolFree,
			Show: func(v keyboard.View) { n.show(v) },
		})
		a.post(func() {
			if a.naming == n {
				a.naming = nil
				a.typed(read, tag, name, err)
			}
		})
	}()
	return answer{shown: shown}
}

// stopNaming ends the question for a name or a number, if one is open: no letter
// is shown after it.
func (a *attendant) stopNaming() {
	a.number = nil
	n := a.naming
	if n == nil {
		return
	}
	n.mu.Lock()
	n.ended = true
	n.mu.Unlock()
	n.cancel()
	a.naming = nil
}

// show shows the line as it is typed, unless the question has ended.
func (n *naming) show(v keyboard.View) (shown uint64) {
	m := panel.Message{Key: "type-name", Detail: v.Typed, For: keyboard.Silence + grace}
	if v.Offer != "" {
		m.Key, m.Person = "type-name-hint", v.Offer
		if v.Free {
			m.Key = "type-name-tab"
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return 0
	}
	n.message, n.until = m, n.a.now()+m.For
	if v.Typed != "" {
		return n.a.o.Panel.Show(m)
	}
	return n.a.afterEnd(n.over, m)
}

// prompt is the question with what was typed so far.
func (n *naming) prompt() *panel.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.message
	m.For = n.until - n.a.now()
	return &m
}

// names are the people who may be meant.
func (a *attendant) names() []string {
	var names []string
	for p, err := range a.o.Ledger.People(books.Page{}) {
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

// typed takes the answer to the question for a name.
func (a *attendant) typed(read wiegand.Read, tag checkout.Tag, name string, err error) {
	if err != nil {
		a.show(panel.Message{Key: "cancelled"})
		return
	}
	a.enrolTyped(read, tag, name, checkout.SourceKeyboard)
}

// enrolTyped gives a badge to whoever typed a name or an id; then their tap
// counts.
func (a *attendant) enrolTyped(read wiegand.Read, tag checkout.Tag, who string, source checkout.Source) {
	a.give(directory.EnrolRequest{
		Kind: checkout.KindPerson, Who: who, Tag: tag, Actor: who, Source: source,
	}, func(rec books.SyncRow, err error, alone bool) {
		switch {
		case !alone:
			return
		case errors.Is(err, call.ErrNobody):
			a.show(panel.Message{Key: "name-unknown", Detail: who})
			return
		case err != nil:
			a.trace(checkout.Refusal{Tag: tag, Reason: "not enrolled, " + enrolProblem(err)})
			a.show(enrolled(rec, err))
			return
		}
		subject, err := a.o.Ledger.Subject(tag)
		if err != nil || subject.Kind == checkout.Unknown {
			a.show(panel.Message{Key: "enrolled", Person: rec.Name})
			return
		}
		// The tap counts from now, because typing took its time, and although
		// the badge may still lie on the reader.
		a.desk.Forget(tag)
		a.tap(max(time.Duration(read.End), a.now()), subject)
	})
}
