package call

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Secret is the name of a file with a token or key. It is read whenever it is
// used, so that a new one takes effect at once, and never kept, so that it reaches
// no log.
type Secret string

// Path finds the file: a name without a slash is a systemd credential
// (LoadCredential=, systemd.exec(5)).
func (s Secret) Path() string {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && !strings.Contains(string(s), "/") {
		return filepath.Join(dir, string(s))
	}
	return string(s)
}

// Read returns the secret without the white space around it.
func (s Secret) Read() (string, error) {
	b, err := os.ReadFile(s.Path())
	if err != nil {
		return "", fmt.Errorf("reading the secret: %w", err)
	}
	v := strings.TrimSpace(string(b))
	if v == "" || strings.ContainsAny(v, "\r\n") {
		return "", fmt.Errorf("the secret in %s must be one line: %w", s.Path(), os.ErrNotExist)
	}
	return v, nil
}

// Exposed reports whether others on the board may read the file.
func (s Secret) Exposed() bool {
	fi, err := os.Stat(s.Path())
	return err == nil && fi.Mode().Perm()&0o077 != 0
}
