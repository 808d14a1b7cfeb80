package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/api"
	"stump/internal/count"
	"stump/internal/hint"
)

func eraseCmd(g *globals) *cobra.Command {
	var yes bool
	cmd := command("erase PERSON", "Erase all that is personal about somebody", func(cmd *cobra.Command, args []string) error {
		if !yes {
			return wouldErase(cmd, g, args[0])
		}
		if err := g.ask(cmd, mayWrite, "POST", people.path(args[0])+"/erase", nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "erased "+args[0])
		return err
	})
	cmd.Long = `Erase a person from the register and from the history. Without --yes it only says
what would be erased. Their devices must be back. The devices' history stays, and the
chain of events still verifies. It can't be undone; backups made before keep what they
have until they are rotated away.`
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

// wouldErase says what erasing somebody would take away.
func wouldErase(cmd *cobra.Command, g *globals, person string) error {
	var d struct {
		Person        api.Person
		Loans         []api.Who
		Events, Named []json.RawMessage
	}
	if err := g.ask(cmd, mayRead, "GET", people.path(person)+"/dossier", nil, &d); err != nil {
		return err
	}
	if len(d.Loans) > 0 {
		var held []string
		for _, l := range d.Loans {
			held = append(held, text(l.Device))
		}
		return hint.Errorf("have it returned, then erase", "%s still has %s", text(d.Person.Name), strings.Join(held, ", "))
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), `%s would be erased from the register and from %s; it can't be undone
nothing was changed; look with "stump people dossier %s"; add --yes to do it
`, text(d.Person.Name), count.Of(len(d.Events)+len(d.Named), "event"), d.Person.ID)
	return err
}

func dossierCmd(g *globals) *cobra.Command {
	return command("dossier PERSON", "Print all that is held about somebody, as JSON", func(cmd *cobra.Command, args []string) error {
		var dossier json.RawMessage
		if err := g.ask(cmd, mayRead, "GET", people.path(args[0])+"/dossier", nil, &dossier); err != nil {
			return err
		}
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(dossier)
	})
}

func unknownCmd(g *globals) *cobra.Command {
	var f format
	cmd := command("unknown", "List tags that were shown and that nobody has", func(cmd *cobra.Command, _ []string) error {
		return list(cmd, g, "unknown", nil, f, []string{"NUMBER", "BITS", "SEEN", "LAST"}, func(u api.Unknown) []string {
			return []string{u.Number, strconv.Itoa(u.Bits), strconv.Itoa(u.Count), when(&u.Last, u.ClockTrusted)}
		}, "no unknown tag was shown")
	})
	f.flags(cmd)
	return cmd
}
