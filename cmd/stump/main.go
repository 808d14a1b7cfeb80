// Command stump checks lab devices in and out with two bumps on an RFID
// reader: it is the daemon and the tool to ask it.
//
// The rules of its output are:
//
//   - What was asked for goes to standard output, everything else to standard
//     error.
//   - An error is two lines: "stump: what is wrong", then what to do. No
//     capital at the start, no full stop at the end. Only a configuration tells
//     of several at once.
//   - Tables are for people and may change; --json and --csv are contracts.
//   - The exit status is 0 done, 1 failed, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"stump/internal/config"
	"stump/internal/hint"
)

// version is set by the Makefile.
var version = "devel"

func main() { os.Exit(Main()) }

// Main runs the command line and returns the exit status.
func Main() int {
	cmd, out := root(), &output{w: os.Stdout}
	if !term.IsTerminal(int(os.Stdout.Fd())) { // which takes everything, and has columns
		cmd.SetOut(out)
	}
	err := cmd.ExecuteContext(context.Background())
	if err == nil {
		err = out.err
	}
	return report(os.Stderr, err)
}

// output remembers that something could not be written, so that a command is
// not done when what it said is lost.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// untilSignal is for what has to be put in order before the program ends. All
// other commands end at once when they are told to, as they should while they
// wait for their input.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// usageError is a command line that can't be meant: exit status 2.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// statusError ends the program with a status and prints nothing more.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// report prints err for a person and returns the exit status for scripts.
func report(w io.Writer, err error) int {
	var (
		usage  usageError
		status statusError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, syscall.EPIPE):
		return 1 // whoever read our output has had enough
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

// remedy is what to do about err: what the error says, else what its kind does.
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
	config, state, socket string

	writes  string // the file that the command is to write; "": none
	wasRoot bool   // before becomeOwner
}

func root() *cobra.Command {
	g := &globals{}
	var showVersion bool
	cmd := &cobra.Command{
		Use:   "stump",
		Short: "Check lab devices in and out with two bumps on an RFID reader",
		Long: `Stump checks lab devices in and out with two bumps on an RFID reader.

Staff bump their badge and a device, in either order. Stump decides whether that
is a check-out, a return or a hand-over, saves it, and says so on the display.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if showVersion {
				return printVersion(cmd)
			}
			return cmd.Help()
		},
	}
	// cobra's own flag takes a template, and with it every method of every type
	// into the program: a fifth of its size.
	cmd.Flags().BoolVarP(&showVersion, "version", "v", false, "print the version")
	f := cmd.PersistentFlags()
	f.StringVar(&g.config, "config", "", "configuration `file` (default /etc/stump/stump.toml if present)")
	f.StringVar(&g.state, "state", "", "the ledger in this `folder`, or the daemon that has it for what only a daemon can do")
	f.StringVar(&g.socket, "socket", "", "the daemon at this `socket`, and nothing else")
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{hint.Errorf("see `"+c.CommandPath()+" --help`", "%w", err)}
	})
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.AddCommand(
		runCmd(g), whoCmd(g), historyCmd(g), peopleCmd(g), devicesCmd(g), enrollCmd(g), giveCmd(g), returnCmd(g),
		syncCmd(g), selftestCmd(g), wiringCmd(g), scopeCmd(g), verifyCmd(g), backupCmd(g), restoreCmd(g), unknownCmd(g), statusCmd(g), checkFileCmd(), copyLedgerCmd(g), simCmd(g), decodeCmd(g), configCmd(g), versionCmd(), completionCmd(),
	)
	cmd.SetHelpCommand(helpCmd())
	cmd.InitDefaultHelpCmd()
	strict(cmd)
	return cmd
}
