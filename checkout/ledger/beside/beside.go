// Package beside has the files that lie beside a ledger's file: the notes of its newest event
// and of damage, and older files that were set aside.
package beside

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"stump/checkout/ledger/boltfile"
	"stump/internal/safefile"
)

// Traces reports whether there is or was a ledger at path: it or a file beside it is there,
// or a backup in the folder backups beside it.
func Traces(path string) bool {
	for _, trace := range []string{path, boltfile.HolderPath(path), NewestPath(path), path + ".damaged-*", path + ".replaced-*", path + ".schema-*",
		filepath.Join(filepath.Dir(path), "backups", "*.db")} {
		if found, err := filepath.Glob(trace); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// BeforeSchema returns the path of the copy from before a migration from a version.
func BeforeSchema(path string, version uint64) string {
	return fmt.Sprintf("%s.schema-%d", path, version)
}

// SuspectPath returns the path of the note of damage that was met while the ledger was open,
// since opening it reads only a few pages.
func SuspectPath(path string) string { return path + ".suspect" }

// Suspect returns the reason in the note of damage, "" if there is none.
func Suspect(path string) string {
	b, _ := os.ReadFile(SuspectPath(path))
	return strings.TrimSpace(string(b))
}

// NoteSuspect leaves a note of damage.
func NoteSuspect(path, reason string) error {
	return safefile.Write(SuspectPath(path), []byte(reason+"\n"), 0o640)
}

// Aside returns a path that is not taken for the file at path, which is set aside. The name
// says what happened to it, why and when.
func Aside(path, what, reason string, at time.Time) (string, error) {
	return freeName(asideName(path, what, reason, at))
}

// asideName returns the name of a file that is set aside.
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

// Replace first gives the file at path the second name aside, and then renames next to
// path, so that there is always a file at path. Without the name aside, there is no file.
// The notes beside the old file are removed: the first event of the new one says what is
// missing.
func Replace(path, next, aside string) error {
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
	if err := os.Remove(SuspectPath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return safefile.SyncDir(filepath.Dir(path))
}
