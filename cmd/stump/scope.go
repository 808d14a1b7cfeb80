package main

import (
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
	"stump/internal/count"
	"stump/internal/hint"
	"stump/internal/owner"
	"stump/wiegand"
)

func scopeCmd(g *globals) *cobra.Command {
	var (
		file, reader string
		bad, numbers bool
	)
	cmd := &cobra.Command{
		Use: "scope [FRAME]", Short: "Watch the reader's lines: bits, widths, spacing, the last frame",
		Long: `Watch the reader's lines until interrupted. On a terminal it draws them; else it
prints a line for each frame. Cards shown meanwhile become no loans.

With --bad it lists the worst frames that the daemon refused, and with a frame's
number it draws that frame. With -o the edges go to a VCD file, which GTKWave,
PulseView and sigrok-cli open.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if bad {
				return badFrames(cmd, g, args, file)
			}
			if len(args) > 0 {
				return usageError{hint.Errorf("add --bad to draw a refused frame", "a frame's number goes with --bad")}
			}
			q := url.Values{"reader": {reader}}
			if numbers {
				q.Set("numbers", "true")
			}
			return watch(cmd, g, file, q)
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "write the edges to this VCD `file`")
	cmd.Flags().BoolVar(&bad, "bad", false, "list, draw or export the worst refused frames")
	cmd.Flags().BoolVar(&numbers, "numbers", false, "print card numbers in full")
	cmd.Flags().StringVar(&reader, "reader", "", "watch the reader of this `name`, not the first")
	return cmd
}

func watch(cmd *cobra.Command, g *globals, file string, q url.Values) (err error) {
	ctx, stop := untilSignal(cmd.Context()) // the recording and the terminal are put in order
	defer stop()
	c, done, err := g.connectSelfTest(ctx, false)
	if err != nil {
		return err
	}
	defer done()
	views, err := c.Stream(ctx, "POST", "scope", q, nil)
	if err != nil && ctx.Err() != nil {
		return nil // left before anything came
	}
	if err != nil {
		return err
	}
	defer views.Close()
	record := func([]wiegand.Edge) error { return nil }
	if file != "" { // not before the lines are had: an older recording stays
		vcd, closeVCD, err := createVCD(file)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeVCD()) }()
		record = func(edges []wiegand.Edge) error { return writeEdges(vcd, edges) }
	}
	show, restore := viewer(cmd.OutOrStdout())
	defer restore()
	dec := json.NewDecoder(views)
	for {
		var v selftest.View
		if err := dec.Decode(&v); err != nil {
			if ctx.Err() != nil {
				return nil // that is how a scope is left
			}
			return fmt.Errorf("the scope broke off: %w", noEOF(err))
		}
		if err := record(v.New); err != nil {
			return err
		}
		show(&v)
	}
}

// viewer draws views on a terminal, and prints frames elsewhere.
func viewer(w io.Writer) (show func(*selftest.View), restore func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		seen := uint64(0)
		return func(v *selftest.View) {
			n := v.Good
			for _, k := range v.Bad {
				n += uint64(k)
			}
			if n != seen && v.Last != nil {
				seen = n
				fmt.Fprintln(w, v.Last.Text)
			}
		}, func() {}
	}
	fmt.Fprint(f, "\x1b[?1049h\x1b[?25l") // the other screen, no cursor
	return func(v *selftest.View) {
		columns, rows, err := term.GetSize(int(f.Fd()))
		if err != nil {
			columns, rows = 80, 24
		}
		lines := v.Lines(columns, rows-2)
		fmt.Fprintf(f, "\x1b[H%s\x1b[K\r\n\x1b[J\r\nCtrl-C ends; cards shown now become no loans", strings.Join(lines, "\x1b[K\r\n"))
	}, func() { fmt.Fprint(f, "\x1b[?25h\x1b[?1049l") }
}

func createVCD(file string) (*wiegand.VCDWriter, func() error, error) {
	// A recording has the numbers of the cards that were shown.
	f, err := createFor(file, 0o600)
	if err != nil {
		return nil, nil, hint.Wrap(err, "name a file that may be written")
	}
	vcd := wiegand.NewVCDWriter(f, true)
	return vcd, func() error { return errors.Join(vcd.Close(), f.Close()) }, nil
}

// createFor creates the file that a command writes last, for which root becomes
// the user in whose folder it is.
func createFor(file string, mode os.FileMode) (*os.File, error) {
	if err := owner.Become(file); err != nil {
		return nil, err
	}
	return owner.Create(file, mode)
}

func writeEdges(vcd *wiegand.VCDWriter, edges []wiegand.Edge) error {
	for _, e := range edges {
		if err := vcd.Write(e); err != nil {
			return err
		}
	}
	return nil
}

// badFrames lists the frames that the daemon kept, or shows or exports one.
func badFrames(cmd *cobra.Command, g *globals, args []string, file string) error {
	c, done, err := g.connect(cmd.Context(), daemonOnly)
	if err != nil {
		return err
	}
	defer done()
	body, err := c.Stream(cmd.Context(), "GET", "frames", nil, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	var frames []api.BadFrame
	for dec := json.NewDecoder(body); ; {
		var f api.BadFrame
		if err := dec.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		frames = append(frames, f)
	}
	out := cmd.OutOrStdout()
	if len(args) == 0 && file == "" {
		if len(frames) == 0 {
			fmt.Fprintln(out, "no frame was refused since the daemon started")
		}
		for i, f := range frames {
			fmt.Fprintf(out, "%2d  %-10s %3d bits  %s\n", i+1, *f.Fault, f.Count, f.Bits)
		}
		return nil
	}
	n := 1
	if len(args) > 0 {
		if _, err := fmt.Sscan(args[0], &n); err != nil || n < 1 || n > len(frames) {
			return hint.Errorf("`stump scope --bad` lists them", "there is no refused frame %q", args[0])
		}
	}
	if len(frames) == 0 {
		return errors.New("no frame was refused since the daemon started")
	}
	f := frames[n-1]
	if file != "" {
		vcd, closeVCD, err := createVCD(file)
		if err != nil {
			return err
		}
		return errors.Join(writeEdges(vcd, f.Edges), closeVCD())
	}
	fmt.Fprintf(out, "%s: %s  %s\n", *f.Fault, count.Of(f.Count, "bit"), f.Bits)
	for _, line := range selftest.DrawFrame(f.Edges, 80) {
		fmt.Fprintln(out, line)
	}
	return nil
}
