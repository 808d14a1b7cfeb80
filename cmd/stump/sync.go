package main

import (
	"time"

	"github.com/spf13/cobra"

	"stump/directory"
	"stump/internal/api"
)

func syncCmd(g *globals) *cobra.Command {
	var asJSON bool
	// Every request is answered with the state after it.
	ask := func(cmd *cobra.Command, method, path string, in any) error {
		var st directory.Status
		if err := g.ask(cmd, daemonOnly, method, path, in, &st); err != nil {
			return err
		}
		if asJSON {
			return printJSON(cmd, st)
		}
		return st.Write(cmd.OutOrStdout(), time.Now())
	}
	var decision api.Decision
	decide := func(what string) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error {
			return ask(cmd, "POST", "sync/"+api.Ref(args[0])+"/"+what, decision)
		}
	}
	status := func(cmd *cobra.Command, _ []string) error { return ask(cmd, "GET", "sync", nil) }
	cmd := command("sync", "What the staff directory was told, and what not", status)
	cmd.Long = `Show what the staff directory and the webhooks were told, what waits, and what is
stuck and why. An event that is stuck holds back only the events of its device.`
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "print one JSON object")

	drop := command("drop ID|all@PLACE", "Never tell it; an event records that", func(cmd *cobra.Command, args []string) error {
		if decision.Note == "" {
			return misuse("give the reason with --note", "dropping an event needs a reason")
		}
		return decide("drop")(cmd, args)
	})
	drop.Long = `Never tell an event to the place that it waits for, and record that as an event.
all@PLACE drops everything that waits for a place which is no longer in the
configuration.`
	drop.Flags().StringVar(&decision.Note, "note", "", "why, for the history")

	var how api.Pull
	pull := command("pull", "Read the register from the directory now", func(cmd *cobra.Command, _ []string) error {
		return ask(cmd, "POST", "sync/pull", how)
	})
	pull.Flags().BoolVar(&how.Force, "force", false, "even if many people have gone at once")
	cmd.AddCommand(
		command("status", "Show the state (as without a command)", status),
		command("retry ID|all|parked", "Tell it again", decide("retry")),
		drop,
		command("accept ID", "Take the directory's word for who has the device", decide("accept")),
		pull,
	)
	return cmd
}
