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
	cmd := command("backup FILE", "Copy the ledger, while the daemon runs", func(cmd *cobra.Command, args []string) error {
		file := args[0]
		if st, err := os.Stat(file); err == nil && st.IsDir() {
			return hint.Errorf("name a file in it", "backup: %s is a folder", file)
		}
		if _, err := os.Lstat(file); err == nil && !force {
			return hint.Errorf("name another file, or replace this one with --force", "backup: %s is there already", file)
		}
		ctx, stop := untilSignal(cmd.Context()) // no half file is left behind
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
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", file, count.Of(n, "byte"))
		return err
	})
	cmd.Long = `Copy the ledger to FILE, consistent while taps go on. A file that is there is kept,
unless --force is given. The site key is not in the copy: keep site.key, which rarely
changes, apart from it.`
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	return cmd
}

// copyLedger returns a copy of the ledger, and a func that ends the copying.
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

// copyLedgerCommand is the hidden command that copyApart runs.
const copyLedgerCommand = "copy-ledger"

func copyLedgerCmd(g *globals) *cobra.Command {
	cmd := command(copyLedgerCommand, "", func(cmd *cobra.Command, _ []string) error {
		copied, done, err := g.copyLedger(cmd.Context())
		if err != nil {
			return err
		}
		defer done()
		_, err = io.Copy(cmd.OutOrStdout(), copied)
		return err
	})
	cmd.Hidden = true
	return cmd
}

// copyApart is copyLedger in another process, which becomes the ledger's owner while
// this one becomes the owner of the copy.
func (g *globals) copyApart(ctx context.Context, stderr io.Writer) (io.Reader, func(), error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	args := []string{copyLedgerCommand, "--state", g.stateDir()}
	if g.config != "" {
		args = append(args, "--config", g.config)
	}
	out, in := io.Pipe()
	cmd := exec.Command(exe, args...)
	cmd.Args[0], cmd.Stdout, cmd.Stderr = os.Args[0], in, stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	go func() {
		err := cmd.Wait()
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = statusError(1) // it has said why
		}
		in.CloseWithError(err)
	}()
	// The process may belong to another user by then, and not be ours to kill: it ends
	// when it can't write.
	context.AfterFunc(ctx, func() { out.CloseWithError(context.Cause(ctx)) })
	return out, func() { out.Close() }, nil
}

// writeWhole writes r to a new file that appears whole or not at all.
func writeWhole(path string, r io.Reader) (int64, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".stump-backup-")
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			pe.Path = path // the user knows only this name
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
