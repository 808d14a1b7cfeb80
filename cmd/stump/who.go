package main

import (
	"net/url"

	"github.com/spf13/cobra"

	"stump/internal/api"
)

func whoCmd(g *globals) *cobra.Command {
	var (
		f              format
		overdue        bool
		person, device string
	)
	cmd := &cobra.Command{
		Use: "who", SuggestFor: []string{"list", "loans", "ls"},
		Short: "List who holds which device",
		Long:  "List who holds which device. A ? behind a time means that the station's clock was not\nknown to be right; it is put right here when the clock is.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			setIf(q, "person", person)
			setIf(q, "device", device)
			if overdue {
				q.Set("overdue", "true")
			}
			if !f.json && !f.csv {
				q.Set("shown", "true")
			}
			empty := "nobody holds a device"
			if overdue {
				empty = "nothing is overdue"
			}
			return list(cmd, g, "who", q, f, []string{"DEVICE", "PERSON", "SINCE", "DUE"}, func(w api.Who) []string {
				due := "–"
				if w.Due != nil {
					due = when(w.Due, true)
				}
				if w.Overdue {
					due += " overdue"
				}
				return []string{text(w.Device), text(w.Person), when(w.Since, w.ClockTrusted), due}
			}, empty)
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&overdue, "overdue", false, "only loans past their due date")
	cmd.Flags().StringVar(&person, "person", "", "only what this person holds (`name` or id)")
	cmd.Flags().StringVar(&device, "device", "", "only this device (`name` or id)")
	return cmd
}

// list asks for a stream of rows and prints it.
func list[T any](cmd *cobra.Command, g *globals, path string, q url.Values, f format, columns []string, cells func(T) []string, empty string) error {
	if err := f.check(); err != nil {
		return err
	}
	c, done, err := g.connect(cmd.Context(), mayRead)
	if err != nil {
		return err
	}
	defer done()
	rows, err := c.Stream(cmd.Context(), "GET", path, q, nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	return printRows(cmd.OutOrStdout(), rows, f, columns, cells, empty)
}

func setIf(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}
