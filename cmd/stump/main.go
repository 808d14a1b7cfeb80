// Command stump checks lab devices in and out with two bumps on an RFID reader. It
// is the daemon, and the tool that asks it.
//
// The rules of its output are:
//
//   - What was asked for goes to standard output, everything else to standard error.
//   - An error is two lines: "stump: what is wrong", then what to do. They start
//     without a capital and end without a full stop. Only a configuration has
//     several errors at once.
//   - What is printed is safe for a terminal, whatever names and files hold.
//   - Tables are for people and may change; --json and --csv are contracts.
//   - The exit status is 0 done, 1 failed, 2 wrong usage.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"stump/checkout/ledger"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/plain"
)

func main() { os.Exit(Main()) }

// Main runs the command line and returns the exit status.
func Main() int {
	g, out := &globals{}, &output{w: os.Stdout}
	cmd, stdout, stderr := root(g), plain.NewWriter(out), plain.NewWriter(os.Stderr)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(context.Background())
	if g.opened != nil {
		g.opened.Close()
	}
	return report(stderr, cmp.Or(err, stdout.Flush(), out.err))
}

// output remembers a failed write: a command whose output is lost has failed.
type output struct {
	w   io.Writer
	err error
}

// Unwrap is the writer behind.
func (o *output) Unwrap() io.Writer { return o.w }

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// statusError ends the program with a status and prints nothing more.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// report prints err and returns the exit status.
func report(w io.Writer, err error) int {
	var (
		usage  command.UsageError
		status statusError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, syscall.EPIPE):
		return 1 // the reader of the output has closed it
	}
	faults := config.Faults{err}
	errors.As(err, &faults)
	for _, err := range faults {
		fmt.Fprintf(w, "stump: %v\n%s\n", err, remedy(err))
	}
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// remedy is what to do about err: its hint, or that of its kind.
func remedy(err error) string {
	if h := hint.Of(err); h != "" {
		return h
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "become a member of the group stump, or use sudo"
	case errors.Is(err, fs.ErrNotExist):
		return "check the name"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EIO):
		return "look at the disk: its space, and whether it may be written"
	}
	return "--help tells how the command is used"
}

// globals are the flags of every command.
type globals struct {
	bookcmd.Books
	config, state, socket string

	writes  string         // the file that the command is to write; "": none
	wasRoot bool           // before becomeOwner
	opened  *ledger.Ledger // if no daemon has it
}

func root(g *globals) *cobra.Command {
	g.Connect = g.connect
	var showVersion bool
	cmd := command.New("stump", "Check lab devices in and out with two bumps on an RFID reader", func(cmd *cobra.Command, args []string) error {
		if showVersion {
			return printVersion(cmd, args)
		}
		return cmd.Help()
	})
	cmd.Long = `Stump checks lab devices in and out with two bumps on an RFID reader.

Staff bump their badge and a device, in either order. Stump decides whether that
is a check-out, a return or a hand-over, saves it, and says so on the display.`
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	// cobra's own flag takes a template, and with it every method of every type
	// into the program: a fifth of its size.
	cmd.Flags().BoolVarP(&showVersion, "version", "v", false, "print the version")
	f := cmd.PersistentFlags()
	f.StringVar(&g.config, "config", "", "configuration `file` (default /etc/stump/stump.toml if present)")
	f.StringVar(&g.state, "state", "", "the ledger in this `folder`, or the daemon that has it for what only a daemon can do")
	f.StringVar(&g.socket, "socket", "", "the daemon at this `socket`, and nothing else")
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return command.Misuse("see `"+c.CommandPath()+" --help`", "%w", err)
	})
	cmd.AddCommand(
		runCmd(g), syncCmd(g), selftestCmd(g), wiringCmd(g), scopeCmd(g), verifyCmd(g), backupCmd(g), restoreCmd(g),
		joinCmd(g), leaveCmd(g), stationsCmd(g), statusCmd(g), webCmd(g), checkFileCmd(), copyLedgerCmd(g), simCmd(g), decodeCmd(g), formatsCmd(g), configCmd(g), versionCmd(),
	)
	cmd.AddCommand(g.Commands()...)
	cmd.AddCommand(g.Lists()...)
	cmd.AddCommand(g.Enroll())
	cmd.SetHelpCommand(command.Help())
	cmd.InitDefaultHelpCmd()
	cmd.InitDefaultCompletionCmd()
	command.Strict(cmd)
	g.Complete(cmd)
	return cmd
}
