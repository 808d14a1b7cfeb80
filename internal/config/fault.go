package config

import (
	"errors"
	"fmt"
	"slices"
)

// Fault is what is wrong with a place of the file.
type Fault struct {
	file   string
	line   int    // 0: none
	key    string // as a person writes it; "" where it is part of what
	what   string
	remedy string
}

func (f *Fault) Error() string {
	where := f.file
	if f.line > 0 {
		where = fmt.Sprintf("%s:%d", f.file, f.line)
	}
	if f.key == "" {
		return where + ": " + f.what
	}
	return where + ": " + f.key + ": " + f.what
}

// Hint says what to do.
func (f *Fault) Hint() string { return f.remedy }

// Faults are all that is wrong with a file, in the order of its lines.
type Faults []error

func (f Faults) Error() string { return errors.Join(f...).Error() }

// Unwrap returns them, each to be told with its remedy.
func (f Faults) Unwrap() []error { return f }

// Join makes one error of several: nil, the only one, or Faults.
func Join(errs ...error) error {
	var all Faults
	for _, err := range errs {
		var several Faults
		switch {
		case errors.As(err, &several):
			all = append(all, several...)
		case err != nil:
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	slices.SortStableFunc(all, func(a, b error) int { return lineOf(a) - lineOf(b) })
	return all
}

func lineOf(err error) int {
	var f *Fault
	if errors.As(err, &f) {
		return f.line
	}
	return 0
}
