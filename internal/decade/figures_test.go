package decade

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// figures are what a life was.
type figures struct {
	days, bumps, pairs, displays, checks, starts, cuts, directories, erased, wires, disks, ghosts, alarms, mails, jumps, restores, verified, retained, events int
	seq, verifiedEvents, heap                                                                                                                                 uint64
	size                                                                                                                                                      int64
	verifying                                                                                                                                                 time.Duration
	began, ended                                                                                                                                              usage
}

func (f *figures) String() string {
	var b strings.Builder
	row := func(what string, n any) { fmt.Fprintf(&b, "%-40s %v\n", what, n) }
	row("days", f.days)
	row("bumps", f.bumps)
	row("pairs that moved a device", f.pairs)
	row("displays compared", f.displays)
	row("events compared", f.events)
	row("books compared", f.checks)
	row("starts of the daemon", f.starts)
	row("power cuts", f.cuts)
	row("directory compared", f.directories)
	row("backups restored on a new card", f.restores)
	row("mails compared", f.mails)
	row("steps of a clock that was right", f.jumps)
	row("people erased", f.erased)
	row("alarms compared", f.alarms)
	row("broken cables", f.wires)
	row("bumps read as an unknown card by those", f.ghosts)
	row("full and slow disks", f.disks)
	row("ledgers verified, from the first event on", f.verified)
	row("events verified, all together", f.verifiedEvents)
	row("old loans looked at for their person", f.retained)
	row("events in the ledger", f.seq)
	row("bytes of the ledger", f.size)
	row("bytes of the heap, at most", f.heap)
	row("processor time of the checks", f.verifying.Round(10*time.Millisecond))
	row("processor time", (f.ended.cpu - f.began.cpu).Round(10*time.Millisecond))
	row("took", (f.ended.wall - f.began.wall).Round(10*time.Millisecond))
	return b.String()
}

// usage is what this process has used of the real world.
type usage struct{ cpu, wall time.Duration }

func used() usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // time.Now is the bubble's
	return usage{time.Duration(r.Utime.Nano() + r.Stime.Nano()), time.Duration(ts.Nano())}
}

// log keeps the newest lines of the daemon's log, from warnings on.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) logger() *slog.Logger { return slog.New(l) }

func (l *log) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (l *log) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", r.Time.Format("2006-01-02 15:04:05"), r.Level, r.Message)
	r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&b, " %s=%v", a.Key, a.Value); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines[max(0, len(l.lines)-50):], b.String())
	return nil
}

func (l *log) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *log) WithGroup(string) slog.Handler      { return l }

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
