package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/internal/config"
)

// badLedger fails with an error until a time.
type badLedger struct {
	failures chan struct{}
	err      error
	until    time.Time
	tries    int
}

func (b *badLedger) Failures() <-chan struct{} { return b.failures }

func (b *badLedger) Try() error {
	if b.tries++; time.Now().Before(b.until) {
		return b.err
	}
	return nil
}

func TestDisk(t *testing.T) {
	stopped := fmt.Errorf("%w: %w: %w", ledger.ErrCannotSave, ledger.ErrStopped, syscall.EIO)
	full := fmt.Errorf("%w: %w", ledger.ErrCannotSave, syscall.ENOSPC)
	for name, c := range map[string]struct {
		err    error
		lasts  time.Duration
		uptime time.Duration // when it fails; negative: nobody starts the daemon again
		noted  string        // the time of the last restart
		busy   bool
		ends   time.Duration // 0: never
		over   bool
	}{
		"full for a day":             {full, 24 * time.Hour, 100 * time.Hour, "", false, 0, true},
		"stopped for a moment":       {stopped, 30 * time.Second, 100 * time.Hour, "", false, 0, true},
		"stopped":                    {stopped, 24 * time.Hour, 100 * time.Hour, "", false, time.Minute, false},
		"a ledger that was moved":    {fmt.Errorf("%w: %w", ledger.ErrCannotSave, boltfile.ErrGone), 24 * time.Hour, 100 * time.Hour, "", false, time.Minute, false},
		"the machine has just begun": {stopped, 24 * time.Hour, 10 * time.Minute, "", false, 50 * time.Minute, false},
		"a restart half an hour ago": {stopped, 24 * time.Hour, 100 * time.Hour, fmt.Sprint(int64(99*time.Hour + 30*time.Minute)), false, 30 * time.Minute, false},
		"a note that can't be":       {stopped, 24 * time.Hour, 100 * time.Hour, fmt.Sprint(int64(1e18)), false, 0, true},
		"under a self-test":          {stopped, 24 * time.Hour, 100 * time.Hour, "", true, 0, true},
		"without a system":           {stopped, 24 * time.Hour, -1, "", false, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "restarted")
			if c.noted != "" {
				if err := os.WriteFile(file, []byte(c.noted+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				l := &badLedger{failures: make(chan struct{}, 1), err: c.err, until: begin.Add(c.lasts)}
				over := false
				d := &disk{ledger: l, busy: func() bool { return c.busy }, over: func() { over = true }, log: slog.New(slog.DiscardHandler)}
				if c.uptime >= 0 {
					d.restarts = &restarts{file: file, since: func() time.Duration { return c.uptime + time.Since(begin) }}
				}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- d.Run(ctx) }()
				time.Sleep(time.Hour)
				if l.tries > 0 {
					t.Error("a disk that saves is tried")
				}
				begin, l.until = begin.Add(time.Hour), l.until.Add(time.Hour)
				l.failures <- struct{}{}
				time.AfterFunc(48*time.Hour, stop)
				err := <-ended
				if took := time.Since(begin); (c.ends > 0) != errors.Is(err, ErrRestart) || c.ends > 0 && (took < c.ends || took > c.ends+DiskTry) {
					t.Errorf("it ended after %v with %v, want %v", took, err, c.ends)
				}
				if over != c.over {
					t.Errorf("over: %v, want %v", over, c.over)
				}
				if c.ends > 0 && d.restarts.take() {
					t.Error("twice within the hour")
				}
				stop()
			})
		})
	}
}

// A daemon that finds its disk bad at the start says so once, and begins when it is well.
func TestWaitForDisk(t *testing.T) {
	dir := t.TempDir()
	o := Options{Config: config.Default(), StateDir: dir, Sim: true}
	for _, bad := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
		for _, here := range []bool{false, true} {
			_ = os.Remove(LedgerPath(dir))
			if here {
				if err := os.WriteFile(LedgerPath(dir), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				o.Log = slog.New(slog.NewTextHandler(&log, nil))
				calls, well := 0, &ledger.Ledger{}
				l, err := waitForDisk(o, func() (*ledger.Ledger, error) {
					if calls++; calls < 100 {
						return nil, &os.PathError{Op: "open", Path: "ledger.db", Err: bad}
					}
					return well, nil
				})
				switch n := strings.Count(log.String(), "waits for its disk"); {
				case !here && (!errors.Is(err, bad) || calls != 1 || n > 0):
					t.Errorf("%v without a ledger: %d calls, %v", bad, calls, err)
				case here && (l != well || err != nil || n != 1 || !strings.Contains(log.String(), "the disk can be used")):
					t.Errorf("%v: %v, said %d times\n%s", bad, err, n, log.String())
				}
			})
		}
	}
}
