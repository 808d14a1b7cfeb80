package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"stump/hw/selftest"
	"stump/internal/api"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
)

func selftestCmd(g *globals) *cobra.Command {
	var asJSON, yes, numbers bool
	var reader string
	cmd := command("selftest", "Test the wiring, and name the fault and the remedy", func(cmd *cobra.Command, _ []string) error {
		c, err := g.connectSelfTest(cmd.Context(), true)
		if err != nil {
			return err
		}
		answers, body := io.Pipe()
		defer body.Close()
		ask := !yes && isTerminal(os.Stdin)
		if !ask {
			body.Close()
		}
		q := query("reader", reader, "numbers", fmt.Sprint(numbers), "ask", fmt.Sprint(ask))
		lines, err := c.Stream(cmd.Context(), "POST", "selftest", q, answers)
		if err != nil {
			return err
		}
		defer lines.Close()
		s := &testSession{cmd: cmd, json: asJSON, typed: bufio.NewReader(cmd.InOrStdin()), answers: json.NewEncoder(body)}
		s.printer.Columns = columns(cmd.OutOrStdout())
		_, err = eachJSON(lines, s.line)
		switch {
		case err != nil:
			return err
		case s.summary == nil:
			return hint.Errorf("look whether the daemon still runs; its log says why if not", "the self-test broke off: no summary came")
		case s.summary.ExitStatus() != 0:
			return statusError(s.summary.ExitStatus())
		}
		return nil
	})
	cmd.Long = `Test the station from the board to the ledger: power, lines, wires, cards, lights,
display, clock, disk, network. Every failure names what is wrong and what to do.

It asks the running daemon, which holds the lines; without one it takes the lines
itself. Cards shown during the test never become loans. The exit status is 0 for
pass, 1 for fail, 3 for warnings only.`
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a check, and a summary")
	cmd.Flags().BoolVar(&yes, "yes", false, "ask nothing: only what needs no hands")
	cmd.Flags().BoolVar(&numbers, "numbers", false, "print card numbers in full")
	cmd.Flags().StringVar(&reader, "reader", "", "test the reader of this `name`, not the first")
	return cmd
}

// testSession shows a self-test to a person or a script.
type testSession struct {
	cmd     *cobra.Command
	json    bool
	printer selftest.Printer
	typed   *bufio.Reader
	answers *json.Encoder
	summary *selftest.Summary // once it has come
}

// line shows a line of the self-test, and answers it if it is a question.
func (s *testSession) line(l *wire.TestLine) error {
	stderr := s.cmd.ErrOrStderr()
	switch {
	case l.Say != "":
		fmt.Fprintln(stderr, "      "+l.Say)
	case l.Ask != "":
		fmt.Fprint(stderr, "  ?   "+l.Ask+" ")
		line, err := s.typed.ReadString('\n')
		if err != nil && line == "" {
			return fmt.Errorf("no answer: %w", err)
		}
		return s.answers.Encode(strings.TrimSpace(line))
	case l.Result != nil:
		return s.print(l.Result, s.printer.Lines(*l.Result))
	case l.Summary != nil:
		s.summary = l.Summary
		return s.print(l.Summary, append([]string{""}, s.printer.Summary(*l.Summary)...))
	}
	return nil
}

func (s *testSession) print(v any, lines []string) error {
	if s.json {
		return printJSON(s.cmd, v)
	}
	_, err := fmt.Fprintln(s.cmd.OutOrStdout(), strings.Join(lines, "\n"))
	return err
}

// connectSelfTest returns a client of the daemon, or else of a server in this process
// that takes the lines itself. If the test also needs the state folder, root becomes
// its owner.
func (g *globals) connectSelfTest(ctx context.Context, folder bool) (*client.Client, error) {
	c, err := g.connect(ctx, daemonOnly)
	if err == nil || g.socket != "" || errors.Is(err, errOtherLedger) {
		return c, err
	}
	cfg, err := config.Load(g.config)
	if err != nil {
		return nil, err
	}
	state := g.stateDir()
	if folder {
		if err := g.becomeOwner(state); err != nil {
			return nil, err
		}
	}
	return client.Local(api.NewServer(api.Options{
		Station:  cfg.Station,
		SelfTest: func(reader string) (*selftest.Env, error) { return daemon.StandaloneTest(cfg, state, reader) },
	})), nil
}
