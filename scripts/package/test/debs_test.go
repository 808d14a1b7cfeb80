//go:build services

// Package test tests the packages: what is in them, what lintian says, the repository that is
// made of them, and, in Debian systems that are booted for it, how they are installed,
// upgraded and purged.
package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"stump/internal/gpiosim"
	"stump/internal/testkit"
)

const top = "../../.."

func TestMain(m *testing.M) {
	gpiosim.Main() // in the process that plays the reader
	status := m.Run()
	if made != "" {
		os.RemoveAll(made)
	}
	os.Exit(status)
}

// debs are packages in a folder: those of this tree, and of one before it.
type debs struct {
	dir, version string
	counted      bool              // the version has the number of commits
	older        map[string]string // the version before, by the package's name
}

// of is the file of a package.
func (d debs) of(name, version string) string {
	return filepath.Join(d.dir, name+"_"+version+"_amd64.deb")
}

// all are the files of this tree's packages.
func (d debs) all() []string { return []string{d.of("stump", d.version), d.of("stump-hub", d.version)} }

// made is the folder of the packages; "" until there is one.
var made string

// packages makes the packages of this tree, once.
var packages = sync.OnceValues(func() (d debs, err error) {
	base, err := os.ReadFile(top + "/VERSION")
	if err != nil {
		return d, err
	}
	version, err := exec.Command(top + "/scripts/version").Output()
	if err != nil {
		return d, err
	}
	d.version = strings.TrimSpace(string(version))
	if d.counted = d.version != strings.TrimSpace(string(base)); !d.counted { // a shallow clone
		d.version += ".2"
	}
	if made, err = os.MkdirTemp("", "debs"); err != nil {
		return d, err
	}
	d.dir = made
	return d, d.build("VERSION=" + d.version)
})

// build makes packages of this tree.
func (d debs) build(env ...string) error {
	return command(top+"/scripts/package/build", append(env, "DIST="+d.dir), "amd64")
}

// back is how many commits before this one the older packages are from.
const back = 100

// earlier makes the packages of this repository as it was, by that time's own scripts. The
// package of the hub is younger than the station's: where the older commit has none, it comes
// from the commit that brought it. A shallow clone has no older commit; there the older
// packages are those of this tree under a lower version.
func (d *debs) earlier() error {
	d.older = map[string]string{}
	if !d.counted {
		older := strings.TrimSuffix(d.version, ".2") + ".1"
		d.older["stump"], d.older["stump-hub"] = older, older
		return d.build("VERSION=" + older)
	}
	first, err := exec.Command("git", "-C", top, "log", "-1", "--diff-filter=A", "--format=%H", "--", "scripts/package/hub/postinst").Output()
	if err == nil {
		err = d.add(fmt.Sprint("HEAD~", back))
	}
	if err == nil && d.older["stump-hub"] == "" {
		err = d.add(strings.TrimSpace(string(first)))
	}
	return err
}

// add makes the packages of a commit, and adds those that d has no older one of.
func (d *debs) add(commit string) error {
	dir, err := clone(commit)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := command(dir+"/scripts/package/build", nil, "amd64"); err != nil {
		return err
	}
	all, err := filepath.Glob(dir + "/dist/*.deb")
	for _, deb := range all {
		name, version, _ := strings.Cut(strings.TrimSuffix(filepath.Base(deb), "_amd64.deb"), "_")
		if d.older[name] == "" && err == nil {
			d.older[name] = version
			err = command("cp", nil, deb, d.dir)
		}
	}
	return err
}

// clone makes a folder with the tree of a commit.
func clone(commit string) (dir string, err error) {
	hash, err := exec.Command("git", "-C", top, "rev-parse", commit).Output()
	if err != nil {
		return "", fmt.Errorf("no commit %s: %w", commit, err)
	}
	if dir, err = os.MkdirTemp("", "clone"); err != nil {
		return "", err
	}
	if err = command("git", nil, "clone", "--quiet", "--shared", "--no-checkout", top, dir); err == nil {
		err = command("git", nil, "-C", dir, "checkout", "--quiet", "--detach", strings.TrimSpace(string(hash)))
	}
	if err != nil {
		os.RemoveAll(dir)
	}
	return dir, err
}

// lower makes this tree's package of a name under a version that is lower than its own, and
// returns that version. dpkg asks the package that is to come whether it may take the place of
// a newer one, so this is what today's packages say to a downgrade.
func (d debs) lower(t *testing.T, name string) string {
	t.Helper()
	root, version := filepath.Join(t.TempDir(), "root"), d.version+"~1"
	run(t, "dpkg-deb", "-R", d.of(name, d.version), root)
	run(t, "sed", "-i", "s/^Version: .*/Version: "+version+"/", root+"/DEBIAN/control")
	run(t, "dpkg-deb", "--root-owner-group", "-Znone", "-b", root, d.of(name, version))
	return version
}

// signed makes d's folder an APT repository, and signs it with a new key.
func (d debs) signed(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"apt-ftparchive", "gpg"} {
		_, err := exec.LookPath(tool)
		testkit.Need(t, err == nil, tool)
	}
	home := t.TempDir()
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GNUPGHOME", home)
	t.Setenv("DIST", d.dir)
	run(t, "gpg", "--batch", "--passphrase", "", "--quick-generate-key", "lab@example.org", "ed25519", "sign", "never")
	t.Cleanup(func() { _ = exec.Command("gpgconf", "--kill", "all").Run() })
	run(t, top+"/scripts/package/repository", "lab@example.org")
}

// command runs a program with more in its environment; what it printed is in the error.
func command(name string, env []string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
	}
	return nil
}

func build(t *testing.T) debs {
	t.Helper()
	_, err := exec.LookPath("dpkg-deb")
	testkit.Need(t, err == nil, "dpkg-deb")
	d, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// run runs a program and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// TestLintian: lintian has no complaint but those that scripts/package/lintian gives a reason
// for, and each of those it has. On a busy machine lintian 2.116 at times reads half of a
// package's files and complains of the rest, so only what it says three times counts.
func TestLintian(t *testing.T) {
	_, err := exec.LookPath("lintian")
	testkit.Need(t, err == nil, "lintian")
	for _, deb := range build(t).all() {
		var said string
		for range 3 {
			if said = complaints(t, deb); said == "" {
				break
			}
		}
		if said != "" {
			t.Errorf("%s:\n%s", filepath.Base(deb), said)
		}
	}
}

// complaints are what lintian says of a package. An override that overrides nothing is one
// of them: "mismatched-override", "unused-override".
func complaints(t *testing.T, deb string) string {
	t.Helper()
	cmd := exec.Command("lintian", "--allow-root", "--display-info", "--pedantic", "--fail-on=none", deb)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("lintian: %v\n%s", err, &stderr)
	}
	return string(out)
}

// TestLintianFindsFaults: a package with a fault fails.
func TestLintianFindsFaults(t *testing.T) {
	_, err := exec.LookPath("lintian")
	testkit.Need(t, err == nil, "lintian")
	d, dir := build(t), t.TempDir()
	run(t, "dpkg-deb", "-R", d.of("stump", d.version), dir+"/root")
	if err := os.Remove(dir + "/root/usr/share/doc/stump/copyright"); err != nil {
		t.Fatal(err)
	}
	run(t, "dpkg-deb", "--root-owner-group", "-b", dir+"/root", dir+"/stump.deb")
	if said := complaints(t, dir+"/stump.deb"); !strings.Contains(said, "no-copyright-file") {
		t.Errorf("of a package without its licence lintian says:\n%s", said)
	}
}

// TestInThePackages: each command has its page, pages and programs say the package's version,
// completions are those of the program, and the changelog begins with this version.
func TestInThePackages(t *testing.T) {
	d := build(t)
	for _, name := range []string{"stump", "stump-hub"} {
		root := t.TempDir()
		run(t, "dpkg-deb", "-x", d.of(name, d.version), root)
		program := filepath.Join(root, "usr/bin", name)
		if got := run(t, program, "version"); !strings.HasPrefix(strings.ReplaceAll(got, "+", " ")+" ", name+" "+d.version+" ") && !strings.HasPrefix(got, name+" "+d.version+"\n") {
			t.Errorf("the package %s says %q", d.version, got)
		}
		pages := []string{name + ".1"}
		for _, line := range strings.Split(run(t, program, "__complete", ""), "\n") {
			if command, _, ok := strings.Cut(line, "\t"); ok && command != "help" {
				pages = append(pages, name+"-"+command+".1")
			}
		}
		if len(pages) < 8 {
			t.Fatalf("commands of %s: %v", name, pages)
		}
		if name == "stump" {
			pages = append(pages, "stump.toml.5")
		}
		for _, page := range pages {
			checkPage(t, filepath.Join(root, "usr/share/man/man"+page[len(page)-1:], page+".gz"), name+" "+d.version)
		}
		for shell, file := range map[string]string{
			"bash": "bash-completion/completions/" + name, "zsh": "zsh/vendor-completions/_" + name, "fish": "fish/vendor_completions.d/" + name + ".fish",
		} {
			shipped, err := os.ReadFile(filepath.Join(root, "usr/share", file))
			if err != nil || string(shipped) != run(t, program, "completion", shell) {
				t.Errorf("%s: %v, or not what `%s completion %s` prints", file, err, name, shell)
			}
		}
		changes := run(t, "dpkg-parsechangelog", "-l", unzip(t, filepath.Join(root, "usr/share/doc", name, "changelog.gz")))
		if !strings.Contains(changes, "\nVersion: "+d.version+"\n") || !strings.Contains(changes, "\n   * ") {
			t.Errorf("the changelog of %s:\n%s", name, changes)
		}
	}
}

// checkPage reads a manual page as man does.
func checkPage(t *testing.T, path, version string) {
	t.Helper()
	cmd := exec.Command("man", "--warnings=w", "-l", path)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=100", "MAN_DISABLE_SECCOMP=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 || !strings.Contains(string(out), version) {
		t.Errorf("%s: %v\n%s%s", filepath.Base(path), err, &stderr, out)
	}
}

// unzip unpacks a file, and returns the path of what was in it.
func unzip(t *testing.T, path string) string {
	t.Helper()
	text := run(t, "gzip", "-dc", path)
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBuildWantsAVersionThatSorts: without the number of commits nothing is built.
func TestBuildWantsAVersionThatSorts(t *testing.T) {
	base, err := os.ReadFile(top + "/VERSION")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(top+"/scripts/package/build", "amd64")
	cmd.Env = append(os.Environ(), "DIST="+dir, "VERSION="+strings.TrimSpace(string(base))+"+g1a2b3c4")
	out, err := cmd.CombinedOutput()
	made, _ := os.ReadDir(dir)
	if err == nil || !strings.Contains(string(out), "fetch --unshallow") || len(made) > 0 {
		t.Errorf("%v, made %v:\n%s", err, made, out)
	}
}
