package station

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/directory"
	"stump/internal/books"
	"stump/internal/keyboard"
	"stump/wiegand"
)

// typist is a keyboard on which the test types.
type typist struct {
	names   chan string // what is typed; "" is Escape
	given   []string    // the names that were offered
	show    func(keyboard.View)
	dropped chan struct{}
}

func (k *typist) Plugged() []string { return []string{"test keyboard"} }

func (k *typist) Ask(ctx context.Context, q keyboard.Question) (string, error) {
	k.given, k.show = q.Names(), q.Show
	q.Show(keyboard.View{})
	select {
	case name := <-k.names:
		if name == "" {
			return "", keyboard.ErrCancelled
		}
		q.Show(keyboard.View{Typed: name})
		return name, nil
	case <-ctx.Done():
		k.dropped <- struct{}{}
		return "", ctx.Err()
	}
}

func withKeyboard(k *typist, policy directory.EnrolPolicy) func(*Options, *ReaderOptions) {
	return func(o *Options, r *ReaderOptions) {
		o.Keyboard, o.EnrolPeople = k, policy
		r.Badge = &wiegand.Range{Facilities: []uint64{18}}
	}
}

func newTypist() *typist {
	return &typist{names: make(chan string), dropped: make(chan struct{}, 1)}
}

func TestTypedNameTakesTheDevice(t *testing.T) {
	var k *typist
	inLab(t, func(o *Options, r *ReaderOptions) {
		k = newTypist()
		withKeyboard(k, directory.EnrolKnown)(o, r)
	}, func(l *lab) {
		must(t, l.ledger.AddPerson(books.Person{ID: "fay", Name: "FAY"}, checkout.Tag{}, "test", checkout.SourceCLI))
		retired := checkout.Retired
		must(t, l.ledger.EditPerson("eve", books.Edit{Status: &retired}, "test", checkout.SourceCLI))
		l.wants("H10301:18:5", "Type your name")
		time.Sleep(5 * time.Second)
		k.names <- "FAY"
		if got := l.display(); !strings.Contains(got, "Hello FAY") {
			t.Errorf("the display says %q", got)
		}
		if strings.Join(k.given, " ") != "ANN BEN FAY" {
			t.Errorf("offered were %v", k.given)
		}
		l.wants("ipad", "Checked out")
		l.holds("ipad", "fay")
		time.Sleep(2 * time.Second)
		l.wants("H10301:18:5", "Hello FAY")
	})
}

func TestTypedNameThatIsNoAnswer(t *testing.T) {
	var k *typist
	inLab(t, func(o *Options, r *ReaderOptions) {
		k = newTypist()
		withKeyboard(k, directory.EnrolKnown)(o, r)
	}, func(l *lab) {
		for name, want := range map[string]string{"ZOE": "No such person ZOE", "": "Cancelled", "BEN": "Not possible"} {
			time.Sleep(5 * time.Second)
			l.wants("H10301:18:5", "Type your name")
			k.names <- name
			if got := l.display(); !strings.Contains(got, want) {
				t.Errorf("after %q the display says %q, want %q", name, got, want)
			}
		}
		// Nobody got the badge.
		time.Sleep(5 * time.Second)
		l.wants("H10301:18:5", "Type your name")

		// A known tag ends the question.
		l.wants("ann", "Hello ANN")
		synctest.Wait()
		<-k.dropped
		l.wants("ipad", "Checked out")
		l.holds("ipad", "ann")
	})
}

// What disturbs nothing that waits does not end a question either: the line
// that is typed comes back, as long as the keyboard listens.
func TestQuestionComesBack(t *testing.T) {
	var k *typist
	inLab(t, func(o *Options, r *ReaderOptions) {
		k = newTypist()
		withKeyboard(k, directory.EnrolFree)(o, r)
	}, func(l *lab) {
		l.wants("ipad", "IPAD Tap your badge")
		l.wants("H10301:18:5", "Another badge Again: IPAD")
		time.Sleep(4 * time.Second)
		if got := l.display(); !strings.Contains(got, "Type your name") {
			t.Errorf("the display says %q", got)
		}
		k.show(keyboard.View{Typed: "ZO", Offer: "ZOLA", Free: true})
		for after, card := range map[string]string{"Bad tag read": "bits:11111111111111", "Unknown tag": "H10301:99:99"} {
			l.wants(card, after)
			time.Sleep(9 * time.Second)
			if got := l.display(); !strings.Contains(got, "Tab: ZOLA ZO_") {
				t.Errorf("after %q the display says %q", after, got)
			}
		}
		l.wants("ann", "Hello ANN")
		<-k.dropped
		k.show(keyboard.View{Typed: "ZOE"}) // a letter that was on its way
		if got := l.display(); !strings.Contains(got, "Hello ANN") {
			t.Errorf("the display says %q", got)
		}
	})
}

func TestNobodyTypesWhereItIsOff(t *testing.T) {
	inLab(t, withKeyboard(newTypist(), directory.EnrolOff), func(l *lab) {
		l.wants("H10301:18:5", "Unknown badge")
	})
}
