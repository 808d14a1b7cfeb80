package main

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"stump/internal/api/wire"
	"time"

	"github.com/spf13/cobra"
)

func giveCmd(g *globals) *cobra.Command {
	var in wire.Give
	var at, due string
	cmd := command("give DEVICE PERSON", "Put a device in a person's hands without a tap", func(cmd *cobra.Command, args []string) (err error) {
		in.Device, in.Person = args[0], args[1]
		if in.At, err = optionalTime("--at", at, ago); err != nil {
			return err
		}
		if in.Due, err = optionalTime("--due", due, fromNow); err != nil {
			return err
		}
		return changed(cmd, g, "POST", "give", in, outcome.moved)
	})
	cmd.SuggestFor = []string{"lend", "checkout", "loan", "assign"}
	cmd.Flags().StringVar(&at, "at", "", "`when` it was given, if that was not now")
	cmd.Flags().StringVar(&due, "due", "", "`when` it should be back, if that is not as usual")
	cmd.Flags().StringVar(&in.Note, "note", "", "why, for the history")
	return cmd
}

func returnCmd(g *globals) *cobra.Command {
	var in wire.Bring
	var at string
	cmd := command("return DEVICE", "Take a device back without a tap", func(cmd *cobra.Command, args []string) (err error) {
		if strings.TrimSpace(in.Note) == "" {
			return misuse("say with --note why it did not come back over the reader", "the note is missing")
		}
		in.Device = args[0]
		if in.At, err = optionalTime("--at", at, ago); err != nil {
			return err
		}
		return changed(cmd, g, "POST", "return", in, outcome.moved)
	})
	cmd.SuggestFor = []string{"checkin", "back", "take"}
	cmd.Flags().StringVar(&at, "at", "", "`when` it came back, if that was not now")
	cmd.Flags().StringVar(&in.Note, "note", "", "why, for the history")
	cmd.Flags().StringVar(&in.Condition, "condition", "", "in what `state` it came back")
	cmd.Flags().StringSliceVar(&in.Missing, "missing", nil, "a `part` of a kit that did not come back with it; may be repeated")
	return cmd
}

func extendCmd(g *globals) *cobra.Command {
	var in wire.Extend
	var due string
	cmd := command("extend DEVICE", "Let a loan end later", func(cmd *cobra.Command, args []string) (err error) {
		if in.Due, err = optionalTime("--due", due, fromNow); err != nil {
			return err
		}
		var out outcome
		if err := g.ask(cmd, mayWrite, "POST", devices.path(args[0])+"/extend", in, &out); err != nil {
			return err
		}
		return g.stream(cmd, mayRead, "GET", "who", query("device", args[0], "shown", "true"), nil, func(rows io.Reader) error {
			_, err := eachJSON(rows, func(w *wire.Who) error {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is with %s until %s\n", text(w.Device), text(w.Person), when(w.Due, w.ClockTrusted || w.Before != nil))
				return err
			})
			return err
		})
	})
	cmd.Long = "Let a loan end later: by as much as such a device is lent, or when --due says."
	cmd.SuggestFor = []string{"renew", "prolong", "longer"}
	cmd.Flags().StringVar(&due, "due", "", "`when` it should be back, if that is not as usual")
	cmd.Flags().StringVar(&in.Note, "note", "", "why, for the history")
	return cmd
}

func correctCmd(g *globals, what, short string) *cobra.Command {
	var in wire.Said
	cmd := command(what+" DEVICE", short, func(cmd *cobra.Command, args []string) error {
		return changed(cmd, g, "POST", devices.path(args[0])+"/"+what, in, func(o outcome) string { return text(o.Device) + " is " + what })
	})
	cmd.Flags().StringVar(&in.Note, "note", "", "why, for the history")
	return cmd
}

// outcome is the answer to a change: an event, or a row of the register, of which
// only the id is read.
type outcome struct {
	wire.History
	wire.Warning
	wire.Gone
}

// moved says in one line where the device is now.
func (o outcome) moved() string {
	switch o.Kind {
	case "checkout":
		return fmt.Sprintf("%s is now with %s", text(o.Device), text(o.Person))
	case "handover":
		return fmt.Sprintf("%s went from %s to %s", text(o.Device), text(o.From), text(o.Person))
	case "return":
		return fmt.Sprintf("%s is back from %s", text(o.Device), text(o.Person))
	}
	return string(o.Kind)
}

// changed sends a change and says what came of it.
func changed(cmd *cobra.Command, g *globals, method, path string, in any, say func(outcome) string) error {
	var out outcome
	if err := g.ask(cmd, mayWrite, method, path, in, &out); err != nil {
		return err
	}
	warn(cmd, out.Warning)
	said := say(out)
	if len(out.Gone.Gone) > 0 {
		said += "\n" + strings.Join(out.Gone.Gone, ", ") + " no longer works"
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), said)
	return err
}

// warn says what is strange about a change that was made.
func warn(cmd *cobra.Command, w wire.Warning) {
	if w.Warning != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "note: "+*w.Warning)
	}
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

// enrol has the station wait for a tag, and waits with it if asked to.
func (g *globals) enrol(cmd *cobra.Command, in wire.NewEnrolment, who *wire.Enrolment, wait bool) error {
	if !wait {
		err := g.ask(cmd, daemonOnly, "POST", "enrolments", in, who)
		warn(cmd, who.Warning)
		return err
	}
	// What the station refuses, it refuses at once.
	say := time.AfterFunc(300*time.Millisecond, func() {
		fmt.Fprintf(cmd.ErrOrStderr(), "show the tag of %s at the reader now (60 s)\n", in.Name)
	})
	defer say.Stop()
	err := g.follow(cmd, daemonOnly, "enrolments", in, who, unseen)
	warn(cmd, who.Warning)
	return err
}

func enrollCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "enroll", Short: "Give the next unknown tag to a person or a device"}
	for _, kind := range []string{"person", "device"} {
		in, wait := wire.NewEnrolment{Kind: kind}, false
		c := command(kind+" NAME", "The next unknown tap is this "+kind+"'s", func(cmd *cobra.Command, args []string) error {
			in.Name = args[0]
			var who wire.Enrolment
			if err := g.enrol(cmd, in, &who, wait); err != nil {
				return err
			}
			say := "the next unknown tag within 60 s is that of " + who.Name
			if wait {
				say = "enrolled " + who.Name
			}
			if who.New {
				say += ", new to the register"
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), say)
			return err
		})
		c.Long = "The next unknown tag that is shown within 60 seconds is this " + kind + "'s, by name or id. A name that\n" +
			"the register does not have is added to it, unless it looks like a slip in one that it has."
		c.Flags().BoolVar(&wait, "wait", false, "wait until the tag was shown")
		cmd.AddCommand(c)
	}
	return cmd
}
