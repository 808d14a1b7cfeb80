package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/count"
	"stump/internal/panel"
)

func statusCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := command.New("status", "What the station is doing, and what troubles it", func(cmd *cobra.Command, _ []string) error {
		var st wire.Status
		if err := g.Ask(cmd, bookcmd.DaemonOnly, "GET", "status", nil, &st); err != nil {
			return err
		}
		if asJSON {
			if err := command.PrintJSON(cmd, st); err != nil {
				return err
			}
		} else {
			printStatus(cmd.OutOrStdout(), st)
		}
		if troubled(st) {
			return statusError(3)
		}
		return nil
	})
	cmd.Long = "Show what the station is doing, and what troubles it. The exit status is 0 if all is well,\n3 if something troubles it, and 1 without a daemon."
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// troubled reports whether somebody should look.
func troubled(st wire.Status) bool {
	for _, all := range st.Conditions {
		if len(all) > 0 {
			return true
		}
	}
	return st.Since != nil || st.Salvaged != nil || st.Damaged != nil
}

func printStatus(out io.Writer, st wire.Status) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-9s "+format+"\n", append([]any{name}, args...)...)
	}
	station := st.Station + ", stump " + st.Version
	if st.PID != nil {
		station += fmt.Sprintf(", process %d", *st.PID)
	}
	row("station", "%s", station)
	for _, r := range st.Readers {
		row("reader", "%s", r)
	}
	row("display", "%s", st.Display)
	newest := "no event yet"
	if st.Events > 0 {
		newest = fmt.Sprintf("newest event %d", st.Events)
	}
	row("ledger", "%s, in %s", newest, command.Text(st.Ledger))
	for _, b := range st.Backups {
		printBackup(row, b)
	}
	if len(st.Backups) == 0 {
		row("backup", "off")
	}
	if l := st.Lab; l != nil {
		printLab(row, l)
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
func printBackup(row func(name, format string, args ...any), b wire.Backup) {
	if b.File == nil {
		row("backup", "none yet, in %s", b.Folder)
	} else {
		row("backup", "%s, up to event %d: %s", command.When(b.At, b.ClockTrusted), b.Event, *b.File)
	}
	if b.Others > 0 {
		row("", "%s of another ledger in that folder: left alone and not counted", count.Of(b.Others, "file"))
	}
	if b.Damaged > 0 {
		row("", "%s in that folder: left alone and not counted", count.Of(b.Damaged, "damaged file"))
	}
}

func syncCmd(g *globals) *cobra.Command {
	var asJSON bool
	// Every request is answered with the state after it.
	ask := func(cmd *cobra.Command, method, path string, in any) error {
		var st directory.Status
		if err := g.Ask(cmd, bookcmd.DaemonOnly, method, path, in, &st); err != nil {
			return err
		}
		if asJSON {
			return command.PrintJSON(cmd, st)
		}
		return st.Write(cmd.OutOrStdout(), time.Now())
	}
	var decision wire.Decision
	decide := func(what string) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error {
			return ask(cmd, "POST", "sync/"+client.Ref(args[0])+"/"+what, decision)
		}
	}
	status := func(cmd *cobra.Command, _ []string) error { return ask(cmd, "GET", "sync", nil) }
	cmd := command.New("sync", "What the staff directory was told, and what not", status)
	cmd.Long = `Show what the staff directory and the webhooks were told, what waits, and what is
stuck and why. An event that is stuck holds back only the events of its device.`
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "print one JSON object")

	drop := command.New("drop ID|all@PLACE", "Never tell it; an event records that", func(cmd *cobra.Command, args []string) error {
		if decision.Note == "" {
			return command.Misuse("give the reason with --note", "dropping an event needs a reason")
		}
		return decide("drop")(cmd, args)
	})
	drop.Long = `Never tell an event to the place that it waits for, and record that as an event.
all@PLACE drops everything that waits for a place which is no longer in the
configuration.`
	drop.Flags().StringVar(&decision.Note, "note", "", "why, for the history")

	var how wire.NewPull
	pull := command.New("pull", "Read the register from the directory now", func(cmd *cobra.Command, _ []string) error {
		if err := g.Follow(cmd, bookcmd.DaemonOnly, "pulls", how, new(wire.Pull), bookcmd.Unseen); err != nil {
			return err
		}
		return ask(cmd, "GET", "sync", nil)
	})
	pull.Flags().BoolVar(&how.Force, "force", false, "even if many people have gone at once")
	cmd.AddCommand(
		command.New("status", "Show the state (as without a command)", status),
		command.New("retry ID|all|parked", "Tell it again", decide("retry")),
		drop,
		command.New("accept ID", "Take the directory's word for who has the device", decide("accept")),
		pull, syncCheckCmd(g, &asJSON),
	)
	return cmd
}

func simCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "sim", Short: "The simulated lab, only against `stump run --sim`"}
	var reader string
	tap := command.New("tap NAME|CREDENTIAL|bits:…", "Show a card to a simulated reader", func(cmd *cobra.Command, args []string) error {
		return simulate(cmd, g, "sim/tap", wire.Tap{Card: args[0], Reader: reader})
	})
	tap.Long = "Show a card to a simulated reader: a name from the register, a credential such as\nH10301:84:31066 or raw34:2321811728, or any bits. Returns when the display has answered."
	typed := command.New("type TEXT", "Type a name and Enter, or keys on a reader's keypad", func(cmd *cobra.Command, args []string) error {
		return simulate(cmd, g, "sim/type", wire.Type{Text: args[0], Reader: reader})
	})
	typed.Long = "Type a name and Enter on the station's keyboard, for an unknown badge; with --reader,\nthe keys 0 to 9, * and # on that reader's keypad. Returns when the display has answered."
	fault := command.New("fault NAME|off", "Break a simulated reader or its wiring, or mend it", func(cmd *cobra.Command, args []string) error {
		return g.Ask(cmd, bookcmd.DaemonOnly, "POST", "sim/fault", wire.Fault{Fault: args[0], Reader: reader}, nil)
	})
	for _, c := range []*cobra.Command{tap, typed, fault} {
		c.Flags().StringVar(&reader, "reader", "", "the reader of this `name`")
	}
	cmd.AddCommand(
		command.New("seed", "Add six people and twelve devices", func(cmd *cobra.Command, _ []string) error {
			var n wire.Seeded
			if err := g.Ask(cmd, bookcmd.DaemonOnly, "POST", "sim/seed", nil, &n); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s and %s are in the register\n", count.Of(n.People, "person"), count.Of(n.Devices, "device"))
			return err
		}),
		tap, typed, simLCDCmd(g), fault,
	)
	return cmd
}

// simulate asks the simulated lab for something, and prints what the display shows.
func simulate(cmd *cobra.Command, g *globals, path string, what any) error {
	var s wire.Tapped
	if err := g.Ask(cmd, bookcmd.DaemonOnly, "POST", path, what, &s); err != nil {
		return err
	}
	printLCD(cmd.OutOrStdout(), s.State)
	bookcmd.Warn(cmd, wire.Warning{Warning: s.Note})
	return nil
}

func simLCDCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := command.New("lcd", "Show the display", func(cmd *cobra.Command, _ []string) error {
		var s panel.State
		if err := g.Ask(cmd, bookcmd.DaemonOnly, "GET", "panel", nil, &s); err != nil {
			return err
		}
		if asJSON {
			return command.PrintJSON(cmd, s)
		}
		printLCD(cmd.OutOrStdout(), s)
		return nil
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

// printLCD draws the display with its frame.
func printLCD(w io.Writer, s panel.State) {
	width := 0
	for _, row := range s.Rows {
		width = max(width, len([]rune(row)))
	}
	edge := strings.Repeat("─", width)
	fmt.Fprintf(w, "┌%s┐\n", edge)
	for _, row := range s.Rows {
		fmt.Fprintf(w, "│%s│\n", row)
	}
	fmt.Fprintf(w, "└%s┘\n", edge)
}
