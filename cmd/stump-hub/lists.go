package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stump/internal/command"
	"stump/internal/hub"
	"stump/internal/hub/store"
)

func joinCodeCmd(g *globals) *cobra.Command {
	cmd := command.New("join-code", "Print a code with which one station can join", func(cmd *cobra.Command, _ []string) error {
		return g.withLab(cmd, func(cfg *hub.Config, s *store.Store, lab int64) error {
			cert, err := certificateOf(cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			code, err := hub.Keys{Dir: cfg.Hub.State}.NewCode(cfg.Web.URL, hub.Pin(cert))
			if err != nil {
				return err
			}
			if err := s.AddCode(cmd.Context(), lab, code); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "this code is good for one station and one hour; at the station:\nsudo stump join %s\n", code)
			return err
		})
	})
	cmd.Long = "Print a code with which one station can join, within an hour. It has the hub's address and\nby what its certificate is known, and whoever has it can read the register of the lab."
	return g.ofLab(cmd)
}

// printJSON prints an object a line.
func printJSON[T any](w io.Writer, all []T) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, v := range all {
		if err := enc.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

// printTable prints rows for people.
func printTable(w io.Writer, empty string, header []string, rows [][]string) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, empty)
		return err
	}
	t := command.NewTable(w, header)
	for _, row := range rows {
		if err := t.Add(row); err != nil {
			return err
		}
	}
	return t.Flush()
}

func minute(t time.Time) string { return command.When(&t, true) }

func stationsCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := command.New("stations", "List the stations of the lab", func(cmd *cobra.Command, _ []string) error {
		return g.withLab(cmd, func(_ *hub.Config, s *store.Store, lab int64) error {
			all, err := s.Stations(cmd.Context(), lab)
			if err != nil || asJSON {
				return cmp.Or(err, printJSON(cmd.OutOrStdout(), all))
			}
			var rows [][]string
			for _, st := range all {
				state := st.Fault
				switch {
				case st.Office && state == "" && !st.Left:
					state = "an office of the hub"
				case st.Left:
					state = "has left"
				case len(st.Unerased) > 0:
					state = strings.TrimPrefix(state+fmt.Sprintf(", has not heard of %d erased", len(st.Unerased)), ", ")
				}
				rows = append(rows, []string{st.Name, minute(st.Heard), fmt.Sprint(st.Lag), st.Version, state})
			}
			return printTable(cmd.OutOrStdout(), "no station has joined yet", []string{"STATION", "LAST HEARD", "LAG", "VERSION", "STATE"}, rows)
		})
	})
	cmd.Long = "List the stations of the lab: when each was heard last, and how many rows it has not\nasked for yet."
	cmd.Flags().BoolVar(&asJSON, "json", false, "an object a line")
	return g.ofLab(cmd)
}

func conflictsCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := command.New("conflicts", "List where stations did not know of each other", func(cmd *cobra.Command, _ []string) error {
		return g.withLab(cmd, func(_ *hub.Config, s *store.Store, lab int64) error {
			all, err := s.Conflicts(cmd.Context(), lab)
			if err != nil || asJSON {
				return cmp.Or(err, printJSON(cmd.OutOrStdout(), all))
			}
			var rows [][]string
			for _, c := range all {
				rows = append(rows, []string{fmt.Sprint(c.ID), minute(c.At), c.Kind, about(&c), told(c.Before, c.Kept), told(c.Then, c.Refused)})
			}
			return printTable(cmd.OutOrStdout(), "there are none", []string{"ID", "WHEN", "WHAT", "OF", "BEFORE", "THEN"}, rows)
		})
	})
	cmd.Long = "List where stations did not know of each other. unseen: a device went on without its\nstation knowing who had it. doubtful: who took it there had it already, and has probably\nbrought it back. field, tag: a change to the register that was refused, since somebody else\nhad changed the same."
	cmd.Flags().BoolVar(&asJSON, "json", false, "an object a line")
	cmd.AddCommand(g.ofLab(acceptCmd(g)))
	return g.ofLab(cmd)
}

func acceptCmd(g *globals) *cobra.Command {
	cmd := command.New("accept ID", "Take one off the list: it is as it is in the lab", nil)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := strconv.ParseInt(strings.TrimPrefix(args[0], "lab-"), 10, 64) // as the inbox has it
		if err != nil {
			return command.Misuse("`stump-hub conflicts` lists them", "%q is no ID of a conflict", args[0])
		}
		return g.withLab(cmd, func(_ *hub.Config, s *store.Store, lab int64) error {
			return s.Settle(cmd.Context(), lab, id, command.Actor())
		})
	}
	cmd.Long = "Take a conflict off the list: an admin has looked, and it is as it is in the lab. Nothing\nelse changes; where it is not, put it right at any station with `stump give` or `stump return`."
	return cmd
}

// about is what a conflict is about.
func about(c *store.Conflict) string {
	switch {
	case c.Subject != nil && c.Field != nil:
		return *c.Subject + " " + c.FieldName()
	case c.DeviceID != nil:
		return *c.DeviceID
	}
	return "-"
}

// told is one of the two stories of a conflict.
func told(s *store.Story, value *string) string {
	switch {
	case s != nil:
		return strings.Join(strings.Fields(fmt.Sprintf("%s %s at %s", s.Kind, cmp.Or(s.Person, s.PersonID), s.Station)), " ")
	}
	return store.Shown(value)
}

func whoCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := command.New("who", "List who holds which device", func(cmd *cobra.Command, _ []string) error {
		return g.withLab(cmd, func(_ *hub.Config, s *store.Store, lab int64) error {
			const page = 5000
			now, after := time.Now(), ""
			var rows [][]string
			for {
				all, err := s.Who(cmd.Context(), lab, after, page, now)
				if err != nil {
					return err
				}
				if asJSON {
					if err := printJSON(cmd.OutOrStdout(), all); err != nil {
						return err
					}
				} else {
					for _, l := range all {
						l = l.Shown()
						due := "-"
						if !l.Due.IsZero() {
							due = minute(l.Due)
						}
						if l.Overdue {
							due += " overdue"
						}
						rows = append(rows, []string{cmp.Or(l.Device, l.DeviceID), cmp.Or(l.Person, l.PersonID, "somebody"), minute(l.Since), due, l.Station})
					}
				}
				if len(all) < page {
					break
				}
				after = all[len(all)-1].Key()
			}
			if asJSON {
				return nil
			}
			return printTable(cmd.OutOrStdout(), "nobody holds a device", []string{"DEVICE", "PERSON", "SINCE", "DUE", "STATION"}, rows)
		})
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "an object a line")
	return g.ofLab(cmd)
}
