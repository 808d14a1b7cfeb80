package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stump/internal/api"
	"stump/internal/hint"
)

func giveCmd(g *globals) *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use: "give DEVICE PERSON", SuggestFor: []string{"lend", "checkout", "loan", "assign"}, Short: "Put a device in a person's hands without a tap", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := api.Give{Device: args[0], Person: args[1], Note: note}
			return changed(cmd, g, "POST", "give", in, eventLine)
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "why, for the history")
	return cmd
}

func returnCmd(g *globals) *cobra.Command {
	var note, condition string
	cmd := &cobra.Command{
		Use: "return DEVICE", SuggestFor: []string{"checkin", "back", "take"}, Short: "Take a device back without a tap", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(note) == "" {
				return usageError{hint.Errorf("say with --note why it did not come back over the reader", "the note is empty")}
			}
			in := api.Bring{Device: args[0], Condition: condition, Note: note}
			return changed(cmd, g, "POST", "return", in, eventLine)
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "why, for the history")
	cmd.Flags().StringVar(&condition, "condition", "", "in what `state` it came back")
	_ = cmd.MarkFlagRequired("note")
	return cmd
}

// actor is the admin at the keyboard, who may have become root for it.
func actor() string {
	if name := os.Getenv("SUDO_USER"); name != "" && os.Getuid() == 0 {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// eventLine says in one line what an event did.
func eventLine(h api.History) string {
	switch h.Kind {
	case "checkout":
		return fmt.Sprintf("%s is now with %s", text(h.Device), text(h.Person))
	case "handover":
		return fmt.Sprintf("%s went from %s to %s", text(h.Device), text(h.From), text(h.Person))
	case "return":
		return fmt.Sprintf("%s is back from %s", text(h.Device), text(h.Person))
	}
	return string(h.Kind)
}

func decodeJSON(r io.Reader, v any) error { return json.NewDecoder(r).Decode(v) }

func enrollCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "enroll", Short: "Give the next unknown tag to a person or a device"}
	for _, kind := range []string{"person", "device"} {
		var wait bool
		c := &cobra.Command{
			Use: kind + " NAME", Short: "The next unknown tap is this " + kind + "'s", Args: cobra.ExactArgs(1),
			Long: "The next unknown tag that is shown within 60 seconds is this " + kind + "'s, by name or id. A name that\n" +
				"the register does not have is added to it, unless it looks like a slip in one that it has.",
			RunE: func(cmd *cobra.Command, args []string) error {
				in := api.Enrol{Kind: kind, Name: args[0], Wait: wait}
				c, done, err := g.connect(cmd.Context(), daemonOnly)
				if err != nil {
					return err
				}
				defer done()
				if wait {
					// Whom the station refuses, it refuses at once.
					say := time.AfterFunc(300*time.Millisecond, func() {
						fmt.Fprintf(cmd.ErrOrStderr(), "show the tag of %s at the reader now (60 s)\n", args[0])
					})
					defer say.Stop()
				}
				var who api.Enrolled
				if err := c.Do(cmd.Context(), "POST", "enroll", in, &who); err != nil {
					return err
				}
				say := "the next unknown tag within 60 s is that of "
				if wait {
					say = "enrolled "
				}
				say += who.Name
				if who.New {
					say += ", new to the register"
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), say)
				return err
			},
		}
		c.Flags().BoolVar(&wait, "wait", false, "wait until the tag was shown")
		cmd.AddCommand(c)
	}
	return cmd
}
