package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"stump/hw/selftest"
	"stump/internal/api"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
)

func selftestCmd(g *globals) *cobra.Command {
	var asJSON, yes, numbers bool
	var reader string
	cmd := &cobra.Command{
		Use: "selftest", Short: "Test the wiring, and name the fault and the remedy", Args: cobra.NoArgs,
		Long: `Test the station from the board to the ledger: power, lines, wires, cards, lights,
display, clock, disk, network. Every failure names what is wrong and what to do.

It asks the running daemon, which holds the lines; without one it takes the lines
itself. Cards shown during the test never become loans. The exit status is 0 for
pass, 1 for fail, 3 for warnings only.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, done, err := g.connectSelfTest(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer done()
			people := !yes && term.IsTerminal(int(os.Stdin.Fd()))
			s := &testSession{cmd: cmd, json: asJSON, in: bufio.NewReader(cmd.InOrStdin())}
			s.printer.Columns = columns(cmd.OutOrStdout())
			q := url.Values{"reader": {reader}}
			if people {
				q.Set("ask", "true")
			}
			if numbers {
				q.Set("numbers", "true")
			}
			return s.run(c, people, q)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a check, and a summary")
	cmd.Flags().BoolVar(&yes, "yes", false, "ask nothing: only what needs no hands")
	cmd.Flags().BoolVar(&numbers, "numbers", false, "print card numbers in full")
	cmd.Flags().StringVar(&reader, "reader", "", "test the reader of this `name`, not the first")
	return cmd
}

// connectSelfTest asks the daemon if there is one; else this process tests. If
// it looks at the state folder too, root does so as the folder's owner.
func (g *globals) connectSelfTest(ctx context.Context, folder bool) (*api.Client, func(), error) {
	c, done, err := g.connect(ctx, daemonOnly)
	if err == nil || g.socket != "" || errors.Is(err, errOtherLedger) {
		return c, done, err
	}
	cfg, err := config.Load(g.config)
	if err != nil {
		return nil, nil, err
	}
	state := g.stateDir()
	if folder {
		if err := g.becomeOwner(state); err != nil {
			return nil, nil, err
		}
	}
	return api.Local(api.NewServer(api.Options{
		Station:  cfg.Station,
		SelfTest: func(reader string) (*selftest.Env, error) { return daemon.StandaloneTest(cfg, state, reader) },
	})), func() {}, nil
}

// testSession is a self-test as a person or a script sees it.
type testSession struct {
	cmd  *cobra.Command
	json bool
	in   *bufio.Reader

	printer selftest.Printer
}

func (s *testSession) run(c *api.Client, people bool, q url.Values) error {
	answers, body := io.Pipe()
	defer body.Close()
	if !people {
		body.Close()
	}
	lines, err := c.Stream(s.cmd.Context(), "POST", "selftest", q, answers)
	if err != nil {
		return err
	}
	defer lines.Close()
	dec := json.NewDecoder(lines)
	for {
		var l api.TestLine
		if err := dec.Decode(&l); err != nil {
			return hint.Errorf("look whether the daemon still runs; its log says why if not", "the self-test broke off: %w", noEOF(err))
		}
		switch {
		case l.Say != "":
			fmt.Fprintln(s.cmd.ErrOrStderr(), "      "+l.Say)
		case l.Ask != "":
			if err := s.answer(l.Ask, body); err != nil {
				return err
			}
		case l.Result != nil:
			s.print(*l.Result)
		case l.Summary != nil:
			return s.end(*l.Summary)
		}
	}
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("no summary came")
	}
	return err
}

func (s *testSession) answer(question string, body io.Writer) error {
	fmt.Fprint(s.cmd.ErrOrStderr(), "  ?   "+question+" ")
	line, err := s.in.ReadString('\n')
	if err != nil && line == "" {
		return fmt.Errorf("no answer: %w", err)
	}
	b, err := json.Marshal(strings.TrimSpace(line))
	if err != nil {
		return err
	}
	_, err = body.Write(append(b, '\n'))
	return err
}

func (s *testSession) print(r selftest.Result) {
	out := s.cmd.OutOrStdout()
	if s.json {
		_ = json.NewEncoder(out).Encode(r)
		return
	}
	s.lines(out, s.printer.Lines(r))
}

func (s *testSession) lines(out io.Writer, lines []string) {
	for _, l := range lines {
		fmt.Fprintln(out, l)
	}
}

func (s *testSession) end(sum selftest.Summary) error {
	out := s.cmd.OutOrStdout()
	if s.json {
		_ = json.NewEncoder(out).Encode(sum)
	} else {
		fmt.Fprintln(out)
		s.lines(out, s.printer.Summary(sum))
	}
	if status := sum.ExitStatus(); status != 0 {
		return statusError(status)
	}
	return nil
}

// columns is how wide a terminal is, between what can be read; 80 elsewhere.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if c, _, err := term.GetSize(int(f.Fd())); err == nil {
			return min(max(c, 50), 100)
		}
	}
	return 80
}
