package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/internal/hint"
)

// clock is a wall clock that is set by hand.
type clock struct{ time.Time }

func (c *clock) forward(d time.Duration) { c.Time = c.Add(d) }

// newStore has secrets that are numbered, and a clock that stands.
func newStore(t *testing.T, dir string) (*Store, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)}
	n := 0
	secret := func() string { n++; return fmt.Sprintf("SECRET%d", n) }
	return Open(dir, Options{Now: func() time.Time { return c.Time }, Secret: secret}), c
}

func add(t *testing.T, s *Store, name string, role Role, expires *time.Time) (secret string) {
	t.Helper()
	_, secret, err := s.AddToken(Token{Name: name, Role: role, By: "ann", Expires: expires})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestTokens(t *testing.T) {
	dir := t.TempDir()
	s, now := newStore(t, dir)
	ci := add(t, s, "ci", Staff, nil)
	soon := now.Add(time.Hour)
	tmp := add(t, s, "tmp", Admin, &soon)
	if !strings.HasPrefix(ci, "stump_") || ci == tmp {
		t.Errorf("the secrets are %s and %s", ci, tmp)
	}
	for secret, want := range map[string]Principal{
		ci:  {Name: "ci", Role: Staff, Source: checkout.SourceAPI, Fresh: true, ID: "token:ci"},
		tmp: {Name: "tmp", Role: Admin, Source: checkout.SourceAPI, Fresh: true, ID: "token:tmp"},
	} {
		if got, err := s.Bearer(secret); err != nil || got != want {
			t.Errorf("%s: %+v, %v", secret, got, err)
		}
	}
	for _, secret := range []string{"", "stump_", ci + "x", strings.ToLower(ci), hash(ci)} {
		if got, err := s.Bearer(secret); err == nil || got != (Principal{}) || hint.Of(err) == "" {
			t.Errorf("%q is the token of %+v, %v", secret, got, err)
		}
	}
	list := s.Tokens()
	if len(list) != 2 || list[0].Name != "ci" || list[0].By != "ann" || list[0].Used == nil || list[1].Expires == nil {
		t.Errorf("listed are %+v", list)
	}
	shown, err := json.Marshal(list)
	if err != nil || strings.Contains(string(shown), "SECRET") || strings.Contains(string(shown), hash(ci)) {
		t.Errorf("the list shows %s", shown)
	}

	// It ends at its time, when it is revoked, and not with the daemon.
	again, later := newStore(t, dir)
	if p, err := again.Bearer(tmp); err != nil || p.Name != "tmp" {
		t.Errorf("after a restart: %+v, %v", p, err)
	}
	later.forward(time.Hour)
	if p, err := again.Bearer(tmp); !errors.Is(err, errExpired) {
		t.Errorf("an hour later: %+v, %v", p, err)
	}
	later.Time = time.Unix(0, 0)
	if p, err := again.Bearer(tmp); !errors.Is(err, errNoTime) {
		t.Errorf("before the clock is set: %+v, %v", p, err)
	}
	if err := s.RevokeToken("ci"); err != nil {
		t.Fatal(err)
	}
	third, _ := newStore(t, dir)
	for i, s := range []*Store{s, third} {
		if p, err := s.Bearer(ci); !errors.Is(err, errNoToken) {
			t.Errorf("%d, revoked: %+v, %v", i, p, err)
		}
	}
}

// TestNoToken: what can't be a token, and is none afterwards.
func TestNoToken(t *testing.T) {
	s, now := newStore(t, t.TempDir())
	add(t, s, "ci", Staff, nil)
	past := now.Time
	for name, tt := range map[string]Token{
		"taken": {Name: "ci", Role: Admin}, "no name": {Role: Staff}, "odd name": {Name: "a\nb", Role: Staff}, "no role": {Name: "x"},
		"a role of routes": {Name: "x", Role: FreshAdmin}, "expired": {Name: "x", Role: Staff, Expires: &past},
	} {
		if _, secret, err := s.AddToken(tt); err == nil || secret != "" || hint.Of(err) == "" {
			t.Errorf("%s: %q, %v", name, secret, err)
		}
	}
	var none *TokenError
	if err := s.RevokeToken("x"); !errors.As(err, &none) || none.There {
		t.Errorf("revoked what is not there: %v", err)
	}
	if list := s.Tokens(); len(list) != 1 || list[0].Role != Staff {
		t.Errorf("the tokens are %+v", list)
	}
	for i := range MaxTokens - 1 {
		s.tokens = append(s.tokens, &tokenRow{Token{Name: fmt.Sprint("n", i)}, ""})
	}
	if _, _, err := s.AddToken(Token{Name: "one more", Role: Staff}); err == nil || len(s.tokens) != MaxTokens {
		t.Errorf("%d tokens, %v", len(s.tokens), err)
	}
}

// TestUnsavedToken: a token that could not be saved is none.
func TestUnsavedToken(t *testing.T) {
	s, _ := newStore(t, filepath.Join(t.TempDir(), "no folder"))
	if _, secret, err := s.AddToken(Token{Name: "ci", Role: Staff}); err == nil || secret != "" || len(s.Tokens()) != 0 {
		t.Errorf("%q, %v, %+v", secret, err, s.Tokens())
	}
}

func TestSessions(t *testing.T) {
	for _, tt := range []struct {
		name  string
		waits []time.Duration // before each request
		fresh []bool          // at each; the session has ended after the last
	}{
		{"an admin's hour", []time.Duration{0, 14 * time.Minute, 2 * time.Minute, time.Hour}, []bool{true, true, false, false}},
		{"over lunch", []time.Duration{SessionIdle - time.Second, SessionIdle - time.Second, SessionIdle}, []bool{false, false}},
		{"forgotten", []time.Duration{SessionIdle}, nil},
		{"a week", repeat(11*time.Hour, 16), make([]bool, 15)},
		{"the clock is not set", []time.Duration{-time.Hour}, nil},
		{"the clock is set a little", []time.Duration{-time.Minute}, []bool{true}},
	} {
		s, now := newStore(t, t.TempDir())
		secret := s.Login(Principal{Name: "ann", Role: Admin, Person: "a1"})
		for i, wait := range tt.waits {
			now.forward(wait)
			p, err := s.Session(secret)
			if i >= len(tt.fresh) {
				if err == nil || hint.Of(err) == "" {
					t.Errorf("%s, %d: goes on: %+v, %v", tt.name, i, p, err)
				}
				continue
			}
			want := Principal{Name: "ann", Role: Admin, Person: "a1", Source: checkout.SourceWeb, Fresh: tt.fresh[i], ID: p.ID}
			if err != nil || p != want || !strings.HasPrefix(p.ID, "session:") || strings.Contains(secret, p.ID[8:]) {
				t.Errorf("%s, %d: %+v, %v", tt.name, i, p, err)
			}
		}
	}
}

func repeat(d time.Duration, n int) (list []time.Duration) {
	for range n {
		list = append(list, d)
	}
	return list
}

func TestLogout(t *testing.T) {
	dir := t.TempDir()
	s, _ := newStore(t, dir)
	first, second := s.Login(Principal{Name: "ann", Role: Admin}), s.Login(Principal{Name: "ann", Role: Admin})
	again, _ := newStore(t, dir)
	if _, err := again.Session(first); err != nil {
		t.Errorf("a restart ends sessions: %v", err)
	}
	s.Logout(first)
	s.Logout("nobody's")
	again, _ = newStore(t, dir)
	for i, s := range []*Store{s, again} {
		if _, err := s.Session(first); err == nil {
			t.Errorf("%d: the session goes on after the logout", i)
		}
		if _, err := s.Session(second); err != nil {
			t.Errorf("%d: the other session: %v", i, err)
		}
	}
	for range maxSessions {
		s.sessions = append(s.sessions, &sessionRow{Seen: s.o.Now(), Begun: s.o.Now()})
	}
	last := s.Login(Principal{Name: "ben", Role: Staff})
	if _, err := s.Session(second); err == nil || len(s.sessions) != maxSessions {
		t.Errorf("%d sessions, and the oldest goes on", len(s.sessions))
	}
	if p, err := s.Session(last); err != nil || p.Name != "ben" {
		t.Errorf("the newest: %+v, %v", p, err)
	}
}

// TestLinks: a link works once, for ten minutes.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	s, now := newStore(t, dir)
	one, two, late := s.NewLink("ann"), s.NewLink("ben"), s.NewLink("cem")
	if p, err := s.Redeem(two); err != nil || p != (Principal{Name: "ben", Role: Admin, Source: checkout.SourceWeb, Fresh: true}) {
		t.Errorf("%+v, %v", p, err)
	}
	now.forward(LinkLife - time.Second)
	if p, err := s.Redeem(one); err != nil || p.Name != "ann" {
		t.Errorf("%+v, %v", p, err)
	}
	now.forward(time.Second)
	for name, secret := range map[string]string{"used": one, "used at once": two, "late": late, "late again": late, "none": "", "nonsense": "x", "a cookie": s.Login(Principal{})} {
		if p, err := s.Redeem(secret); err == nil || p != (Principal{}) || hint.Of(err) == "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	first := s.NewLink("ann")
	for range maxLinks {
		s.NewLink("ann")
	}
	if _, err := s.Redeem(first); err == nil || len(s.links) != maxLinks {
		t.Errorf("%d links", len(s.links))
	}
	s, _ = newStore(t, dir)
	kept := s.NewLink("ben")
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.Run(ended); err != nil {
		t.Fatal(err)
	}
	again, _ := newStore(t, dir)
	if p, err := again.Redeem(kept); err != nil || p.Name != "ben" {
		t.Errorf("after a restart: %+v, %v", p, err)
	}
	again.Login(Principal{Name: "ben", Role: Admin})
	again, _ = newStore(t, dir)
	if _, err := again.Redeem(kept); err == nil {
		t.Error("a link that was used works once more after a restart")
	}
}

// TestRefusals: equal ones count, and their number is bounded.
func TestRefusals(t *testing.T) {
	s, now := newStore(t, t.TempDir())
	login := Refusal{What: "login", Address: "192.0.2.7", Call: "POST /login"}
	s.Refuse(login)
	now.forward(time.Minute)
	s.Refuse(Refusal{What: "role", Name: "sam", Address: "192.0.2.8", Call: "POST /v1/give", Needs: "admin"})
	now.forward(time.Minute)
	s.Refuse(login)
	list := s.Refusals()
	if len(list) != 2 || list[0].What != "login" || list[0].Count != 2 || !list[0].At.Equal(now.Time) || list[1].Name != "sam" || list[1].Count != 1 {
		t.Errorf("%+v", list)
	}
	for i := range maxNoted + 10 {
		s.Refuse(Refusal{What: "token", Address: fmt.Sprint(i)})
	}
	if list := s.Refusals(); len(list) != maxNoted || list[0].Address != fmt.Sprint(maxNoted+9) {
		t.Errorf("%d refusals, the newest is %+v", len(list), list[0])
	}
}

func TestLimits(t *testing.T) {
	s, now := newStore(t, t.TempDir())
	for i := range LoginFailures {
		if wait := s.Failed("login a", LoginFailures); wait != 0 {
			t.Fatalf("failure %d has to wait for %v", i, wait)
		}
	}
	now.forward(20 * time.Second)
	if wait := s.Failed("login a", LoginFailures); wait != 40*time.Second {
		t.Errorf("one too many waits for %v", wait)
	}
	if wait := s.Failed("login b", LoginFailures); wait != 0 {
		t.Errorf("another address waits for %v", wait)
	}
	now.forward(40 * time.Second)
	if wait := s.Failed("login a", LoginFailures); wait != 0 {
		t.Errorf("a minute later it waits for %v", wait)
	}
	// Many addresses take no more memory than some.
	for i := range 2 * maxCounted {
		s.Failed(fmt.Sprint("login ", i), LoginFailures)
	}
	if n := len(s.limits.counts); n > maxCounted+1 {
		t.Errorf("%d are counted apart", n)
	}
	if s.Failed("one more", LoginFailures) == 0 {
		t.Error("the rest is not counted")
	}
	now.forward(2 * time.Minute)
	if wait := s.Failed("one more", LoginFailures); wait != 0 || len(s.limits.counts) > 2 {
		t.Errorf("later it waits for %v, and %d are counted", wait, len(s.limits.counts))
	}
}

func TestWhere(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:1234": "192.0.2.7", "[::ffff:192.0.2.7]:1": "192.0.2.7", "[2001:db8:1:2:3::4]:1": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1": "fe80::/64", "@": "this machine", "": "this machine",
	} {
		if got := Where(remote); got != want {
			t.Errorf("%q is %s, want %s", remote, got, want)
		}
	}
}

// TestFile: it is its owner's alone, has no secret, and one that is damaged is put aside.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	s, _ := newStore(t, dir)
	secrets := []string{add(t, s, "ci", Staff, nil), s.Login(Principal{Name: "ann", Role: Admin}), s.NewLink("ben")}
	path := filepath.Join(dir, FileName)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if strings.Contains(string(raw), strings.TrimPrefix(secret, tokenPrefix)) {
			t.Errorf("the file has %s: %s", secret, raw)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ = newStore(t, dir)
	if _, err := s.Bearer(secrets[0]); err == nil {
		t.Error("half a file gives access")
	}
	add(t, s, "ci", Staff, nil)
	if kept, err := os.ReadFile(path + ".damaged"); err != nil || string(kept) != string(raw[:len(raw)/2]) {
		t.Errorf("kept is %q, %v", kept, err)
	}
}

// TestSavedLater: what may be lost is written at most every ten minutes, and at the end.
func TestSavedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := Open(dir, Options{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		refused := func() int {
			again := Open(dir, Options{})
			return len(again.refused)
		}
		s.Refuse(Refusal{What: "login"})
		time.Sleep(time.Minute)
		s.Refuse(Refusal{What: "token"})
		time.Sleep(saveLater - 2*time.Minute)
		if n := refused(); n != 0 {
			t.Errorf("after nine minutes %d are saved", n)
		}
		time.Sleep(2 * time.Minute)
		if n := refused(); n != 2 {
			t.Errorf("after eleven minutes %d are saved", n)
		}
		s.Refuse(Refusal{What: "role"})
		time.Sleep(time.Second)
		stop()
		if err := <-ended; err != nil || refused() != 3 {
			t.Errorf("at the end %d are saved, %v", refused(), err)
		}
	})
}

// TestLooksAreKept: looks count, are bounded, survive a restart, and go with who is erased.
func TestLooksAreKept(t *testing.T) {
	dir := t.TempDir()
	s, now := newStore(t, dir)
	look := Look{Name: "root", Source: "cli", What: "dossier", Person: "b1"}
	s.Looked(look)
	now.forward(time.Minute)
	s.Looked(Look{Name: "root", Source: "cli", What: "loans", Person: "b1"})
	now.forward(time.Minute)
	s.Looked(look)
	if list := s.Looks(); len(list) != 2 || list[0].What != "dossier" || list[0].Count != 2 || !list[0].At.Equal(now.Time) || list[1].Count != 1 {
		t.Errorf("%+v", list)
	}
	for i := range maxNoted {
		s.Looked(Look{Name: "Ben", Source: "web", What: "history", Person: fmt.Sprint(i)})
	}
	s.Looked(look)
	if list := s.Looks(); len(list) != maxNoted || list[0].Count != 1 {
		t.Errorf("%d looks, the newest is %+v", len(list), list[0])
	}
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	again, _ := newStore(t, dir)
	if list := again.Looks(); len(list) != maxNoted || list[0].What != "dossier" {
		t.Errorf("after a restart there are %d", len(list))
	}
	again.Forget("b1", "Ben")
	if list := again.Looks(); len(list) != 0 {
		t.Errorf("who was erased is in %+v", list)
	}
	again, _ = newStore(t, dir)
	if list := again.Looks(); len(list) != 0 {
		t.Errorf("and after a restart in %+v", list)
	}
}

// TestSessionsListed: those that go on are listed, and each can be ended alone.
func TestSessionsListed(t *testing.T) {
	s, now := newStore(t, t.TempDir())
	old := s.Login(Principal{Name: "Dia", Role: Staff, Person: "d1"})
	now.forward(SessionIdle)
	ann := s.Login(Principal{Name: "Ann", Role: Admin})
	now.forward(time.Hour)
	ben := s.Login(Principal{Name: "Ben", Role: Staff, Person: "b1"})
	list := s.Sessions()
	if len(list) != 2 || list[0].Name != "Ben" || list[0].Role != Staff || list[1].Name != "Ann" || !list[1].Begun.Equal(now.Add(-time.Hour)) {
		t.Fatalf("%+v", list)
	}
	who, err := s.Session(ben)
	if err != nil || who.ID != list[0].ID || strings.Contains(fmt.Sprint(list), ben) {
		t.Errorf("%+v, %v", who, err)
	}
	s.EndSession(list[0].ID)
	s.EndSession("session:none")
	if _, err := s.Session(ben); err == nil {
		t.Error("it goes on")
	}
	if _, err := s.Session(ann); err != nil {
		t.Errorf("another has ended: %v", err)
	}
	if _, err := s.Session(old); err == nil {
		t.Error("an old one goes on")
	}
}
