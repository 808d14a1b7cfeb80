package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"stump/hw/selftest"
	"stump/internal/api"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/station"
)

func selftestCmd(g *globals) *cobra.Command {
	var asJSON, yes, numbers bool
	var reader string
	cmd := command.New("selftest", "Test the wiring, and name the fault and the remedy", func(cmd *cobra.Command, _ []string) error {
		c, err := g.connectSelfTest(cmd.Context(), true)
		if err != nil {
			return err
		}
		s := &testSession{cmd: cmd, client: c, json: asJSON, typed: bufio.NewReader(cmd.InOrStdin())}
		s.printer.Columns = command.Columns(cmd.OutOrStdout())
		in := wire.NewSelfTest{Reader: reader, Numbers: numbers, Ask: !yes && command.IsTerminal(os.Stdin)}
		var test wire.SelfTest
		err = bookcmd.FollowTill(cmd.Context(), c, "selftest", in, &test, s.event)
		switch {
		case err != nil:
			return err
		case test.Summary == nil:
			return hint.Errorf("look whether the daemon still runs; its log says why if not", "the self-test broke off: no summary came")
		case test.Summary.ExitStatus() != 0:
			return statusError(test.Summary.ExitStatus())
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
	client  *client.Client
	json    bool
	printer selftest.Printer
	typed   *bufio.Reader
}

// event shows what happens in the self-test, and answers it if it is a question.
func (s *testSession) event(ctx context.Context, job string, e *wire.JobEvent) error {
	var (
		said  wire.Saying
		asked wire.Question
		res   selftest.Result
		sum   selftest.Summary
	)
	in := map[string]any{"say": &said, "ask": &asked, "result": &res, "summary": &sum}[e.What]
	if in == nil {
		return nil
	}
	if err := json.Unmarshal(e.Data, in); err != nil {
		return err
	}
	stderr := s.cmd.ErrOrStderr()
	switch e.What {
	case "say":
		fmt.Fprintln(stderr, "      "+said.Text)
	case "ask":
		fmt.Fprint(stderr, "  ?   "+asked.Text+" ")
		line, err := s.read(ctx)
		if err != nil {
			return err
		}
		return s.client.Do(ctx, "POST", job+"/answers", wire.Answer{Question: asked.Question, Answer: line}, nil)
	case "result":
		return s.print(res, s.printer.Lines(res))
	case "summary":
		return s.print(sum, append([]string{""}, s.printer.Summary(sum)...))
	}
	return nil
}

// read returns the next line that is typed.
func (s *testSession) read(ctx context.Context) (string, error) {
	type typed struct {
		line string
		err  error
	}
	came := make(chan typed, 1)
	go func() {
		line, err := s.typed.ReadString('\n')
		came <- typed{line, err}
	}()
	select {
	case t := <-came:
		if t.err != nil && t.line == "" {
			return "", fmt.Errorf("no answer: %w", t.err)
		}
		return strings.TrimSpace(t.line), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (s *testSession) print(v any, lines []string) error {
	if s.json {
		return command.PrintJSON(s.cmd, v)
	}
	_, err := fmt.Fprintln(s.cmd.OutOrStdout(), strings.Join(lines, "\n"))
	return err
}

// connectSelfTest returns a client of the daemon, or else of a server in this process
// that takes the lines itself. If the test also needs the state folder, root becomes
// its owner.
func (g *globals) connectSelfTest(ctx context.Context, folder bool) (*client.Client, error) {
	c, err := g.connect(ctx, bookcmd.DaemonOnly)
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
		Station: cfg.Station,
		SelfTest: func(reader string, _ station.Holder) (*selftest.Env, error) {
			return daemon.StandaloneTest(cfg, state, reader)
		},
	})), nil
}
