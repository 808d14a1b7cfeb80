package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math"
	"math/big"
	"time"

	"stump/checkout"
	"stump/internal/hint"
)

// How long a browser waits for a bump, and then for the digits that the display shows;
// and how often they may be typed wrongly.
const (
	BumpTime   = 60 * time.Second
	DigitTries = 3
)

// bump is a login at the reader. There is one at a time:
//
//	browser            station              display
//	begins ──────────▶ waits for a bump
//	                   a badge ───────────▶ six digits
//	types them ──────▶ whose badge it was
//
// Nobody but the browser that began it can end it, since it alone has the secret; and
// only who stands at the display reads the digits. A badge can be copied, so all that
// this gives is the role staff.
type bump struct {
	hash         string    // of the browser's secret
	until        time.Time // with its monotonic time, as that of a link
	digits       string    // "" until somebody has bumped
	person, name string    // who has
	wrong        int       // how often other digits were typed
}

// BusyError is returned while another browser waits.
type BusyError struct{ Wait time.Duration }

func (e *BusyError) Error() string { return "somebody else logs in at the reader now" }

// Hint is what to do about it.
func (e *BusyError) Hint() string {
	return fmt.Sprintf("begin again in %d s", int(math.Ceil(e.Wait.Seconds())))
}

// The answers to digits that log nobody in.
var (
	ErrNoBump      = hint.Errorf("begin again", "the login at the reader is over, or was not begun in this browser")
	ErrNoBadge     = hint.Errorf("bump your badge, and type what the display shows", "no badge has been bumped yet")
	ErrWrongDigits = hint.Errorf("type the six digits that the display shows", "these are not the digits")
)

// AwaitBump begins a login at the reader, in place of the one that the browser began
// before with the secret old, and returns the secret of this one. The error is a
// *BusyError while another browser waits.
func (s *Store) AwaitBump(old string) (secret string, err error) {
	now := s.o.Now()
	secret = s.o.Secret()
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.bumped(now); b != nil && b.hash != hash(old) {
		return "", &BusyError{b.until.Sub(now)}
	}
	s.bump = &bump{hash: hash(secret), until: now.Add(BumpTime)}
	return secret, nil
}

// bumped is the login that is going on, nil if there is none. mu is held.
func (s *Store) bumped(now time.Time) *bump {
	if s.bump != nil && !now.Before(s.bump.until) {
		s.bump = nil
	}
	return s.bump
}

// AwaitsBump is for how long the browser with this secret waits, 0 if it does not.
func (s *Store) AwaitsBump(secret string) time.Duration {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.bumped(now); b != nil && b.hash == hash(secret) {
		return b.until.Sub(now)
	}
	return 0
}

// Bumped returns the digits to show to a person who has bumped their badge, "" if no
// browser waits for one or somebody else was faster. It waits for no disk.
func (s *Store) Bumped(person, name string) (digits string) {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bumped(now)
	switch {
	case b == nil:
		return ""
	case b.digits == "":
		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			return "" // never, by the documentation of rand.Reader
		}
		b.digits, b.person, b.name, b.until = fmt.Sprintf("%06d", n), person, name, now.Add(BumpTime)
	case b.person != person:
		return ""
	}
	return b.digits
}

// Digits ends the login that the browser with this secret began, if they are those that
// the display shows. The third time that they are not ends it, too.
func (s *Store) Digits(secret, digits string) (Principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bumped(s.o.Now())
	switch {
	case b == nil || b.hash != hash(secret):
		return Principal{}, ErrNoBump
	case b.digits == "":
		return Principal{}, ErrNoBadge
	case subtle.ConstantTimeCompare([]byte(digits), []byte(b.digits)) == 0:
		if b.wrong++; b.wrong < DigitTries {
			return Principal{}, ErrWrongDigits
		}
		s.bump = nil
		return Principal{}, hint.Errorf("begin again", "these are not the digits, for the third time")
	}
	s.bump = nil
	return Principal{Name: b.name, Role: Staff, Person: b.person, Source: checkout.SourceWeb, Fresh: true}, nil
}
