// Package testkit has helpers for the tests of several packages.
package testkit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"stump/checkout"
)

// Log is a buffer that may be read while it is written to.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns everything that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Count returns how often a text was written.
func (l *Log) Count(text string) int { return strings.Count(l.String(), text) }

// RSSAnon is the resident memory of a process that doesn't belong to a file, in
// KiB (proc_pid_status(5), RssAnon).
func RSSAnon(tb testing.TB, pid int) (kib int64) {
	tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Fatal(err)
	}
	_, s, _ := strings.Cut(string(status), "RssAnon:")
	if _, err := fmt.Sscan(s, &kib); err != nil {
		tb.Fatalf("RssAnon of process %d: %v", pid, err)
	}
	return kib
}

// Need skips a test where something that it needs is missing. On CI (CI=true) the test
// fails instead: there, scripts/setup and root provide everything.
func Need(tb testing.TB, ok bool, what string) {
	tb.Helper()
	switch {
	case ok:
	case os.Getenv("CI") == "true":
		tb.Fatal("on CI no test is skipped, and this one needs " + what)
	default:
		tb.Skip("needs " + what)
	}
}

// NeedRoot is Need for tests with a second user: only root can become one.
func NeedRoot(tb testing.TB) {
	tb.Helper()
	Need(tb, os.Geteuid() == 0, "root, for a second user")
}

// Golden compares a file with what the program makes now. With update it
// writes the file instead.
func Golden(tb testing.TB, update bool, name, got string) {
	tb.Helper()
	if update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(got), 0o644)); err != nil {
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		tb.Fatalf("%v (write it with -update)", err)
	}
	if string(want) != got {
		tb.Errorf("%s is not what the program makes now; write it with -update", name)
	}
}

// Tag is a tag of so many bits with the value v.
func Tag(v uint64, bits int) checkout.Tag {
	t := checkout.Tag{Bits: uint8(bits)}
	binary.BigEndian.PutUint64(t.Value[8:], v)
	return t
}

// Section returns text with content in the place of what lies between the marks
// <!-- name --> and <!-- end -->.
func Section(tb testing.TB, text, name, content string) string {
	tb.Helper()
	before, rest, begins := strings.Cut(text, "<!-- "+name+" -->\n")
	_, after, ends := strings.Cut(rest, "<!-- end -->")
	if !begins || !ends {
		tb.Fatalf("no section %s", name)
	}
	return before + "<!-- " + name + " -->\n" + content + "<!-- end -->" + after
}
