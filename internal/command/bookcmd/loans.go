package bookcmd

import (
	"fmt"
	"io"
	"strings"
	"time"

	"stump/internal/api/wire"
	"stump/internal/command"

	"github.com/spf13/cobra"
)

func giveCmd(b *Books) *cobra.Command {
	var in wire.Give
	var at, due string
	cmd := command.New("give DEVICE PERSON", "Put a device in a person's hands without a tap", func(cmd *cobra.Command, args []string) (err error) {
		in.Device, in.Person = args[0], args[1]
		if in.At, err = command.OptionalTime("--at", at, command.Ago); err != nil {
			return err
		}
		if in.Due, err = command.OptionalTime("--due", due, command.FromNow); err != nil {
			return err
		}
		return changed(cmd, b, "POST", "give", in, outcome.moved)
	})
	cmd.SuggestFor = []string{"lend", "checkout", "loan", "assign"}
	cmd.Flags().StringVar(&at, "at", "", "`when` it was given, if that was not now")
	cmd.Flags().StringVar(&due, "due", "", "`when` it should be back, if that is not as usual")
	cmd.Flags().StringVar(&in.Note, "note", "", "why, for the history")
	return cmd
}

func returnCmd(b *Books) *cobra.Command {
	var in wire.Bring
	var at string
	cmd := command.New("return DEVICE", "Take a device back without a tap", func(cmd *cobra.Command, args []string) (err error) {
		if strings.TrimSpace(in.Note) == "" {
			return command.Misuse("say with --note why it did not come back over the reader", "the note is missing")
		}
		in.Device = args[0]
		if in.At, err = command.OptionalTime("--at", at, command.Ago); err != nil {
			return err
		}
		return changed(cmd, b, "POST", "return", in, outcome.moved)
	})
	cmd.SuggestFor = []string{"checkin", "back", "take"}
	cmd.Flags().StringVar(&at, "at", "", "`when` it came back, if that was not now")
	cmd.Flags().StringVar(&in.Note, "note", "", "why, for the history")
	cmd.Flags().StringVar(&in.Condition, "condition", "", "in what `state` it came back")
	cmd.Flags().StringSliceVar(&in.Missing, "missing", nil, "a `part` of a kit that did not come back with it; may be repeated")
	return cmd
}

func extendCmd(b *Books) *cobra.Command {
	var in wire.Extend
	var due string
	cmd := command.New("extend DEVICE", "Let a loan end later", func(cmd *cobra.Command, args []string) (err error) {
		if in.Due, err = command.OptionalTime("--due", due, command.FromNow); err != nil {
			return err
		}
		var out outcome
		if err := b.Ask(cmd, MayWrite, "POST", devices.path(args[0])+"/extend", in, &out); err != nil {
			return err
		}
		return b.Stream(cmd, MayRead, "GET", "who", query("device", args[0], "shown", "true"), nil, func(rows io.Reader) error {
			_, err := command.EachJSON(rows, func(w *wire.Who) error {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is with %s until %s\n", command.Text(w.Device), command.Text(w.Person), command.When(w.Due, w.ClockTrusted || w.Before != nil))
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

func correctCmd(b *Books, what, short string) *cobra.Command {
	var in wire.Said
	cmd := command.New(what+" DEVICE", short, func(cmd *cobra.Command, args []string) error {
		return changed(cmd, b, "POST", devices.path(args[0])+"/"+what, in, func(o outcome) string { return command.Text(o.Device) + " is " + what })
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
		return fmt.Sprintf("%s is now with %s", command.Text(o.Device), command.Text(o.Person))
	case "handover":
		return fmt.Sprintf("%s went from %s to %s", command.Text(o.Device), command.Text(o.From), command.Text(o.Person))
	case "return":
		return fmt.Sprintf("%s is back from %s", command.Text(o.Device), command.Text(o.Person))
	}
	return string(o.Kind)
}

// changed sends a change and says what came of it.
func changed(cmd *cobra.Command, b *Books, method, path string, in any, say func(outcome) string) error {
	var out outcome
	if err := b.Ask(cmd, MayWrite, method, path, in, &out); err != nil {
		return err
	}
	Warn(cmd, out.Warning)
	said := say(out)
	if len(out.Gone.Gone) > 0 {
		said += "\n" + strings.Join(out.Gone.Gone, ", ") + " no longer works"
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), said)
	return err
}

// Warn says what is strange about a change that was made.
func Warn(cmd *cobra.Command, w wire.Warning) {
	if w.Warning != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "note: "+*w.Warning)
	}
}

// enrol has the station wait for a tag, and waits with it if asked to.
func (b *Books) enrol(cmd *cobra.Command, in wire.NewEnrolment, who *wire.Enrolment, wait bool) error {
	if !wait {
		err := b.Ask(cmd, DaemonOnly, "POST", "enrolments", in, who)
		Warn(cmd, who.Warning)
		return err
	}
	// What the station refuses, it refuses at once.
	say := time.AfterFunc(300*time.Millisecond, func() {
		fmt.Fprintf(cmd.ErrOrStderr(), "show the tag of %s at the reader now (60 s)\n", in.Name)
	})
	defer say.Stop()
	err := b.Follow(cmd, DaemonOnly, "enrolments", in, who, Unseen)
	Warn(cmd, who.Warning)
	return err
}

func enrollCmd(b *Books) *cobra.Command {
	cmd := &cobra.Command{Use: "enroll", Short: "Give the next unknown tag to a person or a device"}
	for _, kind := range []string{"person", "device"} {
		in, wait := wire.NewEnrolment{Kind: kind}, false
		c := command.New(kind+" NAME", "The next unknown tap is this "+kind+"'s", func(cmd *cobra.Command, args []string) error {
			in.Name = args[0]
			var who wire.Enrolment
			if err := b.enrol(cmd, in, &who, wait); err != nil {
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
