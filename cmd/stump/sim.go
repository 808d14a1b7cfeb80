package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/api"
	"stump/internal/count"
	"stump/internal/panel"
)

func simCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "sim", Short: "The simulated lab, only against `stump run --sim`"}
	tap := command("tap NAME|CREDENTIAL|bits:…", "Show a card to the simulated reader", func(cmd *cobra.Command, args []string) error {
		var s api.Tapped
		if err := g.ask(cmd, daemonOnly, "POST", "sim/tap", api.Tap{Card: args[0]}, &s); err != nil {
			return err
		}
		printLCD(cmd.OutOrStdout(), s.State)
		warn(cmd, api.Warning{Warning: s.Note})
		return nil
	})
	tap.Long = "Show a card to the simulated reader: a name from the register, a credential such as\nH10301:84:31066 or raw34:2321811728, or any bits. Returns when the display has answered."
	cmd.AddCommand(
		command("seed", "Add six people and twelve devices", func(cmd *cobra.Command, _ []string) error {
			var n api.Seeded
			if err := g.ask(cmd, daemonOnly, "POST", "sim/seed", nil, &n); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s and %s are in the register\n", count.Of(n.People, "person"), count.Of(n.Devices, "device"))
			return err
		}),
		tap, simLCDCmd(g),
		command("fault NAME|off", "Break the simulated wiring, or mend it", func(cmd *cobra.Command, args []string) error {
			return g.ask(cmd, daemonOnly, "POST", "sim/fault", api.Fault{Fault: args[0]}, nil)
		}),
	)
	return cmd
}

func simLCDCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := command("lcd", "Show the display", func(cmd *cobra.Command, _ []string) error {
		var s panel.State
		if err := g.ask(cmd, daemonOnly, "GET", "panel", nil, &s); err != nil {
			return err
		}
		if asJSON {
			return printJSON(cmd, s)
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
