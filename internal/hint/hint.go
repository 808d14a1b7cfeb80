// Package hint joins an error with what to do about it. Every error that a
// person sees is printed in two lines:
//
//	stump: what is wrong
//	what to do
package hint

import (
	"errors"
	"fmt"
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
		if d := distance(word, c); d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(diag+cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
