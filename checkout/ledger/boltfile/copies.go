package boltfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Snapshot is a consistent copy of the file at path in a file without a name, which is gone
// when it is closed: whoever reads a backup may be slow, and a transaction that makes the file
// grow waits for every reader. It is nil where a copy beside the file can't be made. progress
// may be nil; it gets the bytes that are copied, and how many there are.
func Snapshot(ctx context.Context, path string, progress func(done, total uint64), copyOut func(io.Writer) error) (*os.File, error) {
	if Room(path, path) != nil {
		return nil, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".copy-")
	if err != nil {
		return nil, nil
	}
	to := &Copying{Context: ctx, File: f, Progress: progress}
	if err = os.Remove(f.Name()); err == nil {
		err = copyOut(to)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		return f, nil
	}
	f.Close()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case to.Full:
		return nil, nil
	}
	return nil, fmt.Errorf("backup: %w", err)
}

// ErrNotChecked is a check that came to no end: it says nothing of the file.
var ErrNotChecked = errors.New("the check came to no end")

// CheckCopy has bbolt's own check run over a copy of the file at path, which copyTo makes; over
// the file itself if that is nil. It returns what is said of that, and what the check found.
func CheckCopy(ctx context.Context, path string, copyTo, check func(ctx context.Context, path string) error) (said string, fault, err error) {
	if copyTo != nil {
		from := path
		path += ".check"
		defer os.Remove(path)
		if err := Room(from, path); err != nil {
			return "not made: " + err.Error(), nil, nil
		}
		if err := copyTo(ctx, path); ctx.Err() != nil {
			return "not made", nil, ctx.Err()
		} else if err != nil {
			return "not made: " + err.Error(), nil, nil
		}
	}
	fault = check(ctx, path)
	switch {
	case ctx.Err() != nil:
		return "not made", nil, ctx.Err()
	case fault == nil:
		return "passed", nil, nil
	case errors.Is(fault, ErrNotChecked):
		return "not made: " + fault.Error(), nil, nil
	}
	return "failed", fault, nil
}
