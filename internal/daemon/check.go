package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"stump/checkout/ledger"
)

// CheckFileCommand is the hidden command with which this program checks a
// ledger's file in a process of its own.
const CheckFileCommand = "check-file"

// CheckInChild runs bbolt's own check in a child of this program: on a damaged
// file it panics in goroutines of its own, where nothing can recover it. Errors:
// ledger.ErrNotChecked when the child could not run, or was killed; else what
// the check says of the file.
func CheckInChild(ctx context.Context, path string) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrNotChecked, err)
	}
	cmd := exec.CommandContext(ctx, exe, CheckFileCommand, path)
	cmd.Args[0] = os.Args[0]
	// If root became another user, that user may control the child, so it must not
	// have root's terminal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.Output()
	if err == nil {
		return nil
	}
	var ended *exec.ExitError
	if !errors.As(err, &ended) || !ended.Exited() {
		return fmt.Errorf("%w: %w", ledger.ErrNotChecked, err) // for want of memory, say
	}
	for _, text := range [][]byte{out, ended.Stderr} { // a panic has only the second
		if first, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n")); len(first) > 0 {
			return errors.New(string(first))
		}
	}
	return fmt.Errorf("check: %w", err)
}
