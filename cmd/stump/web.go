package main

import (
	"fmt"

	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"

	"github.com/spf13/cobra"
)

func webCmd(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "web", Short: "Reach the station with a browser"}
	link := command.New("admin-link", "Print a link that makes a browser an admin's", func(cmd *cobra.Command, _ []string) error {
		var l wire.Link
		if err := g.Ask(cmd, bookcmd.DaemonOnly, "POST", "web/admin-link", nil, &l); err != nil {
			return err
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), l.URL)
		return err
	})
	link.Long = `Print a link that makes a browser an admin's, by your name. It works once, within 10
minutes. The browser stays logged in for 12 hours without use, a week at most.`
	cmd.AddCommand(link, command.New("setup", "Show where browsers reach the station, and what to do next", func(cmd *cobra.Command, _ []string) error {
		var w wire.Web
		if err := g.Ask(cmd, bookcmd.DaemonOnly, "GET", "web", nil, &w); err != nil {
			return err
		}
		printWeb(cmd, w)
		if !w.SelfMade {
			return nil
		}
		if err := g.Ask(cmd, bookcmd.DaemonOnly, "POST", "web/show", nil, nil); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: the display does not show the fingerprint: %v\n", err)
			return nil
		}
		_, err := fmt.Fprint(cmd.OutOrStdout(), "\nThe station's display shows the fingerprint now, part by part.\n")
		return err
	}))
	return cmd
}

func printWeb(cmd *cobra.Command, w wire.Web) {
	out := cmd.OutOrStdout()
	if w.Listen == nil {
		fmt.Fprint(out, `no browser can reach this station
add this to the configuration and restart stump:

[web]
listen = ":8443"
`)
		return
	}
	fmt.Fprintf(out, "address      %s (listens at %s)\n", command.Text(w.URL), command.Text(w.Listen))
	fmt.Fprintf(out, "certificate  %s, until %s\n", map[bool]string{true: "made by this station", false: "from its file"}[w.SelfMade], command.When(w.Expires, true))
	fmt.Fprintf(out, "fingerprint  %s\n", command.Text(w.Fingerprint))
	if w.SelfMade {
		fmt.Fprint(out, `
A browser asks once whether to trust the certificate: compare the fingerprint (SHA-256)
first. With certificate and key in the configuration it does not ask.
`)
	}
	fmt.Fprint(out, `
An admin logs in with the link of "stump web admin-link", a script with a token of
"stump token add NAME --role ROLE".
`)
}
