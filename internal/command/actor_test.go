package command

import (
	"os"
	"os/user"
	"testing"
)

// TestActor: the history names who typed sudo, and not root; nobody else can
// name another by the environment.
func TestActor(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUDO_USER", "ann")
	want := u.Username
	if os.Getuid() == 0 {
		want = "ann"
	}
	if got := Actor(); got != want {
		t.Errorf("%q acts, want %q", got, want)
	}
	t.Setenv("SUDO_USER", "")
	if got := Actor(); got != u.Username {
		t.Errorf("%q acts without sudo, want %q", got, u.Username)
	}
}
