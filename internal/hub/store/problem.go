package store

import (
	"fmt"

	"stump/internal/lab/wire"
)

// Problem is an error that a station can do something about.
type Problem struct{ Wire wire.Problem }

func (p *Problem) Error() string { return p.Wire.Error }

// Hint says what to do.
func (p *Problem) Hint() string { return p.Wire.Hint }

// problem returns a problem with a code of package wire.
func problem(code, remedy, format string, args ...any) error {
	return &Problem{wire.Problem{Code: code, Error: fmt.Sprintf(format, args...), Hint: remedy}}
}

// behind says that the hub has another part of a chain than its station thinks.
func behind(h wire.Head) error {
	return &Problem{wire.Problem{Code: wire.CodeGap, Error: "the hub has another part of this chain", Hint: "send what comes after the newest event that it has", Head: &h}}
}
