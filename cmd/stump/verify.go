package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stump/checkout/ledger"
	"stump/internal/api"
	"stump/internal/count"
	"stump/internal/daemon"
)

func verifyCmd(g *globals) *cobra.Command {
	var asJSON, seen bool
	cmd := command("verify", "Check that the ledger is whole", func(cmd *cobra.Command, _ []string) error {
		if seen {
			return g.ask(cmd, mayWrite, "POST", "salvage/seen", nil, nil)
		}
		var v *api.Verdict
		err := g.stream(cmd, mayRead, "POST", "verify", nil, nil, func(lines io.Reader) error {
			progress := progress(cmd.ErrOrStderr())
			_, err := eachJSON(lines, func(l api.VerifyLine) error {
				progress(l.Done, l.Total)
				v = l.Report
				return nil
			})
			return err
		})
		switch {
		case err == nil && v == nil:
			return errors.New("the check broke off: no report came")
		case err != nil:
			return err
		case asJSON:
			err = printJSON(cmd, v)
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
func progress(w io.Writer) func(done, total uint64) {
	if !isTerminal(w) {
		return func(uint64, uint64) {}
	}
	return func(done, total uint64) {
		if total > 0 {
			fmt.Fprintf(w, "\r%3d %% of %s\x1b[K", 100*done/total, count.Of(total, "event"))
		}
		if done == total {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}

func printVerdict(w io.Writer, v *api.Verdict) {
	fmt.Fprintln(w, v.Sentence)
	for _, f := range v.Faults {
		fmt.Fprintln(w, "  "+f)
	}
	if !v.OK {
		fmt.Fprintln(w, (*ledger.DamagedError)(nil).Hint())
	}
}

// checkFileCmd is the command that daemon.CheckInChild runs. It prints what is wrong
// with the file.
func checkFileCmd() *cobra.Command {
	cmd := command(daemon.CheckFileCommand+" FILE", "", func(cmd *cobra.Command, args []string) error {
		if err := ledger.CheckFile(args[0]); err != nil {
			fmt.Fprintln(cmd.OutOrStdout(), err)
			return statusError(1)
		}
		return nil
	})
	cmd.Hidden = true
	return cmd
}
