package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"stump/hw/board"
	"stump/internal/command"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
)

// thisBoard is the value of a --board without a name.
const thisBoard = "this"

func configCmd(g *globals) *cobra.Command {
	var key string
	check := command.New("check [FILE] [--board [NAME]]", "Say whether the configuration is right", func(cmd *cobra.Command, args []string) error {
		file, b, err := fileAndBoard(g.config, key, args)
		if err != nil {
			return err
		}
		return checkConfig(cmd.OutOrStdout(), file, b)
	})
	check.DisableFlagsInUseLine = true
	check.Long = `Say whether the configuration is right: everything that is wrong in the file, with its
line, and notes on what is allowed but can hardly be meant. Nobody is called.

With --board it looks up the lines on this machine's board; with --board NAME it checks
them by that board's header, wherever it runs.`
	check.Flags().StringVar(&key, "board", "", "check the lines on this board, or on the `board` of this name: "+strings.Join(board.Keys(), ", "))
	check.Flags().Lookup("board").NoOptDefVal = thisBoard

	cmd := &cobra.Command{Use: "config", Short: "Check and show the configuration"}
	cmd.AddCommand(
		check,
		command.New("show", "Print the configuration with all defaults", func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(g.config)
			if err != nil {
				return err
			}
			return cfg.Write(cmd.OutOrStdout())
		}),
		command.New("example", "Print a commented configuration file", func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), config.Example())
			return err
		}),
	)
	return cmd
}

// fileAndBoard finds the file and the board of a check. A board's name comes as an
// argument, because --board may stand without one; b is nil without --board.
func fileAndBoard(file, key string, args []string) (_ string, b *board.Board, err error) {
	for _, arg := range args {
		named, unknown := board.ByName(arg)
		_, missing := os.Stat(arg)
		switch {
		case key == thisBoard && unknown == nil:
			key, b = arg, named
		case file == "" && (missing == nil || key != thisBoard || strings.ContainsAny(arg, "/.")):
			file = arg
		case key == thisBoard:
			return "", nil, command.UsageError{Err: unknown}
		default:
			return "", nil, command.Misuse("name one file, by --config or as the argument", "two files: %s and %s", file, arg)
		}
	}
	switch {
	case key == thisBoard:
		b = board.Detect()
	case key != "" && b == nil:
		if b, err = board.ByName(key); err != nil {
			err = command.UsageError{Err: err}
		}
	}
	return file, b, err
}

// checkConfig prints what is right, and returns everything that is wrong.
func checkConfig(out io.Writer, file string, b *board.Board) error {
	var lines string
	cfg, says, err := daemon.CheckFile(file, func(cfg *config.Config) error {
		if b == nil {
			return nil
		}
		daemon.UseBoard(cfg, b)
		var wrong error
		if lines, wrong = cfg.CheckOn(b); !b.Known() {
			return nil
		}
		return wrong
	})
	if err != nil {
		return err
	}
	fmt.Fprint(out, says)
	switch {
	case b == nil:
		return nil
	case b.Here():
		return checkBoard(out, cfg, b)
	}
	_, err = fmt.Fprintf(out, "board: %s (%s), by its table\n%s", b, b.Key, lines)
	return err
}

// checkBoard prints what each configured line is on this machine.
func checkBoard(out io.Writer, cfg *config.Config, b *board.Board) error {
	text, ok := b.Survey(daemon.Wanted(cfg))
	fmt.Fprint(out, text)
	if !ok {
		return statusError(1)
	}
	return nil
}

func wiringCmd(g *globals) *cobra.Command {
	var key, svg, reader string
	var parts bool
	cmd := command.New("wiring", "Draw which wire goes where", func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(g.config)
		if err != nil {
			return err
		}
		b, err := findBoard(key)
		if err != nil {
			return err
		}
		daemon.UseBoard(cfg, b)
		i, err := daemon.ReaderIndex(cfg, reader)
		if err != nil {
			return err
		}
		w := daemon.Wiring(cfg, b, i)
		if key != "" {
			if missing := w.Adapt(); len(missing) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "drawn with this board's usual lines: it has no %s\n", strings.Join(missing, ", "))
			}
		}
		out := cmd.OutOrStdout()
		var text string
		switch {
		case svg != "":
			text, err = w.SVG()
		case parts:
			text = w.PartsText(command.Columns(out))
		default:
			colours := command.IsTerminal(out) && os.Getenv("NO_COLOR") == ""
			text, err = w.Text(command.Columns(out), colours)
			if colours {
				out = command.Raw(out)
			}
		}
		if err != nil {
			return hint.Wrap(err, cmp.Or(hint.Of(err), "name a line of the header in the configuration, or another board with --board"))
		}
		if svg != "" && svg != "-" {
			return writeFile(svg, text)
		}
		_, err = fmt.Fprint(out, text)
		return err
	})
	cmd.Long = `Draw the header of this board, or of --board, with the configured wires in their
colours: reader, level converter, display, lights and beeper.`
	cmd.Flags().StringVar(&key, "board", "", "draw this `board`: "+strings.Join(board.Keys(), ", "))
	cmd.Flags().StringVar(&svg, "svg", "", "write the picture to this `file`, - for standard output")
	cmd.Flags().BoolVar(&parts, "parts", false, "list what to buy")
	cmd.Flags().StringVar(&reader, "reader", "", "draw the reader of this `name`, not the first")
	return cmd
}

func writeFile(file, text string) error {
	f, err := createFor(file, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// findBoard is the board of this name, or this machine's if there is no name.
func findBoard(name string) (*board.Board, error) {
	if name != "" {
		b, err := board.ByName(name)
		if err != nil {
			err = command.UsageError{Err: err}
		}
		return b, err
	}
	if b := board.Detect(); b.Known() {
		return b, nil
	}
	return nil, hint.Errorf("name one with --board: "+strings.Join(board.Keys(), ", "), "Stump does not know this board")
}
