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
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
)

func configCmd(g *globals) *cobra.Command {
	var board bool
	check := command("check", "Say whether the configuration is right", func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(g.config)
		if cfg != nil {
			err = config.Join(err, daemon.CheckPlaces(cfg))
		}
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		for _, w := range cfg.Warnings() {
			fmt.Fprintln(out, "note: "+w)
		}
		if cfg.Path() == "" {
			fmt.Fprintln(out, "no configuration file; the defaults are right")
		} else {
			fmt.Fprintln(out, cfg.Path()+" is right")
		}
		if board {
			return checkBoard(out, cfg)
		}
		return nil
	})
	check.Long = "Say whether the configuration is right: everything that is wrong in the file, with its line,\nand notes on what is allowed but can hardly be meant. Nobody is called."
	check.Flags().BoolVar(&board, "board", false, "look up the configured lines on this board too")

	cmd := &cobra.Command{Use: "config", Short: "Check and show the configuration"}
	cmd.AddCommand(
		check,
		command("show", "Print the configuration with all defaults", func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(g.config)
			if err != nil {
				return err
			}
			return cfg.Write(cmd.OutOrStdout())
		}),
		command("example", "Print a commented configuration file", func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), config.Example)
			return err
		}),
	)
	return cmd
}

// checkBoard prints what each configured line is on this machine.
func checkBoard(out io.Writer, cfg *config.Config) error {
	b := board.Detect()
	daemon.UseBoard(cfg, b)
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
	cmd := command("wiring", "Draw which wire goes where", func(cmd *cobra.Command, _ []string) error {
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
			text = w.PartsText(columns(out))
		default:
			text, err = w.Text(columns(out), isTerminal(out) && os.Getenv("NO_COLOR") == "")
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

// findBoard is the board of this key, or this machine's if there is no key.
func findBoard(key string) (*board.Board, error) {
	b := board.Detect()
	if key == "" && !b.Known() {
		return nil, hint.Errorf("name one with --board: "+strings.Join(board.Keys(), ", "), "Stump does not know this board")
	}
	if key == "" {
		return b, nil
	}
	b, err := board.ByName(key)
	if err != nil {
		remedy := "use one of " + strings.Join(board.Keys(), ", ")
		if near := hint.Nearest(key, board.Keys()); near != "" {
			remedy = "did you mean " + near + "?"
		}
		err = usageError{hint.Wrap(err, remedy)}
	}
	return b, err
}
