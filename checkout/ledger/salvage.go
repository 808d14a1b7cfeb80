package ledger

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/report"
	"stump/checkout/ledger/rotation"
	"stump/checkout/ledger/wreck"
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
	reason := beside.Suspect(path)
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
	if beside.Traces(path) {
		return true
	}
	all, _ := os.ReadDir(backups)
	return slices.ContainsFunc(all, func(e os.DirEntry) bool {
		id, err := rotation.Entry(backups, e, identify)
		return err == nil && id.Station == station
	})
}

// salvage replaces the damaged file at path by a new segment.
func salvage(path, reason string, o Options) (*Salvaged, error) {
	keys, err := o.fill()
	if err != nil {
		return nil, err
	}
	note, _ := beside.ReadNewest(path)
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
		if s.result.File, err = beside.Aside(path, "damaged", reason, s.result.At); err != nil {
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
	return s.result, beside.Replace(path, tmp, s.result.File)
}
