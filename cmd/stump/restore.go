package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"stump/checkout/ledger"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/owner"
)

func restoreCmd(g *globals) *cobra.Command {
	var yes, fork bool
	cmd := command("restore FILE", "Replace the ledger by a backup", func(cmd *cobra.Command, args []string) error {
		if g.socket != "" {
			return misuse("name the ledger's folder with --state", "a restore needs no daemon, so it takes no --socket")
		}
		cfg, err := config.Load(g.config)
		if err != nil {
			return err
		}
		state, file := g.stateDir(), args[0]
		o := ledger.RestoreOptions{DryRun: !yes, Fork: fork, Actor: actor()}
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
		case errors.As(err, &locked):
			return hint.Wrap(err, "stop the daemon first: sudo systemctl stop stump")
		case err != nil:
			return g.ownerError(state, err)
		}
		fmt.Fprintln(cmd.OutOrStdout(), r)
		if add := map[bool]string{false: "--yes", true: "--yes --fork"}[r.Fork]; !yes {
			fmt.Fprintf(cmd.OutOrStdout(), "nothing was changed; add %s to do it\n", add)
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
