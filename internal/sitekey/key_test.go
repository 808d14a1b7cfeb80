package sitekey

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/checkout"
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.key")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	a, b := strings.Repeat("0a", Len), strings.Repeat("B1", Len)
	for _, tt := range []struct {
		name, content string
		current       byte
		old           []byte
		want          string // of the error
	}{
		{"one", a + "\n", 0x0a, nil, ""},
		{"no newline at the end", a, 0x0a, nil, ""},
		{"an old one", a + "\n" + b + "\n", 0x0a, []byte{0xb1}, ""},
		{"two old ones", b + "\n" + a + "\n" + b, 0xb1, []byte{0x0a, 0xb1}, ""},
		{"comments, spaces, empty lines, CRLF", "# mine\r\n\r\n  " + a + " \r\n#" + b + "\r\n", 0x0a, nil, ""},
		{"empty", "", 0, nil, "site.key: no site key in it"},
		{"comments only", "# " + a + "\n\n", 0, nil, "site.key: no site key in it"},
		{"too short", a[:2*Len-2] + "\n", 0, nil, "site.key:1: a site key is 64 hexadecimal digits"},
		{"too long", a + "00\n", 0, nil, "site.key:1: a site key is 64 hexadecimal digits"},
		{"half a byte", a[:2*Len-1] + "\n", 0, nil, "site.key:1: a site key is 64 hexadecimal digits"},
		{"not hexadecimal", "# mine\n" + a[:2*Len-1] + "g\n", 0, nil, "site.key:2: a site key is 64 hexadecimal digits"},
		{"a bad old one", a + "\n\nsecret\n", 0, nil, "site.key:3: a site key is 64 hexadecimal digits"},
		{"two on a line", a + " " + b + "\n", 0, nil, "site.key:1: a site key is 64 hexadecimal digits"},
	} {
		keys, err := Load(file(t, tt.content))
		if tt.want != "" {
			if err == nil || !strings.HasSuffix(err.Error(), tt.want) || keys.Current != nil {
				t.Errorf("%s: %v, %v, want %s", tt.name, keys, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), a[:8]) {
				t.Errorf("%s: the error has a part of the key: %v", tt.name, err)
			}
			continue
		}
		if err != nil || !bytes.Equal(keys.Current, bytes.Repeat([]byte{tt.current}, Len)) || len(keys.Old) != len(tt.old) {
			t.Errorf("%s: %x, %v", tt.name, keys, err)
			continue
		}
		for i, k := range keys.Old {
			if !bytes.Equal(k, bytes.Repeat(tt.old[i:i+1], Len)) {
				t.Errorf("%s: the %d. old one is %x", tt.name, i, k)
			}
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestLoadOrCreate makes a key once, for its owner only.
func TestLoadOrCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.key")
	first, err := LoadOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	again, err := LoadOrCreate(path)
	if err != nil || !bytes.Equal(again.Current, first.Current) || len(again.Old) != 0 || len(first.Current) != Len {
		t.Errorf("%x, then %x, %v", first, again, err)
	}
	// An admin rotates the key by writing a new one above it.
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	next := New()
	if err := os.WriteFile(path, fmt.Appendf(nil, "%x\n%s", next, old), 0o600); err != nil {
		t.Fatal(err)
	}
	rotated, err := LoadOrCreate(path)
	if err != nil || !bytes.Equal(rotated.Current, next) || len(rotated.Old) != 1 || !bytes.Equal(rotated.Old[0], first.Current) {
		t.Errorf("rotated: %x, %v", rotated, err)
	}
	// A file that can't be read is kept: a new key would find no tag.
	bad := file(t, "secret\n")
	if _, err := LoadOrCreate(bad); err == nil {
		t.Error("a bad key file is accepted")
	}
	if b, _ := os.ReadFile(bad); string(b) != "secret\n" {
		t.Errorf("the bad file was replaced by %q", b)
	}
	if _, err := LoadOrCreate(filepath.Join(path, "site.key")); err == nil {
		t.Error("a key was made below a file")
	}
	if bytes.Equal(New(), New()) {
		t.Error("two new keys are equal")
	}
}

func ring(t testing.TB, current []byte, old ...[]byte) *Ring {
	t.Helper()
	r, err := NewRing(current, old)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestValues: ledgers hold these values, so they must never change.
func TestValues(t *testing.T) {
	r := ring(t, bytes.Repeat([]byte{7}, Len))
	tag := checkout.Tag{Bits: 26, Value: [16]byte{15: 0xb5, 14: 0xf2, 13: 0xa8}}
	for name, v := range map[string]struct {
		got  []byte
		want string
	}{
		"look-up": {r.Find(tag, 0), "47c0dc54b214fa4ba4caae67cc6f3005"},
		"check":   {r.Check(0), "8acb5a7aa68ccc30"},
		"person":  {r.Whose("ann", 0), "2877235cec8b37584891f03926a3ea6e"},
	} {
		if hex.EncodeToString(v.got) != v.want {
			t.Errorf("%s: %x, want %s", name, v.got, v.want)
		}
	}
	sealed, _ := hex.DecodeString("aab3f9b46cd565c3cd5a54e0f40e3f1ce1d23cb0e826169b9e010b715d51cad7dab1d90f1687fa30ffeefe424f")
	if got, err := r.Unseal(r.Find(tag, 0), sealed); err != nil || got != tag {
		t.Errorf("unsealed %v, %v", got, err)
	}
}

func TestRingRefusesKeys(t *testing.T) {
	good := New()
	for name, keys := range map[string][][]byte{
		"none": {nil}, "short": {good[1:]}, "long": {append(good, 0)}, "a short old one": {good, good, good[:16]},
	} {
		if _, err := NewRing(keys[0], keys[1:]); err == nil || err.Error() != "a site key has 32 bytes, not "+fmt.Sprint(len(keys[len(keys)-1])) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func drawTag(t *rapid.T, name string) checkout.Tag {
	tag := checkout.Tag{Bits: uint8(rapid.IntRange(1, 128).Draw(t, name+" bits"))}
	copy(tag.Value[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name+" value"))
	return tag
}

// TestRoundTrip: what is sealed opens under the key it was sealed with, for its own
// tag, as long as not one bit of it has changed.
func TestRoundTrip(t *testing.T) {
	before, now, other := New(), New(), New()
	old, rotated, stranger := ring(t, before), ring(t, now, before), ring(t, other)
	rapid.Check(t, func(t *rapid.T) {
		tag, another := drawTag(t, "tag"), drawTag(t, "another")
		sealed := old.Seal(tag)
		lookup := old.Find(tag, 0)
		if got, err := old.Unseal(lookup, sealed); err != nil || got != tag {
			t.Fatalf("%v is unsealed as %v, %v", tag, got, err)
		}
		if got, err := rotated.Unseal(lookup, sealed); err != nil || got != tag || !bytes.Equal(rotated.Find(tag, 1), lookup) {
			t.Fatalf("under an old key %v is %v, %v", tag, got, err)
		}
		if bytes.Equal(rotated.Find(tag, 0), lookup) || bytes.Equal(sealed, old.Seal(tag)) {
			t.Fatal("two keys, or two seals, give the same")
		}
		if bytes.Contains(sealed, tag.Value[:]) {
			t.Fatal("the number is in the seal")
		}
		flipped := bytes.Clone(sealed)
		flipped[rapid.IntRange(0, len(sealed)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		short := sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "length")]
		for name, refused := range map[string]error{
			"a changed seal": second(old.Unseal(lookup, flipped)),
			"a cut seal":     second(old.Unseal(lookup, short)),
			"another key":    second(stranger.Unseal(lookup, sealed)),
			"no look-up":     second(old.Unseal(nil, sealed)),
		} {
			if refused == nil {
				t.Fatalf("%s opens", name)
			}
		}
		if tag != another {
			if _, err := old.Unseal(old.Find(another, 0), sealed); err == nil || bytes.Equal(old.Find(another, 0), lookup) {
				t.Fatalf("the seal of %v opens for %v", tag, another)
			}
		}
	})
}

func second(_ checkout.Tag, err error) error { return err }

// TestDomains: a tag, a person and the check of a key never have the same value.
func TestDomains(t *testing.T) {
	r := ring(t, New(), New())
	seen := map[string]string{}
	for i := range 2 {
		for name, v := range map[string][]byte{
			"check": r.Check(i), "ann": r.Whose("ann", i), "an id that is 'check'": r.Whose("check", i), "no id": r.Whose("", i),
			"a tag": r.Find(checkout.Tag{Bits: 1}, i), "a longer tag": r.Find(checkout.Tag{Bits: 2}, i),
		} {
			if other, twice := seen[string(v[:8])]; twice {
				t.Errorf("%s under key %d is %s", name, i, other)
			}
			seen[string(v[:8])] = name
		}
	}
}
