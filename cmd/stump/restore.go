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
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Replace the ledger by a backup", Args: cobra.ExactArgs(1),
		Long: `Replace the whole ledger by a backup. Without --yes it only says what would change.
No daemon may be running. The ledger that is there is set aside, never overwritten,
and the first new event tells of the restore.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.socket != "" {
				return usageError{hint.Errorf("name the ledger's folder with --state", "a restore needs no daemon, so it takes no --socket")}
			}
			cfg, err := config.Load(g.config)
			if err != nil {
				return err
			}
			o := ledger.RestoreOptions{DryRun: !yes, Fork: fork, Actor: actor()}
			state, file := g.stateDir(), args[0]
			// Root may read the backup wherever it is; whoever owns the ledger may not.
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
			if errors.Is(err, ledger.ErrFork) {
				return hint.Wrap(err, "look at what would change without --yes; with --fork it is done all the same")
			}
			if err != nil {
				var locked *ledger.LockedError
				if errors.As(err, &locked) {
					return hint.Wrap(err, "stop the daemon first: sudo systemctl stop stump")
				}
				return g.ownerError(state, err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), r)
			if !yes {
				add := "--yes"
				if r.Fork {
					add = "--yes --fork"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "nothing was changed; add %s to do it\n", add)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	cmd.Flags().BoolVar(&fork, "fork", false, "even if backup and ledger have gone different ways")
	return cmd
}
