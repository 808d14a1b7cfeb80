package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"stump/checkout/ledger"
	"stump/internal/api"
	"stump/internal/count"
)

func statusCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := command("status", "What the station is doing, and what troubles it", func(cmd *cobra.Command, _ []string) error {
		var st api.Status
		if err := g.ask(cmd, daemonOnly, "GET", "status", nil, &st); err != nil {
			return err
		}
		if asJSON {
			return printJSON(cmd, st)
		}
		printStatus(cmd.OutOrStdout(), st)
		return nil
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func printStatus(out io.Writer, st api.Status) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-9s "+format+"\n", append([]any{name}, args...)...)
	}
	row("station", "%s, stump %s, process %d", st.Station, st.Version, st.PID)
	for _, r := range st.Readers {
		row("reader", "%s", r)
	}
	row("display", "%s", st.Display)
	newest := "no event yet"
	if st.Events > 0 {
		newest = fmt.Sprintf("newest event %d", st.Events)
	}
	row("ledger", "%s, in %s", newest, st.Ledger)
	for _, b := range st.Backups {
		printBackup(row, b)
	}
	if len(st.Backups) == 0 {
		row("backup", "off")
	}
	if st.Listen != nil {
		row("api", "also at http://%s/v1", *st.Listen)
	}
	if st.Salvaged != nil {
		row("damage", "%s", *st.Salvaged)
		row("", "seen it? `stump verify --seen` takes the notice away")
	}
	if st.Damaged != nil {
		row("damage", "%s", *st.Damaged)
		row("", "%s", (*ledger.DamagedError)(nil).Hint())
	}
	for _, reader := range slices.Sorted(maps.Keys(st.Conditions)) {
		for _, cond := range st.Conditions[reader] {
			row("trouble", "%s: %s", reader, cond.Text)
			row("", "%s", cond.Remedy)
		}
	}
}

// printBackup says when and where the last good backup was made.
func printBackup(row func(name, format string, args ...any), b api.Backup) {
	if b.File == nil {
		row("backup", "none yet, in %s", b.Folder)
	} else {
		row("backup", "%s, up to event %d: %s", when(b.At, b.ClockTrusted), b.Event, *b.File)
	}
	if b.Others > 0 {
		row("", "%s of another ledger, or damaged, in that folder: left alone and not counted", count.Of(b.Others, "file"))
	}
}
