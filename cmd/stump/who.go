package main

import (
	"io"
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
	cmd := command("who", "List who holds which device", func(cmd *cobra.Command, _ []string) error {
		q := query("person", person, "device", device)
		empty := "nobody holds a device"
		if overdue {
			q.Set("overdue", "true")
			empty = "nothing is overdue"
		}
		if !f.json && !f.csv {
			q.Set("shown", "true")
		}
		return list(cmd, g, "who", q, f, []string{"DEVICE", "PERSON", "SINCE", "DUE"}, func(w api.Who) []string {
			due := when(w.Due, true)
			if w.Overdue {
				due += " overdue"
			}
			return []string{text(w.Device), text(w.Person), when(w.Since, w.ClockTrusted), due}
		}, empty)
	})
	cmd.SuggestFor = []string{"list", "loans", "ls"}
	cmd.Long = "List who holds which device. A ? behind a time means that the station's clock was not\nknown to be right; it is put right here when the clock is."
	f.flags(cmd)
	cmd.Flags().BoolVar(&overdue, "overdue", false, "only loans past their due date")
	cmd.Flags().StringVar(&person, "person", "", "only what this person holds (`name` or id)")
	cmd.Flags().StringVar(&device, "device", "", "only this device (`name` or id)")
	return cmd
}

// list asks for rows and prints them.
func list[T any](cmd *cobra.Command, g *globals, path string, q url.Values, f format, columns []string, cells func(T) []string, empty string) error {
	if f.json && f.csv {
		return misuse("give one of them", "--json and --csv exclude each other")
	}
	return g.stream(cmd, mayRead, "GET", path, q, nil, func(rows io.Reader) error {
		return printRows(cmd.OutOrStdout(), rows, f, columns, cells, empty)
	})
}

// query makes a query of names and values. It leaves out what is empty.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}
