package directory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// secret is a token or key that lives in a file. It is read when it is used, so
// that a new one counts at once, and it is in no log, since it is never held.
type secret string

// path finds the file: a name without a slash is a systemd credential
// (LoadCredential=, systemd.exec(5)).
func (s secret) path() string {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && !strings.Contains(string(s), "/") {
		return filepath.Join(dir, string(s))
	}
	return string(s)
}

// read returns the secret without the white space around it.
func (s secret) read() (string, error) {
	b, err := os.ReadFile(s.path())
	if err != nil {
		return "", fmt.Errorf("reading the secret: %w", err)
	}
	v := strings.TrimSpace(string(b))
	if v == "" || strings.ContainsAny(v, "\r\n") {
		return "", fmt.Errorf("the secret in %s must be one line: %w", s.path(), os.ErrNotExist)
	}
	return v, nil
}

// exposed says whether others on the board may read the file.
func (s secret) exposed() bool {
	fi, err := os.Stat(s.path())
	return err == nil && fi.Mode().Perm()&0o077 != 0
}
