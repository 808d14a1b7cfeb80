package boltfile

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A copy ends with its context, wherever it is, and leaves nothing.
func TestCopyEnds(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	written := 0
	err := Copy(ctx, filepath.Join(dir, "copy.db"), func(w io.Writer) error {
		for range 100 {
			n, err := w.Write(make([]byte, 1<<20))
			if written += n; err != nil {
				return err
			}
			if written == 10<<20 {
				cancel()
			}
		}
		return nil
	})
	left, _ := os.ReadDir(dir)
	if !errors.Is(err, context.Canceled) || written != 10<<20 || len(left) > 0 {
		t.Errorf("%v after %d bytes, %d files are left", err, written, len(left))
	}
}
