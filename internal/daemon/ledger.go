package daemon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/loan"
	"stump/checkout/reservation"
	"stump/directory"
	"stump/internal/api/listen"
	"stump/internal/certificate"
	"stump/internal/clock"
	"stump/internal/config"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/holidays"
	"stump/internal/identity"
	"stump/internal/learned"
	"stump/internal/safefile"
	"stump/internal/signal"
	"stump/internal/sitekey"
)

// LedgerPath is the ledger's file in a state folder.
func LedgerPath(stateDir string) string { return filepath.Join(stateDir, "ledger.db") }

// keyPath is the site key's file: a systemd credential if there is one, else
// beside the ledger. It is never part of a backup.
func keyPath(cfg *config.Config, stateDir string) string {
	if cfg.Privacy.KeyFile != "" {
		return cfg.Privacy.KeyFile
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		if p := filepath.Join(dir, "site-key"); exists(p) {
			return p
		}
	}
	return filepath.Join(stateDir, "site.key")
}

// backupDir is where the automatic backups are.
func backupDir(cfg config.Backup, stateDir string) string {
	return cmp.Or(cfg.Dir, filepath.Join(stateDir, "backups"))
}

// maxLedger is how large the file may grow: a 32-bit process can map 2 GB at most.
func maxLedger() int {
	if strconv.IntSize > 32 {
		return 0
	}
	most := int64(1<<31 - 1<<20)
	return int(most)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// wallClock is the station's clock.
func wallClock(cfg *config.Config) clock.Source { return clock.Source{RTC: cfg.Clock.Trust == "rtc"} }

// openHolidays returns the days on which the lab is closed, nil where none are named. It
// calls nobody.
func openHolidays(cfg *config.Config, stateDir string, log *slog.Logger) (*holidays.Holidays, error) {
	if cfg.Loans.Holidays == "" {
		return nil, nil
	}
	h, err := holidays.Open(holidays.Options{Source: cfg.Loans.Holidays, Dir: stateDir, HTTP: cfg.Directory.HTTP, Log: log})
	return h, cfg.Locate(err)
}

// calendar is when the lab is open.
func calendar(cfg *config.Config, closed *holidays.Holidays) loan.Calendar {
	c := cfg.Loans.Calendar()
	if closed != nil {
		c.Closed = closed.Closed
	}
	return c
}

// loanRules are the rules of who is lent what, and for how long.
func loanRules(cfg *config.Config, closed *holidays.Holidays) loan.Rules {
	l := &cfg.Loans
	spans := func(of map[string]config.Span) map[string]time.Duration {
		all := map[string]time.Duration{}
		for name, length := range of {
			all[name] = time.Duration(length)
		}
		return all
	}
	return loan.Rules{
		Length: time.Duration(l.Length), Kinds: spans(l.Kinds), Groups: spans(l.Groups), Needs: l.Needs, Limit: l.Limit,
		Extensions: l.Extend, Calendar: calendar(cfg, closed),
	}
}

// ledgerOptions are the same for the daemon and for a command that opens the
// ledger itself.
func ledgerOptions(cfg *config.Config, keys sitekey.Keys, closed *holidays.Holidays) ledger.Options {
	formats := cfg.CardFormats()
	return ledger.Options{
		Stamp:   wallClock(cfg).Now,
		Station: cfg.Station, SiteKey: keys.Current, OldKeys: keys.Old, MaxSize: maxLedger(),
		Loans:        loanRules(cfg, closed),
		Notify:       cfg.Loans.Notices(),
		Reservations: reservation.Rules{NoShow: time.Duration(cfg.Loans.NoShow)},
		Mask:         func(t checkout.Tag) string { return credential.Mask(t, formats) },
	}
}

// OpenLedger opens an existing ledger for a command. Errors are those of
// ledger.Open, and fs.ErrNotExist if there never was one.
func OpenLedger(cfg *config.Config, stateDir string, readOnly bool) (*ledger.Ledger, error) {
	path := LedgerPath(stateDir)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	keys, err := sitekey.Load(keyPath(cfg, stateDir))
	if err != nil {
		return nil, keyError(err)
	}
	if readOnly {
		return ledger.OpenReadOnly(path, ledgerOptions(cfg, keys, nil))
	}
	closed, err := openHolidays(cfg, stateDir, nil)
	if err != nil {
		return nil, err
	}
	return ledger.Open(path, ledgerOptions(cfg, keys, closed))
}

// keyError says what to do without a key, or with one that can't be read.
func keyError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("site key: %w", err) // a matter of users, not of a lost key
	}
	return hint.Errorf("a ledger and its site key belong together: put the key back from where you keep it", "site key: %w", err)
}

// openOrCreate opens the daemon's ledger, and creates it if there never was one.
// If it is damaged, what can be saved becomes a new one; Ledger.Info says so.
func openOrCreate(o Options, p places, closed *holidays.Holidays) (*ledger.Ledger, error) {
	if err := os.MkdirAll(o.StateDir, 0o750); err != nil {
		return nil, hint.Wrap(fmt.Errorf("state folder: %w", err), "name a folder that may be written with --state")
	}
	path := LedgerPath(o.StateDir)
	keyFile := keyPath(o.Config, o.StateDir)
	load := sitekey.LoadOrCreate
	if ledger.WasHere(path, backupDir(o.Config.Backup, o.StateDir), o.Config.Station) {
		load = sitekey.Load // a new key would not fit the backups either
	}
	keys, err := load(keyFile)
	if err != nil {
		return nil, keyError(err)
	}
	if st, err := os.Stat(keyFile); err == nil && st.Mode().Perm()&0o077 != 0 {
		o.Log.Warn("others may read the site key", "file", keyFile, "mode", st.Mode().Perm(), "remedy", "chmod 600 "+keyFile)
	}
	opts := ledgerOptions(o.Config, keys, closed)
	opts.Logger = o.Log
	// The simulated lab shows cards by name, so it needs their numbers.
	opts.SealTags = o.Sim || p.numbers()
	opts.Backups = backupDir(o.Config.Backup, o.StateDir)
	opts.Sinks = directory.Sinks(p.directory, p.webhooks)
	l, _, err := ledger.OpenOrSalvage(path, opts)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// tidy removes the temporary files that the last daemon left, and those of commands
// that need the ledger to themselves.
func tidy(o Options, l *ledger.Ledger) {
	key := keyPath(o.Config, o.StateDir)
	var all []string
	var failed error
	remove := func(dir string, patterns ...string) {
		removed, err := safefile.RemoveLeftovers(dir, patterns...)
		all, failed = append(all, removed...), errors.Join(failed, err)
	}
	remove(filepath.Dir(l.Path()), boltfile.Temporary(filepath.Base(l.Path()))...)
	remove(o.StateDir, notesName+".new-*", learned.Name+".new-*", signal.FileName+".new-*", identity.FileName+".new-*", certificate.FileName+".new-*", holidays.FileName+".new-*", ".selftest-*")
	remove(filepath.Dir(key), filepath.Base(key)+".new-*")
	for _, dir := range []string{backupDir(o.Config.Backup, o.StateDir), o.Config.Backup.Also} {
		if dir != "" {
			remove(dir, "ledger-*.db.new-*")
		}
	}
	if failed != nil {
		o.Log.Warn("can't remove temporary files", "err", failed)
	}
	if len(all) > 0 {
		o.Log.Info("removed temporary files of a power cut or a kill", "files", all)
	}
}

// RestoreLedger replaces the ledger by a backup, or tells what that would change.
func RestoreLedger(ctx context.Context, cfg *config.Config, stateDir, backup string, o ledger.RestoreOptions) (*ledger.Restored, error) {
	keys, err := sitekey.Load(keyPath(cfg, stateDir))
	if err != nil {
		return nil, keyError(err)
	}
	o.Check = CheckInChild
	return ledger.RestoreFile(ctx, LedgerPath(stateDir), backup, ledgerOptions(cfg, keys, nil), o)
}

// alone refuses to start while another daemon answers at the socket. It comes
// before anything is touched, above all a ledger that looks damaged.
func alone(o Options) error {
	if listen.CheckSocket(o.Socket) == nil {
		return nil
	}
	var locked *ledger.LockedError
	l, err := OpenLedger(o.Config, o.StateDir, true)
	if errors.As(err, &locked) {
		return err // it has the ledger, too, and this error has its name
	}
	if err == nil {
		l.Close()
	}
	return listen.CheckSocket(o.Socket) // it may have stopped meanwhile
}

// rightLines keeps simulated cards out of a real station's ledger: root, who
// tries Stump on the board of a station, gets its state folder by default. A real
// station takes over a simulated lab's ledger, and logs that.
func rightLines(o Options, l *ledger.Ledger) error {
	info, err := l.Info()
	switch {
	case err != nil:
		return nil // the first tap will say so
	case info.Simulated == o.Sim:
		return nil
	case info.Empty, o.Sim && info.Salvaged != nil: // a salvaged ledger may have lost the mark
		return l.SetSimulated(o.Sim)
	case o.StateNamed:
		return nil
	case o.Sim:
		return hint.Errorf("simulate beside it, telling no directory: `stump run --sim --config /dev/null --state DIR --socket FILE`, and give the other commands that --socket",
			"the ledger %s is a real station's, and simulated cards would change it", info.Path)
	}
	o.Log.Warn("this ledger was a simulated lab's: move it away to begin with an empty one", "ledger", info.Path)
	return l.SetSimulated(false)
}

// CheckFileCommand is the hidden command with which this program checks a
// ledger's file in a process of its own.
const CheckFileCommand = "check-file"

// CheckInChild runs bbolt's own check in a child of this program: on a damaged
// file it panics in goroutines of its own, where nothing can recover it. Errors:
// ledger.ErrNotChecked when the child could not run, or was killed; else what
// the check says of the file.
func CheckInChild(ctx context.Context, path string) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrNotChecked, err)
	}
	cmd := exec.CommandContext(ctx, exe, CheckFileCommand, path)
	cmd.Args[0] = os.Args[0]
	// If root became another user, that user may control the child, so it must not
	// have root's terminal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.Output()
	if err == nil {
		return nil
	}
	var ended *exec.ExitError
	if !errors.As(err, &ended) || !ended.Exited() {
		return fmt.Errorf("%w: %w", ledger.ErrNotChecked, err) // for want of memory, say
	}
	for _, text := range [][]byte{out, ended.Stderr} { // a panic has only the second
		if first, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n")); len(first) > 0 {
			return errors.New(string(first))
		}
	}
	return fmt.Errorf("check: %w", err)
}
