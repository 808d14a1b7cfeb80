package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"stump/hw/board"
	"stump/hw/wiring"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
)

func wiringCmd(g *globals) *cobra.Command {
	var key, svg, reader string
	var parts bool
	cmd := &cobra.Command{
		Use: "wiring", Short: "Draw which wire goes where", Args: cobra.NoArgs,
		Long: `Draw the header of this board, or of --board, with the configured wires in their
colours: reader, level converter, display, lights and beeper.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			if svg != "" {
				return writeSVG(cmd, w, svg)
			}
			out := cmd.OutOrStdout()
			if parts {
				_, err := fmt.Fprint(out, w.PartsText(columns(out)))
				return err
			}
			f, ok := out.(*os.File)
			colour := ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
			text, err := w.Text(columns(out), colour)
			if err != nil {
				return undrawn(err)
			}
			_, err = fmt.Fprint(out, text)
			return err
		},
	}
	cmd.Flags().StringVar(&key, "board", "", "draw this `board`: "+strings.Join(board.Keys(), ", "))
	cmd.Flags().StringVar(&svg, "svg", "", "write the picture to this `file`, - for standard output")
	cmd.Flags().BoolVar(&parts, "parts", false, "list what to buy")
	cmd.Flags().StringVar(&reader, "reader", "", "draw the reader of this `name`, not the first")
	return cmd
}

// findBoard is the board that was named, else this one.
func findBoard(key string) (*board.Board, error) {
	if key != "" {
		b, err := board.ByKey(key)
		if err != nil {
			remedy := "use one of " + strings.Join(board.Keys(), ", ")
			if near := hint.Nearest(key, board.Keys()); near != "" {
				remedy = fmt.Sprintf("did you mean %s?", near)
			}
			return nil, usageError{hint.Wrap(err, remedy)}
		}
		return b, nil
	}
	if b := board.Detect(); b.Known() {
		return b, nil
	}
	return nil, hint.Errorf("name one with --board: "+strings.Join(board.Keys(), ", "), "this machine is no board that Stump knows")
}

// undrawn adds a hint to the error of a picture.
func undrawn(err error) error {
	return hint.Wrap(err, cmp.Or(hint.Of(err), "name a line of the header in the configuration, or another board with --board"))
}

func writeSVG(cmd *cobra.Command, w *wiring.Plan, file string) error {
	svg, err := w.SVG()
	if err != nil {
		return undrawn(err)
	}
	if file == "-" {
		_, err = fmt.Fprint(cmd.OutOrStdout(), svg)
		return err
	}
	f, err := createFor(file, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(svg)
	return errors.Join(err, f.Close())
}
