//go:build services

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/internal/testkit"
)

// TestAPIPage follows docs/api.md literally, with curl and jq, in a shell and a place of its
// own: what stands there to be typed works, one after the other, and prints what stands
// below it.
func TestAPIPage(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "jq", "openssl"} {
		_, err := exec.LookPath(tool)
		testkit.Need(t, err == nil, tool)
	}
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "st") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	typed := regexp.MustCompile("(?s)```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?").FindAllStringSubmatch(string(page), -1)
	if len(typed) < 5 {
		t.Fatalf("the page has %d blocks to type", len(typed))
	}
	script := strings.Builder{}
	script.WriteString("set -euo pipefail\n")
	for i, block := range typed {
		fmt.Fprintf(&script, "exec > %s\n%s\n", filepath.Join(dir, fmt.Sprint("said", i)), block[1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	work := filepath.Join(dir, "empty")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(ctx, "bash", "-c", script.String())
	shell.Dir = work
	shell.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), "XDG_RUNTIME_DIR="+dir, "STATE_DIRECTORY=", "RUNTIME_DIRECTORY=")
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what it leaves running ends
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	var says testkit.Log
	shell.Stderr = &says
	shell.WaitDelay = time.Second
	err = shell.Run()
	_ = syscall.Kill(-shell.Process.Pid, syscall.SIGTERM)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(work, "stump.log"))
		t.Errorf("%v: %s\nthe station: %s", err, says.String(), log)
	}
	for i, block := range typed {
		said, err := os.ReadFile(filepath.Join(dir, fmt.Sprint("said", i)))
		if err != nil {
			t.Fatalf("%s was not reached", block[1])
		}
		want := strings.ReplaceAll(regexp.QuoteMeta(block[2]), "…", ".+")
		if block[2] != "" && !regexp.MustCompile("^"+want+"$").Match(said) {
			t.Errorf("%s\nsays\n%s\nwant\n%s", block[1], said, block[2])
		}
	}
}
