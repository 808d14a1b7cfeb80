package main

import (
	"regexp"
	"slices"
	"strings"
)

// message tells a new text on the display from one that only moves: a long name
// scrolls or starts again, and the clock advances.
type message struct{ first, last []string }

// changed takes the rows that the display shows now, and reports whether they
// are a new text.
func (m *message) changed(rows []string) bool {
	if len(rows) == 0 {
		return false
	}
	now := make([]string, len(rows))
	for i, row := range rows {
		now[i] = clock.ReplaceAllString(row, "")
	}
	if len(now) == len(m.last) {
		moved := true
		for i, row := range now {
			moved = moved && (row == m.last[i] || row == m.first[i] || scrolled(m.last[i], row))
		}
		if moved {
			m.last = now
			return false
		}
	}
	m.first, m.last = now, now
	return true
}

var clock = regexp.MustCompile(` [0-2][0-9]:[0-5][0-9]$`)

// scrolled reports whether b is a, moved by one to four letters: a look now and
// then misses some steps. A row that begins with blanks does not scroll.
func scrolled(a, b string) bool {
	from, to := []rune(a), []rune(b)
	for n := 1; n <= 4 && n < len(from) && len(from) == len(to); n++ {
		if slices.Equal(from[n:], to[:len(to)-n]) && strings.TrimSpace(string(to[:len(to)-n])) != "" {
			return true
		}
	}
	return false
}
