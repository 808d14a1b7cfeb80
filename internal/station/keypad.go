package station

import (
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/wiegand"
)

// maxDigits is the longest number that can be typed on a reader's keypad.
const maxDigits = 20

// numbering is the open question for the number of an unknown badge's owner, which
// they type on the reader's keypad: # confirms, * clears, or ends it if there is
// nothing to clear.
type numbering struct {
	read  wiegand.Read
	tag   checkout.Tag
	typed string
	until time.Duration
	shown bool // the question is on the display, or a key was pressed
}

// mayNumber reports whether the owner of an unknown badge may type their number.
// Without rules for tags, every unknown one may be a badge.
func (a *attendant) mayNumber(kind checkout.SubjectKind) bool {
	return a.r.KeypadEnrols && a.mayEnrol() &&
		(kind == checkout.KindPerson || kind == checkout.Unknown && a.r.Badge == nil && a.r.Device == nil)
}

// askNumber waits for the number of a badge's owner, and asks for it if the
// site's rules say that it is a badge: else its first key begins.
func (a *attendant) askNumber(read wiegand.Read, tag checkout.Tag, ask bool) *numbering {
	a.stopNaming()
	a.number = &numbering{read: read, tag: tag, until: a.now() + keyboard.Silence, shown: ask}
	return a.number
}

// message is the question with what was typed so far.
func (n *numbering) message(now time.Duration) *panel.Message {
	return &panel.Message{Key: "type-number", Detail: n.typed, For: n.until - now + grace}
}

// key takes a key of the reader's keypad. Without a question it is nothing: a key
// is never a card.
func (a *attendant) key(key byte) answer {
	n := a.number
	if n == nil || a.leased() {
		a.log.Debug("key press")
		return answer{}
	}
	n.until, n.shown = a.now()+keyboard.Silence, true
	switch {
	case key == '#' && n.typed != "":
		a.number = nil
		return a.numbered(n)
	case key == '*' && n.typed == "":
		a.number = nil
		return a.show(panel.Message{Key: "cancelled"})
	case key == '*':
		n.typed = ""
	case key != '#' && len(n.typed) < maxDigits:
		n.typed += string(key)
	}
	return answer{shown: a.o.Panel.Show(*n.message(a.now()))}
}

// numbered enrols whoever typed a number: the person with that id in the
// register. A number that nobody has makes nobody, whatever the policy.
func (a *attendant) numbered(n *numbering) answer {
	for p, err := range a.o.Ledger.People(books.Page{}) {
		if err != nil {
			return a.unreadable(err)
		}
		if p.ID == n.typed && p.Status == checkout.Active {
			a.enrolTyped(n.read, n.tag, p.ID, checkout.SourceReader)
			return answer{}
		}
	}
	a.log.Info("nobody has the number that was typed")
	return a.show(panel.Message{Key: "name-unknown", Detail: n.typed})
}

// endNumber gives up waiting for a number.
func (a *attendant) endNumber() {
	shown := a.number.shown
	a.number = nil
	if shown && !a.leased() {
		a.show(panel.Message{Key: "cancelled"})
	}
}
