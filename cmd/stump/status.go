package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"stump/checkout/ledger"
	"stump/internal/api"
	"stump/internal/count"
)

func statusCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "What the station is doing, and what troubles it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, done, err := g.connect(cmd.Context(), daemonOnly)
			if err != nil {
				return err
			}
			defer done()
			var st api.Status
			if err := c.Do(cmd.Context(), "GET", "status", nil, &st); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(st)
			}
			fmt.Fprintf(out, "station   %s, stump %s, process %d\n", st.Station, st.Version, st.PID)
			for _, r := range st.Readers {
				fmt.Fprintf(out, "reader    %s\n", r)
			}
			fmt.Fprintf(out, "display   %s\n", st.Display)
			newest := "no event yet"
			if st.Events > 0 {
				newest = fmt.Sprintf("newest event %d", st.Events)
			}
			fmt.Fprintf(out, "ledger    %s, in %s\n", newest, st.Ledger)
			for _, b := range st.Backups {
				fmt.Fprintln(out, "backup    "+backupLine(b))
			}
			if len(st.Backups) == 0 {
				fmt.Fprintln(out, "backup    off")
			}
			if st.Listen != nil {
				fmt.Fprintf(out, "api       also at http://%s/v1\n", *st.Listen)
			}
			if st.Salvaged != nil {
				fmt.Fprintf(out, "damage    %s\n          seen it? `stump verify --seen` takes the notice away\n", *st.Salvaged)
			}
			if st.Damaged != nil {
				fmt.Fprintf(out, "damage    %s\n          %s\n", *st.Damaged, (*ledger.DamagedError)(nil).Hint())
			}
			for _, reader := range slices.Sorted(maps.Keys(st.Conditions)) {
				for _, cond := range st.Conditions[reader] {
					fmt.Fprintf(out, "trouble   %s: %s\n          %s\n", reader, cond.Text, cond.Remedy)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// backupLine says when and where the last good backup was made.
func backupLine(b api.Backup) string {
	line := "none yet, in " + b.Folder
	if b.File != nil {
		line = fmt.Sprintf("%s, up to event %d: %s", when(b.At, b.ClockTrusted), b.Event, *b.File)
	}
	if b.Others > 0 {
		line += fmt.Sprintf("\n          %s of another ledger, or damaged, in that folder: left alone and not counted", count.Of(b.Others, "file"))
	}
	return line
}
