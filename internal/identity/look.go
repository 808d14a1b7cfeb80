package identity

import (
	"slices"
	"strings"
	"time"
)

// Everybody is whom a look at the history of all is at.
const Everybody = "*"

// Look is that somebody looked at what another person has or had. Equal ones are one.
type Look struct {
	At     time.Time `json:"at"` // the last time
	Count  int       `json:"count"`
	Name   string    `json:"name"`      // who looked
	Source string    `json:"source"`    // through what: cli, web, api
	What   string    `json:"what"`      // loans, history, dossier
	Person string    `json:"person_id"` // at whom; Everybody
}

// Key is the look's place in the list.
func (l Look) Key() string { return strings.Join([]string{l.Name, l.Source, l.What, l.Person}, " ") }

// Looked notes a look.
func (s *Store) Looked(l Look) {
	l.At, l.Count = s.o.Now(), 1
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks = note(s.looks, l, func(l *Look) (*time.Time, *int) { return &l.At, &l.Count })
	s.touch()
}

// Looks are the newest looks, the newest first.
func (s *Store) Looks() []Look {
	s.mu.Lock()
	defer s.mu.Unlock()
	return newestFirst(s.looks)
}

// note adds a row to a list, at most maxNoted of the newest. counted are a row's time and
// count: rows that differ in these alone are one.
func note[T comparable](list []T, row T, counted func(*T) (*time.Time, *int)) []T {
	at, n := counted(&row)
	same := slices.IndexFunc(list, func(old T) bool {
		was, count := counted(&old)
		*was, *count = *at, *n
		return old == row
	})
	if same >= 0 {
		_, count := counted(&list[same])
		*n += *count
		list = slices.Delete(list, same, same+1)
	}
	return keepNewest(append(list, row), maxNoted)
}

func newestFirst[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}
