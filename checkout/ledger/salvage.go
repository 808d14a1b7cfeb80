package ledger

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"stump/checkout/ledger/boltfile"
	"stump/internal/count"
	"stump/internal/safefile"
)

// Salvaged tells what was saved from a damaged file, or that the file is not the
// one that it was.
type Salvaged struct {
	// Replaced: nothing is damaged; an old copy or another ledger was put in the
	// place of the ledger.
	Replaced bool
	// File is where the damaged file is now; empty when there was none, though
	// there had been a ledger.
	File   string
	Reason string
	// Events is how many were saved; Lost are the numbers of those that are
	// known to be missing; where a file is damaged at so many places that they
	// are more than 1,000 runs, some that are not missing stand between two of
	// them. LastSeq is the newest that was saved.
	Events  uint64
	LastSeq uint64
	Lost    [][2]uint64
	// Perhaps are numbers that events may have had of which no trace is left.
	// They are not given again. Zero for none.
	Perhaps [2]uint64
	// Others are the numbers that are missing of closed chains, by the
	// station's name at that time.
	Others map[string][][2]uint64
	// Restated are the loans whose events are lost, but which the devices'
	// rows still told.
	Restated int
	// Made are the people and devices whose rows are lost and were made anew
	// from events; Tagless are those of them that must be enrolled again.
	// Partial is set when others may be missing altogether.
	Made, Tagless int
	Partial       bool
	// Rows are the outbox rows that are lost: nobody knows what of it was
	// delivered.
	Rows int
	At   time.Time
}

// String is the sentence for the log, the API and the technician.
func (s *Salvaged) String() string {
	if s.Replaced {
		lost := ""
		if len(s.Lost) > 0 {
			lost = "; missing: " + ranges(s.Lost)
		}
		return fmt.Sprintf("this is not the ledger that was here: %s%s; stop the daemon and put the newer file back, or go on with this one", s.Reason, lost)
	}
	if s.File == "" {
		return fmt.Sprintf("the ledger is gone (%s): a new one was begun; stump restore brings back a backup", s.Reason)
	}
	lost := "no event is known to be missing"
	if len(s.Lost) > 0 {
		lost = "missing is " + ranges(s.Lost)
		if len(s.Lost) > 1 || s.Lost[0][1] > s.Lost[0][0] {
			lost = "missing are " + ranges(s.Lost)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Others)) {
		lost += fmt.Sprintf("; of the time as station %s missing: %s", name, ranges(s.Others[name]))
	}
	if s.Perhaps[1] > 0 {
		lost += fmt.Sprintf(", and perhaps some after %d", s.Perhaps[0]-1)
	}
	if s.Made > 0 {
		lost += fmt.Sprintf("; %s made anew from events", count.Were(s.Made, "person or device"))
	}
	if s.Tagless > 0 {
		lost += fmt.Sprintf(", %d without a tag: enrol them again", s.Tagless)
	}
	if s.Partial {
		lost += "; people and devices may be missing: compare with a backup or the directory"
	}
	if s.Rows > 0 {
		lost += fmt.Sprintf("; of %s nobody knows whether it was delivered: compare with the directory", count.Of(s.Rows, "event"))
	}
	return fmt.Sprintf("the ledger was damaged (%s): %s saved, %s; the damaged file is %s; stump restore brings back a backup",
		s.Reason, count.Were(s.Events, "event"), lost, s.File)
}

// ranges is "event 7", or "events 7-9, 12".
func ranges(all [][2]uint64) string {
	var b strings.Builder
	b.WriteString("event")
	if len(all) > 1 || all[0][1] > all[0][0] {
		b.WriteString("s")
	}
	b.WriteString(" ")
	const most = 20
	for i, r := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		if rest := len(all) - i; i == most && rest > 1 {
			fmt.Fprintf(&b, "and %d more runs up to %d", rest, all[len(all)-1][1])
			break
		}
		fmt.Fprint(&b, r[0])
		if r[1] > r[0] {
			fmt.Fprintf(&b, "-%d", r[1])
		}
	}
	return b.String()
}

// OpenOrSalvage is how a daemon opens its ledger. Where there never was one, it
// makes it. A damaged file is set aside, never overwritten, under a name that
// says when and why; every event whose hash holds goes into a new segment whose
// first event names that file, and salvaged tells about it.
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
			// Somebody took the file away under a process that has it open.
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

// WasHere reports whether there is a ledger, or was one: its traces are beside
// it, or backups of the station in a folder, where other stations may have theirs.
func WasHere(path, backups, station string) bool {
	for _, trace := range []string{path, boltfile.HolderPath(path), newestPath(path), path + ".damaged-*", path + ".replaced-*", path + ".schema-*",
		filepath.Join(filepath.Dir(path), "backups", "*.db")} {
		if found, err := filepath.Glob(trace); err == nil && len(found) > 0 {
			return true
		}
	}
	all, _ := os.ReadDir(backups)
	return slices.ContainsFunc(all, func(e os.DirEntry) bool {
		id, err := identifyEntry(backups, e)
		return err == nil && id.station == station
	})
}

// The suspect file tells the next OpenOrSalvage of damage that was met while
// the ledger was open: Open itself looks at a few pages only.
func suspectPath(path string) string { return path + ".suspect" }

func readSuspect(path string) string {
	b, _ := os.ReadFile(suspectPath(path))
	return strings.TrimSpace(string(b))
}

// asideName is where a damaged file goes.
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

// salvage replaces the file at path by a new segment.
func salvage(path, reason string, o Options) (*Salvaged, error) {
	keys, err := o.fill()
	if err != nil {
		return nil, err
	}
	w, f, err := readWreck(path, o)
	if err != nil {
		return nil, err
	}
	s := &salvager{wreck: w, keys: keys, result: &Salvaged{Reason: reason, At: o.Stamp().Wall}}
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

// replace puts the file next in the place of path, which gets the name aside
// too first: at no instant is there no file.
func replace(path, next, aside string) error {
	if aside != "" {
		if err := os.Link(path, aside); err != nil {
			return fmt.Errorf("set %s aside: %w", path, err)
		}
	}
	// First of all: what comes in its place says by itself what is missing.
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
