package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestCode(t *testing.T) {
	c := Code{URL: "https://hub.example:8443", Pin: bytes.Repeat([]byte{7}, 32), ID: "k3", Secret: []byte("0123456789abcdef0123")}
	got, err := ParseCode("  " + c.String() + "\n")
	if err != nil || got.URL != c.URL || !bytes.Equal(got.Pin, c.Pin) || got.ID != c.ID || !bytes.Equal(got.Secret, c.Secret) {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.Bearer() != c.Bearer() || !strings.HasPrefix(c.Bearer(), "k3.") {
		t.Errorf("the bearer is %q and %q", c.Bearer(), got.Bearer())
	}
	sealed := c.Seal([]byte("the site key"))
	if key, err := got.Open(sealed); err != nil || string(key) != "the site key" {
		t.Errorf("opened %q, %v", key, err)
	}
	other := c
	other.Secret = []byte("0123456789abcdef0124")
	if _, err := other.Open(sealed); err == nil {
		t.Error("another code opened it")
	}
	if other.Bearer() == c.Bearer() || bytes.Contains([]byte(c.Bearer()), c.Secret) {
		t.Error("the bearer tells the secret, or not whose it is")
	}
	if _, err := c.Open(sealed[:5]); err == nil {
		t.Error("a cut key was opened")
	}
}

func TestNoCode(t *testing.T) {
	for _, word := range []string{"", "stump-", "stump-!!", "stump-e30", "hello", Code{URL: "https://h", ID: "a", Secret: []byte("short")}.String()} {
		if c, err := ParseCode(word); err == nil {
			t.Errorf("%q is %+v", word, c)
		}
	}
}
