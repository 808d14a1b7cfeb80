// Package scripts tests the scripts that others rely on.
package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stump/internal/testkit"
)

// checkout is a project of its own with this one's VERSION and scripts/version.
type checkout struct {
	t   *testing.T
	dir string
}

func newCheckout(t *testing.T) checkout {
	t.Helper()
	c := checkout{t, filepath.Join(t.TempDir(), "project")}
	c.write("VERSION", "0.9\n")
	script, err := os.ReadFile("version")
	if err != nil {
		t.Fatal(err)
	}
	c.write("scripts/version", string(script))
	return c
}

func (c checkout) write(name, text string) {
	c.t.Helper()
	name = filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		c.t.Fatal(err)
	}
}

// git runs git in the project, whatever this machine's configuration.
func (c checkout) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit makes a number of commits.
func (c checkout) commit(n int) {
	c.t.Helper()
	c.git("add", ".")
	for range n {
		c.git("commit", "-q", "--allow-empty", "-m", "one more")
	}
}

// version runs scripts/version there. A complaint is what it prints to standard error.
func (c checkout) version(args ...string) (version, complaint string) {
	c.t.Helper()
	cmd := exec.Command(filepath.Join(c.dir, "scripts/version"), args...)
	cmd.Dir = "/" // it finds its own way
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("version: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out)), stderr.String()
}

// wants checks both forms, and the words of the complaint, if there must be one.
func (c checkout) wants(short, long, complains string) {
	c.t.Helper()
	got, _ := c.version()
	gotLong, complaint := c.version("--long")
	if got != short || gotLong != long {
		c.t.Errorf("versions %q and %q, want %q and %q", got, gotLong, short, long)
	}
	if (complaint == "") != (complains == "") || !strings.Contains(complaint, complains) {
		c.t.Errorf("complains %q, want %q", complaint, complains)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.git("init", "-q")
	c.commit(3)
	commit := c.git("rev-parse", "--short=7", "HEAD")
	c.wants("0.9.3", "0.9.3+g"+commit, "")
	c.write("new", "not a change of this commit's files\n")
	c.wants("0.9.3", "0.9.3+g"+commit, "")
	c.write("VERSION", "0.10\n")
	c.wants("0.10.3", "0.10.3+g"+commit+".dirty", "")
}

func TestVersionWithoutGit(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.wants("0.9", "0.9", "")

	// Inside another project's repository.
	outer := checkout{t, filepath.Dir(c.dir)}
	outer.git("init", "-q")
	outer.commit(2)
	c.wants("0.9", "0.9", "")
}

func TestVersionOfABrokenRepository(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(".git/HEAD", "nonsense\n")
	c.wants("0.9", "0.9", "git cannot read this checkout")
}

func TestVersionOfAShallowClone(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.git("init", "-q")
	c.commit(5)
	clone := checkout{t, filepath.Join(t.TempDir(), "clone")}
	c.git("clone", "-q", "--depth=2", "file://"+c.dir, clone.dir)
	commit := c.git("rev-parse", "--short=7", "HEAD")
	clone.wants("0.9", "0.9+g"+commit, "git fetch --unshallow")
	clone.git("fetch", "-q", "--unshallow")
	clone.wants("0.9.5", "0.9.5+g"+commit, "")
}

// TestVersionsSort asks dpkg, which decides what an update is.
func TestVersionsSort(t *testing.T) {
	t.Parallel()
	dpkg, err := exec.LookPath("dpkg")
	testkit.Need(t, err == nil, "dpkg")
	// The first is what packages were called before there was a VERSION.
	ascending := []string{"0~a74c81f", "0.9", "0.9+g1a2b3c4", "0.9.9", "0.9.10", "0.9.512", "0.9.512+g1a2b3c4",
		"0.9.512+g1a2b3c4.dirty", "0.9.513", "0.9.513+g0000000", "0.10", "0.10.514", "1.0.515"}
	for i, earlier := range ascending {
		for _, later := range ascending[i+1:] {
			if err := exec.Command(dpkg, "--compare-versions", earlier, "lt", later).Run(); err != nil {
				t.Errorf("for dpkg %s is not before %s", earlier, later)
			}
		}
	}
}

// TestEachCommitSortsAfterTheOneBefore asks scripts/version at the last thirty commits and
// at every tag that has a VERSION: a package of each upgrades one of those before it.
func TestEachCommitSortsAfterTheOneBefore(t *testing.T) {
	t.Parallel()
	dpkg, err := exec.LookPath("dpkg")
	testkit.Need(t, err == nil, "dpkg")
	here := checkout{t, ".."}
	testkit.Need(t, exec.Command("git", "-C", here.dir, "rev-parse", "HEAD").Run() == nil, "a git checkout")
	testkit.Need(t, here.git("rev-parse", "--is-shallow-repository") == "false", "all commits: git fetch --unshallow")

	commits := strings.Fields(here.git("rev-list", "--reverse", "--topo-order", "HEAD"))
	tagged := strings.Fields(here.git("tag", "--merged", "HEAD", "--format=%(objectname) %(*objectname)"))
	last := max(0, len(commits)-30)
	released := slices.DeleteFunc(slices.Clone(commits[:last]), func(commit string) bool {
		return !slices.Contains(tagged, commit) || exec.Command("git", "-C", here.dir, "cat-file", "-e", commit+":scripts/version").Run() != nil
	})
	clone := checkout{t, filepath.Join(t.TempDir(), "clone")}
	here.git("clone", "-q", "--shared", "--no-checkout", ".", clone.dir)
	earlier := "0"
	for _, commit := range slices.Concat(released, commits[last:]) {
		clone.git("update-ref", "--no-deref", "HEAD", commit)
		clone.git("checkout", "-q", "HEAD", "--", "VERSION", "scripts/version")
		later, complaint := clone.version()
		if complaint != "" {
			t.Fatalf("at %s: %s", commit, complaint)
		}
		if exec.Command(dpkg, "--compare-versions", earlier, "lt", later).Run() != nil {
			t.Errorf("for dpkg %s, of commit %s, is not after %s", later, commit, earlier)
		}
		earlier = later
	}
}

// TestBuildsHaveTheVersion reads what make would run.
func TestBuildsHaveTheVersion(t *testing.T) {
	t.Parallel()
	version, err := exec.Command("./version", "--long").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{nil, strings.TrimSpace(string(version))},
		{[]string{"VERSION=1.2.3+gtest"}, "1.2.3+gtest"},
	} {
		cmd := exec.Command("make", append([]string{"-C", "..", "-n", "build"}, tc.args...)...)
		// As if nobody but this test had called make.
		cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
			return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") || strings.HasPrefix(v, "VERSION=")
		})
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), "-X main.version="+tc.want+"'") {
			t.Errorf("%v, want %s in\n%s", err, tc.want, out)
		}
	}
}

// TestVuln runs scripts/vuln with a govulncheck that prints and exits as told.
func TestVuln(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, govulncheck string
		status            int
		says              string
	}{
		{"none", "echo No vulnerabilities found.", 0, ".:\nNo vulnerabilities found.\ncmd/stumplab:\nNo vulnerabilities found.\n"},
		{"some", "echo 'Vulnerability #1'; exit 3", 3, ".:\nVulnerability #1\n"},
		{"no network", "echo 'govulncheck: fetching vulnerabilities: no such host' >&2; exit 1", 0, "SKIPPED: "},
		{"no build", "echo 'govulncheck: loading packages: syntax error' >&2; exit 1", 1, "syntax error"},
	}
	for _, tc := range tests {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"govulncheck": "#!/bin/sh\n" + tc.govulncheck + "\n",
			"go":          "#!/bin/sh\necho " + dir + "/govulncheck\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("./vuln")
		cmd.Env = append(os.Environ(), "GO="+dir+"/go")
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != tc.status || !strings.Contains(string(out), tc.says) {
			t.Errorf("%s: status %d, want %d\n%s", tc.name, status, tc.status, out)
		}
	}
}
