package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"stump/checkout/ledger"
	"stump/internal/api"
	"stump/internal/count"
	"stump/internal/daemon"
)

func verifyCmd(g *globals) *cobra.Command {
	var asJSON, seen bool
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that the ledger is whole", Args: cobra.NoArgs,
		Long: `Check the ledger against itself: the chain of all events, the loans against a
replay of the events, the outbox against the events, and the file. The exit status
is 0 when everything holds.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			need := mayRead
			if seen {
				need = mayWrite
			}
			c, done, err := g.connect(cmd.Context(), need)
			if err != nil {
				return err
			}
			defer done()
			if seen {
				return c.Do(cmd.Context(), "POST", "salvage/seen", nil, nil)
			}
			lines, err := c.Stream(cmd.Context(), "POST", "verify", nil, nil)
			if err != nil {
				return err
			}
			defer lines.Close()
			v, err := readVerdict(lines, progress(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			return printVerdict(cmd.OutOrStdout(), v, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&seen, "seen", false, "take the notice of a damaged ledger off the display")
	return cmd
}

// progress shows how far a check is, on a terminal only.
func progress(w io.Writer) func(done, total uint64) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(uint64, uint64) {}
	}
	return func(done, total uint64) {
		if total > 0 {
			fmt.Fprintf(f, "\r%3d %% of %s\x1b[K", 100*done/total, count.Of(total, "event"))
		}
		if done == total {
			fmt.Fprint(f, "\r\x1b[K")
		}
	}
}

func readVerdict(r io.Reader, progress func(done, total uint64)) (*api.Verdict, error) {
	dec := json.NewDecoder(r)
	for {
		var l api.VerifyLine
		if err := dec.Decode(&l); err != nil {
			return nil, fmt.Errorf("the check broke off: %w", noEOF(err))
		}
		progress(l.Done, l.Total)
		if l.Report != nil {
			return l.Report, nil
		}
	}
}

func printVerdict(w io.Writer, v *api.Verdict, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(w).Encode(v); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(w, v.Sentence)
		for _, f := range v.Faults {
			fmt.Fprintln(w, "  "+f)
		}
		if !v.OK {
			fmt.Fprintln(w, (*ledger.DamagedError)(nil).Hint())
		}
	}
	if !v.OK {
		return statusError(1)
	}
	return nil
}

// checkFileCmd is what daemon.CheckInChild runs. It prints what is wrong with the
// file.
func checkFileCmd() *cobra.Command {
	return &cobra.Command{
		Use: daemon.CheckFileCommand + " FILE", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := ledger.CheckFile(args[0]); err != nil {
				fmt.Fprintln(cmd.OutOrStdout(), err)
				return statusError(1)
			}
			return nil
		},
	}
}
