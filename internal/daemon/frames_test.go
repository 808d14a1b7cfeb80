package daemon

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/wiegand"
	"stump/wiegand/capture"
)

func TestFrameIsForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stump-01-count.vcd")
	edges := []wiegand.Edge{{Time: 1_000_000, Line: 1}, {Time: 3_000_000}, {Time: 5_000_000, Line: 1}}
	if err := writeFrame(path, edges); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	vcd, err := capture.Open(f, "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	var falls []uint8
	for {
		e, err := vcd.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !e.Rising {
			falls = append(falls, e.Line)
		}
	}
	if len(falls) != 3 || falls[0] != 1 || falls[1] != 0 || falls[2] != 1 {
		t.Errorf("the file has falls on %v, want 1 0 1", falls)
	}
}

// TestKeepFrames replaces a reader's files and touches no other reader's.
func TestKeepFrames(t *testing.T) {
	d := newSim(t, twoReaders)
	run(t, d)
	dir := d.upkeep.frames
	d.upkeep.keepFrames()
	if exists(dir) {
		t.Error("a folder was made for no frames")
	}
	bits, err := wiegand.ParseBits("11111111111111")
	if err != nil {
		t.Fatal(err)
	}
	at := d.Lines.Now()
	d.Lines.Present(bits)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := d.Readers[0].Answered(ctx, at); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"door-07-parity.vcd", "window-01-parity.vcd"} {
		if err := os.WriteFile(filepath.Join(dir, old), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.upkeep.keepFrames()
	var names []string
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
	}
	if strings.Join(names, " ") != "door-01-count.vcd window-01-parity.vcd" {
		t.Errorf("the folder has %q", names)
	}
}
