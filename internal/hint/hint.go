// Package hint gives errors a hint: what to do about them. Every error that a
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

// hinted is an error with a hint.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }
func (e *hinted) Hint() string  { return e.hint }

// Errorf returns an error as fmt.Errorf does (%w included), with a hint.
func Errorf(hint, format string, args ...any) error {
	return &hinted{fmt.Errorf(format, args...), hint}
}

// Wrap adds a hint to err; nil stays nil.
func Wrap(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &hinted{err, hint}
}

// Of returns the hint of err or of the first error below it that has one, or "".
// Other packages' errors have a hint if they have a method Hint.
func Of(err error) string {
	for err != nil {
		switch e := err.(type) {
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

// Nearest returns the candidate that is the fewest edits away from word, or "" if
// none is near enough.
func Nearest(word string, candidates []string) string {
	best, bestDist := "", max(2, len(word)*2/5)+1
	for _, c := range candidates {
		// With every letter changed it would be another word.
		if d := distance(word, c); d < bestDist && d < len(word) {
			best, bestDist = c, d
		}
	}
	return best
}

// IsSlip reports whether word is probably a typing mistake for name: at most one
// edit for every five letters. It is stricter than Nearest because many names
// differ little: case doesn't count, but a Pixel 8 is not a Pixel 9, and Dia is
// not Mia.
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

// distance counts the letters that are wrong, missing, superfluous or swapped
// with the next one: the optimal string alignment distance.
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
