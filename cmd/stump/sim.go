package main

import (
	"encoding/json"
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
	cmd.AddCommand(simSeedCmd(g), simTapCmd(g), simLCDCmd(g), simFaultCmd(g))
	return cmd
}

func simSeedCmd(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "seed", Short: "Add six people and twelve devices", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var n api.Seeded
			if err := ask(cmd, g, "sim/seed", nil, &n); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s and %s are in the register\n", count.Of(n.People, "person"), count.Of(n.Devices, "device"))
			return nil
		},
	}
}

func simTapCmd(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "tap NAME|CREDENTIAL|bits:…", Short: "Show a card to the simulated reader", Args: cobra.ExactArgs(1),
		Long: "Show a card to the simulated reader: a name from the register, a credential such as\nH10301:84:31066 or raw34:2321811728, or any bits. Returns when the display has answered.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var s api.Tapped
			if err := ask(cmd, g, "sim/tap", api.Tap{Card: args[0]}, &s); err != nil {
				return err
			}
			printLCD(cmd.OutOrStdout(), s.State)
			if s.Note != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "note: "+*s.Note)
			}
			return nil
		},
	}
}

func simLCDCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "lcd", Short: "Show the display", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, done, err := g.connect(cmd.Context(), daemonOnly)
			if err != nil {
				return err
			}
			defer done()
			var s panel.State
			if err := c.Do(cmd.Context(), "GET", "panel", nil, &s); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
			}
			printLCD(cmd.OutOrStdout(), s)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func simFaultCmd(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "fault NAME|off", Short: "Break the simulated wiring, or mend it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, g, "sim/fault", map[string]string{"fault": args[0]}, nil)
		},
	}
}

// ask sends a request that only a daemon can answer.
func ask(cmd *cobra.Command, g *globals, path string, in, out any) error {
	c, done, err := g.connect(cmd.Context(), daemonOnly)
	if err != nil {
		return err
	}
	defer done()
	return c.Do(cmd.Context(), "POST", path, in, out)
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
