//go:build services

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"stump/internal/testkit"
)

// TestUserDataForCloudInit: cloud-init and systemd find nothing wrong with the file and the
// unit in it; and cloud-init would say so.
func TestUserDataForCloudInit(t *testing.T) {
	t.Parallel()
	cloudInit, err := exec.LookPath("cloud-init")
	testkit.Need(t, err == nil, "cloud-init")
	check := func(file string) (string, error) {
		out, err := exec.Command(cloudInit, "schema", "--config-file", file).CombinedOutput()
		return string(out), err
	}
	const ours = "../../scripts/firstboot/user-data"
	if says, err := check(ours); err != nil || !strings.Contains(says, "Valid") {
		t.Errorf("%v: %s", err, says)
	}
	bad := filepath.Join(t.TempDir(), "user-data")
	if err := os.WriteFile(bad, []byte(strings.Replace(readPage(t, ours), "ssh_pwauth: false", "ssh_pwauth: [no]", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if says, err := check(bad); err == nil {
		t.Errorf("a mistake is not found: %s", says)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	testkit.Need(t, err == nil, "systemd-analyze")
	_, unit, _ := strings.Cut(readPage(t, ours), "    content: |\n")
	unit, _, _ = strings.Cut(unit, "\nruncmd:")
	file := filepath.Join(t.TempDir(), "stump-firstboot.service")
	if err := os.WriteFile(file, []byte(regexp.MustCompile(`(?m)^ {6}`).ReplaceAllString(unit, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", file).CombinedOutput(); err != nil || strings.Contains(string(out), filepath.Base(file)) {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}
