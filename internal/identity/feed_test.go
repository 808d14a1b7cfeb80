package identity

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/internal/hint"
)

// TestFeedStore: a calendar has one address, which lasts over a restart until it ends.
func TestFeedStore(t *testing.T) {
	dir := t.TempDir()
	s, now := newStore(t, dir)
	lab := Feed{Of: "lab", Role: Board, By: "ada"}
	_, first, err := s.MakeFeed(lab)
	if err != nil {
		t.Fatal(err)
	}
	ours := s.Lab()
	made, second, err := s.MakeFeed(lab)
	if err != nil || first == second || !made.Made.Equal(now.Time) {
		t.Errorf("%+v, %v", made, err)
	}
	_, ben, err := s.MakeFeed(Feed{Of: "person", ID: "ben", Role: Staff})
	if err != nil || len(s.Feeds()) != 2 || s.Feeds()[0].Of != "lab" {
		t.Errorf("%+v, %v", s.Feeds(), err)
	}
	again, later := newStore(t, dir)
	if ours == "" || again.Lab() != ours {
		t.Errorf("after a restart %q is %q", ours, again.Lab())
	}
	for _, secret := range []string{first, "", ours, hash(second)} {
		if f, err := again.Feed(secret); err == nil || hint.Of(err) == "" || f != (Feed{}) {
			t.Errorf("%q: %+v, %v", secret, f, err)
		}
	}
	if f, err := again.Feed(second); err != nil || f.Of != "lab" || f.Role != Board {
		t.Errorf("%+v, %v", f, err)
	}
	later.forward(23 * time.Hour)
	if _, err := again.Feed(second); err != nil || !again.Feeds()[0].Used.Equal(now.Time) {
		t.Errorf("within a day: %+v, %v", again.Feeds(), err)
	}
	later.forward(2 * time.Hour)
	if _, err := again.Feed(second); err != nil || !again.Feeds()[0].Used.Equal(later.Time) {
		t.Errorf("a day later: %+v, %v", again.Feeds(), err)
	}
	again.Forget("ben", "Ben")
	var none *FeedError
	if err := again.RevokeFeed("person", "ben"); !errors.As(err, &none) || hint.Of(err) == "" {
		t.Errorf("of who was forgotten: %v", err)
	}
	if err := again.RevokeFeed("lab", ""); err != nil {
		t.Error(err)
	}
	for _, secret := range []string{second, ben} {
		if _, err := again.Feed(secret); err == nil {
			t.Errorf("%s goes on", secret)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil || strings.Contains(string(raw), "ben") || !strings.Contains(string(raw), ours) {
		t.Errorf("%s, %v", raw, err)
	}
}

// TestUnsavedFeed: an address that could not be saved is none, and the one before is good.
func TestUnsavedFeed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, _ := newStore(t, dir)
	_, first, err := s.MakeFeed(Feed{Of: "lab", Role: Staff})
	if err != nil || os.RemoveAll(dir) != nil {
		t.Fatal(err)
	}
	if _, secret, err := s.MakeFeed(Feed{Of: "lab", Role: Staff}); err == nil || secret != "" {
		t.Errorf("%q, %v", secret, err)
	}
	if f, err := s.Feed(first); err != nil || f.Of != "lab" {
		t.Errorf("%+v, %v", f, err)
	}
	for range MaxFeeds {
		s.feeds = append(s.feeds, &feedRow{})
	}
	if _, _, err := s.MakeFeed(Feed{Of: "device", ID: "one more"}); err == nil || hint.Of(err) == "" {
		t.Errorf("one too many: %v", err)
	}
}
