package bookcmd

import (
	"fmt"
	"strings"

	"stump/internal/api/wire"
	"stump/internal/command"

	"github.com/spf13/cobra"
)

func mergeCmd(b *Books) *cobra.Command {
	cmd := command.New("merge OLD NEW", "Make two people one; NEW stays", func(cmd *cobra.Command, args []string) error {
		return changed(cmd, b, "POST", people.path(args[0])+"/merge", wire.Merge{Into: args[1]}, func(o outcome) string {
			return args[0] + " is now " + command.Text(o.PersonID) + " (" + command.Text(o.Person) + ")"
		})
	})
	cmd.SuggestFor = []string{"join", "unite"}
	cmd.Long = `What OLD has, OLD's badges and OLD's history are NEW's from then on, as is the mail
address if NEW has none. OLD is retired and its id leads to NEW; the directory does not
bring it back. Both are ids or names. It can't be undone.`
	return cmd
}

func showPersonCmd(b *Books) *cobra.Command {
	return showCmd(b, people, func(p *wire.PersonShown, ref string) [][2]string {
		var has, was []string
		for _, l := range p.Loans {
			has = append(has, loanText(command.Text(l.Device), l))
		}
		for _, w := range p.Was {
			was = append(was, fmt.Sprintf("%s (%s)", w.ID, command.Text(&w.Name)))
		}
		is := ""
		for _, w := range p.Was {
			if w.ID == ref {
				is = ref + " was merged into " + p.ID
			}
		}
		return [][2]string{{"", is}, {"ID", p.ID}, {"NAME", command.Text(p.Name)}, {"EMAIL", command.Text(p.Email)}, {"BADGE", command.Text(p.Badge)},
			{"STATUS", p.Status}, {"GROUPS", strings.Join(p.Groups, ", ")}, {"LANGUAGE", orEmpty(p.Language)}, {"HAS", strings.Join(has, "\n")}, {"WAS", strings.Join(was, "\n")}}
	})
}

func showDeviceCmd(b *Books) *cobra.Command {
	return showCmd(b, devices, func(d *wire.DeviceShown, _ string) [][2]string {
		with := ""
		if d.Loan != nil {
			with = loanText(command.Text(d.Loan.Person), *d.Loan)
		}
		var parts []string
		for _, p := range d.Parts {
			parts = append(parts, fmt.Sprintf("%s (%s), %s", command.Text(p.Name), p.ID, partText(p)))
		}
		return [][2]string{{"ID", d.ID}, {"NAME", command.Text(d.Name)}, {"KIND", command.Text(d.Kind)}, {"TAG", command.Text(d.Tag)},
			{"STATUS", d.Status}, {"OUT UNTIL", orEmpty(d.Out)}, {"KIT", orEmpty(d.Kit)}, {"PARTS", strings.Join(parts, "\n")}, {"CONDITION", orEmpty(d.Condition)},
			{"SERIAL", orEmpty(d.Serial)}, {"PLACE", orEmpty(d.Place)}, {"NOTE", orEmpty(d.Note)}, {"LINK", orEmpty(d.Link)}, {"WITH", with}}
	})
}

// partText is where a part of a kit is.
func partText(p wire.Part) string {
	switch {
	case p.In:
		return "in it"
	case p.Missing:
		return "missing, with " + command.Text(p.Person)
	case p.Person != nil || p.PersonID != nil:
		return "with " + command.Text(p.Person)
	case p.Status != "active":
		return p.Status
	}
	return "here"
}

// loanText is a loan as a card of the register shows it.
func loanText(what string, l wire.Who) string {
	s := what + ", since " + command.When(l.Since, l.ClockTrusted)
	if l.Due != nil {
		s += ", due " + command.When(l.Due, true)
	}
	if l.Overdue {
		s += " overdue"
	}
	return s
}

// showCmd prints one row of the register: lines of a word and what it is, without those
// that are empty. A line without a word is a note.
func showCmd[P any](b *Books, s shelf, lines func(row *P, ref string) [][2]string) *cobra.Command {
	var asJSON bool
	arg := strings.ToUpper(s.one)
	cmd := command.New("show "+arg, "Show one "+s.one, func(cmd *cobra.Command, args []string) error {
		var row P
		if err := b.Ask(cmd, MayRead, "GET", s.path(args[0]), nil, &row); err != nil {
			return err
		}
		if asJSON {
			return command.PrintJSON(cmd, row)
		}
		for _, l := range lines(&row, args[0]) {
			switch {
			case l[1] == "":
			case l[0] == "":
				fmt.Fprintln(cmd.ErrOrStderr(), "note: "+l[1])
			default:
				for i, line := range strings.Split(l[1], "\n") {
					if i > 0 {
						l[0] = ""
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%-9s  %s\n", l[0], line)
				}
			}
		}
		return nil
	})
	cmd.SuggestFor = []string{"get", "info", "view"}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// orEmpty is a value that is left out if it is unknown.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return command.Text(s)
}
