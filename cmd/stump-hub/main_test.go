package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestStationHasNoDriver: a station's program has nothing of what only a hub needs.
func TestStationHasNoDriver(t *testing.T) {
	deps := func(pkg string) string {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	station, hub := deps("stump/cmd/stump"), deps("stump/cmd/stump-hub")
	for _, needed := range []string{"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "stump/internal/hub/store"} {
		if strings.Contains(station, needed+"\n") {
			t.Errorf("cmd/stump imports %s", needed)
		}
		if !strings.Contains(hub, needed+"\n") {
			t.Errorf("cmd/stump-hub does not import %s any more", needed)
		}
	}
}
