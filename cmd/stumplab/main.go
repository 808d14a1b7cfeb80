// Command stumplab is a lab to play with: the real daemon on simulated lines
// and a simulated display, with six people and twelve devices to bump.
//
// On a terminal it draws the lab, with a key for each badge and device. Without
// one it reads commands line by line and prints every text of the display:
//
//	tap ann
//	tap ipad
//	who
//
// The ledger is in a temporary folder that is removed at the end, unless -state
// names one to keep. `stump --socket …` works with the lab too.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/term"

	"stump/internal/hint"
)

func main() {
	o, status := parseOptions(os.Args[1:], os.Stderr)
	if status >= 0 {
		os.Exit(status)
	}
	// SIGPIPE too: when the reader of the output has gone, the folder must be removed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	interactive := term.IsTerminal(int(os.Stdin.Fd()))
	screen := interactive && term.IsTerminal(int(os.Stdout.Fd())) && !o.plain && !dumb(os.Getenv("TERM"))
	if interactive && !screen {
		fmt.Println("A lab with six people and twelve devices: tap ann, then tap ipad; help lists the commands.")
	}
	if err := run(ctx, o.state, interactive, screen, os.Stdin, os.Stdout); err != nil {
		complain(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// options are the flags of the command line.
type options struct {
	state string
	plain bool
}

// parseOptions reads the command line. A status of 0 or more is the status to
// exit with at once.
func parseOptions(args []string, stderr io.Writer) (o options, status int) {
	f := flag.NewFlagSet("stumplab", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(stderr, "usage: stumplab [-plain] [-state FOLDER]")
		f.PrintDefaults()
	}
	f.StringVar(&o.state, "state", "", "keep the ledger in this `FOLDER`")
	f.BoolVar(&o.plain, "plain", false, "read commands line by line, even on a terminal")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return o, 0
	case err != nil:
		return o, 2
	case f.NArg() > 0:
		complain(stderr, fmt.Errorf("unexpected argument %q: write commands to the running lab", f.Arg(0)))
		f.Usage()
		return o, 2
	}
	return o, -1
}

// complain prints an error and its hint.
func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "stumplab: %v\n", err)
	if h := hint.Of(err); h != "" {
		fmt.Fprintln(w, h)
	}
}

// dumb reports whether this kind of terminal can't be drawn on.
func dumb(kind string) bool { return kind == "" || kind == "dumb" }

// run opens the lab, plays, and closes it.
func run(ctx context.Context, state string, interactive, screen bool, in io.Reader, out io.Writer) error {
	// The socket is always here: its path must be short.
	dir, err := os.MkdirTemp("", "stumplab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := openLab(ctx, cmp.Or(state, dir), filepath.Join(dir, "stump.sock"))
	if err != nil {
		return err
	}
	if screen {
		err = playScreen(ctx, l)
	} else {
		if interactive {
			fmt.Fprintln(out, l.page(ctx))
		}
		err = playLines(ctx, l, in, out)
	}
	cancel()
	return errors.Join(err, l.wait())
}
