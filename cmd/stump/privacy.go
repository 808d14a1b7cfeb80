package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/api"
	"stump/internal/count"
	"stump/internal/hint"
)

func eraseCmd(g *globals) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "erase PERSON", Short: "Erase all that is personal about somebody", Args: cobra.ExactArgs(1),
		Long: `Erase a person from the register and from the history. Without --yes it only says
what would be erased. Their devices must be back. The devices' history stays, and the
chain of events still verifies. It can't be undone; backups made before keep what they
have until they are rotated away.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			need := mayWrite
			if !yes {
				need = mayRead
			}
			c, done, err := g.connect(cmd.Context(), need)
			if err != nil {
				return err
			}
			defer done()
			if !yes {
				return wouldErase(cmd, c, args[0])
			}
			if err := c.Do(cmd.Context(), "POST", "people/"+api.Ref(args[0])+"/erase", nil, nil); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "erased "+args[0])
			return nil
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

// wouldErase says what an erasure takes away.
func wouldErase(cmd *cobra.Command, c *api.Client, person string) error {
	var d struct {
		Person        api.Person
		Loans         []api.Who
		Events, Named []json.RawMessage
	}
	if err := c.Do(cmd.Context(), "GET", "people/"+api.Ref(person)+"/dossier", nil, &d); err != nil {
		return err
	}
	if len(d.Loans) > 0 {
		var held []string
		for _, l := range d.Loans {
			held = append(held, text(l.Device))
		}
		return hint.Errorf("have it returned, then erase", "%s still has %s", text(d.Person.Name), strings.Join(held, ", "))
	}
	fmt.Fprintf(cmd.OutOrStdout(), `%s would be erased from the register and from %s; it can't be undone
nothing was changed; look with "stump people dossier %s"; add --yes to do it
`, text(d.Person.Name), count.Of(len(d.Events)+len(d.Named), "event"), d.Person.ID)
	return nil
}

func dossierCmd(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "dossier PERSON", Short: "Print all that is held about somebody, as JSON", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, done, err := g.connect(cmd.Context(), mayRead)
			if err != nil {
				return err
			}
			defer done()
			body, err := c.Stream(cmd.Context(), "GET", "people/"+api.Ref(args[0])+"/dossier", nil, nil)
			if err != nil {
				return err
			}
			defer body.Close()
			raw, err := io.ReadAll(body)
			if err != nil {
				return err
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, raw, "", "  "); err != nil {
				return err
			}
			_, err = pretty.WriteTo(cmd.OutOrStdout())
			return err
		},
	}
}

func correctCmd(g *globals, what, short string) *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use: what + " DEVICE", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := api.Bring{Note: note}
			return changed(cmd, g, "POST", "devices/"+api.Ref(args[0])+"/"+what, in, func(h api.History) string {
				return text(h.Device) + " is " + what
			})
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "why, for the history")
	return cmd
}

func unknownCmd(g *globals) *cobra.Command {
	var f format
	cmd := &cobra.Command{
		Use: "unknown", Short: "List tags that were shown and that nobody has", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd, g, "unknown", nil, f, []string{"NUMBER", "BITS", "SEEN", "LAST"}, func(u api.Unknown) []string {
				return []string{u.Number, strconv.Itoa(u.Bits), strconv.Itoa(u.Count), when(&u.Last, u.ClockTrusted)}
			}, "no unknown tag was shown")
		},
	}
	f.flags(cmd)
	return cmd
}
