package boltfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/boltpages"
	"stump/internal/safefile"
)

// TestMain runs the test binary as another program where a test asks for it.
func TestMain(m *testing.M) {
	switch os.Getenv("STUMP_TEST_CHILD") {
	case "make":
		makeChild()
	case "hold":
		holdChild()
	default:
		os.Exit(m.Run())
	}
}

var bucket = []byte("b")

func ok(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func put(t *testing.T, dir, name string) {
	t.Helper()
	ok(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600))
}

// write fills a file with a bucket and its two meta pages.
func write(value string) func(*bolt.DB) error {
	return func(db *bolt.DB) error {
		for range 2 {
			err := db.Update(func(tx *bolt.Tx) error {
				b, err := tx.CreateBucketIfNotExists(bucket)
				if err != nil {
					return err
				}
				return b.Put([]byte("key"), []byte(value))
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func create(t *testing.T) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	ok(t, Create(path, write("one")))
	content, err := os.ReadFile(path)
	ok(t, err)
	return path, content
}

// names lists a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	all, err := os.ReadDir(dir)
	ok(t, err)
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// read opens a file and returns what write put into it.
func read(t *testing.T, path string) (value string) {
	t.Helper()
	db, _, err := Open(path, Options{ReadOnly: true})
	ok(t, err)
	defer db.Close()
	ok(t, db.View(func(tx *bolt.Tx) error {
		value = string(tx.Bucket(bucket).Get([]byte("key")))
		return nil
	}))
	return value
}

// forge changes meta page slot, with a checksum that matches.
func forge(b []byte, slot int, field int, value uint64) []byte {
	b = bytes.Clone(b)
	meta := b[slot*boltpages.PageSize+16:]
	binary.LittleEndian.PutUint64(meta[field:], value)
	h := fnv.New64a()
	h.Write(meta[:56])
	binary.LittleEndian.PutUint64(meta[56:], h.Sum64())
	return b
}

// TestDamagedFiles are refused with a DamagedError before bbolt sees them, and left as
// they are.
func TestDamagedFiles(t *testing.T) {
	const root, freelist, high, txid = 16, 32, 40, 48
	path, whole := create(t)
	for want, b := range map[string][]byte{
		"the file is empty":                           {},
		"the file is cut short: 4096 bytes":           whole[:boltpages.PageSize],
		"the file is cut short: 16383 bytes":          whole[:4*boltpages.PageSize-1],
		"meta page 0: not a meta page":                append(make([]byte, boltpages.PageSize), whole[boltpages.PageSize:]...),
		"meta page 1: ":                               append(bytes.Clone(whole[:boltpages.PageSize+20]), append(bytes.Repeat([]byte{0xff}, 90), whole[boltpages.PageSize+110:]...)...),
		"bytes of at least 409600000":                 forge(whole, 1, high, 100_000),
		"meta page 0 points outside the file":         forge(whole, 0, root, 1<<40),
		"meta page 1 points outside the file":         forge(whole, 1, freelist, 1<<40),
		"both meta pages are of the same transaction": forge(forge(whole, 0, txid, 7), 1, txid, 7),
	} {
		ok(t, os.WriteFile(path, b, 0o600))
		_, _, err := Open(path, Options{})
		var damaged *DamagedError
		if !errors.As(err, &damaged) || damaged.Path != path || !strings.Contains(damaged.Reason, want) {
			t.Errorf("%s: %v", want, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, b) {
			t.Errorf("%s: the file has changed (%v)", want, err)
		}
	}
	// A file without a freelist is whole.
	ok(t, os.WriteFile(path, forge(forge(whole, 0, freelist, boltpages.NoPage), 1, freelist, boltpages.NoPage), 0o600))
	if got := read(t, path); got != "one" {
		t.Errorf("without a freelist it holds %q", got)
	}
}

func TestOpenMakesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if _, _, err := Open(path, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if got := names(t, filepath.Dir(path)); got != "" {
		t.Errorf("it made %s", got)
	}
}

// TestDamagedReason: a reason becomes an event, so it is short, and text.
func TestDamagedReason(t *testing.T) {
	long := Damaged("p", strings.Repeat("é", 50_000)+"\xff")
	if len(long.Reason) > 310 || !strings.HasSuffix(long.Reason, "é …") {
		t.Errorf("%d bytes: %q", len(long.Reason), long.Reason)
	}
	short := Damaged("p", "page 7")
	if short.Error() != "the ledger p is damaged: page 7" || !strings.Contains(short.Hint(), "`stump restore` a backup") {
		t.Errorf("%v: %s", short, short.Hint())
	}
}

// TestRecover: a panic and a fault become errors, and the goroutine's setting for faults
// is put back.
func TestRecover(t *testing.T) {
	broken := func(what func()) (err error) {
		defer Recover("p", &err)()
		what()
		return nil
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "short"))
	ok(t, err, f.Truncate(boltpages.PageSize))
	defer f.Close()
	mapped, err := syscall.Mmap(int(f.Fd()), 0, boltpages.PageSize, syscall.PROT_READ, syscall.MAP_SHARED)
	ok(t, err, f.Truncate(0))
	defer syscall.Munmap(mapped)
	var sum byte
	for what, fault := range map[string]func(){
		"page 7: invalid": func() { panic("page 7: invalid") },
		"invalid memory":  func() { sum += mapped[0] },
	} {
		var damaged *DamagedError
		if err := broken(fault); !errors.As(err, &damaged) || !strings.Contains(damaged.Reason, what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := broken(func() {}); err != nil {
		t.Error(err)
	}
}

// TestResolve follows a link to a file, and refuses what is not a file.
func TestResolve(t *testing.T) {
	dir := t.TempDir()
	dir, err := filepath.EvalSymlinks(dir)
	ok(t, err)
	at := func(name string) string { return filepath.Join(dir, name) }
	put(t, dir, "file")
	ok(t, os.Mkdir(at("folder"), 0o700), syscall.Mkfifo(at("pipe"), 0o600), os.Symlink("file", at("link")), os.Symlink(at("link"), at("link2")),
		os.Symlink("gone", at("loose")), os.Symlink("folder", at("folder link")), os.Symlink("round", at("round")))
	for name, want := range map[string]string{"file": "file", "nothing": "nothing", "link": "file", "link2": "file"} {
		if got, err := Resolve(at(name)); err != nil || got != at(want) {
			t.Errorf("%s is %s, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{"folder": "is not a regular file", "pipe": "is not a regular file",
		"folder link": "is not a regular file", "loose": "is a link to gone, which does not exist", "round": "too many levels"} {
		if got, err := Resolve(at(name)); err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is %s, %v", name, got, err)
		}
	}
}

// holdChild opens a file and says so, until its standard input ends.
func holdChild() {
	path := os.Getenv("STUMP_TEST_LEDGER")
	db, _, err := Open(path, Options{})
	if err == nil {
		err = WriteHolder(path, 7)
	}
	fmt.Println("open", err)
	os.Stdin.Read(make([]byte, 1))
	_ = db
}

// TestWhoHoldsTheLock: the error names the process, if it still runs.
func TestWhoHoldsTheLock(t *testing.T) {
	path, _ := create(t)
	cmd := exec.Command(os.Args[0], "-test.run=none", "of", "mine")
	cmd.Env = append(os.Environ(), "STUMP_TEST_CHILD=hold", "STUMP_TEST_LEDGER="+path)
	in, err := cmd.StdinPipe()
	ok(t, err)
	out, err := cmd.StdoutPipe()
	ok(t, err, cmd.Start())
	line := make([]byte, 100)
	if n, err := out.Read(line); err != nil || string(line[:n]) != "open <nil>\n" {
		t.Fatalf("%s, %v", line[:n], err)
	}
	for _, readOnly := range []bool{false, true} {
		began := time.Now()
		_, _, err := Open(path, Options{ReadOnly: readOnly, LockTimeout: 60 * time.Millisecond})
		var locked *LockedError
		if !errors.As(err, &locked) || locked.PID != cmd.Process.Pid || !strings.Contains(err.Error(), " of mine)") || time.Since(began) < 50*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	}
	h, err := ReadHolder(path)
	ok(t, err)
	if !h.Running() || h.Ceiling != 7 || time.Since(h.Since) > time.Minute {
		t.Errorf("%+v, running: %v", h, h.Running())
	}
	in.Close()
	ok(t, cmd.Wait())
	if h.Running() {
		t.Error("the holder runs, though it has ended")
	}
	if e := LockedBy(path); e.PID != 0 || e.Error() != "the ledger "+path+" is held by another process" {
		t.Errorf("%v", e)
	}
	if got := read(t, path); got != "one" {
		t.Errorf("it holds %q", got)
	}
}

// TestHolder: this process is no other one, a process with other arguments is not the
// holder, and a file that can't be read names nobody.
func TestHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if _, err := ReadHolder(path); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	ok(t, WriteHolder(path, 1000))
	h, err := ReadHolder(path)
	ok(t, err)
	if h.PID != os.Getpid() || h.Running() {
		t.Errorf("%+v is another process", h)
	}
	later := exec.Command("sleep", "60") // has got the number of the holder
	ok(t, later.Start())
	defer func() { later.Process.Kill(); later.Wait() }()
	h.PID = later.Process.Pid
	if h.Running() {
		t.Error("the holder runs, though its number is another's")
	}
	b, err := json.Marshal(h)
	ok(t, err, os.WriteFile(HolderPath(path), b[:len(b)/2], 0o600))
	if e := LockedBy(path); e.PID != 0 {
		t.Errorf("%v, from a torn file", e)
	}
}

// makeChild makes or copies a file, and kills itself at a named point.
func makeChild() {
	path, point := os.Getenv("STUMP_TEST_LEDGER"), os.Getenv("STUMP_TEST_POINT")
	kill := func(p string) {
		if p == point {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	CrashHook = kill
	var err error
	if from := os.Getenv("STUMP_TEST_FROM"); from != "" {
		err = Copy(context.Background(), path, func(w io.Writer) error {
			b, err := os.ReadFile(from)
			if err != nil {
				return err
			}
			if _, err := w.Write(b[:len(b)/2]); err != nil {
				return err
			}
			kill("half")
			_, err = w.Write(b[len(b)/2:])
			return err
		})
	} else {
		err = Create(path, func(db *bolt.DB) error {
			err := write("two")(db)
			kill("filled")
			return err
		})
	}
	fmt.Println("ended", err)
	os.Exit(1)
}

// TestWholeOrNone ends the process at each point of Create and Copy. What is there is
// whole, or what was there before. The rest has the names of temporary files.
func TestWholeOrNone(t *testing.T) {
	for _, tc := range []struct {
		point  string
		copies bool // and replaces a file
		want   string
	}{
		{"filled", false, ""}, {"create-rename", false, ""}, {"create-sync-dir", false, "two"},
		{"half", true, "one"}, {"backup-rename", true, "one"},
	} {
		t.Run(tc.point, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "STUMP_TEST_CHILD=make", "STUMP_TEST_LEDGER="+path, "STUMP_TEST_POINT="+tc.point)
			if tc.copies {
				ok(t, Create(path, write("one")))
				from := filepath.Join(t.TempDir(), "from.db")
				ok(t, Create(from, write("two")))
				cmd.Env = append(cmd.Env, "STUMP_TEST_FROM="+from)
			}
			out, err := cmd.Output()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("it was not killed: %v, %s", err, out)
			}
			got := ""
			if _, err := os.Stat(path); err == nil {
				got = read(t, path)
			}
			if got != tc.want {
				t.Errorf("the file holds %q, want %q", got, tc.want)
			}
			_, err = safefile.RemoveLeftovers(filepath.Dir(path), Temporary("ledger.db")...)
			ok(t, err)
			want := "ledger.db"
			if tc.want == "" {
				want = ""
			}
			if left := names(t, filepath.Dir(path)); left != want {
				t.Errorf("left is %q", left)
			}
			if tc.want == "" {
				ok(t, Create(path, write("three")))
			}
		})
	}
}

// TestCreateAndCopy: what fails leaves nothing behind, and no file is made over another.
func TestCreateAndCopy(t *testing.T) {
	path, whole := create(t)
	if err := Create(path, write("two")); !errors.Is(err, os.ErrExist) {
		t.Errorf("made over another file: %v", err)
	}
	no := errors.New("no")
	other := filepath.Join(filepath.Dir(path), "other.db")
	ok(t, os.Symlink("nowhere", other+".link"))
	if err := Create(other+".link", write("two")); !errors.Is(err, os.ErrExist) {
		t.Errorf("made through a link: %v", err)
	}
	if err := Create(other, func(*bolt.DB) error { return no }); !errors.Is(err, no) {
		t.Error(err)
	}
	for want, b := range map[string][]byte{"the file is empty": nil, "cut short": whole[:9000]} {
		err := Copy(context.Background(), path, func(w io.Writer) error { _, err := w.Write(b); return err })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("copied half a file: %v", err)
		}
	}
	if err := Copy(context.Background(), path, func(io.Writer) error { return no }); !errors.Is(err, no) {
		t.Error(err)
	}
	if got := names(t, filepath.Dir(path)); got != "ledger.db other.db.link" {
		t.Errorf("left is %s", got)
	}
	if got := read(t, path); got != "one" {
		t.Errorf("it holds %q", got)
	}
	put(t, filepath.Dir(path), "other.db.new") // of a kill
	ok(t, Create(other, write("two")))
	ok(t, Copy(context.Background(), path, func(w io.Writer) error { b, _ := os.ReadFile(other); _, err := w.Write(b); return err }))
	if got := read(t, path); got != "two" {
		t.Errorf("after the copy it holds %q", got)
	}
}

// TestShut lets go of a file that bbolt can't close, since a transaction is open.
func TestShut(t *testing.T) {
	path, _ := create(t)
	db, file, err := Open(path, Options{})
	ok(t, err)
	tx, err := db.Begin(true)
	ok(t, err)
	Shut(path, db, file)
	other, otherFile, err := Open(path, Options{LockTimeout: 50 * time.Millisecond})
	ok(t, err)
	Shut(path, other, otherFile)
	_ = tx
}

// TestCheck finds what the meta pages don't show.
func TestCheck(t *testing.T) {
	path, whole := create(t)
	ok(t, Check(path))
	used := forge(whole, 0, 32, 2) // a freelist where the tree is
	used = forge(used, 1, 32, 2)
	ok(t, os.WriteFile(path, used, 0o600))
	if err := Check(path); err == nil {
		t.Error("a file whose freelist is part of the tree passes")
	}
}

// TestMapSize: a map has room for the file, and fits a 32-bit address space.
func TestMapSize(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	ok(t, err)
	defer f.Close()
	for size, want := range map[int64]int{0: 32 << 20, 20 << 20: 32 << 20, 30 << 20: 64 << 20, 200 << 20: 256 << 20, 900 << 20: 1 << 30, 5 << 30: 1 << 30} {
		ok(t, f.Truncate(size))
		if got := mapSize(f.Name()); got != want {
			t.Errorf("a file of %d MB gets %d MB", size>>20, got>>20)
		}
	}
}
