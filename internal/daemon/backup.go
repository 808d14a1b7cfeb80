package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/clock"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/safefile"
)

// backups copies the ledger to each folder, runs the command that takes the copy
// off the board, and remembers which copies passed their check.
type backups struct {
	ledger  *ledger.Ledger
	places  []*place
	command []string // nil: none
	limit   time.Duration
	notes   string // file that keeps backupNotes
	stamp   func() checkout.Stamp
	log     *slog.Logger
	due     chan struct{} // received from when the command may have work

	mu     sync.Mutex // guards what follows, and the results of the places
	taken  string     // the last backup that the command took
	failed error      // why the last run of the command failed
}

// place is a folder for backups.
type place struct {
	options ledger.BackupOptions
	good    goodBackup
	failed  error         // why the last attempt failed
	made    ledger.Backup // by the last attempt
}

// goodBackup is a backup that passed its check.
type goodBackup struct {
	File         string    `json:"file"`
	Event        uint64    `json:"event"`
	At           time.Time `json:"at"` // when it passed
	ClockTrusted bool      `json:"clock_trusted"`
}

// notesName is the file of backupNotes in the state folder.
const notesName = "backup.json"

// backupNotes survive a restart of the daemon.
type backupNotes struct {
	Good  []goodBackup `json:"good"` // one a folder
	Taken string       `json:"taken"`
}

func newBackups(cfg config.Backup, stateDir string, l *ledger.Ledger, log *slog.Logger) *backups {
	b := &backups{ledger: l, command: cfg.Run, limit: time.Hour, notes: filepath.Join(stateDir, notesName), stamp: clock.Now, log: log, due: make(chan struct{}, 1)}
	for _, o := range []ledger.BackupOptions{{Dir: backupDir(cfg, stateDir)}, {Dir: cfg.Also, Apart: true}} {
		if cfg.Keep == 0 || o.Dir == "" {
			continue
		}
		o.Keep, o.Check = cfg.Keep, CheckInChild
		if dir, err := filepath.Abs(o.Dir); err == nil {
			o.Dir = dir
		}
		b.places = append(b.places, &place{options: o})
	}
	b.remember()
	return b
}

// remember reads the notes. Without them the newest backup is checked again.
func (b *backups) remember() {
	var n backupNotes
	raw, err := os.ReadFile(b.notes)
	if err == nil {
		err = json.Unmarshal(raw, &n)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.log.Warn("can't read which backups are good; the newest is checked again", "err", err)
	}
	b.taken = n.Taken
	for _, p := range b.places {
		for _, g := range n.Good {
			if filepath.Dir(g.File) == p.options.Dir {
				p.good = g
			}
		}
	}
}

func (b *backups) save() {
	b.mu.Lock()
	n := backupNotes{Good: []goodBackup{}, Taken: b.taken}
	for _, p := range b.places {
		if p.good.File != "" {
			n.Good = append(n.Good, p.good)
		}
	}
	b.mu.Unlock()
	raw, err := json.Marshal(n)
	if err == nil {
		err = safefile.Write(b.notes, append(raw, '\n'), 0o640)
	}
	if err != nil {
		b.log.Warn("can't note which backups are good", "err", err)
	}
}

// daily makes a backup in each folder.
func (b *backups) daily(ctx context.Context) {
	for _, p := range b.places {
		b.make(ctx, p)
	}
}

// hourly retries the folders whose last attempt failed or whose good backup is gone.
func (b *backups) hourly(ctx context.Context) {
	for _, p := range b.places {
		_, err := os.Lstat(p.good.File)
		if p.failed != nil || p.good.File != "" && errors.Is(err, fs.ErrNotExist) {
			b.make(ctx, p)
		}
	}
}

func (b *backups) make(ctx context.Context, p *place) {
	o := p.options
	o.Good = p.good.File
	made, err := b.ledger.AutoBackup(ctx, o)
	if ctx.Err() != nil {
		return
	}
	if made.New {
		b.log.Info("backup", "file", made.File)
	}
	if err != nil {
		b.log.Error("no backup", "err", err)
	}
	if len(made.Others) > 0 && len(p.made.Others) == 0 {
		b.log.Warn("the folder of the backups has files that are another ledger's; they are left alone and not counted",
			"files", len(made.Others), "first", made.Others[0])
	}
	if len(made.Damaged) > len(p.made.Damaged) {
		b.log.Warn("the folder of the backups has damaged files; they are left alone and not counted", "files", made.Damaged)
	}
	at := b.stamp()
	b.mu.Lock()
	p.failed = err
	if p.made = made; err == nil && made.File != "" && made.File != p.good.File {
		p.good = goodBackup{made.File, made.Seq, at.Wall, at.Trusted}
	}
	b.mu.Unlock()
	b.save()
	select {
	case b.due <- struct{}{}:
	default:
	}
}

// atStop makes backups that the next daemon checks.
func (b *backups) atStop() {
	for _, p := range b.places {
		o := p.options
		o.Quick, o.Good = true, p.good.File
		if _, err := b.ledger.AutoBackup(context.Background(), o); err != nil {
			b.log.Error("no backup at the stop", "err", err)
		}
	}
}

// runCommands runs the command when there is a new backup, until ctx is done.
func (b *backups) runCommands(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.due:
			b.takeAway(ctx)
		}
	}
}

// takeAway runs the command with a good backup that it has not taken yet.
func (b *backups) takeAway(ctx context.Context) {
	var file string
	b.mu.Lock()
	for _, p := range b.places {
		if p.failed == nil {
			file = cmp.Or(file, p.good.File)
		}
	}
	done := b.taken
	b.mu.Unlock()
	if len(b.command) == 0 || file == "" || file == done {
		return
	}
	fill := strings.NewReplacer("{file}", file, "{name}", filepath.Base(file))
	var args []string
	for _, a := range b.command {
		args = append(args, fill.Replace(a))
	}
	out, err := runCommand(ctx, args, b.limit)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		b.log.Error("the command of [backup] run failed", "command", args[0], "file", file, "err", err, "output", out)
	} else {
		b.log.Info("the command of [backup] run succeeded", "command", args[0], "file", file, "output", out)
	}
	b.mu.Lock()
	b.failed = err
	if err == nil {
		b.taken = file
	}
	b.mu.Unlock()
	b.save()
}

// faults says what is wrong with the backups.
func (b *backups) faults() (all []selftest.Condition) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.places {
		if p.failed != nil {
			all = append(all, selftest.Condition{
				Name: "no-backup", Text: fmt.Sprintf("there is no new backup: %v", p.failed),
				Remedy: cmp.Or(hint.Of(p.failed), "mount the disk, make room on it, and give the folder to the daemon's user") +
					"; the next try is within an hour, or `stump backup FILE` now",
			})
		}
	}
	if b.failed != nil {
		all = append(all, selftest.Condition{
			Name: "backup-command", Text: fmt.Sprintf("the command of [backup] run failed: %v", b.failed),
			Remedy: "see what it printed in the daemon's log, and run it by hand as the daemon's user; the next backup tries again",
		})
	}
	return all
}

// status is the part of the API's status about backups.
func (b *backups) status() []wire.Backup {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []wire.Backup{}
	for _, p := range b.places {
		s := wire.Backup{Folder: p.options.Dir, Others: len(p.made.Others), Damaged: len(p.made.Damaged)}
		if g := p.good; g.File != "" {
			s.File, s.Event, s.At, s.ClockTrusted = &g.File, g.Event, &g.At, g.ClockTrusted
		}
		all = append(all, s)
	}
	return all
}
