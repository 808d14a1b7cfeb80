package main

import (
	"github.com/spf13/cobra"

	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/hint"
)

func syncCheckCmd(g *globals, asJSON *bool) *cobra.Command {
	cmd := command.New("check", "Try everything that the directory and the webhooks need", func(cmd *cobra.Command, _ []string) error {
		c, err := g.connect(cmd.Context(), bookcmd.DaemonOnly)
		if err != nil {
			return err
		}
		s := &testSession{cmd: cmd, client: c, json: *asJSON, printer: selftest.Printer{Columns: command.Columns(cmd.OutOrStdout())}}
		var check wire.SyncCheck
		err = bookcmd.FollowTill(cmd.Context(), c, "sync/checks", nil, &check, s.event)
		switch {
		case err != nil:
			return err
		case check.Summary == nil:
			return hint.Errorf("look whether the daemon still runs; its log says why if not", "the check broke off: no summary came")
		case check.Summary.ExitStatus() != 0:
			return statusError(check.Summary.ExitStatus())
		}
		return nil
	})
	cmd.Long = `Try everything that the directory and the webhooks need, once: name, connection, TLS,
token, the lists of people and devices, the fields with their numbers, the clock. Every
failure names what is wrong and what to do.

Nothing is changed: no event is posted, and what is read is not used. The exit status
is 0 for pass, 1 for fail, 3 for warnings only.`
	return cmd
}
