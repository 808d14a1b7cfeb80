package owner

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"stump/internal/hint"
	"stump/internal/testkit"
)

const (
	nobody = 65534
	ann    = 12345 // whom the system doesn't know
)

// world makes folders, files and links: "/" at the end is a folder, "→" a link.
func world(t *testing.T, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, line := range lines {
		var uid, gid int
		var mode os.FileMode
		var name string
		if _, err := fmt.Sscanf(line, "%d:%d %o %s", &uid, &gid, &mode, &name); err != nil {
			t.Fatal(line, err)
		}
		name, to, link := strings.Cut(name, "→")
		path := filepath.Join(dir, name)
		var err error
		switch {
		case link:
			err = os.Symlink(strings.Replace(to, "DIR", dir, 1), path)
		case strings.HasSuffix(name, "/"):
			err = os.Mkdir(path, 0o700)
		default:
			err = os.WriteFile(path, []byte(name), 0o600)
		}
		err = errors.Join(err, os.Lchown(path, uid, gid))
		if !link {
			// Os.Chmod has its own bits for sticky and setuid.
			err = errors.Join(err, syscall.Chmod(path, uint32(mode)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var things = []string{
	"0:0 755 root/", "0:0 644 root/file", "12345:12345 644 root/anns",
	"65534:65534 755 nobody/", "65534:65534 644 nobody/file", "0:0 644 nobody/roots", "0:0 755 nobody/root/", "12345:12345 755 nobody/ann/",
	"0:0 1777 tmp/", "0:0 644 tmp/file", "65534:65534 644 tmp/theirs", "65534:65534 777 tmp/link→../root/file", "0:0 777 tmp/mine→../root/file",
	"65534:65534 777 tmp/tolink→../root", "65534:65534 700 tmp/dir/",
	"0:12345 775 group/", "0:0 775 wheel/", "0:0 777 open/",
	"0:0 777 out→nobody/root/x", "65534:65534 777 nobody/abs→DIR/root/file", "65534:65534 777 nobody/up→../root/../root/file",
	"0:0 777 loop→pool", "0:0 777 pool→loop", "0:0 777 root/self→..",
}

func TestOf(t *testing.T) {
	testkit.NeedRoot(t)
	dir := world(t, things...)
	t.Chdir(dir)
	for path, want := range map[string]string{
		"root/file":           "root",
		"root/new/below":      "root",
		"root/anns":           "root", // ann may write it, but it stays this file
		"root/file/below":     "root",
		"nobody/file":         "nobody",
		"nobody/roots":        "nobody",
		"nobody/new/x":        "nobody",
		"nobody/root/x":       "nobody",
		"nobody/abs":          "nobody",
		"nobody/up":           "nobody",
		"nobody/../root/file": "nobody",
		"out":                 "nobody",
		"root/self/nobody":    "nobody",
		"root/self/root/file": "root",
		"nobody/ann/x":        "both nobody and 12345 can change where it leads",
		"tmp/file":            "root",
		"tmp/theirs":          "nobody", // who may rename it
		"tmp/link":            "nobody",
		"tmp/mine":            "root",
		"tmp/tolink/file":     "nobody",
		"tmp/dir/new":         "nobody",
		"tmp/new":             "root",
		"tmp/new/below":       "any user could be faster", // anybody could make tmp/new
		"tmp/mine/../x":       "root",
		"group/x":             "several users may write to the folder " + dir + "/group",
		"wheel/x":             "root",
		"open/x":              "several users may write to",
		"loop":                "too many levels of symbolic links",
	} {
		for _, p := range []string{path, filepath.Join(dir, "root") + "/../" + path, "./" + path} {
			u, err := Of(p)
			if err != nil && !strings.Contains(err.Error(), want) || err == nil && u.String() != want {
				t.Errorf("%s: %v, %v; want %s", p, u, err, want)
			}
		}
	}
}

// TestCheckIsForRoot: whoever isn't root may do what the system lets them.
func TestCheckIsForRoot(t *testing.T) {
	testkit.NeedRoot(t)
	dir := world(t, things...)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "nobody", "file")
	if err := Check(path); err == nil || hint.Of(err) != "run stump as that user: sudo -u nobody stump …" {
		t.Errorf("root: %v, %s", err, hint.Of(err))
	}
	if err := Check(filepath.Join(dir, "root", "file")); err != nil {
		t.Error(err)
	}
	asAnn(t, "check", path)
}

func TestCreate(t *testing.T) {
	testkit.NeedRoot(t)
	dir := world(t, things...)
	secret := filepath.Join(dir, "root", "file")
	for path, want := range map[string]string{
		"nobody/new": "can change where it leads",
		"tmp/link":   "can change where it leads",
		"tmp/theirs": "can change where it leads",
		"tmp/new":    "",
		"tmp/mine":   "", // the link is root's
		"root/new":   "",
	} {
		if err := os.WriteFile(secret, []byte("root's"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Create(filepath.Join(dir, path), 0o600)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if err == nil {
			f.Close()
		}
		if b, _ := os.ReadFile(secret); path != "tmp/mine" && string(b) != "root's" {
			t.Errorf("%s: root's file is %q now", path, b)
		}
	}
}

func TestMkdirAll(t *testing.T) {
	testkit.NeedRoot(t)
	dir := world(t, things...)
	for path, ok := range map[string]bool{"root/a/b": true, "tmp/a/b": true, "nobody/a/b": false, "tmp/dir": false, "tmp/tolink/a": false} {
		if err := MkdirAll(filepath.Join(dir, path), 0o700); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "nobody", "a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("made all the same: %v", err)
	}
}

func TestOpen(t *testing.T) {
	testkit.NeedRoot(t)
	dir := world(t, things...)
	fifo := filepath.Join(dir, "nobody", "fifo")
	if err := errors.Join(syscall.Mkfifo(fifo, 0o600), os.Chown(fifo, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"root/file": "", "root/anns": "", "nobody/file": "", "tmp/theirs": "", "tmp/mine": "",
		"nobody/roots": "not a file of that user", "nobody/abs": "not a file of that user", "tmp/link": "not a file of that user",
		"nobody/fifo": "not a file of that user", "nobody": "not a file of that user", "root/none": "no such file", "nobody/ann/x": "both",
	} {
		f, err := Open(filepath.Join(dir, path))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if err == nil {
			f.Close()
		}
	}
}

// TestBecome looks at a process that has become another user, and at what that
// user may do to it.
func TestBecome(t *testing.T) {
	testkit.NeedRoot(t)
	dir := world(t, things...)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"nobody/file":  "65534 65534",
		"tmp/dir/x":    "65534 65534",
		"root/file":    "0 0",
		"nobody/ann/x": "both nobody and 12345",
	} {
		out, err := helper(0, "become", filepath.Join(dir, path), filepath.Join(dir, "root", "file")).CombinedOutput()
		if !strings.Contains(string(out), want) || (err != nil) != strings.HasPrefix(want, "both") {
			t.Errorf("%s: %s %v, want %s", path, out, err, want)
		}
	}
	// A user without a name, whose folder has root's group.
	if err := os.Chown(filepath.Join(dir, "nobody"), ann, 0); err != nil {
		t.Fatal(err)
	}
	if out, err := helper(0, "become", filepath.Join(dir, "nobody", "file"), "").CombinedOutput(); err != nil || !strings.Contains(string(out), "12345 65534") {
		t.Errorf("without a name: %v %s", err, out)
	}
}

// helper runs this test binary as a user, to do one thing; see TestMain.
func helper(uid uint32, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), "OWNER_HELPER=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd
}

func asAnn(t *testing.T, args ...string) {
	t.Helper()
	if out, err := helper(ann, args...).CombinedOutput(); err != nil {
		t.Errorf("as ann: %v: %v %s", args, err, out)
	}
}

func TestMain(m *testing.M) {
	if os.Getenv("OWNER_HELPER") == "" {
		os.Exit(m.Run())
	}
	if err := help(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func help(args []string) error {
	if args[0] == "check" {
		return errors.Join(Check(args[1]), Become(args[1]))
	}
	if err := Become(args[1]); err != nil {
		return err
	}
	fmt.Println(os.Geteuid(), os.Getegid())
	groups, err := os.Getgroups()
	if err != nil || os.Geteuid() == 0 {
		return err
	}
	for _, g := range groups {
		if g == 0 {
			return errors.New("still in root's group")
		}
	}
	if err := syscall.Setuid(0); err == nil {
		return errors.New("root again")
	}
	if f, err := os.OpenFile(args[2], os.O_WRONLY, 0); err == nil {
		f.Close()
		return errors.New("may write root's file")
	}
	// Nobody else of that user may look into a process with root's files open.
	pid := os.Getpid()
	if out, err := exec.Command("ls", fmt.Sprintf("/proc/%d/fd", pid)).CombinedOutput(); err == nil {
		return fmt.Errorf("the user sees the open files: %s", out)
	}
	return nil
}
