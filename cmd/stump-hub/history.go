package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/command"
	"stump/internal/hub"
	"stump/internal/hub/store"
)

func historyCmd(g *globals) *cobra.Command {
	var (
		asJSON                      bool
		device, person, kind, since string
		limit                       int
	)
	cmd := command.New("history", "List what happened in the lab, oldest first", func(cmd *cobra.Command, _ []string) error {
		p := store.Past{Kind: checkout.Kind(kind), Limit: limit}
		if since != "" {
			var err error
			if p.Since, err = time.Parse(time.RFC3339, since); err != nil {
				return command.Misuse("write it as 2026-12-01T09:00:00Z", "--since %q is no time", since)
			}
		}
		return g.withLab(cmd, func(_ *hub.Config, s *store.Store, lab int64) (err error) {
			if device != "" {
				if p.Device, err = s.Find(cmd.Context(), lab, checkout.KindDevice, device); err != nil {
					return err
				}
			}
			if person != "" {
				if p.Person, err = s.Find(cmd.Context(), lab, checkout.KindPerson, person); err != nil {
					return err
				}
			}
			return printHistory(cmd, s, lab, p, asJSON)
		})
	})
	cmd.Long = `List what happened at all stations of the lab, oldest first: in the order in which the hub
heard of it, and of one device in that of lab time. What was refused at a desk, and tags that
nobody knows, are listed by --kind refused alone.`
	cmd.Flags().BoolVar(&asJSON, "json", false, "an object a line")
	cmd.Flags().StringVar(&device, "device", "", "only this device (`name` or id)")
	cmd.Flags().StringVar(&person, "person", "", "only this person (`name` or id)")
	cmd.Flags().StringVar(&kind, "kind", "", "only events of this `kind`, such as checkout, return or refused")
	cmd.Flags().StringVar(&since, "since", "", "only after this `time` (RFC 3339)")
	cmd.Flags().IntVar(&limit, "limit", 0, "only the first `N` of them")
	return g.ofLab(cmd)
}

func printHistory(cmd *cobra.Command, s *store.Store, lab int64, p store.Past, asJSON bool) (err error) {
	var rows [][]string
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	listed := s.History(cmd.Context(), lab, p, func(e books.Entry) bool {
		if asJSON {
			err = enc.Encode(e)
			return err == nil
		}
		j := e.JSON()
		cell := func(s *string) string {
			if s == nil {
				return "-"
			}
			return *s
		}
		rows = append(rows, []string{minute(e.Time), string(e.Kind), cell(j.Device), cell(j.Person), cell(j.From), e.Station, cell(j.Note)})
		return true
	})
	switch {
	case listed != nil:
		return listed
	case err != nil || asJSON:
		return err
	}
	return printTable(cmd.OutOrStdout(), "nothing has happened yet", []string{"WHEN", "WHAT", "DEVICE", "PERSON", "FROM", "STATION", "NOTE"}, rows)
}
