package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"stump/internal/count"
	"stump/internal/hint"
	"stump/internal/owner"
)

func backupCmd(g *globals) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Copy the ledger, while the daemon runs", Args: cobra.ExactArgs(1),
		Long: `Copy the ledger to FILE, consistent while taps go on. A file that is there is kept,
unless --force is given. The site key is not in the copy: keep site.key, which rarely
changes, apart from it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := args[0]
			if st, err := os.Stat(file); err == nil && st.IsDir() {
				return hint.Errorf("name a file in it", "backup: %s is a folder", file)
			}
			if _, err := os.Lstat(file); err == nil && !force {
				return hint.Errorf("name another file, or replace this one with --force", "backup: %s is there already", file)
			}
			ctx, stop := untilSignal(cmd.Context()) // leaves no half a file behind
			defer stop()
			g.writes = file
			copied, done, err := g.copyLedger(ctx)
			if errors.Is(err, errOtherOwner) {
				copied, done, err = g.copyApart(ctx, cmd.ErrOrStderr())
			}
			if err != nil {
				return err
			}
			defer done()
			if err := owner.Become(file); err != nil {
				return err
			}
			n, err := writeWhole(file, copied)
			if err != nil {
				return hint.Wrap(fmt.Errorf("backup: %w", err), "name a file that may be written, on a disk with room")
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", file, count.Of(n, "byte"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	return cmd
}

// copyLedger returns a copy of the ledger as it is read, and what ends that.
func (g *globals) copyLedger(ctx context.Context) (io.Reader, func(), error) {
	c, done, err := g.connect(ctx, mayRead)
	if err != nil {
		return nil, nil, err
	}
	copied, err := c.Stream(ctx, "GET", "backup", nil, nil)
	if err != nil {
		done()
		return nil, nil, err
	}
	return copied, func() { copied.Close(); done() }, nil
}

// copyLedgerCommand is the hidden command with which root has a ledger copied by
// a process that becomes the user whose ledger it is.
const copyLedgerCommand = "copy-ledger"

func copyLedgerCmd(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: copyLedgerCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			copied, done, err := g.copyLedger(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			_, err = io.Copy(cmd.OutOrStdout(), copied)
			return err
		},
	}
}

// copyApart is copyLedger by another process.
func (g *globals) copyApart(ctx context.Context, stderr io.Writer) (io.Reader, func(), error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	args := []string{copyLedgerCommand, "--state", g.stateDir()}
	if g.config != "" {
		args = append(args, "--config", g.config)
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Args[0], cmd.Stderr = os.Args[0], stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, nil, err
	}
	context.AfterFunc(ctx, func() { out.Close() }) // the process may be another user's by then, and not ours to kill
	return &untilExit{out, cmd}, func() { out.Close() }, nil
}

// untilExit reads what a process prints. It ends without an error only if the
// process did.
type untilExit struct {
	io.Reader
	cmd *exec.Cmd
}

func (u *untilExit) Read(b []byte) (int, error) {
	n, err := u.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		var failed *exec.ExitError
		if werr := u.cmd.Wait(); errors.As(werr, &failed) {
			return n, statusError(1) // it has said why
		} else if werr != nil {
			return n, werr
		}
	}
	return n, err
}

// writeWhole writes r to a new file that appears whole or not at all.
func writeWhole(path string, r io.Reader) (int64, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".stump-backup-")
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			pe.Path = path // nobody asked for the other name
		}
		return 0, err
	}
	defer os.Remove(f.Name())
	n, err := io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return n, err
}
