package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/count"
)

func joinCmd(g *globals) *cobra.Command {
	var in wire.JoinLab
	var asJSON bool
	cmd := command.New("join CODE", "Make this station one of a lab of several", func(cmd *cobra.Command, args []string) error {
		if in.Code = args[0]; in.As != "" && in.Replace != "" {
			return command.Misuse("give --as for a card that was copied from another station, --replace for one in place of another's",
				"--as and --replace exclude each other")
		}
		var out wire.JoinedLab
		if err := g.Ask(cmd, bookcmd.DaemonOnly, "POST", "lab", in, &out); err != nil {
			return err
		}
		if asJSON {
			if err := command.PrintJSON(cmd, out); err != nil {
				return err
			}
		} else {
			printJoined(cmd.OutOrStdout(), in, out)
		}
		if len(out.Clashes) > 0 && !in.DryRun {
			return errors.New("nothing has changed: the register clashes with that of the lab")
		}
		return nil
	})
	cmd.Long = `Make this station one of a lab of several. ` + "`stump-hub join-code`" + ` at the hub prints a code for
each. The lab's people, devices and loans come to this station, and what it has goes to the
lab: the first station's register becomes that of the lab. Nothing changes where an id or a
tag is another person's or device's there.`
	cmd.Flags().BoolVar(&in.DryRun, "dry-run", false, "say what clashes, and change nothing")
	cmd.Flags().StringVar(&in.As, "as", "", "the card was copied from another station: this one is `name`, with a chain of its own")
	cmd.Flags().StringVar(&in.Replace, "replace", "", "the station `name` has a new card")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func printJoined(out io.Writer, in wire.JoinLab, j wire.JoinedLab) {
	for _, c := range j.Clashes {
		switch c.Why {
		case "tag":
			fmt.Fprintf(out, "%s %s: its tag is that of %s (%s) in the lab\n", c.Kind, c.ID, c.Other, c.Name)
		default:
			fmt.Fprintf(out, "%s %s: the lab has another of that id, %s\n", c.Kind, c.ID, c.Name)
		}
	}
	switch {
	case len(j.Clashes) > 0:
		fmt.Fprintf(out, "%s: change them here or at a station of the lab, then join again\n", count.Of(len(j.Clashes), "clash"))
	case in.DryRun:
		fmt.Fprintf(out, "nothing clashes: `stump join CODE` makes this the station %s of the lab %s\n", j.Station, j.Lab)
	default:
		fmt.Fprintf(out, "this is the station %s of the lab %s now\n", j.Station, j.Lab)
	}
}

func leaveCmd(g *globals) *cobra.Command {
	cmd := command.New("leave", "Take this station out of its lab", func(cmd *cobra.Command, _ []string) error {
		var out wire.LeftLab
		if err := g.Ask(cmd, bookcmd.DaemonOnly, "DELETE", "lab", nil, &out); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "this station has left the lab %s\n", out.Lab)
		if !out.Told {
			fmt.Fprintln(cmd.OutOrStdout(), "the hub does not know: take the station out there, too")
		}
		return nil
	})
	cmd.Long = "Take this station out of its lab. It keeps what it knows, and goes on alone."
	return cmd
}

func stationsCmd(g *globals) *cobra.Command {
	var f command.Format
	cmd := command.New("stations", "List the stations of the lab", func(cmd *cobra.Command, _ []string) error {
		empty, err := noStations(cmd, g)
		if err != nil {
			return err
		}
		return bookcmd.List(cmd, &g.Books, "lab/stations", nil, f, []string{"STATION", "LAST HEARD", "LAG", "VERSION", "FAULT"}, func(s *wire.LabStation) []string {
			if s.Office && s.Fault == nil {
				s.Fault = new("an office of the hub")
			}
			return []string{s.Name, command.When(s.Heard, true), fmt.Sprint(s.Lag), command.Text(s.Version), command.Text(s.Fault)}
		}, empty)
	})
	f.Flags(cmd)
	return cmd
}

// noStations is what is said of a list without stations. The hub sends the list some time
// after a station has begun, and that of a large lab not at all.
func noStations(cmd *cobra.Command, g *globals) (string, error) {
	var l wire.Lab
	err := g.Ask(cmd, bookcmd.MayRead, "GET", "lab", nil, &l)
	if err != nil || l.Lab == nil {
		return "this station is in no lab; `stump join CODE` joins one", err
	}
	return fmt.Sprintf("the hub has not sent the stations of the lab %s; `stump-hub stations` lists them there", *l.Lab), nil
}

// printLab says how the station stands in its lab.
func printLab(row func(name, format string, args ...any), l *wire.Lab) {
	heard := "the hub has not answered since the start"
	if l.Heard != nil {
		heard = "the hub answered " + command.When(l.Heard, true)
	}
	waiting := ", it knows all events"
	switch {
	case l.Heard == nil: // and nobody can know
		waiting = ""
	case l.Waiting > 0:
		waiting = ", " + count.Of(l.Waiting, "event") + " wait"
		if l.Waiting == 1 {
			waiting += "s"
		}
	}
	row("lab", "%s, as %s; %s%s", *l.Lab, *l.Station, heard, waiting)
	if l.Trouble != nil {
		row("trouble", "lab: %s", *l.Trouble)
		row("", "%s", *l.Remedy)
	}
}
