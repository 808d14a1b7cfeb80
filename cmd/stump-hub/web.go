package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"stump/checkout/ledger"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/hub"
	"stump/internal/hub/office"
	"stump/internal/identity"
	"stump/internal/owner"
)

func webCmd(g *globals) *cobra.Command {
	link := command.New("admin-link", "Print a link that makes a browser an admin's", func(cmd *cobra.Command, _ []string) error {
		cfg, err := hub.LoadConfig(g.config)
		if err != nil {
			return err
		}
		link, err := newLink(cmd.Context(), &cfg)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), link)
		return err
	})
	link.Long = "Print a link that makes a browser an admin's, by your name. It works once, within 10\nminutes. The browser stays logged in for 12 hours without use, a week at most."
	cmd := &cobra.Command{Use: "web", Short: "Reach the hub with a browser"}
	cmd.AddCommand(link)
	return cmd
}

// dial returns a client of the office of the hub that runs.
func dial(ctx context.Context, cfg *hub.Config) (*client.Client, error) {
	c, err := client.Dial(ctx, office.Socket(cfg))
	switch {
	case errors.Is(err, syscall.EACCES):
		return nil, hint.Errorf("run it as the hub's user: `sudo runuser -u stump-hub -- stump-hub …`", "the hub may not be asked by this user: %w", err)
	case err != nil:
		return nil, hint.Errorf("start it: `sudo systemctl start stump-hub`; its log says why it does not", "the hub does not run: %w", err)
	}
	c.Actor = command.Actor()
	return c, nil
}

// office is bookcmd.Books' Connect.
func (g *globals) office(ctx context.Context, _ bookcmd.Access) (*client.Client, error) {
	cfg, err := hub.LoadConfig(g.config)
	if err != nil {
		return nil, err
	}
	return dial(ctx, &cfg)
}

// newLink asks the hub that runs for an admin's link.
func newLink(ctx context.Context, cfg *hub.Config) (string, error) {
	c, err := dial(ctx, cfg)
	if err != nil {
		return "", err
	}
	var l wire.Link
	err = c.Do(ctx, "POST", "web/admin-link", nil, &l)
	return l.URL, err
}

// adminLink is an admin's link at the hub that runs, or that is started next.
func adminLink(ctx context.Context, cfg *hub.Config) (string, error) {
	if link, err := newLink(ctx, cfg); err == nil {
		return link, nil
	}
	dir := office.Dir(cfg)
	if err := owner.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	access := identity.Open(dir, identity.Options{})
	secret := access.NewLink(cmp.Or(command.Actor(), "admin"))
	ended, end := context.WithCancel(ctx)
	end()
	return cfg.Web.URL + "/login#" + secret, access.Run(ended) // which saves it
}

// checkFileCmd is the command that daemon.CheckInChild runs.
func checkFileCmd() *cobra.Command {
	return &cobra.Command{Use: daemon.CheckFileCommand + " FILE", Hidden: true, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		err := ledger.CheckFile(args[0])
		if err != nil {
			fmt.Fprintln(cmd.OutOrStdout(), err)
		}
		return err
	}}
}
