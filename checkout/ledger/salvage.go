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
	"stump/checkout/ledger/wreck"
	"stump/internal/count"
	"stump/internal/safefile"
)

// Salvaged says what was saved from a damaged file, or that the file was replaced.
type Salvaged struct {
	// Replaced: nothing is damaged, but an old copy or another ledger lay in the ledger's
	// place.
	Replaced bool
	// File is the path of the damaged file; empty when the file was missing.
	File   string
	Reason string
	// Events is how many were saved, and LastSeq the number of the newest. Lost are the
	// missing numbers, as first and last, in at most 1,000 runs. Where there were more,
	// runs were joined, and include numbers that are not missing.
	Events  uint64
	LastSeq uint64
	Lost    [][2]uint64
	// Perhaps are the first and last number of events that may have existed without
	// leaving a trace. The numbers are not used again. Zero for none.
	Perhaps [2]uint64
	// Others are the missing numbers of closed chains, by the station's name then.
	Others map[string][][2]uint64
	// Restated is how many loans only the devices' rows still showed, since their events
	// are lost.
	Restated int
	// Made is how many lost rows of people and devices were made again from events.
	// Tagless of them have no tag and must be enrolled again. Partial is set when more
	// people and devices may be missing.
	Made, Tagless int
	Partial       bool
	// Rows is how many outbox rows are lost. Their events may or may not have been
	// delivered.
	Rows int
	At   time.Time
}

// String returns the report as a sentence.
func (s *Salvaged) String() string {
	if s.Replaced {
		lost := ""
		if len(s.Lost) > 0 {
			lost = "; missing: " + ranges(s.Lost)
		}
		return fmt.Sprintf("the ledger was replaced: %s%s; stop the daemon and put the newer file back, or go on with this one", s.Reason, lost)
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
		lost += fmt.Sprintf("; missing from the time as station %s: %s", name, ranges(s.Others[name]))
	}
	if s.Perhaps[1] > 0 {
		lost += fmt.Sprintf(", and perhaps some after %d", s.Perhaps[0]-1)
	}
	if s.Made > 0 {
		lost += fmt.Sprintf("; %s made again from events", count.Were(s.Made, "person or device"))
	}
	if s.Tagless > 0 {
		lost += fmt.Sprintf(", %d without a tag: enrol them again", s.Tagless)
	}
	if s.Partial {
		lost += "; people and devices may be missing: compare with a backup or the directory"
	}
	if s.Rows > 0 {
		lost += fmt.Sprintf("; whether %s reached the directory is unknown: compare with it", count.Of(s.Rows, "event"))
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
		id, err := identifyEntry(backups, e)
		return err == nil && id.station == station
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
