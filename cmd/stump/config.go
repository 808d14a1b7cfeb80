package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"stump/internal/config"
)

func configCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check and show the configuration"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check", Short: "Say whether the configuration is right", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				cfg, err := config.Load(g.config)
				if err != nil {
					return err
				}
				for _, w := range cfg.Warnings() {
					fmt.Fprintln(cmd.OutOrStdout(), "note: "+w)
				}
				if cfg.Path() == "" {
					fmt.Fprintln(cmd.OutOrStdout(), "no configuration file; the defaults are right")
				} else {
					fmt.Fprintln(cmd.OutOrStdout(), cfg.Path()+" is right")
				}
				return nil
			},
		},
		&cobra.Command{
			Use: "show", Short: "Print the configuration with all defaults", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				cfg, err := config.Load(g.config)
				if err != nil {
					return err
				}
				return cfg.Write(cmd.OutOrStdout())
			},
		},
		&cobra.Command{
			Use: "example", Short: "Print a commented configuration file", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := fmt.Fprint(cmd.OutOrStdout(), config.Example)
				return err
			},
		},
	)
	return cmd
}
