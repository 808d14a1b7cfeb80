package call

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stump/checkout"
)

func TestPlain(t *testing.T) {
	if got := Plain(" a\x00b\r\n\tc\u202e " + strings.Repeat("x", 200)); !strings.HasPrefix(got, "a b c x") || len([]rune(got)) > 120 {
		t.Errorf("plain = %q", got)
	}
}

// What is not a badge is reported without its number, and "n/a" is nobody's badge 0.
func TestNumbersThatAreNone(t *testing.T) {
	n, err := Badges{Transform: []string{"digits", "strip-zeros"}, Form: "H10301:17:{}"}.Numbers(func(s string) (checkout.Tag, error) {
		if s != "H10301:17:91234" {
			return checkout.Tag{}, errors.New(s + " is larger than any")
		}
		return checkout.TagFromUint64(91234, 26), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tag, err := n.read(" 0091-234 "); tag != checkout.TagFromUint64(91234, 26) || err != nil {
		t.Errorf("%v, %v", tag, err)
	}
	for value, want := range map[string]string{"N/A": "no digit in it", "991234": `it does not fit badge_form "H10301:17:{}"`} {
		if tag, err := n.read(value); !tag.IsZero() || err == nil || err.Error() != want {
			t.Errorf("%q: %v, %v, want %q", value, tag, err, want)
		}
	}
}

func TestCredentialsFromSystemd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("sesame\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if v, err := Secret("token").Read(); v != "sesame" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "two"), []byte("a\nb\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	for _, name := range []Secret{"two", "missing"} {
		if _, err := name.Read(); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
