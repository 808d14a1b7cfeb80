package command

import (
	"os"
	"os/user"
)

// Actor is the admin at the keyboard, who may have become root for it.
func Actor() string {
	if name := os.Getenv("SUDO_USER"); name != "" && os.Getuid() == 0 {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
