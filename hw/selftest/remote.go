package selftest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"stump/internal/count"
)

// clockFact is how good the wall clock is.
type clockFact struct {
	Trusted  bool
	How      string        // why it is trusted or not
	MaxError time.Duration // as the kernel estimates; 0: unknown
	Time     time.Time
}

// trustedError is the largest estimated error of a clock that counts as set:
// the limit that systemd uses (commit bca5a0eacc), because daemons that set
// the clock do not all clear the kernel's "unsynchronised" flag.
const trustedError = 16 * time.Second

// readClock asks timesyncd's mark and the kernel. Neither needs a privilege.
func readClock(root fs.FS) (clockFact, error) {
	f := clockFact{Time: time.Now()}
	if _, err := fs.Stat(root, "run/systemd/timesync/synchronized"); err == nil {
		f.Trusted, f.How = true, "set by systemd-timesyncd"
		return f, nil
	}
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return f, fmt.Errorf("adjtimex: %w", err)
	}
	f.MaxError = time.Duration(t.Maxerror) * time.Microsecond
	f.Trusted = f.MaxError < trustedError
	f.How = fmt.Sprintf("the kernel estimates an error of up to %s", seconds(f.MaxError))
	return f, nil
}

func (s *tester) clock(ctx context.Context) Result {
	f, err := s.readClock(ctx)
	switch {
	case err != nil:
		return bad(Warn, "", "the clock's state can't be read: %v", err)
	case f.Trusted:
		return pass("%s, %s", f.Time.Format(time.DateTime), f.How)
	case s.Simulated:
		return skip("%s, %s; a simulated station does not need the time", f.Time.Format(time.DateTime), f.How)
	}
	return bad(Warn, "Events are kept in order all the same, and marked. Let the board reach a time server (timedatectl shows how it stands), or fit a clock module: most boards have no clock of their own when the power is off.",
		"%s, not to be trusted: %s", f.Time.Format(time.DateTime), f.How)
}

// NetworkFact is how far the network reaches.
type NetworkFact struct {
	Needed bool   // the directory is elsewhere
	Host   string // that was tried
	How    string // "name resolved to 192.0.2.1, connected in 12 ms"
}

func (s *tester) network(ctx context.Context) Result {
	if s.Network == nil {
		return skip("nothing of this station needs the network")
	}
	f, err := s.Network(ctx)
	switch {
	case !f.Needed && err == nil:
		return skip("nothing of this station needs the network")
	case err != nil:
		return bad(Warn, "Taps work without it, what is to be reported waits. Check the cable or the Wi-Fi, then the name of the host in the configuration.", "%s can't be reached: %v", f.Host, err)
	}
	return pass("%s: %s", f.Host, f.How)
}

// DirectoryFact is how the staff directory answers.
type DirectoryFact struct {
	Kind string // local, endpoints, snipeit, scim
	Took time.Duration
	// Untrusted: the TLS certificate is not valid at this station's time. With
	// a clock that was never set that is the clock's fault.
	Untrusted bool
}

func (s *tester) directory(ctx context.Context) Result {
	if s.Directory == nil {
		return skip("no directory is configured")
	}
	f, err := s.Directory(ctx)
	switch {
	case err != nil && f.Untrusted:
		return bad(Warn, "If the clock check above warns, set the clock first: a certificate is not valid yet in the past.", "%s: %v", f.Kind, err)
	case errors.Is(err, context.DeadlineExceeded):
		return bad(Warn, "Taps work without it. Is the directory's server up, and does a firewall let this board through?", "%s: no answer", f.Kind)
	case err != nil:
		return bad(Warn, "Taps work without it. Check url and token_file in the configuration, and that the token is still valid.", "%s: %v", f.Kind, err)
	case f.Kind == "local":
		return pass("the local register, no other is configured")
	}
	return pass("%s answered in %s", f.Kind, seconds(f.Took))
}

// QueueFact is what waits to be told to the directory.
type QueueFact struct {
	Waiting, Parked int
	Oldest          time.Duration // how long the oldest waits
}

func (s *tester) queue(ctx context.Context) Result {
	if s.Queue == nil {
		return skip("nothing is to be reported")
	}
	f, err := s.Queue(ctx)
	switch {
	case err != nil:
		return failed(err, "")
	case f.Parked > 0:
		return bad(Warn, "`stump sync status` lists them with the directory's answer; retry or drop each one.", "%d waiting, %d parked because the directory refused them", f.Waiting, f.Parked)
	case f.Oldest > time.Hour:
		return bad(Warn, "Nothing is lost. `stump sync status` says why they are not accepted.", "%d waiting, the oldest for %s", f.Waiting, f.Oldest.Round(time.Minute))
	}
	return pass("%d waiting", f.Waiting)
}

// LedgerFact is how the ledger is.
type LedgerFact struct {
	Events, People, Devices, Loans int
	Salvaged                       string // where a damaged file was put, if one was found
}

func (s *tester) ledger(ctx context.Context) Result {
	if s.Ledger == nil {
		return skip("no ledger is open")
	}
	f, err := s.Ledger(ctx)
	switch {
	case err != nil:
		return failed(err, "Run `stump verify`; `stump restore FILE` brings the last backup back.")
	case f.Salvaged != "":
		return bad(Fail, "Run `stump restore` with the newest file of the backups folder.", "the ledger was damaged and set aside as %s", f.Salvaged)
	}
	return pass("%s, %s, %s, %d out", count.Of(f.Events, "event"), count.Of(f.People, "person"), count.Of(f.Devices, "device"), f.Loans)
}
