package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"stump/checkout/ledger"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/config"
	"stump/internal/count"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/owner"
	"stump/internal/safefile"
)

func verifyCmd(g *globals) *cobra.Command {
	var asJSON, seen bool
	cmd := command.New("verify", "Check that the ledger is whole", func(cmd *cobra.Command, _ []string) error {
		if seen {
			return g.Ask(cmd, bookcmd.MayWrite, "POST", "salvage/seen", nil, nil)
		}
		var check wire.Verification
		err := g.Follow(cmd, bookcmd.MayRead, "verifications", nil, &check, progress(cmd.ErrOrStderr()))
		v := check.Report
		switch {
		case err == nil && v == nil:
			return errors.New("the check broke off: no report came")
		case err != nil:
			return err
		case asJSON:
			err = command.PrintJSON(cmd, v)
		default:
			printVerdict(cmd.OutOrStdout(), v)
		}
		if err == nil && !v.OK {
			err = statusError(1)
		}
		return err
	})
	cmd.Long = `Check the ledger against itself: the chain of all events, the loans against a
replay of the events, the outbox against the events, and the file. The exit status
is 0 when everything holds.`
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&seen, "seen", false, "take the notice of a damaged ledger off the display")
	return cmd
}

// progress shows how far a check is, on a terminal only.
func progress(w io.Writer) bookcmd.Seer {
	if !command.IsTerminal(w) {
		return bookcmd.Unseen
	}
	w = command.Raw(w)
	return func(_ context.Context, _ string, e *wire.JobEvent) error {
		var p wire.Progress
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return err
		}
		if p.Total > 0 {
			fmt.Fprintf(w, "\r%3d %% of %s\x1b[K", 100*p.Done/p.Total, count.Of(p.Total, "event"))
		}
		if p.Done == p.Total {
			fmt.Fprint(w, "\r\x1b[K")
		}
		return nil
	}
}

func printVerdict(w io.Writer, v *wire.Verdict) {
	fmt.Fprintln(w, v.Sentence)
	for _, f := range v.Faults {
		fmt.Fprintln(w, "  "+f)
	}
	if v.Hint != nil {
		fmt.Fprintln(w, *v.Hint)
	}
}

// checkFileCmd is the command that daemon.CheckInChild runs. It prints what is wrong
// with the file.
func checkFileCmd() *cobra.Command {
	cmd := command.New(daemon.CheckFileCommand+" FILE", "", func(cmd *cobra.Command, args []string) error {
		if err := ledger.CheckFile(args[0]); err != nil {
			fmt.Fprintln(cmd.OutOrStdout(), err)
			return statusError(1)
		}
		return nil
	})
	cmd.Hidden = true
	return cmd
}

func backupCmd(g *globals) *cobra.Command {
	var force bool
	cmd := command.New("backup FILE", "Copy the ledger, while the daemon runs", func(cmd *cobra.Command, args []string) error {
		file := args[0]
		if st, err := os.Stat(file); err == nil && st.IsDir() {
			return hint.Errorf("name a file in it", "backup: %s is a folder", file)
		} else if err == nil && !st.Mode().IsRegular() {
			return hint.Errorf("name a file, which may be there with --force", "backup: %s is a device or a pipe, which a backup would take the place of", file)
		}
		if _, err := os.Lstat(file); err == nil && !force {
			return hint.Errorf("name another file, or replace this one with --force", "backup: %s is there already", file)
		}
		ctx, stop := command.UntilSignal(cmd.Context()) // no half file is left behind
		defer stop()
		g.writes = file
		copied, err := g.copyLedger(ctx)
		if errors.Is(err, errOtherOwner) {
			copied, err = g.copyApart(ctx, cmd.ErrOrStderr())
		}
		if err != nil {
			return err
		}
		defer copied.Close()
		if err := owner.Become(file); err != nil {
			return err
		}
		n, err := safefile.Copy(file, copied, 0o600)
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

// copyLedger returns a copy of the ledger, which is gone at the station when it is closed.
func (g *globals) copyLedger(ctx context.Context) (io.ReadCloser, error) {
	c, err := g.connect(ctx, bookcmd.MayRead)
	if err != nil {
		return nil, err
	}
	var made wire.BackupCopy
	if err := c.Follow(ctx, "backups", nil, &made, bookcmd.Unseen); err != nil {
		return nil, err
	}
	gone := func() { _ = c.Do(context.WithoutCancel(ctx), "DELETE", "backups/"+made.ID, nil, nil) }
	copied, err := c.Stream(ctx, "GET", "backups/"+made.ID+"/file", nil, nil)
	if err != nil {
		gone()
		return nil, err
	}
	return &ledgerCopy{copied, gone}, nil
}

// ledgerCopy is the answer with a copy of the ledger.
type ledgerCopy struct {
	io.ReadCloser
	gone func()
}

func (l *ledgerCopy) Close() error {
	err := l.ReadCloser.Close()
	l.gone()
	return err
}

// copyLedgerCommand is the hidden command that copyApart runs.
const copyLedgerCommand = "copy-ledger"

func copyLedgerCmd(g *globals) *cobra.Command {
	cmd := command.New(copyLedgerCommand, "", func(cmd *cobra.Command, _ []string) error {
		cmd.SetOut(command.Raw(cmd.OutOrStdout())) // no text
		copied, err := g.copyLedger(cmd.Context())
		if err != nil {
			return err
		}
		defer copied.Close()
		_, err = io.Copy(cmd.OutOrStdout(), copied)
		return err
	})
	cmd.Hidden = true
	return cmd
}

// copyApart is copyLedger in another process, which becomes the ledger's owner while
// this one becomes the owner of the copy.
func (g *globals) copyApart(ctx context.Context, stderr io.Writer) (io.ReadCloser, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{copyLedgerCommand, "--state", g.stateDir()}
	if g.config != "" {
		args = append(args, "--config", g.config)
	}
	out, in := io.Pipe()
	cmd := exec.Command(exe, args...)
	cmd.Args[0], cmd.Stdout, cmd.Stderr = os.Args[0], in, command.Raw(stderr) // which makes its text safe itself
	if err := cmd.Start(); err != nil {
		return nil, err
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
	return out, nil
}

func restoreCmd(g *globals) *cobra.Command {
	var yes, fork bool
	cmd := command.New("restore FILE", "Replace the ledger by a backup", func(cmd *cobra.Command, args []string) error {
		if g.socket != "" {
			return command.Misuse("name the ledger's folder with --state", "a restore needs no daemon, so it takes no --socket")
		}
		cfg, err := config.Load(g.config)
		if err != nil {
			return err
		}
		state, file := g.stateDir(), args[0]
		o := ledger.RestoreOptions{DryRun: !yes, Fork: fork, Actor: command.Actor()}
		if st, err := os.Stat(file); err == nil && st.Mode()&(os.ModeDevice|os.ModeNamedPipe|os.ModeSocket) != 0 {
			return hint.Errorf("name a file, such as one that `stump backup FILE` has made", "%s is a device or a pipe, and no backup", file)
		}
		// Root can read every backup, but perhaps not the ledger's owner.
		from, refused := owner.Open(file)
		if err := g.becomeOwner(state); err != nil {
			return err
		}
		if refused != nil {
			if from, err = owner.Open(file); err != nil {
				return fmt.Errorf("open the backup: %w", refused)
			}
		}
		defer from.Close()
		o.From = from
		r, err := daemon.RestoreLedger(cmd.Context(), cfg, state, file, o)
		var locked *ledger.LockedError
		switch {
		case errors.Is(err, ledger.ErrFork):
			return hint.Wrap(err, "look at what would change without --yes; with --fork it is done all the same")
		case errors.As(err, &locked) && hint.Of(err) == "":
			return hint.Wrap(err, "stop the daemon first: sudo systemctl stop stump")
		case err != nil:
			return g.ownerError(state, err)
		}
		fmt.Fprintln(cmd.OutOrStdout(), r)
		switch {
		case !yes && r.Fork:
			fmt.Fprintln(cmd.OutOrStdout(), "nothing was changed; add --yes --fork to do it")
		case !yes:
			fmt.Fprintln(cmd.OutOrStdout(), "nothing was changed; add --yes to do it")
		}
		return nil
	})
	cmd.Long = `Replace the whole ledger by a backup. Without --yes it only says what would change.
No daemon may be running. The ledger that is there is set aside, never overwritten,
and the first new event tells of the restore.`
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	cmd.Flags().BoolVar(&fork, "fork", false, "even if backup and ledger have gone different ways")
	return cmd
}
