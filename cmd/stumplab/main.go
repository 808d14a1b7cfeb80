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
// The ledger lies in a temporary folder that is removed at the end, unless
// -state names one to keep. `stump --socket …` works against the lab too.
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
	// SIGPIPE too: whoever read the output has gone, and the folder has to go.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	asked := term.IsTerminal(int(os.Stdin.Fd()))
	screen := asked && term.IsTerminal(int(os.Stdout.Fd())) && !o.plain && !dumb(os.Getenv("TERM"))
	if asked && !screen {
		fmt.Println("A lab with six people and twelve devices: tap ann, then tap ipad; help lists the commands.")
	}
	if err := run(ctx, o.state, screen, os.Stdin, os.Stdout); err != nil {
		complain(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	state string
	plain bool
}

// parseOptions reads the command line. The status is that to exit with at
// once, below 0 for going on.
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
		complain(stderr, fmt.Errorf("%q is too much: what to do in the lab is asked inside", f.Arg(0)))
		f.Usage()
		return o, 2
	}
	return o, -1
}

// complain says what is wrong and what to do.
func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "stumplab: %v\n", err)
	if h := hint.Of(err); h != "" {
		fmt.Fprintln(w, h)
	}
}

// dumb is whether a kind of terminal can't be drawn on.
func dumb(kind string) bool { return kind == "" || kind == "dumb" }

// run opens the lab, lets somebody play, and closes it.
func run(ctx context.Context, state string, screen bool, in io.Reader, out io.Writer) error {
	// The socket lies here in any case: its path has to be short.
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
		err = playLines(ctx, l, in, out)
	}
	cancel()
	return errors.Join(err, l.wait())
}
