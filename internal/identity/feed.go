package identity

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"stump/internal/hint"
)

// MaxFeeds is how many calendars can have an address.
const MaxFeeds = 2000

// Feed is what lists show of a calendar that programs read at a secret address.
type Feed struct {
	Of   string `json:"of"` // device, person or lab
	ID   string `json:"id"` // of the device or person; "" of the lab
	Role Role   `json:"role"`
	By   string `json:"by"` // who made it
	// Made and Used are when; Used to the day, nil for never.
	Made time.Time  `json:"made"`
	Used *time.Time `json:"used"`
}

// Key is the feed's place in the list.
func (f Feed) Key() string { return strings.Trim(f.Of+" "+f.ID, " ") }

type feedRow struct {
	Feed
	Hash string `json:"hash"`
}

// FeedError is an ErrNotFound of a feed.
type FeedError struct{ Of, Name string }

func (e *FeedError) Error() string {
	return fmt.Sprintf("there is no calendar of %s", strings.Trim("the "+e.Of+" "+e.Name, " "))
}

// Hint is what to do about it.
func (e *FeedError) Hint() string { return "`stump reservations feed` makes one" }

// errNoFeed is the answer to an address that is nobody's.
var errNoFeed = hint.Errorf("ask for a new one", "the address of the calendar is not known here, or was revoked")

// MakeFeed makes the address of a calendar, in place of the one that it had, and returns its
// secret, which nobody can read again.
func (s *Store) MakeFeed(f Feed) (made Feed, secret string, err error) {
	now := s.o.Now()
	secret = s.o.Secret()
	f.Made, f.Used = now, nil
	s.mu.Lock()
	before := slices.Clone(s.feeds)
	if s.lab == "" {
		s.lab = hash("lab " + secret)[:16]
	}
	if i := s.feed(f.Of, f.ID); i >= 0 {
		s.feeds = slices.Delete(s.feeds, i, i+1)
	}
	full := len(s.feeds) >= MaxFeeds
	if !full {
		s.feeds = append(s.feeds, &feedRow{f, hash(secret)})
	}
	s.mu.Unlock()
	if full {
		return Feed{}, "", hint.Errorf("revoke those that nobody uses", "%d calendars have an address, which is all that can", MaxFeeds)
	}
	if err := s.save(); err != nil {
		s.mu.Lock()
		s.feeds = before
		s.mu.Unlock()
		return Feed{}, "", err
	}
	return f, secret, nil
}

// feed is the place of a feed, -1 if there is none. mu is held.
func (s *Store) feed(of, id string) int {
	return slices.IndexFunc(s.feeds, func(f *feedRow) bool { return f.Of == of && f.ID == id })
}

// HasFeed reports whether a calendar has an address.
func (s *Store) HasFeed(of, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.feed(of, id) >= 0
}

// Feeds are all feeds, in the order of their keys.
func (s *Store) Feeds() []Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Feed, len(s.feeds))
	for i, f := range s.feeds {
		list[i] = f.Feed
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Key() < list[j].Key() })
	return list
}

// RevokeFeed ends the address of a calendar at once. The error is a *FeedError if it has none.
func (s *Store) RevokeFeed(of, id string) error {
	if !s.dropFeed(of, id) {
		return &FeedError{of, id}
	}
	return s.save()
}

// dropFeed reports whether there was one.
func (s *Store) dropFeed(of, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.feed(of, id)
	if i >= 0 {
		s.feeds = slices.Delete(s.feeds, i, i+1)
	}
	return i >= 0
}

// Feed is whose calendar has this secret in its address.
func (s *Store) Feed(secret string) (Feed, error) {
	sum, now := hash(secret), s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.feeds, func(f *feedRow) bool { return f.Hash == sum })
	if i < 0 {
		return Feed{}, errNoFeed
	}
	f := s.feeds[i]
	if f.Used == nil || now.Sub(*f.Used).Abs() >= 24*time.Hour {
		f.Used = &now // once a day: calendars ask every hour
		s.touch()
	}
	return f.Feed, nil
}

// Lab tells the entries of these calendars apart from those of other labs, for ever.
func (s *Store) Lab() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lab
}
