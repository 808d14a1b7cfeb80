package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/inbox"
)

func inboxCmd(g *globals) *cobra.Command {
	var f format
	cmd := command("inbox", "List what waits for a person", func(cmd *cobra.Command, _ []string) error {
		return list(cmd, g, "inbox", nil, f, []string{"WHAT", "WHY", "DO"}, func(r *inbox.Row) []string {
			return []string{r.What, cmp.Or(text(r.Why), stories(r)), answers(r)}
		}, "nothing to do")
	})
	cmd.Long = `List what waits for a person: faults of the station, tags that nobody has, devices of
which the station and the directory tell two stories, events that a place did not
take, parts that are missing from their kit, and what two stations of a lab have reserved
at once.`
	f.flags(cmd)
	return cmd
}

// stories are what the station and the directory say of a device.
func stories(r *inbox.Row) string {
	if r.There == nil {
		return ""
	}
	return "here " + text(r.Here) + ", there " + text(r.There)
}

// answers are the commands that answer a row, after its remedy.
func answers(r *inbox.Row) string {
	var all []string
	for _, a := range r.Answers {
		switch a {
		case inbox.Assign:
			all = append(all, "stump unknown assign "+r.ID+" person|device NAME")
		case inbox.Ignore:
			all = append(all, "stump unknown ignore "+r.ID)
		case inbox.Cancel:
			all = append(all, "stump reservations cancel "+r.ID)
		case inbox.Drop:
			all = append(all, "stump sync drop "+r.ID+" --note WHY")
		default:
			all = append(all, "stump sync "+string(a)+" "+r.ID)
		}
	}
	do := strings.Join(all, ", or: ")
	if r.Remedy == nil || do == "" {
		return text(r.Remedy) + do
	}
	return text(r.Remedy) + "; " + do
}

func unknownCmd(g *globals) *cobra.Command {
	var f format
	cmd := command("unknown", "List tags that were shown and that nobody has", func(cmd *cobra.Command, _ []string) error {
		return list(cmd, g, "unknown", nil, f, []string{"ID", "NUMBER", "BITS", "SEEN", "LAST", "READER"}, func(u *wire.Unknown) []string {
			return []string{u.ID, u.Number, strconv.Itoa(u.Bits), strconv.Itoa(u.Count), when(&u.Last, u.ClockTrusted), text(u.Reader)}
		}, "no unknown tag was shown")
	})
	f.flags(cmd)
	assign := command("assign ID person|device NAME", "Give one to a person or a device", func(cmd *cobra.Command, args []string) error {
		var got wire.Assigned
		if err := g.ask(cmd, daemonOnly, "POST", "unknown/"+client.Ref(args[0])+"/assign", wire.NewEnrolment{Kind: args[1], Name: args[2]}, &got); err != nil {
			return err
		}
		warn(cmd, got.Warning)
		say := "enrolled " + got.Name
		if got.New {
			say += ", new to the register"
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), say)
		return err
	})
	assign.Long = "Give a tag that was shown to a person or a device, by name or id, as if it were shown\nafter `stump enroll`. A name that the register does not have is added to it."
	cmd.AddCommand(assign, command("ignore ID", "Leave one out of the list, however often it is shown", func(cmd *cobra.Command, args []string) error {
		return g.ask(cmd, mayWrite, "POST", "unknown/"+client.Ref(args[0])+"/ignore", nil, nil)
	}))
	return cmd
}
