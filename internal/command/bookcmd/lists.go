package bookcmd

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"stump/internal/api/wire"
	"stump/internal/command"

	"github.com/spf13/cobra"
)

func whoCmd(b *Books) *cobra.Command {
	var (
		f              command.Format
		overdue, soon  bool
		missing        bool
		inLab          bool
		person, device string
	)
	cmd := command.New("who", "List who holds which device", func(cmd *cobra.Command, _ []string) error {
		empty := "nobody holds a device"
		switch {
		case overdue && soon:
			empty = "nothing is overdue, or due within a day"
		case overdue:
			empty = "nothing is overdue"
		case missing:
			empty = "no part is missing from its kit"
		case soon:
			empty = "nothing is due within a day"
		}
		q := query("person", person, "device", device, "overdue", fmt.Sprint(overdue), "due_soon", fmt.Sprint(soon), "missing", fmt.Sprint(missing), "shown", fmt.Sprint(!f.JSON && !f.CSV))
		err := List(cmd, b, "who", q, f, []string{"DEVICE", "PERSON", "SINCE", "DUE"}, func(w *wire.Who) []string {
			due := command.When(w.Due, w.ClockTrusted || w.Before != nil)
			if w.Overdue {
				due += " overdue"
			}
			person := command.Text(w.Person)
			if w.Doubtful {
				person += ", in doubt"
			}
			device := command.Text(w.Device)
			if w.Note != nil && !w.Pending {
				device += " (" + command.Text(w.Note) + ")"
			}
			return []string{device, person, command.WhenBefore(w.Since, w.ClockTrusted, w.Before, time.Now()), due}
		}, empty)
		if err != nil || !inLab {
			return err
		}
		return labAsOf(cmd, b)
	})
	cmd.SuggestFor = []string{"list", "loans", "ls"}
	cmd.Long = "List who holds which device. A time is \"before 09:12\" where the station's clock was\nnot right and nothing is known but what came next; a ? stands where not even that is."
	f.Flags(cmd)
	cmd.Flags().BoolVar(&inLab, "lab", false, "say as of when, in a lab of several stations")
	cmd.Flags().BoolVar(&overdue, "overdue", false, "only loans past their due date")
	cmd.Flags().BoolVar(&soon, "due-soon", false, "only loans that are due within a day")
	cmd.Flags().BoolVar(&missing, "missing", false, "only parts that somebody has whose kit is elsewhere")
	cmd.Flags().StringVar(&person, "person", "", "only what this person holds (`name` or id)")
	cmd.Flags().StringVar(&device, "device", "", "only this device (`name` or id)")
	return cmd
}

// List asks for rows and prints them.
func List[P any](cmd *cobra.Command, b *Books, path string, q url.Values, f command.Format, columns []string, cells func(P) []string, empty string) error {
	if f.JSON && f.CSV {
		return command.Misuse("give one of them", "--json and --csv exclude each other")
	}
	return b.Stream(cmd, MayRead, "GET", path, q, nil, func(rows io.Reader) error {
		return command.PrintRows(cmd.OutOrStdout(), rows, f, columns, cells, empty)
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

// mostRows is how many rows of a list can be asked for at once.
const mostRows = 1000

func historyCmd(b *Books) *cobra.Command {
	var (
		f                           command.Format
		person, device, since, kind string
		refused                     bool
		limit                       int
	)
	cmd := command.New("history", "List what happened, oldest first", func(cmd *cobra.Command, _ []string) error {
		empty := "nothing has happened yet"
		if refused {
			empty = "nothing was refused"
		}
		q := query("person", person, "device", device, "kind", kind, "refused", fmt.Sprint(refused), "shown", fmt.Sprint(!f.JSON && !f.CSV))
		if since != "" {
			t, err := command.OptionalTime("--since", since, command.Ago)
			if err != nil {
				return err
			}
			q.Set("since", t.Format(time.RFC3339Nano))
		}
		if cmd.Flags().Changed("limit") {
			if limit < 1 || limit > mostRows {
				return command.Misuse("use 1 to "+strconv.Itoa(mostRows)+"; without it, all are listed", "--limit %d", limit)
			}
			q.Set("limit", strconv.Itoa(limit))
		}
		columns, what := []string{"SEQ", "WHEN", "WHAT", "DEVICE", "PERSON", "FROM", "NOTE"}, func(h *wire.History) string { return string(h.Kind) }
		if refused {
			columns[2], what = "READER", func(h *wire.History) string { return command.Text(h.Reader) }
		}
		return List(cmd, b, "history", q, f, columns, func(h *wire.History) []string {
			note := ""
			if h.Note != nil {
				note = command.Text(h.Note)
			}
			return []string{
				strconv.FormatUint(h.Seq, 10), command.WhenBefore(h.At, h.ClockTrusted, h.Before, time.Now()), what(h), command.Text(h.Device), command.Text(h.Person), command.Text(h.From), note,
			}
		}, empty)
	})
	cmd.Long = "List what happened, oldest first. A time is \"before 09:12\" where the station's clock\nwas not right and nothing is known but what came next; a ? stands where not even that is.\nThe order is that of the numbers. --since keeps what may have been later. What was\nrefused at the desk, and tags that nobody knows, are listed by --refused alone."
	f.Flags(cmd)
	cmd.Flags().StringVar(&person, "person", "", "only this person (`name` or id)")
	cmd.Flags().StringVar(&device, "device", "", "only this device (`name` or id)")
	cmd.Flags().StringVar(&kind, "kind", "", "only events of this `kind`, such as checkout, return or enrol")
	cmd.Flags().BoolVar(&refused, "refused", false, "what was refused, and unknown tags")
	cmd.Flags().IntVar(&limit, "limit", 0, "only the first `N` of them, at most 1000")
	cmd.Flags().StringVar(&since, "since", "", "only after this `time`: RFC 3339, a date, or 7d, 36h, yesterday, monday")
	return cmd
}
