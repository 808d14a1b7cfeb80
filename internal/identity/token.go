package identity

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"stump/checkout"
	"stump/internal/hint"
)

// MaxTokens is how many tokens there can be.
const MaxTokens = 200

// tokenPrefix begins every token, so that people and programs recognise one that lies
// about.
const tokenPrefix = "stump_"

// Token is what lists show of a script's token.
type Token struct {
	Name    string     `json:"name"`
	Role    Role       `json:"role"`
	By      string     `json:"by"` // who made it
	Made    time.Time  `json:"made"`
	Expires *time.Time `json:"expires"` // nil: never
	Used    *time.Time `json:"used"`    // the last time, to the minute; nil: never
}

// Key is the token's place in the list.
func (t Token) Key() string { return t.Name }

type tokenRow struct {
	Token
	Hash string `json:"hash"`
}

// TokenError is why there is no token, or can't be one.
type TokenError struct {
	Name  string
	There bool // whether it is there
}

func (e *TokenError) Error() string {
	if e.There {
		return fmt.Sprintf("there is a token %q already", e.Name)
	}
	return fmt.Sprintf("there is no token %q", e.Name)
}

// Hint is what to do about it.
func (e *TokenError) Hint() string {
	if e.There {
		return "choose another name, or revoke that one first"
	}
	return "`stump token list` shows them"
}

// The answers to a secret that is nobody's.
var (
	errNoToken  = hint.Errorf("`stump token add` makes one, `stump token list` shows which there are", "the token is not known here")
	errExpired  = hint.Errorf("`stump token add` makes a new one", "the token has expired")
	errNoTime   = hint.Errorf("wait until the station's clock is set", "the station's clock is behind the day on which the token was made")
	errNoLink   = hint.Errorf("`stump web admin-link` prints a new one", "the link is used up, older than 10 min, or not whole")
	errNoCookie = hint.Errorf("log in again", "the session has ended")
)

// AddToken makes a token, and returns it with its secret, which nobody can read again. The
// error is a *TokenError if the name is taken.
func (s *Store) AddToken(t Token) (made Token, secret string, err error) {
	now := s.o.Now()
	switch err := checkout.CheckName(t.Name); {
	case err != nil:
		return Token{}, "", err
	case t.Role < Board || t.Role > Admin:
		return Token{}, "", hint.Errorf("give it one of board, staff, technician and admin", "the token has no role")
	case t.Expires != nil && !t.Expires.After(now):
		return Token{}, "", hint.Errorf("give a time that is still to come", "the token would have expired already")
	}
	secret = tokenPrefix + s.o.Secret()
	t.Made, t.Used = now, nil
	s.mu.Lock()
	switch {
	case s.token(t.Name) >= 0:
		err = &TokenError{t.Name, true}
	case len(s.tokens) >= MaxTokens:
		err = hint.Errorf("revoke those that nobody uses", "there are %d tokens, which is all there can be", MaxTokens)
	default:
		s.tokens = append(s.tokens, &tokenRow{t, hash(secret)})
	}
	s.mu.Unlock()
	if err != nil {
		return Token{}, "", err
	}
	if err := s.save(); err != nil {
		_ = s.drop(t.Name)
		return Token{}, "", err
	}
	return t, secret, nil
}

// token is the place of a token, -1 if there is none. mu is held.
func (s *Store) token(name string) int {
	return slices.IndexFunc(s.tokens, func(t *tokenRow) bool { return t.Name == name })
}

// Tokens are all tokens, by name.
func (s *Store) Tokens() []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Token, len(s.tokens))
	for i, t := range s.tokens {
		list[i] = t.Token
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// RevokeToken ends a token at once. The error is a *TokenError if there is none.
func (s *Store) RevokeToken(name string) error {
	if err := s.drop(name); err != nil {
		return err
	}
	return s.save()
}

func (s *Store) drop(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.token(name)
	if i < 0 {
		return &TokenError{name, false}
	}
	s.tokens = slices.Delete(s.tokens, i, i+1)
	return nil
}

// Bearer is whose token this is. A token of an admin counts as a login just now.
func (s *Store) Bearer(secret string) (Principal, error) {
	sum, now := hash(secret), s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.tokens, func(t *tokenRow) bool { return t.Hash == sum })
	if i < 0 {
		return Principal{}, errNoToken
	}
	t := s.tokens[i]
	switch {
	case t.Expires != nil && !now.Before(*t.Expires):
		return Principal{}, errExpired
	case t.Expires != nil && now.Before(t.Made.Add(-24*time.Hour)):
		return Principal{}, errNoTime
	}
	if t.Used == nil || now.Sub(*t.Used).Abs() >= time.Minute {
		t.Used = &now
		s.touch()
	}
	return Principal{Name: t.Name, Role: t.Role, Source: checkout.SourceAPI, Fresh: true, ID: "token:" + t.Name}, nil
}
