package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stump/hw/board"
	"stump/internal/config"
	"stump/internal/daemon"
)

func configCmd(g *globals) *cobra.Command {
	var board bool
	check := command("check", "Say whether the configuration is right", func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(g.config)
		if cfg != nil {
			err = config.Join(err, daemon.CheckPlaces(cfg))
		}
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		for _, w := range cfg.Warnings() {
			fmt.Fprintln(out, "note: "+w)
		}
		if cfg.Path() == "" {
			fmt.Fprintln(out, "no configuration file; the defaults are right")
		} else {
			fmt.Fprintln(out, cfg.Path()+" is right")
		}
		if board {
			return checkBoard(out, cfg)
		}
		return nil
	})
	check.Long = "Say whether the configuration is right: everything that is wrong in the file, with its line,\nand notes on what is allowed but can hardly be meant. Nobody is called."
	check.Flags().BoolVar(&board, "board", false, "look up the configured lines on this board too")

	cmd := &cobra.Command{Use: "config", Short: "Check and show the configuration"}
	cmd.AddCommand(
		check,
		command("show", "Print the configuration with all defaults", func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(g.config)
			if err != nil {
				return err
			}
			return cfg.Write(cmd.OutOrStdout())
		}),
		command("example", "Print a commented configuration file", func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), config.Example)
			return err
		}),
	)
	return cmd
}

// checkBoard prints what each configured line is on this machine.
func checkBoard(out io.Writer, cfg *config.Config) error {
	b := board.Detect()
	daemon.UseBoard(cfg, b)
	text, ok := b.Survey(daemon.Wanted(cfg))
	fmt.Fprint(out, text)
	if !ok {
		return statusError(1)
	}
	return nil
}
