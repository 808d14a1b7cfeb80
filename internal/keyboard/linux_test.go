package keyboard

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// watched watches a folder of input devices; changes gets one value a change.
func watched(t *testing.T, dir string) (changes chan struct{}, ended chan error) {
	t.Helper()
	changes, ended = make(chan struct{}, 1000), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { ended <- linux{dir: dir}.watch(ctx, func() { changes <- struct{}{} }) }()
	// The first change that is noticed proves that the watch has begun.
	until := time.Now().Add(10 * time.Second)
	for probe := filepath.Join(filepath.Dir(dir), "probe"); ; {
		if err := errors.Join(os.WriteFile(probe, nil, 0o600), os.Remove(probe)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changes:
			settle(changes)
			return changes, ended
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(until) {
			t.Fatal("no change is noticed")
		}
	}
}

// settle drops changes until there is none for a moment.
func settle(changes chan struct{}) {
	for {
		select {
		case <-changes:
		case <-time.After(50 * time.Millisecond):
			return
		}
	}
}

// The kernel reports devices that come, go, or change their permissions, even if
// their folder comes and goes.
func TestWatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "input")
	event := filepath.Join(dir, "event0")
	changes, ended := watched(t, dir)
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"the folder comes", func() error { return os.Mkdir(dir, 0o755) }},
		{"a device comes", func() error { return os.WriteFile(event, nil, 0o600) }},
		{"its permissions change", func() error { return os.Chmod(event, 0o660) }},
		{"a link comes", func() error { return os.Symlink(event, filepath.Join(dir, "kbd")) }},
		{"a device goes", func() error { return os.Remove(event) }},
		{"the folder goes", func() error { return os.RemoveAll(dir) }},
		{"the folder comes again", func() error { return os.Mkdir(dir, 0o755) }},
		{"a device comes again", func() error { return os.WriteFile(event, nil, 0o600) }},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changes:
		case err := <-ended:
			t.Fatalf("%s: the watch ended: %v", step.what, err)
		case <-time.After(10 * time.Second):
			t.Errorf("%s: it is not noticed", step.what)
		}
		settle(changes)
	}
}

// The watch ends with its context, and can't begin without a place to watch.
func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- linux{dir: filepath.Join(t.TempDir(), "input")}.watch(ctx, func() {}) }()
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a watch that ends returns no error")
		}
	case <-time.After(10 * time.Second):
		t.Error("the watch goes on")
	}
	if err := (linux{dir: "/nonexistent/dev/input"}).watch(t.Context(), func() {}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without /dev: %v", err)
	}
}

// Input devices are the event files of the folder, and links to them.
func TestPaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"event0", "event12", "mouse0", "js0"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	event, link := filepath.Join(dir, "event12"), filepath.Join(dir, "usb-Acme-event-kbd")
	if err := os.Symlink("event12", link); err != nil {
		t.Fatal(err)
	}
	l := linux{dir: dir}
	if got := l.paths(); !slices.Equal(got, []string{filepath.Join(dir, "event0"), event}) {
		t.Errorf("paths: %q", got)
	}
	real, err := filepath.EvalSymlinks(event) // the temporary folder may be a link
	if err != nil {
		t.Fatal(err)
	}
	if l.resolve(link) != real || l.resolve(event) != real {
		t.Errorf("%s leads to %s", link, l.resolve(link))
	}
	if gone := filepath.Join(dir, "gone"); l.resolve(gone) != gone {
		t.Errorf("what is not there leads to %s", l.resolve(gone))
	}
}

// A missing device or another file is not taken for a keyboard.
func TestOpenRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "event0")
	if _, err := (linux{}).open(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing device: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := (linux{}).open(path); err == nil {
		t.Errorf("a file is the keyboard %q", d.name())
	}
}
