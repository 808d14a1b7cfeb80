//go:build services

package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"stump/internal/testkit"
)

// TestLighthouse: Google's auditor of pages finds nothing wrong with how they can be used,
// and how they are made. How quick the board is, it says, too, on whatever machine this is.
func TestLighthouse(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("node")
	testkit.Need(t, err == nil, "node, for Lighthouse")
	script := filepath.Join(npm(t, "cmd/stump/testdata/lighthouse"), "look.mjs")
	s, station := stationWithLoans(t)
	port := freePort(t)
	startBrowser(t, chromedp.Flag("remote-debugging-port", strconv.Itoa(port)))
	token := func(name, role string) string {
		_, secret, _ := strings.Cut(s.run("token", "add", name, "--role", role), "\n")
		return strings.TrimSpace(secret)
	}
	root := token("root", "admin")
	look := exec.CommandContext(t.Context(), "node", script, strconv.Itoa(port), station+"/", root, station+"/devices/ipad", root, station+"/kiosk", token("hall", "board"), station+"/login", "")
	var says strings.Builder
	look.Stderr = &says
	out, err := look.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, says.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 4 {
		t.Fatalf("it says %s", out)
	}
	for _, line := range lines {
		var is struct {
			Page   string
			Scores map[string]int
			Wrong  []string
			Error  string
		}
		if err := json.Unmarshal([]byte(line), &is); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v", is.Page, is.Scores)
		if is.Scores["accessibility"] != 100 || is.Scores["best-practices"] != 100 || is.Error != "" {
			t.Errorf("%s: %v %s\n%s", is.Page, is.Scores, is.Error, strings.Join(is.Wrong, "\n"))
		}
	}
}
