package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/report"
	"stump/checkout/ledger/rotation"
	"stump/checkout/ledger/wreck"
	"stump/internal/safefile"
)

// What a salvage, a restore and a check say.
type (
	// Salvaged is report.Salvaged.
	Salvaged = report.Salvaged
	// Restored is report.Restored.
	Restored = report.Restored
	// Report is report.Verified.
	Report = report.Verified
	// Fault is report.Fault.
	Fault = report.Fault
)

// OpenOrSalvage opens the ledger of a daemon. If there never was one, it creates it. It
// sets a damaged file aside, under a name with the time and the reason, and copies every
// event whose hash matches into a new segment. The segment's first event names the damaged
// file, and salvaged reports what was saved.
func OpenOrSalvage(path string, o Options) (l *Ledger, salvaged *Salvaged, err error) {
	if _, err := o.fill(); err != nil {
		return nil, nil, err
	}
	if path, err = boltfile.Resolve(path); err != nil {
		return nil, nil, err
	}
	reason := readSuspect(path)
	if reason == "" {
		l, err = Open(path, o)
	} else {
		err = boltfile.Damaged(path, reason)
	}
	var damaged *DamagedError
	switch {
	case err == nil:
		return l, nil, nil
	case errors.Is(err, os.ErrNotExist):
		if !WasHere(path, o.Backups, o.Station) {
			l, err = Create(path, o)
			return l, nil, err
		}
		if h, err := boltfile.ReadHolder(path); err == nil && h.Running() {
			// The file was removed while another process has it open.
			return nil, nil, &LockedError{Path: path, PID: h.PID, Command: h.Command}
		}
		damaged = boltfile.Damaged(path, "the file is missing")
	case !errors.As(err, &damaged):
		return nil, nil, err
	}
	var locked *LockedError
	if salvaged, err = salvage(path, damaged.Reason, o); errors.As(err, &locked) {
		return nil, nil, locked
	} else if err != nil {
		return nil, nil, fmt.Errorf("%w; and it could not be salvaged: %w", damaged, err)
	}
	l, err = Open(path, o)
	return l, salvaged, err
}

// WasHere reports whether there is or was a ledger at path: by files beside it, or by
// backups of the station in the folder backups, which may hold other stations' too.
func WasHere(path, backups, station string) bool {
	for _, trace := range []string{path, boltfile.HolderPath(path), newestPath(path), path + ".damaged-*", path + ".replaced-*", path + ".schema-*",
		filepath.Join(filepath.Dir(path), "backups", "*.db")} {
		if found, err := filepath.Glob(trace); err == nil && len(found) > 0 {
			return true
		}
	}
	all, _ := os.ReadDir(backups)
	return slices.ContainsFunc(all, func(e os.DirEntry) bool {
		id, err := rotation.Entry(backups, e, identify)
		return err == nil && id.Station == station
	})
}

// suspectPath returns the path of the note of damage for the next OpenOrSalvage, since
// Open itself reads only a few pages.
func suspectPath(path string) string { return path + ".suspect" }

func readSuspect(path string) string {
	b, _ := os.ReadFile(suspectPath(path))
	return strings.TrimSpace(string(b))
}

// asideName returns the path for a file that is set aside.
func asideName(path, what, reason string, at time.Time) string {
	slug := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(reason))
	slug = strings.Trim(slug[:min(len(slug), 40)], "-")
	return fmt.Sprintf("%s.%s-%s-%s", path, what, at.UTC().Format("20060102T150405Z"), slug)
}

// salvage replaces the damaged file at path by a new segment.
func salvage(path, reason string, o Options) (*Salvaged, error) {
	keys, err := o.fill()
	if err != nil {
		return nil, err
	}
	note, _ := readNewest(path)
	w, f, err := wreck.Read(path, note)
	if err != nil {
		return nil, err
	}
	s := &salvager{Wreck: w, o: o, keys: keys, result: &Salvaged{Reason: reason, At: o.Stamp().Wall}}
	if f != nil {
		defer f.Close()
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, boltfile.LockedBy(path)
		}
		if s.result.File, err = freeName(asideName(path, "damaged", reason, s.result.At)); err != nil {
			return nil, err
		}
	}
	o.Logger.Error("salvaging the ledger", "err", &DamagedError{Path: path, Reason: reason})
	tmp := path + ".salvaged"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := boltfile.Create(tmp, s.fill); err != nil {
		return nil, err
	}
	return s.result, replace(path, tmp, s.result.File)
}

// freeName returns name, or name with a number when it is taken.
func freeName(name string) (string, error) {
	for i := range 1000 {
		try := name
		if i > 0 {
			try = fmt.Sprintf("%s-%d", name, i)
		}
		if _, err := os.Lstat(try); errors.Is(err, os.ErrNotExist) {
			return try, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, os.ErrExist)
}

// replace first gives the file at path the second name aside, and then renames next to
// path, so that there is always a file at path.
func replace(path, next, aside string) error {
	if aside != "" {
		if err := os.Link(path, aside); err != nil {
			return fmt.Errorf("set %s aside: %w", path, err)
		}
	}
	if err := forgetNewest(path); err != nil {
		return err
	}
	boltfile.Crash("replace-rename")
	if err := os.Rename(next, path); err != nil {
		return err
	}
	boltfile.Crash("replace-sync-dir")
	if err := os.Remove(suspectPath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return safefile.SyncDir(filepath.Dir(path))
}
