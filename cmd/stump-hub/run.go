package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"stump/internal/api/listen"
	"stump/internal/certificate"
	"stump/internal/command"
	"stump/internal/count"
	"stump/internal/hint"
	"stump/internal/hub"
	"stump/internal/hub/office"
	"stump/internal/hub/store"
	"stump/internal/task"
)

func runCmd(g *globals) *cobra.Command {
	cmd := command.New("run", "Run the hub", func(cmd *cobra.Command, _ []string) error {
		cfg, err := hub.LoadConfig(g.config)
		if err != nil {
			return err
		}
		return serve(cmd.Context(), &cfg, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
	})
	cmd.Long = "Run the hub until it is told to stop: answer stations, and keep what they say in the\ndatabase, which `stump-hub setup` has made ready."
	return cmd
}

// gcPercent lets the heap grow by half until it is collected: what waiting stations keep is
// most of it, and of thousands of them doubling it would be hundreds of megabytes.
const gcPercent = 50

// serve runs the hub until ctx is done.
func serve(ctx context.Context, cfg *hub.Config, log *slog.Logger) error {
	debug.SetGCPercent(gcPercent)
	keys := hub.Keys{Dir: cfg.Hub.State}
	s, err := store.Open(store.Options{URL: cfg.Database.URL, Log: log, Whose: office.Whose(cfg)})
	if err != nil {
		return err
	}
	defer s.Close()
	switch _, err := s.Check(ctx); {
	case errors.Is(err, store.ErrAway): // it may come, and the office has what was so last
		log.Error("the hub waits for its database", "err", err, "remedy", hint.Of(err))
	case err != nil:
		return err
	}
	cert, err := certificateOf(cfg, log)
	if err != nil {
		return err
	}
	server := &hub.Server{Store: s, Keys: keys, Log: log}
	site := &hub.Site{Addr: cfg.Web.Listen, URL: cfg.Web.URL, Certificate: cert, Log: log}
	if err := site.Open(); err != nil {
		return err
	}
	rooms := office.Open(office.Options{Config: cfg, Store: s, Hub: server.Handler(), Web: site.Web, Version: version, Log: log})
	server.Office = rooms
	site.Handler = server.Handler()
	ready := func() { _, _ = sd.SdNotify(false, sd.SdNotifyReady) }
	return task.Serve(ctx, log, ready, site, rooms)
}

func certificateOf(cfg *hub.Config, log *slog.Logger) (*certificate.Source, error) {
	return certificate.Open(certificate.Options{Certificate: cfg.Web.Certificate, Key: cfg.Web.Key, Dir: cfg.Hub.State, Names: listen.Names(cfg.Web.URL), Log: log})
}

func setupCmd(g *globals) *cobra.Command {
	cmd := command.New("setup", "Make the database ready, and the lab that the configuration names", func(cmd *cobra.Command, _ []string) error {
		return g.with(func(cfg *hub.Config, s *store.Store) error {
			out := cmd.OutOrStdout()
			if err := migrate(cmd.Context(), out, s); err != nil {
				return err
			}
			if _, err := s.Lab(cmd.Context(), cfg.Hub.Name, true); err != nil {
				return err
			}
			if _, err := certificateOf(cfg, slog.New(slog.DiscardHandler)); err != nil {
				return err
			}
			link, err := adminLink(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "the lab is called %s\nnext, let a station join: `sudo runuser -u stump-hub -- stump-hub join-code` prints a code for one\nan admin logs in, within 10 minutes: %s\n", cfg.Hub.Name, link)
			return err
		})
	})
	cmd.Long = "Make the tables in the database, the lab that the configuration names, and the hub's\ncertificate. What is there already stays as it is. Print a link that makes a browser an\nadmin's."
	return cmd
}

func migrateCmd(g *globals) *cobra.Command {
	cmd := command.New("migrate", "Change the tables to those of this version", func(cmd *cobra.Command, _ []string) error {
		return g.with(func(_ *hub.Config, s *store.Store) error { return migrate(cmd.Context(), cmd.OutOrStdout(), s) })
	})
	cmd.Long = "Change the tables in the database to those of this version. Nothing is lost. A hub that\nruns goes on; one of an earlier version does not start any more."
	return cmd
}

func migrate(ctx context.Context, w io.Writer, s *store.Store) error {
	steps, err := s.Migrate(ctx)
	if err != nil {
		return err
	}
	say := "the tables are those of this version"
	if steps > 0 {
		say = "the tables were made"
	}
	_, err = fmt.Fprintln(w, say)
	return err
}

func checkCmd(g *globals) *cobra.Command {
	cmd := command.New("check", "Say whether the hub can work", func(cmd *cobra.Command, _ []string) error {
		return g.with(func(cfg *hub.Config, s *store.Store) error { return check(cmd, cfg, s) })
	})
	cmd.Long = "Say whether the hub can work: the configuration, the database and its tables, the\ncertificate, the keys. A line a thing; the exit status is 1 where something is wrong."
	return cmd
}

func check(cmd *cobra.Command, cfg *hub.Config, s *store.Store) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%-14s right\n", "configuration")
	h, err := s.Check(cmd.Context())
	if h.Server != "" {
		fmt.Fprintf(out, "%-14s %s\n", "database", h.Server)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-14s version %d\n%-14s %d, with %s\n", "tables", h.Schema, "labs", h.Labs, count.Of(h.Stations, "station"))
	cert, err := certificateOf(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	of := "of an authority"
	if cert.SelfMade() {
		of = "made here"
	}
	fmt.Fprintf(out, "%-14s %s, until %s, SHA-256 %s\n", "certificate", of, cert.Current().NotAfter.Format("2006-01-02"), certificate.Fingerprint(cert.Current()))
	key, err := (hub.Keys{Dir: cfg.Hub.State}).Site(cfg.Hub.Name)
	if err != nil {
		return err
	}
	say := "that of the first station that joins"
	if key != nil {
		say = "there"
	}
	_, err = fmt.Fprintf(out, "%-14s %s\n", "site key", say)
	return err
}
