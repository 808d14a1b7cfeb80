package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stump/hw/selftest"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/count"
	"stump/internal/hint"
	"stump/internal/owner"
	"stump/internal/plain"
	"stump/wiegand"
	"stump/wiegand/capture"
)

func scopeCmd(g *globals) *cobra.Command {
	var (
		file, reader string
		bad, numbers bool
	)
	cmd := command.New("scope [FRAME]", "Watch the reader's lines: bits, widths, spacing, the last frame", func(cmd *cobra.Command, args []string) error {
		switch {
		case bad:
			return badFrames(cmd, g, args, file)
		case len(args) > 0:
			return command.Misuse("add --bad to draw a refused frame", "a frame's number goes with --bad")
		}
		return watch(cmd, g, file, reader, numbers)
	})
	cmd.Long = `Watch the reader's lines until interrupted. On a terminal it draws them; else it
prints a line for each frame. Cards shown meanwhile become no loans. Of a usb or
serial reader it shows the keys, or the bytes, with their times.

With --bad it lists the worst frames that the daemon refused, and with a frame's
number it draws that frame. With -o the edges go to a VCD file, which GTKWave,
PulseView and sigrok-cli open.`
	cmd.Flags().StringVarP(&file, "output", "o", "", "write the edges to this VCD `file`")
	cmd.Flags().BoolVar(&bad, "bad", false, "list, draw or export the worst refused frames")
	cmd.Flags().BoolVar(&numbers, "numbers", false, "print card numbers in full")
	cmd.Flags().StringVar(&reader, "reader", "", "watch the reader of this `name`, not the first")
	return cmd
}

// watch shows the lines, and records them in file, until a signal.
func watch(cmd *cobra.Command, g *globals, file, reader string, numbers bool) (err error) {
	ctx, stop := command.UntilSignal(cmd.Context()) // then the recording and the terminal are put in order
	defer stop()
	c, err := g.connectSelfTest(ctx, false)
	if err != nil {
		return err
	}
	views, giveBack, err := lend(ctx, c, wire.NewLease{Reader: reader, Numbers: numbers})
	switch {
	case err != nil && ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	defer giveBack()
	record := func([]wiegand.Edge) error { return nil }
	if file != "" { // only once the lines are there: an older recording stays
		vcd, closeVCD, err := createVCD(file)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeVCD()) }()
		record = func(edges []wiegand.Edge) error { return writeEdges(vcd, edges) }
	}
	show, restore := viewer(cmd.OutOrStdout())
	defer restore()
	_, err = command.EachJSON(views, func(v *selftest.View) error {
		show(v)
		return record(v.New)
	})
	switch {
	case ctx.Err() != nil:
		return nil // a scope ends with a signal
	case err == nil:
		err = giveBack()
	}
	return cmp.Or(err, errors.New("the scope broke off"))
}

// renewEvery is how often a lease of two minutes is renewed.
const renewEvery = 30 * time.Second

// lend takes a reader's lines, until giveBack is called, and returns what is seen there.
// giveBack says why they were given back before, if they were.
func lend(ctx context.Context, c *client.Client, in wire.NewLease) (views io.ReadCloser, giveBack func() error, err error) {
	var lease wire.Lease
	if err := c.Do(ctx, "POST", "leases", in, &lease); err != nil {
		return nil, nil, err
	}
	path := "leases/" + lease.ID
	renewing, stop := context.WithCancel(ctx)
	go func() {
		every := time.NewTicker(renewEvery)
		defer every.Stop()
		for renewing.Err() == nil {
			select {
			case <-every.C:
				_ = c.Do(renewing, "POST", path+"/renew", nil, nil) // when it has ended, the scope has
			case <-renewing.Done():
			}
		}
	}()
	giveBack = func() error {
		stop()
		if views != nil {
			views.Close()
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		var ended wire.Lease
		_ = c.Do(ctx, "DELETE", path, nil, &ended)
		return client.Failure(ended.Job)
	}
	if views, err = c.Stream(ctx, "GET", path+"/scope", nil, nil); err != nil {
		_ = giveBack()
	}
	return views, giveBack, err
}

// viewer draws views on a terminal, and prints frames elsewhere.
func viewer(w io.Writer) (show func(*selftest.View), restore func()) {
	if !command.IsTerminal(w) {
		seen := uint64(0)
		return func(v *selftest.View) {
			n := v.Good
			for _, k := range v.Bad {
				n += uint64(k)
			}
			if n != seen && v.Last != nil {
				seen = n
				for _, line := range v.Sent {
					fmt.Fprintln(w, line)
				}
				fmt.Fprintln(w, v.Last.Text)
			}
		}, func() {}
	}
	w = command.Raw(w)
	fmt.Fprint(w, "\x1b[?1049h\x1b[?25l") // the other screen, no cursor
	return func(v *selftest.View) {
		columns, rows := command.TerminalSize(w)
		if columns == 0 {
			columns, rows = 80, 24
		}
		lines := v.Lines(columns, rows-2)
		for i := range lines {
			lines[i] = plain.Line(lines[i])
		}
		fmt.Fprintf(w, "\x1b[H%s\x1b[K\r\n\x1b[J\r\nCtrl-C ends; cards shown now become no loans", strings.Join(lines, "\x1b[K\r\n"))
	}, func() { fmt.Fprint(w, "\x1b[?25h\x1b[?1049l") }
}

func createVCD(file string) (*capture.VCDWriter, func() error, error) {
	// A recording has the numbers of the cards that were shown.
	f, err := createFor(file, 0o600)
	if err != nil {
		return nil, nil, hint.Wrap(err, "name a file that may be written")
	}
	vcd := capture.NewVCDWriter(f, true)
	return vcd, func() error { return errors.Join(vcd.Close(), f.Close()) }, nil
}

// createFor creates the file that a command writes last: root becomes the owner of
// its folder.
func createFor(file string, mode os.FileMode) (*os.File, error) {
	if err := owner.Become(file); err != nil {
		return nil, err
	}
	return owner.Create(file, mode)
}

func writeEdges(vcd *capture.VCDWriter, edges []wiegand.Edge) error {
	for _, e := range edges {
		if err := vcd.Write(e); err != nil {
			return err
		}
	}
	return nil
}

// badFrames lists the refused frames that the daemon kept; with a number it draws
// that one, with a file it exports that one or the worst.
func badFrames(cmd *cobra.Command, g *globals, args []string, file string) error {
	var frames []wire.BadFrame
	err := g.Stream(cmd, bookcmd.DaemonOnly, "GET", "frames", nil, nil, func(body io.Reader) error {
		_, err := command.EachJSON(body, func(f *wire.BadFrame) error {
			frames = append(frames, *f)
			return nil
		})
		return err
	})
	out := cmd.OutOrStdout()
	switch {
	case err != nil:
		return err
	case len(args) > 0:
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 || n > len(frames) {
			return hint.Errorf("`stump scope --bad` lists them", "there is no refused frame %q", args[0])
		}
		return showFrame(out, frames[n-1], file)
	case len(frames) == 0 && file != "":
		return errors.New(noBadFrames)
	case file != "":
		return showFrame(out, frames[0], file)
	case len(frames) == 0:
		fmt.Fprintln(out, noBadFrames)
	}
	for i, f := range frames {
		fmt.Fprintf(out, "%2d  %-10s %3d bits  %s\n", i+1, *f.Fault, f.Count, f.Bits)
	}
	return nil
}

const noBadFrames = "no frame was refused since the daemon started"

// showFrame draws a frame, or writes its edges to a file.
func showFrame(out io.Writer, f wire.BadFrame, file string) error {
	if file != "" {
		vcd, closeVCD, err := createVCD(file)
		if err != nil {
			return err
		}
		return errors.Join(writeEdges(vcd, f.Edges), closeVCD())
	}
	fmt.Fprintf(out, "%s: %s  %s\n", *f.Fault, count.Of(f.Count, "bit"), f.Bits)
	_, err := fmt.Fprintln(out, strings.Join(selftest.DrawFrame(f.Edges, 80), "\n"))
	return err
}
