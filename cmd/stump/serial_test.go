//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/internal/panel"
	"stump/internal/testkit"
)

// A reader on a serial port and the whole station behind it: a badge and a device
// are held to it, for a while, as people do; the reader sends each ten times a
// second. A frame with a wrong checksum is nobody's.
func TestSerialReaderChecksOut(t *testing.T) {
	far, port := testkit.Pty(t)
	dir := t.TempDir()
	config, socket := filepath.Join(dir, "stump.toml"), filepath.Join(dir, "s")
	err := os.WriteFile(config, []byte(`
[[reader]]
name = "shelf"
kind = "serial"
device = "`+port+`"
[display]
kind = "none"
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var log testkit.Log
	cmd := stumpCommand("run", "--config", config, "--state", filepath.Join(dir, "state"), "--socket", socket)
	cmd.Stderr = &log
	d := startProcess(t, cmd, socket)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(&log)
		}
	})
	stump := func(args ...string) string {
		t.Helper()
		out, err := stumpCommand(append([]string{"--socket", socket}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("stump %q: %v: %s", args, err, out)
		}
		return string(out)
	}
	// The tags' low 24 bits, as a reader with data lines sends them.
	stump("people", "add", "Ann", "--badge", "H10301:77:30211")
	stump("devices", "add", "iPad", "--tag", "H10301:8:27885")
	within := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: it didn't come\n%s", what, stump("sim", "lcd"))
			}
		}
	}
	shows := func(text string) func() bool {
		return func() bool {
			var s panel.State
			return d.get("panel", &s) && strings.Contains(strings.Join(s.Rows, "|"), text)
		}
	}
	send := func(frame string, times int) {
		for range times {
			if _, err := far.WriteString(frame); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	within("the port is opened", func() bool { return log.Count("reader's port") == 1 })
	send("\x020A004D760333\x03", 1)
	within("a wrong checksum", shows("Bad tag read"))
	send("\x020A004D760332\x03", 5)
	within("the badge", shows("Hello Ann"))
	send("\x0262E3086CED08\x03", 5)
	within("the device", shows("Checked out"))
	if who := stump("who"); !strings.Contains(who, "iPad    Ann") {
		t.Errorf("who says %s", who)
	}
	if history := stump("history"); strings.Count(history, "checkout") != 1 || strings.Contains(history, "return") {
		t.Errorf("history says %s", history)
	}
}
