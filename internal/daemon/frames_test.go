package daemon

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"stump/wiegand"
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
	vcd := wiegand.NewVCDReader(f)
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
