package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stump/internal/testkit"
)

// nobody is the other user of these tests: a number is all that the kernel wants.
const nobody = 65534

// foreign is a state folder of nobody's, and files of root's outside.
type foreign struct {
	*testing.T
	base    string // root's, and open to all
	parent  string // nobody's
	state   string // nobody's, in parent
	outside string // root's alone
	own     string // root's alone: where it writes
	files   map[string][]byte
}

func newForeign(t *testing.T) *foreign {
	testkit.NeedRoot(t)
	base, err := os.MkdirTemp("", "st")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	f := &foreign{T: t, base: base, parent: filepath.Join(base, "of"), outside: filepath.Join(base, "outside"), own: filepath.Join(base, "own"), files: map[string][]byte{}}
	f.state = filepath.Join(f.parent, "state")
	f.ok(os.Chmod(base, 0o755), os.Mkdir(f.outside, 0o700), os.Mkdir(f.own, 0o700), os.Mkdir(f.parent, 0o755), os.Chown(f.parent, nobody, nobody))
	for _, name := range []string{"stump", "attack"} {
		exe, err := exec.LookPath(name)
		if err == nil {
			exe, err = filepath.EvalSymlinks(exe)
		}
		f.ok(err)
		b, err := os.ReadFile(exe)
		f.ok(err, os.WriteFile(filepath.Join(base, name), b, 0o755))
	}
	lab := filepath.Join(f.outside, "lab") // root's, also there to be led to
	f.ok(os.Mkdir(lab, 0o700))
	d := startDaemon(t, lab)
	d.ask("sim/seed", nil, nil)
	f.ok(d.cmd.Process.Signal(syscall.SIGTERM))
	_ = d.cmd.Wait()
	for _, name := range []string{"ledger.db", "ledger.db.holder", "site.key"} {
		f.files[name], err = os.ReadFile(filepath.Join(lab, name))
		f.ok(err)
	}
	f.ok(os.WriteFile(filepath.Join(f.outside, "backup.db"), f.files["ledger.db"], 0o600),
		os.WriteFile(filepath.Join(f.outside, "secret"), []byte("root's"), 0o600),
		os.WriteFile(filepath.Join(f.outside, "people.csv"), []byte("id,name\nzoe,Zoe\n"), 0o600))
	f.renew()
	return f
}

func (f *foreign) ok(errs ...error) {
	f.Helper()
	if err := errors.Join(errs...); err != nil {
		f.Fatal(err)
	}
}

// renew gives nobody a state folder as a daemon leaves it.
func (f *foreign) renew() {
	f.Helper()
	for _, name := range []string{f.state, f.state + ".had"} {
		f.ok(os.RemoveAll(name))
	}
	f.ok(os.Mkdir(f.state, 0o755), os.Chown(f.state, nobody, nobody))
	for name, b := range f.files {
		name = filepath.Join(f.state, name)
		f.ok(os.WriteFile(name, b, 0o600), os.Chown(name, nobody, nobody))
	}
	backups := filepath.Join(f.state, "backups")
	f.ok(os.Mkdir(backups, 0o755), os.Chown(backups, nobody, nobody))
}

// stump runs the program as root.
func (f *foreign) stump(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(f.base, "stump"), append([]string{"--state", f.state}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// seen is all that can be seen of root's files outside.
func (f *foreign) seen() []string {
	f.Helper()
	var all []string
	f.ok(filepath.WalkDir(f.outside, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st syscall.Stat_t
		if err := syscall.Lstat(path, &st); err != nil {
			return err
		}
		line := fmt.Sprintf("%s: mode %o of %d:%d", path, st.Mode, st.Uid, st.Gid)
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(", %x", sha256.Sum256(b))
		}
		all = append(all, line)
		return nil
	}))
	return all
}

// attack is nobody, who puts links to root's files where root is about to look,
// until it is killed: attack folder|ledger|temps STATE OUTSIDE.
func attack() {
	how, state, outside := os.Args[1], os.Args[2], os.Args[3]
	targets := []string{filepath.Join(outside, "secret"), outside, filepath.Join(outside, "lab", "ledger.db"), filepath.Join(outside, "new")}
	at := func(names ...string) (paths []string) {
		for _, n := range names {
			paths = append(paths, filepath.Join(state, n))
		}
		return paths
	}
	temps := at("ledger.db.new", "ledger.db.restored", "ledger.db.restored.new", "ledger.db.salvaged.new", "ledger.db.check", "ledger.db.suspect")
	for i := 0; ; i++ {
		target := targets[i%len(targets)]
		switch how {
		case "folder": // of the ledger, and of backups
			swap(state, filepath.Join(outside, "lab"), time.Duration(i%50)*10*time.Microsecond)
			swap(filepath.Join(state, "backups"), outside, time.Duration(i%50)*10*time.Microsecond)
		case "ledger":
			for _, p := range at("ledger.db", "ledger.db.holder", "site.key") {
				swap(p, target, time.Duration(i%50)*10*time.Microsecond)
			}
		case "temps": // in the place of what root has just made
			all := temps
			if i%8 == 0 {
				more, _ := filepath.Glob(filepath.Join(state, "*.new-*"))
				beside, _ := filepath.Glob(filepath.Join(state, "*.copy-*"))
				backups, _ := filepath.Glob(filepath.Join(state, "backups", "*.new-*"))
				all = slices.Concat(temps, more, beside, backups)
			}
			for _, p := range all {
				if st, err := os.Lstat(p); err == nil && st.Mode().IsRegular() {
					_ = os.Rename(p, p+".had")
					_ = os.Symlink(target, p)
				}
			}
		}
	}
}

// swap puts a link in the place of a file for a moment.
func swap(path, target string, moment time.Duration) {
	if st, err := os.Lstat(path); err != nil || st.Mode()&os.ModeSymlink != 0 {
		return
	}
	link := path + ".link"
	_ = os.Remove(link)
	if os.Symlink(target, link) != nil || os.Rename(path, path+".had") != nil || os.Rename(link, path) != nil {
		return
	}
	time.Sleep(moment)
	_ = os.Rename(path, link)
	_ = os.Rename(path+".had", path)
}

// TestRootIsNotLedAstray has root restore, import and back up in a folder of a
// user who exchanges everything in it, and the folder itself, for links to root's
// files as fast as they can. Afterwards root's files are as they were.
func TestRootIsNotLedAstray(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	before := f.seen()
	commands := [][]string{
		{"restore", filepath.Join(f.outside, "backup.db"), "--yes", "--fork"},
		{"people", "import", filepath.Join(f.outside, "people.csv")},
		{"backup", "", "--force"},
	}
	rounds := 201
	if testing.Short() {
		rounds = 15
	}
	copies := []string{filepath.Join(f.state, "backups", "copy.db"), filepath.Join(f.own, "copy.db")}
	done := map[string]int{}
	for _, how := range []string{"temps", "ledger", "folder"} {
		a := exec.Command(filepath.Join(f.base, "attack"), how, f.state, f.outside)
		a.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		f.ok(a.Start())
		defer func() { _ = a.Wait() }()
		defer func() { _ = a.Process.Kill() }()
		for i := range rounds / 3 {
			commands[2][1] = copies[i%2]
			for _, command := range commands {
				if out, err := f.stump(command...); err == nil {
					done[how+" "+command[0]]++
				} else if strings.Contains(out, "panic") {
					t.Errorf("%v: %s", command, out)
				}
				if after := f.seen(); !slices.Equal(after, before) {
					t.Fatalf("%s, round %d: %v changed root's files from\n%s\nto\n%s", how, i, command, strings.Join(before, "\n"), strings.Join(after, "\n"))
				}
				// What was put in disorder is put right while nobody looks on.
				f.ok(a.Process.Signal(syscall.SIGSTOP), unix.Waitid(unix.P_PID, a.Process.Pid, nil, unix.WSTOPPED, nil))
				f.renew()
				f.ok(a.Process.Signal(syscall.SIGCONT))
			}
		}
		f.ok(a.Process.Kill())
	}
	t.Logf("done in spite of it, of %d each: %v", rounds/3, done)
}

// TestRootForTheOwner: what root does in a user's folder is that user's, as if
// the user had done it, and what it writes elsewhere is the user's of that folder.
func TestRootForTheOwner(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	ann := filepath.Join(f.base, "ann") // a third user's
	f.ok(os.Mkdir(ann, 0o700), os.Chown(ann, 12345, 12345))
	private := filepath.Join(f.outside, "backup.db")
	theirs := filepath.Join(ann, "mine.db")
	for _, args := range [][]string{
		{"people", "import", filepath.Join(f.outside, "people.csv")},
		{"verify"},
		{"backup", filepath.Join(f.own, "copy.db")},
		{"backup", filepath.Join(f.state, "backups", "copy.db")},
		{"backup", theirs},
		{"restore", theirs, "--yes"},
		{"restore", filepath.Join(f.state, "backups", "copy.db"), "--yes"},
		{"restore", private, "--yes"},
		{"verify"},
	} {
		if out, err := f.stump(args...); err != nil {
			t.Errorf("%v: %v, %s", args, err, out)
		}
	}
	for dir, want := range map[string]int{f.state: nobody, f.own: 0, ann: 12345} {
		f.ok(filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			var st syscall.Stat_t
			if err := errors.Join(err, syscall.Lstat(path, &st)); err != nil {
				return err
			}
			if int(st.Uid) != want || (want != 0 && st.Gid == 0) {
				t.Errorf("%s belongs to %d:%d", path, st.Uid, st.Gid)
			}
			return nil
		}))
	}
	copies, err := filepath.Glob(filepath.Join(f.state, "*.copy-*"))
	if err != nil || len(copies) > 0 {
		t.Errorf("left behind: %v %v", copies, err)
	}
	if out, err := f.stump("history", "--json"); err != nil || !strings.Contains(out, `"note":"restored backup.db"`) {
		t.Errorf("the history does not name the backup: %v", err)
	}
	// A link of nobody's to a file that only root may read.
	link := filepath.Join(f.state, "backups", "link.db")
	f.ok(os.Symlink(private, link), os.Lchown(link, nobody, nobody))
	out, err := f.stump("restore", link)
	if err == nil || !strings.Contains(out, "the user nobody can change where it leads, and it is not a file of that user\ncopy it") {
		t.Errorf("a link to root's backup: %v %s", err, out)
	}
	people := filepath.Join(f.state, "people.csv")
	f.ok(os.Symlink(filepath.Join(f.outside, "people.csv"), people), os.Lchown(people, nobody, nobody))
	out, err = f.stump("people", "import", people)
	if err == nil || !strings.Contains(out, "not a file of that user") {
		t.Errorf("a link to root's people: %v %s", err, out)
	}
	// What root left there in earlier days, or copied there by hand.
	f.ok(os.Chown(filepath.Join(f.state, "site.key"), 0, 0))
	out, err = f.stump("who")
	if err == nil || !strings.Contains(out, "permission denied\ngive the files in it to the user who owns the folder") {
		t.Errorf("a key of root's: %v %s", err, out)
	}
	if b, err := os.ReadFile(filepath.Join(f.own, "copy.db")); err != nil || !bytes.HasPrefix(b[16:], []byte{0xed, 0xda, 0x0c, 0xed}) {
		t.Errorf("the backup: %v", err)
	}
}

// TestRootRunsAsTheOwner: a station that root starts on another user's ledger is
// that user's, and so is the folder that it makes for its socket where only root may.
func TestRootRunsAsTheOwner(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	run := filepath.Join(f.base, "run") // as /run
	f.ok(os.Mkdir(run, 0o755))
	script := `"$0" run --sim --state "$1" & pid=$!
		for i in $(seq 600); do "$0" status >/dev/null 2>&1 && break; sleep 0.05; done
		grep ^Uid: /proc/$pid/status; stat -c '%U %a' "$RUNTIME_DIRECTORY"; "$0" status | head -1; kill $pid; wait $pid`
	cmd := exec.Command("sh", "-c", script, filepath.Join(f.base, "stump"), f.state)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "RUNTIME_DIRECTORY=" + filepath.Join(run, "stump")}
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534\n", "\nnobody 750\n", "\nstation   "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q: %v\n%s", want, err, out)
		}
	}
}
