// Package bookcmd has the commands of the books: the register, loans, lists, stock-taking,
// the inbox and tokens. A station has them, and a hub.
package bookcmd

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
)

// Books are those that the commands are about.
type Books struct {
	// Connect returns a client of who keeps them.
	Connect func(context.Context, Access) (*client.Client, error)
}

// Commands are those that change the books, and those that list what waits.
func (b *Books) Commands() []*cobra.Command {
	return []*cobra.Command{
		peopleCmd(b), devicesCmd(b), giveCmd(b), returnCmd(b), extendCmd(b), reserveCmd(b), reservationsCmd(b), stockCmd(b), unknownCmd(b), inboxCmd(b), tokenCmd(b),
	}
}

// Lists are those of who has what, and what happened.
func (b *Books) Lists() []*cobra.Command { return []*cobra.Command{whoCmd(b), historyCmd(b)} }

// Enroll is the command that gives the next tag that is shown to somebody.
func (b *Books) Enroll() *cobra.Command { return enrollCmd(b) }

// Access is what a command does with the ledger when no daemon runs.
type Access int

const (
	DaemonOnly Access = iota // works only where readers are
	MayWrite                 // with --state: opens that ledger for writing
	MayRead                  // also reads the default ledger
)

// Ask sends a request with in as its object, and reads the answer's object into out;
// both may be nil.
func (b *Books) Ask(cmd *cobra.Command, need Access, method, path string, in, out any) error {
	c, err := b.Connect(cmd.Context(), need)
	if err != nil {
		return err
	}
	return c.Do(cmd.Context(), method, path, in, out)
}

// Stream sends a request and lets f read the answer.
func (b *Books) Stream(cmd *cobra.Command, need Access, method, path string, q url.Values, body io.Reader, f func(io.Reader) error) error {
	c, err := b.Connect(cmd.Context(), need)
	if err != nil {
		return err
	}
	answer, err := c.Stream(cmd.Context(), method, path, q, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	return f(answer)
}

// Seer is shown the events of a job, with its path.
type Seer = func(ctx context.Context, job string, e *wire.JobEvent) error

func Unseen(context.Context, string, *wire.JobEvent) error { return nil }

// Follow begins a job, shows its events, and reads what came of it into out. A signal ends
// the job, and then the program.
func (b *Books) Follow(cmd *cobra.Command, need Access, path string, in, out any, see Seer) error {
	c, err := b.Connect(cmd.Context(), need)
	if err != nil {
		return err
	}
	return FollowTill(cmd.Context(), c, path, in, out, see)
}

func FollowTill(ctx context.Context, c *client.Client, path string, in, out any, see Seer) error {
	ctx, stop := command.UntilSignal(ctx)
	err := c.Follow(ctx, path, in, out, see)
	cause := context.Cause(ctx)
	stop()
	if cause != nil {
		command.EndBy(cause)
	}
	return err
}

// download prints an answer as it is.
func (b *Books) download(cmd *cobra.Command, path string) error {
	return b.Stream(cmd, MayRead, "GET", path, nil, nil, func(answer io.Reader) error {
		_, err := io.Copy(cmd.OutOrStdout(), answer)
		return err
	})
}

// labAsOf says how old the lab's word is, where that matters.
func labAsOf(cmd *cobra.Command, b *Books) error {
	var l wire.Lab
	if err := b.Ask(cmd, DaemonOnly, "GET", "lab", nil, &l); err != nil {
		return err
	}
	out := cmd.ErrOrStderr()
	switch {
	case l.Lab == nil:
		fmt.Fprintln(out, "this station is in no lab: this is what it knows itself")
	case l.Heard == nil:
		fmt.Fprintf(out, "the lab %s, as this station knew it before it started: the hub has not answered since\n", *l.Lab)
	default:
		fmt.Fprintf(out, "the lab %s as of %s\n", *l.Lab, command.When(l.Heard, true))
	}
	return nil
}
