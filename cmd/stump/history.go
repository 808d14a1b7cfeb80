package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stump/internal/api"
)

func historyCmd(g *globals) *cobra.Command {
	var (
		f                     format
		person, device, since string
	)
	cmd := command("history", "List what happened, oldest first", func(cmd *cobra.Command, _ []string) error {
		q := query("person", person, "device", device)
		if since != "" {
			t, err := parseSince(since, time.Now())
			if err != nil {
				return err
			}
			q.Set("since", t.Format(time.RFC3339Nano))
		}
		return list(cmd, g, "history", q, f, []string{"SEQ", "WHEN", "WHAT", "DEVICE", "PERSON", "FROM", "NOTE"}, func(h api.History) []string {
			note := ""
			if h.Note != nil {
				note = text(h.Note)
			}
			return []string{
				strconv.FormatUint(h.Seq, 10), when(h.At, h.ClockTrusted), string(h.Kind), text(h.Device), text(h.Person), text(h.From), note,
			}
		}, "nothing has happened yet")
	})
	cmd.Long = "List what happened, oldest first. A ? behind a time means that the station's clock was\nnot known to be right; the order is that of the numbers. What has such a time, --since\nkeeps, unless something after it is known to be earlier."
	f.flags(cmd)
	cmd.Flags().StringVar(&person, "person", "", "only this person (`name` or id)")
	cmd.Flags().StringVar(&device, "device", "", "only this device (`name` or id)")
	cmd.Flags().StringVar(&since, "since", "", "only after this `time`: RFC 3339, a date, or days such as 7d")
	return cmd
}

// parseSince reads RFC 3339, a date in the local zone, or a number of days.
func parseSince(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return t, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	return time.Time{}, misuse("write 2026-11-21T10:00:00Z, 2026-11-21 or 7d", "--since: %q is not a time", s)
}
