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

// debs are packages of this tree, made in two versions.
type debs struct{ dir, older, newer string }

// of is the file of a package.
func (d debs) of(name, version string) string {
	return filepath.Join(d.dir, name+"_"+version+"_amd64.deb")
}

// all are the files of the newer version.
func (d debs) all() []string { return []string{d.of("stump", d.newer), d.of("stump-hub", d.newer)} }

// made is the folder of the packages; "" until there is one.
var made string

// packages makes the packages, once. The older ones are of the same tree under a lower
// version, because a shallow clone has no older tree.
var packages = sync.OnceValues(func() (d debs, err error) {
	base, err := os.ReadFile(top + "/VERSION")
	if err != nil {
		return d, err
	}
	newer, err := exec.Command(top + "/scripts/version").Output()
	if err != nil {
		return d, err
	}
	d.older, d.newer = strings.TrimSpace(string(base))+".1", strings.TrimSpace(string(newer))
	if d.newer == strings.TrimSpace(string(base)) { // a shallow clone
		d.newer += ".2"
	}
	if made, err = os.MkdirTemp("", "debs"); err != nil {
		return d, err
	}
	d.dir = made
	for _, version := range []string{d.older, d.newer} {
		cmd := exec.Command(top+"/scripts/package/build", "amd64")
		cmd.Env = append(os.Environ(), "DIST="+d.dir, "VERSION="+version)
		if out, err := cmd.CombinedOutput(); err != nil {
			return d, fmt.Errorf("scripts/package/build: %w\n%s", err, out)
		}
	}
	return d, nil
})

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
	run(t, "dpkg-deb", "-R", d.of("stump", d.newer), dir+"/root")
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
		run(t, "dpkg-deb", "-x", d.of(name, d.newer), root)
		program := filepath.Join(root, "usr/bin", name)
		if got := run(t, program, "version"); !strings.HasPrefix(strings.ReplaceAll(got, "+", " ")+" ", name+" "+d.newer+" ") && !strings.HasPrefix(got, name+" "+d.newer+"\n") {
			t.Errorf("the package %s says %q", d.newer, got)
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
			checkPage(t, filepath.Join(root, "usr/share/man/man"+page[len(page)-1:], page+".gz"), name+" "+d.newer)
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
		if !strings.Contains(changes, "\nVersion: "+d.newer+"\n") || !strings.Contains(changes, "\n   * ") {
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
