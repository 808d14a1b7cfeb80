package directory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/count"
)

// loans remembers what the directory said of who has what.
type loans struct {
	mu sync.Mutex
	// apart is where its word and the ledger don't agree, by its key of the device, and
	// many where it is not believed since there are so many.
	apart map[string]books.Word
	many  map[string]bool
	// mark is how far its changes are known, settled its last words that need no second
	// look while nothing happens here.
	mark    string
	settled map[string]books.Seen
	moment  ledger.Moment // of settled
	failure error         // of the last question for changes
	since   time.Time     // first failure in a row
	fails   int
}

// takeOver compares who has what by the directory's word with the ledger, and commits
// what is news there, if it is to be believed; nil: it is.
func (w *Worker) takeOver(m ledger.Moment, seen []books.Seen, believe func(returns, loans int) bool) error {
	if len(seen) == 0 {
		return nil
	}
	w.loans.hear(m, seen)
	taken := false
	err := w.ledger.TakeOver(m, seen, Main, believe, func(word books.Word) {
		if w.loans.heard(word); word.Why == books.Taken {
			taken = true
			w.log.Info("taken over from the directory", "device", word.DeviceID)
		}
	})
	if taken {
		w.moved()
	}
	if err != nil {
		return fmt.Errorf("writing the loans: %w", err)
	}
	return nil
}

// mostSettled is how many words are remembered. It is for changes, a page or two.
const mostSettled = 500

// mostApart is how many words that were not taken are remembered: of more, those are
// enough to find out what is wrong.
const mostApart = 200

// hear begins to keep what becomes of the directory's words.
func (l *loans) hear(m ledger.Moment, seen []books.Seen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.apart == nil {
		l.apart, l.many = map[string]books.Word{}, map[string]bool{}
	}
	l.settled, l.moment = map[string]books.Seen{}, m
	for _, s := range seen {
		delete(l.apart, s.Device)
		delete(l.many, s.Device)
		if len(seen) <= mostSettled {
			l.settled[s.Device] = s
		}
	}
}

// heard keeps a word that doesn't agree.
func (l *loans) heard(word books.Word) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch word.Why {
	case books.Taken:
	case books.Busy: // its event tells, or waits for a person
		delete(l.settled, word.Device)
	case books.Many:
		l.many[word.Device] = true
	default:
		if len(l.apart) < mostApart {
			l.apart[word.Device] = word
		}
	}
}

// notes are the words that were not taken, for people.
func (l *loans) notes() (notes []string) {
	l.mu.Lock()
	words := slices.Collect(maps.Values(l.apart))
	sort.Slice(words, func(i, j int) bool {
		a, b := words[i], words[j]
		return a.DeviceName < b.DeviceName || a.DeviceName == b.DeviceName && a.DeviceID < b.DeviceID
	})
	many := len(l.many)
	l.mu.Unlock()
	var away []string
	for _, word := range words {
		switch {
		case word.Why == books.Elsewhere && word.HolderName == "":
			away = append(away, fmt.Sprintf("%s (%s)", word.DeviceName, word.Elsewhere))
		default:
			notes = append(notes, apartWords(word))
		}
	}
	if many > 0 {
		notes = append(notes, count.Of(many, "device")+" are out here and free in the directory, which is not believed: none is returned without: stump sync pull --force")
	}
	if n := len(away); n > 0 {
		const most = 5
		text := strings.Join(away[:min(n, most)], ", ")
		if n > most {
			text += fmt.Sprintf(" and %d more", n-most)
		}
		notes = append(notes, "free here, but not in the directory: "+text)
	}
	return notes
}

// apartWords says where the directory and the ledger don't agree about a device.
func apartWords(word books.Word) string {
	here, there := cmp.Or(word.HolderName, "nobody"), cmp.Or(word.Name, "nobody")
	switch word.Why {
	case books.Untold:
		return fmt.Sprintf("here %s has %s, by the directory %s, which was not told: bump it, or: stump return %s --note WHY", here, word.DeviceName, there, word.DeviceID)
	case books.Stranger:
		return fmt.Sprintf("by the directory %s has %s, who is not in the register; here %s", there, word.DeviceName, here)
	case books.Retired:
		return fmt.Sprintf("by the directory %s has %s, and one of them is no longer in use here", there, word.DeviceName)
	}
	return fmt.Sprintf("here %s has %s, by the directory it is with %s", here, word.DeviceName, word.Elsewhere)
}
