package remind

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// turn is the work of reminding in a lab of several stations.
type turn struct {
	mine  bool
	said  []string // by other stations
	asked [][]string
	err   error
}

func (t *turn) Mine() bool { return t.mine }

func (t *turn) Claim(_ context.Context, what []string) ([]string, error) {
	t.asked = append(t.asked, slices.Clone(what))
	return slices.DeleteFunc(slices.Clone(what), func(k string) bool { return slices.Contains(t.said, k) }), t.err
}

// TestTurn: of the stations of a lab one reminds people. What another has said is not said again,
// and is asked for once; without the hub nothing is said.
func TestTurn(t *testing.T) {
	x := newLab(t)
	hub := &turn{}
	x.Turn = hub
	x.give("ipad", "ann", 0)
	x.give("pixel", "ann", 0)
	x.give("nexus", "ben", 0)
	x.now = x.now.Add(2 * time.Hour)
	if x.look() || len(hub.asked) > 0 {
		t.Error("it reminds people in another's turn")
	}
	hub.mine, hub.err = true, errors.New("the hub is away")
	if x.look() {
		t.Error("it reminds people without having asked")
	}
	if len(x.mails()) > 0 {
		t.Errorf("mails: %+v", x.mails())
	}
	first := hub.asked[0]
	if len(first) != 2 || first[0] == first[1] {
		t.Fatalf("it asked for %q", hub.asked)
	}

	hub.err, hub.said, hub.asked = nil, first[:1], nil
	if got := x.told(); got != "ann: pixel 0d; ben: nexus 0d" && got != "ann: ipad 0d; ben: nexus 0d" {
		t.Errorf("told %q", got)
	}
	asked := len(hub.asked)
	if got := x.told(); got != "" || len(hub.asked) != asked {
		t.Errorf("again: %q, asked %q", got, hub.asked[asked:])
	}
	x.sent()
	x.now = x.now.AddDate(0, 0, 3)
	if got := x.told(); got != "ann: ipad 3d, pixel 3d; ben: nexus 3d" && got != "ann: pixel 3d, ipad 3d; ben: nexus 3d" {
		t.Errorf("three days later: %q", got)
	}
}

// TestDigestTurn: the admin is told once a week by one station.
func TestDigestTurn(t *testing.T) {
	x := newLab(t)
	hub := &turn{mine: true, said: []string{"digest 2026-11-30"}}
	x.Turn = hub
	x.now = x.now.Add(2 * time.Hour)
	for range 2 {
		x.ok(x.Reminders.Digest())
	}
	if len(x.mails()) > 0 || len(hub.asked) != 1 {
		t.Errorf("%d mails, asked %q", len(x.mails()), hub.asked)
	}
	x.now = x.now.AddDate(0, 0, 7)
	x.ok(x.Reminders.Digest())
	if len(x.mails()) != 1 {
		t.Errorf("%d mails a week later", len(x.mails()))
	}
}
