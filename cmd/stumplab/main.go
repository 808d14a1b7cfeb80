// Command stumplab is a lab to play with: the real daemon on simulated lines
// and a simulated display, with six people and twelve devices to bump.
//
// On a terminal it draws the lab, with a key for each badge and device. Without
// one it reads commands line by line and prints every change of the display:
//
//	tap ann
//	tap ipad
//	who
//
// The ledger lies in a temporary folder that is removed at the end, unless
// -state names one to keep. `stump --socket …` works against the lab too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"stump/internal/hint"
)

func main() {
	state := flag.String("state", "", "keep the ledger in this `folder`")
	plain := flag.Bool("plain", false, "read commands line by line, even on a terminal")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	screen := !*plain && term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	if err := run(ctx, *state, screen, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "stumplab: %v\n", err)
		if h := hint.Of(err); h != "" {
			fmt.Fprintln(os.Stderr, h)
		}
		stop()
		os.Exit(1)
	}
}

// run opens the lab, lets somebody play, and closes it.
func run(ctx context.Context, state string, screen bool, in io.Reader, out io.Writer) error {
	if state == "" {
		dir, err := os.MkdirTemp("", "stumplab-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		state = dir
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := openLab(ctx, state)
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
