package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// CheckFileCommand is the hidden command with which this program checks a
// ledger's file in a process of its own.
const CheckFileCommand = "check-file"

// CheckInChild runs bbolt's own check in a child of this program: on a damaged
// file it panics in goroutines of its own, where nobody can catch it.
func CheckInChild(ctx context.Context, path string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe, CheckFileCommand, path)
	cmd.Args[0] = os.Args[0]
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if first, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n")); len(first) > 0 {
		return errors.New(string(bytes.TrimPrefix(first, []byte("stump: "))))
	}
	return fmt.Errorf("check: %w", err)
}
