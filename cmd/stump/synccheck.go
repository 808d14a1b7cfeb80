package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/hint"
)

func syncCheckCmd(g *globals, asJSON *bool) *cobra.Command {
	cmd := command("check", "Try everything that the directory and the webhooks need", func(cmd *cobra.Command, _ []string) error {
		printer := selftest.Printer{Columns: columns(cmd.OutOrStdout())}
		var sum *selftest.Summary
		show := func(v any, lines []string) error {
			if *asJSON {
				return printJSON(cmd, v)
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(lines, "\n"))
			return err
		}
		err := g.stream(cmd, daemonOnly, "POST", "sync/check", nil, nil, func(answer io.Reader) error {
			_, err := eachJSON(answer, func(l *wire.TestLine) error {
				if l.Summary != nil {
					sum = l.Summary
					return show(sum, append([]string{""}, printer.Summary(*sum)...))
				}
				return show(l.Result, printer.Lines(*l.Result))
			})
			return err
		})
		switch {
		case err != nil:
			return err
		case sum == nil:
			return hint.Errorf("look whether the daemon still runs; its log says why if not", "the check broke off: no summary came")
		case sum.ExitStatus() != 0:
			return statusError(sum.ExitStatus())
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
