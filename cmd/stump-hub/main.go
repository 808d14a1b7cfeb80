// Command stump-hub makes several stations one lab. It answers stations, and keeps what
// they say in PostgreSQL.
//
// Its output has the rules of that of stump: what was asked for goes to standard output,
// everything else to standard error; an error is two lines, what is wrong and what to do;
// --json is a contract. The exit status is 0 done, 1 failed, 2 wrong usage.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/hint"
	"stump/internal/hub"
	"stump/internal/hub/store"
	"stump/internal/plain"
)

// version is set by the build.
var version = "unreleased"

func main() { os.Exit(Main()) }

// Main runs the command line and returns the exit status.
func Main() int {
	cmd, out := root(), plain.NewWriter(os.Stdout)
	cmd.SetOut(out)
	stderr := plain.NewWriter(os.Stderr)
	cmd.SetErr(stderr)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := cmp.Or(cmd.ExecuteContext(ctx), out.Flush())
	return report(stderr, err)
}

// report prints err and returns the exit status.
func report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(w, "stump-hub: %v\n%s\n", err, cmp.Or(hint.Of(err), "--help tells how the command is used"))
	if _, usage := errors.AsType[command.UsageError](err); usage {
		return 2
	}
	return 1
}

// globals are the flags of every command.
type globals struct {
	bookcmd.Books // of the lab that the configuration names

	config, lab string
}

func root() *cobra.Command {
	g := &globals{}
	cmd := &cobra.Command{Use: "stump-hub", Short: "Make several stations one lab", SilenceErrors: true, SilenceUsage: true}
	cmd.Long = `Make several stations one lab: a device that was taken at one is brought back at another,
and whoever asks sees everything. The hub keeps all in PostgreSQL; stations reach it by HTTPS.`
	cmd.PersistentFlags().StringVar(&g.config, "config", "", "configuration `file` (default "+hub.DefaultConfig+")")
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return command.Misuse("see `"+c.CommandPath()+" --help`", "%w", err)
	})
	g.Connect = g.office
	cmd.AddCommand(runCmd(g), setupCmd(g), migrateCmd(g), checkCmd(g), joinCodeCmd(g), stationsCmd(g), conflictsCmd(g), whoCmd(g), historyCmd(g), webCmd(g), versionCmd(), checkFileCmd())
	cmd.AddCommand(g.Commands()...)
	cmd.SetHelpCommand(command.Help())
	cmd.InitDefaultHelpCmd()
	cmd.InitDefaultCompletionCmd()
	command.Strict(cmd)
	g.Complete(cmd)
	return cmd
}

// withLab runs f with the store and the lab that the command is about.
func (g *globals) withLab(cmd *cobra.Command, f func(*hub.Config, *store.Store, int64) error) error {
	return g.with(func(cfg *hub.Config, s *store.Store) error {
		if _, err := s.Check(cmd.Context()); err != nil {
			return err
		}
		id, err := s.Lab(cmd.Context(), cmp.Or(g.lab, cfg.Hub.Name), false)
		if err != nil {
			return err
		}
		return f(cfg, s, id)
	})
}

// with runs f with the store.
func (g *globals) with(f func(*hub.Config, *store.Store) error) error {
	cfg, err := hub.LoadConfig(g.config)
	if err != nil {
		return err
	}
	s, err := store.Open(store.Options{URL: cfg.Database.URL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer s.Close()
	return f(&cfg, s)
}

// ofLab adds the flag by which another lab is named.
func (g *globals) ofLab(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&g.lab, "lab", "", "the lab of this `name` (default: that of the configuration)")
	return cmd
}

func versionCmd() *cobra.Command {
	return command.New("version", "Print the version", func(cmd *cobra.Command, _ []string) error {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "stump-hub", version)
		return err
	})
}
