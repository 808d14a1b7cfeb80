// Package hint joins an error with what to do about it. Every error that a
// person sees is printed in two lines:
//
//	stump: what is wrong
//	what to do
package hint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error is an error and the remedy for it.
type Error struct {
	Err  error
	Hint string
}

// Errorf returns an error that says what is wrong, in the manner of
// fmt.Errorf (%w included), and carries hint.
func Errorf(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Hint: hint}
}

// Wrap adds a hint to err; nil stays nil.
func Wrap(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Error{Err: err, Hint: hint}
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Of returns the hint of err or of the first error below it that has one, "" if
// there is none. Error types of other packages that know the remedy have a
// method Hint.
func Of(err error) string {
	for err != nil {
		switch e := err.(type) {
		case *Error:
			return e.Hint
		case interface{ Hint() string }:
			return e.Hint()
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				if h := Of(err); h != "" {
					return h
				}
			}
			return ""
		}
		err = errors.Unwrap(err)
	}
	return ""
}

// Nearest returns the candidate that takes the fewest edits to reach from
// word, "" when none is near enough to be meant.
func Nearest(word string, candidates []string) string {
	best, bestDist := "", max(2, len(word)*2/5)+1
	for _, c := range candidates {
		// With every letter changed it is another word.
		if d := distance(word, c); d < bestDist && d < len(word) {
			best, bestDist = c, d
		}
	}
	return best
}

// IsSlip reports whether word was probably meant to be name: a slip in five
// letters. It is for names, of which many are like another: capitals don't
// count, but a Pixel 8 is no Pixel 9, and a Dia is no Mia.
func IsSlip(word, name string) bool {
	word, name = strings.ToLower(word), strings.ToLower(name)
	digits := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return r
			}
			return -1
		}, s)
	}
	return digits(word) == digits(name) && distance(word, name) <= utf8.RuneCountInString(name)/5
}

// distance counts the letters that are wrong, missing, too many or exchanged
// with the next: the optimal string alignment distance.
func distance(from, to string) int {
	a, b := []rune(from), []rune(to)
	row := func(n int) []int { return slices.Repeat([]int{n}, len(b)+1) }
	before, last, now := row(0), row(0), row(0)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		now[0] = i + 1
		for j := range b {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			now[j+1] = min(change, last[j+1]+1, now[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
