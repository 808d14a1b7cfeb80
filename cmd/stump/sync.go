package main

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"stump/directory"
	"stump/internal/api"
	"stump/internal/hint"
)

func syncCmd(g *globals) *cobra.Command {
	var asJSON bool
	status := func(cmd *cobra.Command, _ []string) error {
		return syncAsk(cmd, g, "GET", "sync", nil, asJSON)
	}
	cmd := &cobra.Command{
		Use: "sync", Short: "What the staff directory was told, and what not", Args: cobra.NoArgs, RunE: status,
		Long: `Show what the staff directory and the webhooks were told, what waits, and what is
stuck and why. An event that is stuck holds back only the events of its device.`,
	}
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "print one JSON object")
	var note string
	var force bool
	drop := &cobra.Command{
		Use: "drop ID|all@PLACE", Short: "Never tell it; an event records that", Args: cobra.ExactArgs(1),
		Long: `Never tell an event to the place that it waits for, and record that as an event.
all@PLACE drops everything that waits for a place which is no longer in the
configuration.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if note == "" {
				return usageError{hint.Errorf("give the reason with --note", "dropping an event needs a reason")}
			}
			return syncDecide(cmd, g, args[0], "drop", note, asJSON)
		},
	}
	drop.Flags().StringVar(&note, "note", "", "why, for the history")
	pull := &cobra.Command{
		Use: "pull", Short: "Read the register from the directory now", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return syncAsk(cmd, g, "POST", "sync/pull", api.Pull{Force: force}, asJSON)
		},
	}
	pull.Flags().BoolVar(&force, "force", false, "even if many people have gone at once")
	cmd.AddCommand(
		&cobra.Command{Use: "status", Short: "Show the state (as without a command)", Args: cobra.NoArgs, RunE: status},
		&cobra.Command{
			Use: "retry ID|all|parked", Short: "Tell it again", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error { return syncDecide(cmd, g, args[0], "retry", "", asJSON) },
		},
		drop,
		&cobra.Command{
			Use: "accept ID", Short: "Take the directory's word for who has the device", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return syncDecide(cmd, g, args[0], "accept", "", asJSON)
			},
		},
		pull,
	)
	return cmd
}

func syncDecide(cmd *cobra.Command, g *globals, id, what, note string, asJSON bool) error {
	return syncAsk(cmd, g, "POST", "sync/"+url.PathEscape(id)+"/"+what, api.Decision{Note: note}, asJSON)
}

// syncAsk sends a request whose answer is the state.
func syncAsk(cmd *cobra.Command, g *globals, method, path string, in any, asJSON bool) error {
	c, done, err := g.connect(cmd.Context(), daemonOnly)
	if err != nil {
		return err
	}
	defer done()
	var st directory.Status
	if err := c.Do(cmd.Context(), method, path, in, &st); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(st)
	}
	return st.Write(cmd.OutOrStdout(), time.Now())
}
