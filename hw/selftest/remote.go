package selftest

import (
	"context"
	"errors"
	"time"

	"stump/internal/count"
)

// ClockFact is how good the wall clock is.
type ClockFact struct {
	Time    time.Time
	Trusted bool
	Why     string // it is trusted or not
}

func (s *tester) clock(ctx context.Context) Result {
	f, err := s.Clock(ctx)
	now := f.Time.Format(time.DateTime)
	return verdicts{
		{err != nil, bad(Warn, "", "the clock's state can't be read: %v", err)},
		{f.Trusted, pass("%s, %s", now, f.Why)},
		{s.Simulated, skip("%s, %s; a simulated station does not need the time", now, f.Why)},
		{true, bad(Warn, "Events are kept in order all the same, and marked. Let the board reach a time server (timedatectl shows the state), or fit a clock module: most boards lose the time when the power is off.",
			"%s, not to be trusted: %s", now, f.Why)},
	}.first()
}

// NetworkFact is how far the network reaches.
type NetworkFact struct {
	Host string // that was tried; empty when the station needs none
	How  string // "connected to 192.0.2.1:443 in 12 ms"
}

func (s *tester) network(ctx context.Context) Result {
	f, err := s.Network(ctx)
	return verdicts{
		{f.Host == "" && err == nil, skip(offline)},
		{err != nil, bad(Warn, "Taps work without it, and reports wait. Check the cable or the Wi-Fi, then the name of the host in the configuration.", "%s can't be reached: %v", f.Host, err)},
		{true, pass("%s: %s", f.Host, f.How)},
	}.first()
}

// DirectoryFact is how the staff directory answers.
type DirectoryFact struct {
	Kind string // local, endpoints, snipeit, scim
	Took time.Duration
}

func (s *tester) directory(ctx context.Context) Result {
	f, err := s.Directory(ctx)
	return verdicts{
		{errors.Is(err, context.DeadlineExceeded), bad(Warn, "Taps work without it. Is the directory's server up, and does a firewall let this board through?", "%s: no answer", f.Kind)},
		{err != nil, bad(Warn, "Taps work without it. Check url and token_file in the configuration, and that the token is still valid.", "%s: %v", f.Kind, err)},
		{f.Kind == "local", pass("the local register; no other is configured")},
		{true, pass("%s answered in %s", f.Kind, seconds(f.Took))},
	}.first()
}

// QueueFact is what waits to be reported to the directory.
type QueueFact struct {
	Waiting, Parked int
	Oldest          time.Duration // how long the oldest waits
	Away            string        // a webhook or mail server that does not answer, and why; "" for none
}

func (s *tester) queue(ctx context.Context) Result {
	f, err := s.Queue(ctx)
	return verdicts{
		{err != nil, failed(err)},
		{f.Parked > 0, bad(Warn, "`stump sync status` lists them with the answer; retry or drop each one.", "%d waiting, %d parked because they were refused", f.Waiting, f.Parked)},
		{f.Oldest > time.Hour, bad(Warn, "Nothing is lost. `stump sync status` says why the directory does not accept them.", "%d waiting, the oldest for %s", f.Waiting, f.Oldest.Round(time.Minute))},
		{f.Away != "", bad(Warn, "Nothing is lost. `stump sync status` says when it is tried again.", "%d waiting; %s", f.Waiting, f.Away)},
		{true, pass("%d waiting", f.Waiting)},
	}.first()
}

// LedgerFact is how the ledger is.
type LedgerFact struct {
	Events, People, Devices, Loans int
	Salvaged                       string // where a damaged file was put, if one was found
}

func (s *tester) ledger(ctx context.Context) Result {
	f, err := s.Ledger(ctx)
	return verdicts{
		{err != nil, bad(Fail, "Run `stump verify`; `stump restore FILE` restores the last backup.", "%v", err)},
		{f.Salvaged != "", bad(Fail, "Run `stump restore` with the newest file of the backups folder.", "the ledger was damaged and set aside as %s", f.Salvaged)},
		{true, pass("%s, %s, %s, %d out", count.Of(f.Events, "event"), count.Of(f.People, "person"), count.Of(f.Devices, "device"), f.Loans)},
	}.first()
}
