package certificate

import (
	"crypto/ecdsa"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/internal/hint"
	"stump/internal/testkit"
)

var day = time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)

// TestSelfMade: one is made once, for all names, and renewed with its key.
func TestSelfMade(t *testing.T) {
	dir, now := t.TempDir(), day
	names := []string{"stump", "stump.local", "192.0.2.7", "2001:db8::7"}
	open := func(names ...string) *Source {
		t.Helper()
		s, err := Open(Options{Dir: dir, Names: names, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open(names...)
	first := s.Current()
	for _, name := range names {
		if err := first.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if !s.SelfMade() || first.NotAfter.Sub(first.NotBefore) > 825*24*time.Hour || first.IsCA || now.Before(first.NotBefore) {
		t.Errorf("from %v to %v, authority: %v", first.NotBefore, first.NotAfter, first.IsCA)
	}
	if print := Fingerprint(first); !regexp.MustCompile(`^([0-9A-F]{2}:){31}[0-9A-F]{2}$`).MatchString(print) {
		t.Errorf("the fingerprint is %s", print)
	}
	path := filepath.Join(dir, FileName)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	same := func(name string, s *Source, want bool) {
		t.Helper()
		got := s.Current()
		if Fingerprint(got) == Fingerprint(first) != want {
			t.Errorf("%s: the certificate is the same: %v", name, !want)
		}
		if !got.PublicKey.(*ecdsa.PublicKey).Equal(first.PublicKey) {
			t.Errorf("%s: the key is another", name)
		}
	}
	same("after a restart", open(names...), true)
	same("with fewer names", open("stump"), true)
	same("without the address of today", open("stump", "2001:db8::8"), true)
	now = first.NotAfter.Add(-renew)
	same("a month before its end", s, true)
	now = now.Add(2 * time.Second)
	same("and less", s, false)
	if err := s.Current().VerifyHostname("stump.local"); err != nil || !s.Current().NotAfter.After(now.Add(life-time.Hour)) {
		t.Errorf("renewed until %v, %v", s.Current().NotAfter, err)
	}
	same("for another name", open("stump", "elsewhere"), false)
	now = time.Unix(0, 0)
	third := Fingerprint(open("stump", "elsewhere").Current())
	if now = day; Fingerprint(open("stump", "elsewhere").Current()) != third {
		t.Error("a clock that is not set yet makes another certificate")
	}
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if open(names...).Current().VerifyHostname("stump") != nil {
		t.Error("a damaged file is not replaced")
	}
}

// TestUnsetClock: one that was made before the clock was set is replaced when it is.
func TestUnsetClock(t *testing.T) {
	now := time.Unix(0, 0)
	s, err := Open(Options{Dir: t.TempDir(), Names: []string{"stump"}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	now = day
	if c := s.Current(); now.After(c.NotAfter) || now.Before(c.NotBefore) {
		t.Errorf("from %v to %v", c.NotBefore, c.NotAfter)
	}
}

// TestFiles: files are read again when they change, and while they do not fit each other
// the old ones go on.
func TestFiles(t *testing.T) {
	dir, now, log := t.TempDir(), day, new(testkit.Log)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	make := func(name string) (certPEM, keyPEM []byte) {
		t.Helper()
		other := t.TempDir()
		if _, err := Open(Options{Dir: other, Names: []string{name}, Now: func() time.Time { return now }}); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(other, FileName))
		if err != nil {
			t.Fatal(err)
		}
		block, rest := pem.Decode(raw)
		return pem.EncodeToMemory(block), rest
	}
	write := func(path string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * recent)
	}
	c1, k1 := make("one")
	write(cert, c1)
	write(key, k1)
	s, err := Open(Options{Certificate: cert, Key: key, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil || s.SelfMade() {
		t.Fatal(err)
	}
	is := func(when, name string) {
		t.Helper()
		got, err := s.Get(nil)
		if err != nil || got.Leaf.DNSNames[0] != name || s.Current() != got.Leaf {
			t.Errorf("%s it is for %v, %v", when, got.Leaf.DNSNames, err)
		}
	}
	is("at first", "one")
	c2, k2 := make("two")
	write(cert, c2)
	is("with half of the new one", "one")
	now = now.Add(time.Hour)
	is("an hour later", "one")
	if log.Count("the old one goes on") != 1 {
		t.Errorf("logged: %s", log)
	}
	write(key, k2)
	is("with both", "two")
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	is("without the file", "two")
	write(cert, c2)
	is("with the file again", "two")

	for name, o := range map[string]Options{
		"not there": {Certificate: filepath.Join(dir, "none"), Key: key}, "not a pair": {Certificate: cert, Key: cert},
	} {
		if _, err := Open(o); err == nil || hint.Of(err) == "" || !strings.HasPrefix(err.Error(), "certificate: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
