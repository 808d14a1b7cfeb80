package config

import (
	"errors"
	"fmt"
	"slices"
)

// fault is what is wrong in one place of the file.
type fault struct {
	file, key string // the key may be ""
	line      int    // 0 if the file has no such place
	what      string
	remedy    string
}

func (f *fault) Error() string {
	text := f.file + ": "
	if f.line > 0 {
		text = fmt.Sprintf("%s:%d: ", f.file, f.line)
	}
	if f.key != "" {
		text += f.key + ": "
	}
	return text + f.what
}

// Hint says what to do.
func (f *fault) Hint() string { return f.remedy }

// fault returns the error for the value of key. Elements of arrays of tables
// are counted from 0: "webhook[0].url".
func (c *Config) fault(key, remedy, format string, args ...any) error {
	return &fault{c.path, printable(key), c.line(key), fmt.Sprintf(format, args...), remedy}
}

// bad notes that the value of key can't be used.
func (c *Config) bad(key, remedy, format string, args ...any) {
	c.faults = append(c.faults, c.fault(key, remedy, format, args...))
}

// Faults are all that is wrong with a file, in the order of its lines.
type Faults []error

func (f Faults) Error() string { return errors.Join(f...).Error() }

// Unwrap returns the single errors. Each has its own hint.
func (f Faults) Unwrap() []error { return f }

// Join makes one error of several: nil, the only one, or Faults.
func Join(errs ...error) error {
	var all Faults
	for _, err := range errs {
		if several := Faults(nil); errors.As(err, &several) {
			all = append(all, several...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	line := func(err error) int {
		if f := (*fault)(nil); errors.As(err, &f) {
			return f.line
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b error) int { return line(a) - line(b) })
	return all
}
