package main

import (
	"os/exec"
	"strings"
	"testing"

	"stump/internal/hub/store"
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

// TestConflictOfATag: what an admin reads of a refused tag is its mask.
func TestConflictOfATag(t *testing.T) {
	subject, field, value := "ipad", "tag/6247ec24", "active|…890|H8nTrDF/VbGP2l47"
	if got := about(&store.Conflict{Subject: &subject, Field: &field}); got != "ipad tag" {
		t.Errorf("it is about %q", got)
	}
	if got := told(nil, &value); got != "…890" {
		t.Errorf("it was %q", got)
	}
}
