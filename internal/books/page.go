package books

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"stump/lcd"
)

// Page is the part of a list that is wanted. The zero Page is the whole list.
type Page struct {
	// After is the Key of the row before the first one; empty to begin with the list.
	After string
	// Limit is how many rows there are at most; 0 for no limit.
	Limit int
	// Find keeps rows with a name or id that it is a part of, see [Fold].
	Find string
	// Repair keeps of devices those that are damaged or incomplete, by what was said of
	// them last, and those that are out of service.
	Repair bool
}

// Finds reports whether a row with these names and ids is wanted.
func (p Page) Finds(texts ...string) bool {
	if p.Find == "" {
		return true
	}
	plain, folded := lower(p.Find), Fold(p.Find)
	return slices.ContainsFunc(texts, func(s string) bool {
		return strings.Contains(lower(s), plain) || folded != "" && strings.Contains(Fold(s), folded)
	})
}

// Fold is a text in the letters of the plainest display, all small: "muller" for
// "Müller". It is empty if a letter has no likeness there.
func Fold(s string) string {
	letters := lcd.ASCII.Fold(s)
	if slices.Contains(letters, '?') {
		return ""
	}
	return strings.ToLower(string(letters))
}

// lower is s in small letters. macOS writes letters and their accents apart.
func lower(s string) string { return strings.ToLower(norm.NFC.String(s)) }

// Key is the loan's place in the list of loans.
func (l Loan) Key() string { return l.key }

// At returns the loan with its place in the list, the key of the device's row.
func (l Loan) At(key string) Loan {
	l.key = key
	return l
}

// Key is the person's place in the list of people.
func (p Person) Key() string { return p.ID }

// Key is the device's place in the list of devices.
func (d Device) Key() string { return d.ID }

// Key is the tag's place in the list of unknown tags.
func (t SeenTag) Key() string { return t.ID }

// Key is the event's place in the history: its chain, a colon and its number. It lasts
// as long as the event.
func (e Entry) Key() string { return fmt.Sprintf("%s:%d", e.Chain, e.Seq) }

// CursorError says that a place is not one of the history.
type CursorError struct{ Key string }

func (e *CursorError) Error() string {
	return fmt.Sprintf("%q is no place in this history", e.Key)
}

// Hint says what to do.
func (e *CursorError) Hint() string {
	return "write the chain and the number of an event, as CHAIN:SEQ; without after, it begins with the first event"
}

// ParsePlace reads the Key of an entry: the chain as it is written, and the number.
func ParsePlace(key string) (chain string, seq uint64, err error) {
	chain, number, ok := strings.Cut(key, ":")
	seq, err = strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return "", 0, &CursorError{key}
	}
	return chain, seq, nil
}

// UnfinishedError ends a page of the history before it is full: so many events were
// searched that the rest is another question, after Key.
type UnfinishedError struct{ Key string }

func (e *UnfinishedError) Error() string { return "searched as far as " + e.Key }
