package gpio

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// lineError is a line that could not be acquired, with what to do about it. The
// errno is kept: errors.Is(err, syscall.EBUSY) holds.
type lineError struct {
	op   string // "request", "open"
	line string // which line or chip, in every notation
	err  error
	hint string
}

func (e *lineError) Error() string { return fmt.Sprintf("gpio: %s %s: %v", e.op, e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }
func (e *lineError) Hint() string  { return e.hint }

// fail makes a lineError whose hint is the usual one for the errno.
func fail(op, line string, err error) *lineError { return &lineError{op, line, err, Hint(err)} }

// Hint says what a person can do about a failure of lines, or "" when there is
// nothing better than the error itself.
func Hint(err error) string {
	var e *lineError
	var errno syscall.Errno
	switch {
	case errors.As(err, &e):
		return e.hint
	case errors.Is(err, ErrClosed):
		return ""
	case errors.Is(err, fs.ErrPermission):
		return "let this user use /dev/gpiochip*: install the package's udev rule and add the user to the group gpio"
	case errors.Is(err, fs.ErrNotExist):
		return "no such GPIO chip: is its driver loaded? At boot it may still come; `stump config check --board` lists what is there"
	case errors.As(err, &errno):
		return hints[errno]
	}
	return ""
}

var hints = map[syscall.Errno]string{
	syscall.EBUSY:  "another program, or the kernel, uses this line: stop it, or choose another line",
	syscall.ENODEV: "the chip has vanished: a driver was unloaded or a USB adapter unplugged; it is used again when it returns",
	syscall.ENXIO:  "this line makes no interrupts, or the pin is wired to another function inside the board",
	syscall.EINVAL: "the kernel refuses this request: it must be Linux 5.10 or later, and the line must exist on the chip",
	syscall.ENOTTY: "this is not a GPIO chip that Linux 5.10 or later would offer",
	syscall.EMFILE: "too many open files in this process",
	syscall.EIO:    "the chip does not answer",
}
