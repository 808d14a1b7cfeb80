//go:build services

package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stump/internal/testkit"
)

// TestRepository: apt finds the newer version in the repository of two, takes it as an
// upgrade of the older, and refuses one that somebody has changed.
func TestRepository(t *testing.T) {
	_, err := exec.LookPath("apt-get")
	testkit.Need(t, err == nil, "apt-get")
	d, dir := build(t), t.TempDir()
	older := d.lower(t, "stump")
	repository := filepath.Join(dir, "dist")
	if err := os.CopyFS(repository, os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	debs{dir: repository}.signed(t)

	apt := newAPT(t, filepath.Join(dir, "root"), fmt.Sprintf("deb [signed-by=%s/stump.asc] copy:%s ./\n", repository, repository), older)
	run(t, "apt-get", apt("update")...)
	if policy := run(t, "apt-cache", apt("policy", "stump")...); !strings.Contains(policy, "Installed: "+older+"\n") || !strings.Contains(policy, "Candidate: "+d.version+"\n") {
		t.Errorf("apt's policy:\n%s", policy)
	}
	if plan := run(t, "apt-get", apt("--simulate", "upgrade")...); !strings.Contains(plan, "Inst stump ["+older+"] ("+d.version+" ") {
		t.Errorf("apt's plan:\n%s", plan)
	}
	run(t, "apt-get", apt("--yes", "--download-only", "install", "stump")...)
	if got, _ := filepath.Glob(dir + "/root/cache/archives/stump_" + d.version + "_*.deb"); len(got) != 1 {
		t.Errorf("apt has got %v", got)
	}

	list, err := os.ReadFile(repository + "/InRelease")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(repository+"/InRelease", bytes.Replace(list, []byte("Origin: Stump"), []byte("Origin: stump"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("apt-get", append(apt(), "-o", "APT::Update::Error-Mode=any", "update")...).CombinedOutput(); err == nil {
		t.Errorf("apt takes a list that somebody has changed:\n%s", out)
	}
}

// newAPT makes a root in which apt finds a source, and on whose list an older stump is
// installed with what it depends on. It returns the arguments with which apt works there.
func newAPT(t *testing.T, root, source, older string) func(args ...string) []string {
	t.Helper()
	status := ""
	for _, p := range [][2]string{{"stump", older}, {"systemd", "252"}} {
		status += fmt.Sprintf("Package: %s\nStatus: install ok installed\nMaintainer: t\nArchitecture: amd64\nVersion: %s\nDescription: t\n\n", p[0], p[1])
	}
	for name, text := range map[string]string{"etc/sources.list": source, "status": status, "lists/partial/.": "", "cache/archives/partial/.": "", "etc/preferences.d/.": "", "etc/apt.conf.d/.": ""} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/.") {
			path = filepath.Join(root, filepath.Dir(name))
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// So that not even this machine's own configuration is read.
	config := filepath.Join(root, "apt.conf")
	text := fmt.Sprintf("Dir::Etc \"%[1]s/etc\";\nDir::State \"%[1]s\";\nDir::State::status \"%[1]s/status\";\nDir::Cache \"%[1]s/cache\";\nAPT::Architecture \"amd64\";\nAPT::Architectures { \"amd64\"; };\nAPT::Sandbox::User \"root\";\n", root)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("APT_CONFIG", config)
	return func(args ...string) []string { return slices.Concat([]string{"-o", "Debug::NoLocking=1"}, args) }
}
