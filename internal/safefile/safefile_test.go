package safefile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"stump/internal/testkit"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"one", "another"} {
		if err := Write(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if st, serr := os.Stat(path); err != nil || serr != nil || string(b) != text || st.Mode().Perm() != 0o640 {
			t.Errorf("%q, %v %v %v", b, err, st.Mode(), serr)
		}
	}
	// A link in its place is replaced, not followed.
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(other, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(other); string(b) != "mine" {
		t.Errorf("written through a link: %q", b)
	}
	// What can't be written leaves nothing behind.
	if err := os.Mkdir(filepath.Join(dir, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "full"), nil, 0o600); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestCopy: a file of which only a part could be read leaves the old one.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if n, err := Copy(path, strings.NewReader("whole"), 0o600); n != 5 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	broken := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := Copy(path, broken, 0o600); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken reader: %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "whole" {
		t.Errorf("afterwards the file has %q", b)
	}
	if left, _ := filepath.Glob(path + ".new-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	missing := filepath.Join(dir, "missing", "f")
	if _, err := Copy(missing, strings.NewReader(""), 0o600); err == nil || !strings.Contains(err.Error(), missing+":") {
		t.Errorf("in a folder that isn't there: %v", err)
	}
}

func TestWriteForRoot(t *testing.T) {
	testkit.NeedRoot(t)
	dir := t.TempDir()
	const nobody = 65534
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "f")
	if err := Write(path, nil, 0o600); err == nil || !strings.Contains(err.Error(), "root won't use "+path) {
		t.Errorf("root writes in another user's folder: %v", err)
	}
	if all, _ := os.ReadDir(dir); len(all) > 0 {
		t.Errorf("there is %v", all)
	}
}
