//go:build services

package test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/internal/credential"
	"stump/internal/gpiosim"
	"stump/internal/testkit"
)

var (
	suites = flag.String("suites", "bookworm", "the Debians in which packages are tested, parted by commas")
	inside = flag.String("inside", "", "of the test itself: the packages' folder, in a Debian that was booted")
	from   = flag.String("from", "", "of the test itself: the older versions of stump and stump-hub")
	to     = flag.String("to", "", "of the test itself: the newer version")
)

// patience is how long something may take that takes seconds, on a machine that has other
// things to do.
const patience = 5 * time.Minute

// TestPackages boots a Debian for each suite, in a kernel of its own with its own systemd,
// and runs this test again there, which installs, uses, upgrades and purges the packages.
func TestPackages(t *testing.T) {
	if *inside != "" {
		older := strings.Fields(*from)
		d := debs{dir: *inside, version: *to, older: map[string]string{"stump": older[0], "stump-hub": older[1]}}
		source := fmt.Sprintf("deb [signed-by=%s/stump.asc] copy:%s ./\n", d.dir, d.dir)
		if err := os.WriteFile("/etc/apt/sources.list", []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Log(run(t, "apt-get", apt("update")...))
		station(t, d)
		hub(t, d)
		return
	}
	for _, tool := range []string{"mmdebstrap", "genext2fs"} {
		_, err := exec.LookPath(tool)
		testkit.Need(t, err == nil, tool)
	}
	d := build(t)
	if err := d.earlier(); err != nil {
		t.Fatal(err)
	}
	t.Logf("upgrades are from %v to %s", d.older, d.version)
	for name := range d.older {
		d.lower(t, name)
	}
	d.signed(t)
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for suite := range strings.SplitSeq(*suites, ",") {
		t.Run(suite, func(t *testing.T) {
			image, err := exec.Command(top+"/scripts/package/test/root", suite).Output()
			if err != nil {
				t.Fatalf("the root: %v", err)
			}
			kernel := filepath.Join(t.TempDir(), "kernel")
			cmd := exec.Command(top+"/scripts/uml", "-m", "768M", "-t", "1080", "-r", strings.TrimSpace(string(image)), "-l", kernel,
				me, "-test.v", "-test.run", "^TestPackages$", "-test.timeout", "17m", "-inside", "/host"+d.dir, "-from", d.older["stump"]+" "+d.older["stump-hub"], "-to", d.version)
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil || !strings.Contains(string(out), "--- PASS: TestPackages") {
				text, _ := os.ReadFile(kernel)
				t.Fatalf("%v; the kernel and systemd say:\n%s", err, text[max(0, len(text)-8000):])
			}
		})
	}
}

// apt is how apt-get takes packages from the repository that is on the list, without a
// question. Its own user can't read the folder.
func apt(args ...string) []string {
	return append([]string{"-o", "APT::Sandbox::User=root", "-o", "APT::Update::Error-Mode=any", "-o", "Dpkg::Options::=--force-confold", "--yes"}, args...)
}

// tried runs a program and returns what it prints and whether it succeeded.
func tried(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

// within waits until something is so.
func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(300 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := tried("journalctl", "--no-pager", "-n", "40")
			t.Fatalf("never: %s\n%s", what, log)
		}
	}
}

// property is what systemd says of a unit.
func property(t *testing.T, unit, name string) string {
	t.Helper()
	return strings.TrimSpace(run(t, "systemctl", "show", "--value", "-p", name, unit))
}

// restarted waits until a unit is active in another process than before, and returns its.
func restarted(t *testing.T, unit, before string) (pid string) {
	t.Helper()
	within(t, unit+" runs in a new process", func() bool {
		pid = property(t, unit, "MainPID")
		return property(t, unit, "ActiveState") == "active" && pid != "0" && pid != before
	})
	return pid
}

// files are all files that a package may have made.
func files(t *testing.T) (all []string) {
	t.Helper()
	// What is no part of the system's state: logs, what dpkg keeps, what has not been on a disk.
	skip := []string{"/proc", "/sys", "/dev", "/run", "/host", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/var/lib/dpkg", "/var/lib/apt", "/var/lib/postgresql", "/var/lib/systemd"}
	err := filepath.WalkDir("/", func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if slices.Contains(skip, path) {
			return fs.SkipDir
		}
		all = append(all, path)
		return nil
	})
	// Of what systemd keeps, which of a package's units are enabled.
	kept, _ := filepath.Glob("/var/lib/systemd/deb-systemd-helper*/*")
	if err != nil {
		t.Fatal(err)
	}
	return append(all, kept...)
}

// wantOnlySaid wants that of what is new since before, a purge has left nothing but what it
// has said, as "NAME: /var/lib/NAME stays".
func wantOnlySaid(t *testing.T, before []string, said string) {
	t.Helper()
	stays := regexp.MustCompile(`/(?:var/lib|etc)/\S*\w`).FindAllString(said, -1)
	// The lists of users and groups, whose earlier copies end in a dash.
	stays = append(stays, "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock", "/etc/subuid-", "/etc/subgid-")
	for _, path := range files(t) {
		under := func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
		if !slices.Contains(before, path) && !slices.ContainsFunc(stays, under) {
			t.Errorf("the purge leaves %s, and said only\n%s", path, said)
		}
	}
}

// wantRefused wants that a lower version is not installed, and that the service goes on.
func wantRefused(t *testing.T, d debs, name string) {
	t.Helper()
	pid, lower := property(t, name, "MainPID"), d.version+"~1"
	out, err := tried("apt-get", apt("--allow-downgrades", "install", name+"="+lower)...)
	if err == nil || !strings.Contains(out, "version "+lower+" is older than "+d.version) || !strings.Contains(out, "apt remove "+name) {
		t.Errorf("a downgrade of %s: %v\n%s", name, err, out)
	}
	if got := run(t, "dpkg-query", "-W", "-f", "${Version} ${Status}", name); got != d.version+" install ok installed" {
		t.Errorf("after a downgrade that was refused, dpkg has %s %s", name, got)
	}
	if got := property(t, name, "MainPID"); got != pid {
		t.Errorf("a downgrade that was refused has made process %s of %s", got, pid)
	}
}

// wantExposure wants that systemd finds a unit's sandbox as tight as we say.
func wantExposure(t *testing.T, unit string) {
	t.Helper()
	out := run(t, "systemd-analyze", "security", "--no-pager", unit)
	level := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
	if level == nil {
		t.Fatalf("systemd-analyze says\n%s", out)
	}
	if f, err := strconv.ParseFloat(level[1], 64); err != nil || f > 2.0 {
		t.Errorf("the exposure of %s is %s, want at most 2.0:\n%s", unit, level[1], out)
	}
	t.Logf("the exposure of %s is %s", unit, level[1])
}

const rules = `
badge = { facilities = [17] }
device = { facilities = [200] }
`

// station installs a station on simulated lines, and does with it what happens to one.
func station(t *testing.T, d debs) {
	chip, err := gpiosim.New("pinctrl-bcm2711", 58, map[int]string{17: "GPIO17", 18: "GPIO18"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chip.Close)
	before := files(t)

	t.Log("install")
	t.Log(run(t, "apt-get", apt("install", "stump="+d.older["stump"])...))
	pid := restarted(t, "stump", "")
	if got := run(t, "stat", "-c", "%G %a", chip.Path()); got != "gpio 660\n" {
		t.Errorf("the lines are %q, want those of the group gpio", got)
	}

	t.Log("configure")
	config, err := os.ReadFile("/etc/stump/stump.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(config), "\n[display]", rules+"\n[display]", 1)
	if text == string(config) {
		t.Fatalf("no [display] in the configuration of the package:\n%s", config)
	}
	if err := os.WriteFile("/etc/stump/stump.toml", []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	run(t, "stump", "config", "check")
	run(t, "systemctl", "restart", "stump")
	pid = restarted(t, "stump", pid)
	run(t, "stump", "people", "add", "Ann", "--badge", "H10301:17:31001")
	run(t, "stump", "devices", "add", "iPad", "--tag", "H10301:200:8101")

	t.Log("bump")
	bump(t, chip, "H10301:17:31001", func() bool { return strings.Contains(run(t, "stump", "sim", "lcd"), "Hello Ann") })
	bump(t, chip, "H10301:200:8101", func() bool { return holder(t) == "Ann" })

	t.Log("upgrade")
	t.Log(run(t, "apt-get", apt("install", "stump="+d.version)...))
	run(t, "stump", "config", "check")
	pid = restarted(t, "stump", pid)
	if got := run(t, "stump", "version"); !strings.HasPrefix(got, "stump "+d.version) {
		t.Errorf("after the upgrade: %s", got)
	}
	kept := func(when string) {
		t.Helper()
		if got := holder(t); got != "Ann" {
			t.Errorf("%s the iPad is with %q", when, got)
		}
		if people := run(t, "stump", "people", "show", "ann", "--json"); !strings.Contains(people, `"name":"Ann"`) {
			t.Errorf("%s the register has %s", when, people)
		}
		run(t, "stump", "verify")
	}
	kept("after the upgrade")
	bump(t, chip, "H10301:17:31001", func() bool { return strings.Contains(run(t, "stump", "sim", "lcd"), "Hello Ann") })
	if now, err := os.ReadFile("/etc/stump/stump.toml"); err != nil || string(now) != text {
		t.Errorf("%v: the upgrade has changed the configuration to\n%s", err, now)
	}

	t.Log("downgrade")
	wantRefused(t, d, "stump")
	wantExposure(t, "stump.service")

	t.Log("watchdog")
	if n, err := strconv.Atoi(pid); err != nil || syscall.Kill(n, syscall.SIGSTOP) != nil {
		t.Fatalf("process %s: %v, or it can't be stopped", pid, err)
	}
	pid = restarted(t, "stump", pid)
	if log := run(t, "journalctl", "--no-pager", "-u", "stump"); !strings.Contains(log, "Watchdog timeout") {
		t.Errorf("the journal has no watchdog:\n%s", log)
	}
	kept("after the watchdog")

	t.Log("purge")
	run(t, "dpkg", "--remove", "stump")
	if got := property(t, "stump", "ActiveState"); got != "inactive" {
		t.Errorf("after the removal the service is %s", got)
	}
	if now, err := os.ReadFile("/etc/stump/stump.toml"); err != nil || string(now) != text {
		t.Errorf("%v: the removal has changed the configuration to\n%s", err, now)
	}
	said := run(t, "dpkg", "--purge", "stump")
	t.Log(said)
	wantOnlySaid(t, before, said)

	t.Log("install again")
	run(t, "dpkg", "-i", d.of("stump", d.version))
	restarted(t, "stump", pid)
	kept("after a purge and another installation")
}

// holder is who has the only device, "" for nobody.
func holder(t *testing.T) string {
	t.Helper()
	out := run(t, "stump", "who", "--json")
	if out == "" {
		return ""
	}
	var loan struct{ Device, Person string }
	if err := json.Unmarshal([]byte(out), &loan); err != nil || loan.Device != "iPad" {
		t.Fatalf("%v: %s", err, out)
	}
	return loan.Person
}

// bump shows a card until the station has answered. A host that takes the processor away
// tears a frame apart, and the station refuses it: then the card is shown again.
func bump(t *testing.T, chip *gpiosim.Chip, card string, answered func() bool) {
	t.Helper()
	bits, err := credential.Parse(card, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		wait, err := chip.Generate(gpiosim.Job{
			D0: 17, D1: 18, Frames: []string{bits.String()},
			Pulses: gpiosim.Pulses{Width: 50 * time.Microsecond, Interval: 2 * time.Millisecond},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wait(); err != nil {
			t.Fatal(err)
		}
		// Sooner, the desk would take the same card for a repetition.
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			if answered() {
				return
			}
		}
	}
	log, _ := tried("journalctl", "--no-pager", "-u", "stump", "-n", "40")
	t.Fatalf("no answer to bumps of %s:\n%s", card, log)
}

// hub installs a hub beside PostgreSQL, upgrades and purges it.
func hub(t *testing.T, d debs) {
	within(t, "PostgreSQL answers", func() bool {
		_, err := tried("runuser", "-u", "postgres", "--", "psql", "-c", "select 1")
		return err == nil
	})
	before := files(t)

	t.Log("install the hub")
	said := run(t, "apt-get", apt("install", "stump-hub="+d.older["stump-hub"])...)
	t.Log(said)
	pid := restarted(t, "stump-hub", "")
	check := func() { t.Helper(); run(t, "runuser", "-u", "stump-hub", "--", "stump-hub", "check") }
	check()

	t.Log("upgrade the hub")
	t.Log(run(t, "apt-get", apt("install", "stump-hub="+d.version)...))
	restarted(t, "stump-hub", pid)
	if got := run(t, "stump-hub", "version"); !strings.HasPrefix(got, "stump-hub "+d.version) {
		t.Errorf("after the upgrade: %s", got)
	}
	check()
	wantRefused(t, d, "stump-hub")
	wantExposure(t, "stump-hub.service")

	t.Log("purge the hub")
	said = run(t, "dpkg", "--purge", "stump-hub")
	t.Log(said)
	wantOnlySaid(t, before, said)
	for _, what := range []string{"database", "role", "/var/lib/stump-hub", "user"} {
		if !strings.Contains(said, what) {
			t.Errorf("of the %s the purge of the hub says nothing:\n%s", what, said)
		}
	}
	// What it says to do leaves nothing of it.
	for line := range strings.Lines(said) {
		if command, ok := strings.CutPrefix(line, "stump-hub:   "); ok {
			run(t, "sh", "-c", command)
		}
	}
	if got := run(t, "runuser", "-u", "postgres", "--", "psql", "-qAtc", "select datname from pg_database union select rolname from pg_roles"); strings.Contains(got, "stump") {
		t.Errorf("PostgreSQL still has\n%s", got)
	}
	if _, err := os.Stat("/var/lib/stump-hub"); !os.IsNotExist(err) {
		t.Error(fmt.Sprint("/var/lib/stump-hub: ", err))
	}
}
