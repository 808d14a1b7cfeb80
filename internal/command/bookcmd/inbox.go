package bookcmd

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/inbox"
)

func inboxCmd(b *Books) *cobra.Command {
	var f command.Format
	cmd := command.New("inbox", "List what waits for a person", func(cmd *cobra.Command, _ []string) error {
		return List(cmd, b, "inbox", nil, f, []string{"WHAT", "WHY", "DO"}, func(r *inbox.Row) []string {
			return []string{r.What, cmp.Or(command.Text(r.Why), stories(r)), answers(cmd.Root().Name(), r)}
		}, "nothing to do")
	})
	cmd.Long = `List what waits for a person: faults of the station, tags that nobody has, devices of
which the station and the directory tell two stories, events that a place did not
take, parts that are missing from their kit, and what two stations of a lab have reserved
at once.`
	f.Flags(cmd)
	return cmd
}

// stories are what the station and the directory say of a device.
func stories(r *inbox.Row) string {
	if r.There == nil {
		return ""
	}
	return "here " + command.Text(r.Here) + ", there " + command.Text(r.There)
}

// answers are the commands that answer a row, after its remedy.
func answers(program string, r *inbox.Row) string {
	var all []string
	for _, a := range r.Answers {
		switch a {
		case inbox.Assign:
			all = append(all, program+" unknown assign "+r.ID+" person|device NAME")
		case inbox.Ignore:
			all = append(all, program+" unknown ignore "+r.ID)
		case inbox.Cancel:
			all = append(all, program+" reservations cancel "+r.ID)
		case inbox.Drop:
			all = append(all, program+" sync drop "+r.ID+" --note WHY")
		default:
			of := " sync "
			if r.Kind == inbox.Conflict {
				of = " conflicts "
			}
			all = append(all, program+of+string(a)+" "+r.ID)
		}
	}
	do := strings.Join(all, ", or: ")
	if r.Remedy == nil || do == "" {
		return command.Text(r.Remedy) + do
	}
	return command.Text(r.Remedy) + "; " + do
}

func unknownCmd(b *Books) *cobra.Command {
	var f command.Format
	cmd := command.New("unknown", "List tags that were shown and that nobody has", func(cmd *cobra.Command, _ []string) error {
		return List(cmd, b, "unknown", nil, f, []string{"ID", "NUMBER", "BITS", "SEEN", "LAST", "READER"}, func(u *wire.Unknown) []string {
			return []string{u.ID, u.Number, strconv.Itoa(u.Bits), strconv.Itoa(u.Count), command.When(&u.Last, u.ClockTrusted), command.Text(u.Reader)}
		}, "no unknown tag was shown")
	})
	f.Flags(cmd)
	assign := command.New("assign ID person|device NAME", "Give one to a person or a device", func(cmd *cobra.Command, args []string) error {
		var got wire.Assigned
		if err := b.Ask(cmd, DaemonOnly, "POST", "unknown/"+client.Ref(args[0])+"/assign", wire.NewEnrolment{Kind: args[1], Name: args[2]}, &got); err != nil {
			return err
		}
		Warn(cmd, got.Warning)
		say := "enrolled " + got.Name
		if got.New {
			say += ", new to the register"
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), say)
		return err
	})
	assign.Long = "Give a tag that was shown to a person or a device, by name or id, as if it were shown\nafter an enrolment began. A name that the register does not have is added to it."
	cmd.AddCommand(assign, command.New("ignore ID", "Leave one out of the list, however often it is shown", func(cmd *cobra.Command, args []string) error {
		return b.Ask(cmd, MayWrite, "POST", "unknown/"+client.Ref(args[0])+"/ignore", nil, nil)
	}))
	return cmd
}
