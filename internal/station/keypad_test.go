package station

import (
	"context"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory"
	"stump/internal/books"
	"stump/internal/keyboard"
	"stump/wiegand"
)

// withKeypad is a reader with keys that enrol, in a lab with a badge rule.
func withKeypad(policy directory.EnrolPolicy) func(*Options, *ReaderOptions) {
	return func(o *Options, r *ReaderOptions) {
		o.EnrolPeople = policy
		r.Decoder.Keypad, r.KeypadEnrols = "4bit", true
		r.Badge, r.Device = &wiegand.Range{Facilities: []uint64{18}}, &wiegand.Range{Facilities: []uint64{200}}
	}
}

// press presses keys of the reader's keypad, and returns what the display says.
func (l *lab) press(keys string) string {
	l.t.Helper()
	for i := range len(keys) {
		bits, err := wiegand.KeyBits(keys[i], "4bit")
		must(l.t, err)
		at := l.now()
		l.sim.Present(bits)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		err = l.reader.Answered(ctx, at)
		cancel()
		if err != nil {
			l.t.Fatalf("key %c: %v", keys[i], err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	must(l.t, l.reader.Settled(ctx))
	return l.display()
}

// after presses keys and wants the display to say something.
func (l *lab) after(keys, text string) {
	l.t.Helper()
	if got := l.press(keys); !strings.Contains(got, text) {
		l.t.Fatalf("after %s the display says %q, want %q", keys, got, text)
	}
}

const stranger = "H10301:18:5"

// The owner of an unknown badge types their number, and takes the device that
// waits.
func TestKeypadEnrols(t *testing.T) {
	inLab(t, withKeypad(directory.EnrolKnown), func(l *lab) {
		must(t, l.ledger.AddPerson(books.Person{ID: "4711", Name: "GUS"}, checkout.Tag{}, "test", checkout.SourceCLI))
		retired := checkout.Retired
		must(t, l.ledger.AddPerson(books.Person{ID: "4712", Name: "HAL"}, checkout.Tag{}, "test", checkout.SourceCLI))
		must(t, l.ledger.EditPerson("4712", books.Edit{Status: &retired}, "test", checkout.SourceCLI))

		// Without a question a key is nothing.
		before := l.display()
		if got := l.press("4711#"); got != before {
			t.Errorf("keys without a question show %q", got)
		}
		l.wants(stranger, "Number, then #: _")
		l.after("#", "Number, then #: _") // nothing to confirm
		l.after("47", "47_")
		l.after("*", "Number, then #: _")
		l.after("*", "Cancelled")
		time.Sleep(10 * time.Second)

		l.wants(stranger, "Number, then #")
		l.after("99#", "No such person 99")
		time.Sleep(10 * time.Second)
		l.wants(stranger, "Number, then #")
		l.after("4712#", "No such person 4712") // no longer there
		time.Sleep(10 * time.Second)
		l.wants(stranger, "Number, then #")
		l.after("4711#", "Hello GUS")
		l.wants("ipad", "Checked out")
		l.holds("ipad", "4711")
		// A second badge doesn't take theirs.
		time.Sleep(10 * time.Second)
		l.wants("H10301:18:6", "Number, then #")
		l.after("4711#", "has a badge")
	})
}

// A known tag, silence and a self-test end the question; a device's tag has none.
func TestKeypadQuestionEnds(t *testing.T) {
	inLab(t, withKeypad(directory.EnrolFree), func(l *lab) {
		must(t, l.ledger.AddPerson(books.Person{ID: "4711", Name: "GUS"}, checkout.Tag{}, "test", checkout.SourceCLI))
		l.wants(stranger, "Number, then #")
		l.wants("ann", "Hello ANN")
		l.after("4711#", "Hello ANN")
		time.Sleep(2 * time.Minute)

		l.wants(stranger, "Number, then #")
		l.after("47", "47_")
		time.Sleep(keyboard.Silence - time.Second)
		l.after("1", "471_") // each key gives more time
		time.Sleep(keyboard.Silence + 2*grace)
		if got := l.display(); !strings.Contains(got, "Cancelled") {
			t.Errorf("after silence the display says %q", got)
		}
		time.Sleep(2 * time.Minute)
		before := l.display()
		l.after("1#", before)

		l.wants("H10301:200:9", "Unknown device")
		time.Sleep(time.Minute)
		before = l.display()
		l.after("4711#", before)

		// Whoever may type anything on a keyboard makes nobody on a keypad.
		l.wants(stranger, "Number, then #")
		l.after("4713#", "No such person")
		l.wants("H10301:18:7", "Number, then #")
		if got := l.press(strings.Repeat("1", 30)); !strings.Contains(got, strings.Repeat("1", 19)) || strings.Contains(got, strings.Repeat("1", 21)) {
			t.Errorf("after many keys the display says %q", got)
		}
	})
}

// Without rules every unknown tag may be a badge: its number shows until a key
// comes. With rules that do not know it, and where only an admin enrols, keys are
// nothing.
func TestKeypadWithoutRules(t *testing.T) {
	for name, tt := range map[string]struct {
		policy directory.EnrolPolicy
		rules  bool
		want   string
	}{
		"no rules": {directory.EnrolKnown, false, "Hello GUS"}, "rules": {directory.EnrolKnown, true, "Unknown tag"}, "off": {directory.EnrolOff, false, "Unknown tag"},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(o *Options, r *ReaderOptions) {
				withKeypad(tt.policy)(o, r)
				if !tt.rules {
					r.Badge, r.Device = nil, nil
				}
			}, func(l *lab) {
				must(t, l.ledger.AddPerson(books.Person{ID: "4711", Name: "GUS"}, checkout.Tag{}, "test", checkout.SourceCLI))
				l.wants("H10301:99:4711", "Unknown tag H10301:99:4711")
				l.after("4711#", tt.want)
			})
		})
	}
}
