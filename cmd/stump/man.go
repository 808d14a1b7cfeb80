//go:build man

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"stump/internal/config"
	"stump/scripts/package/man"
)

// With the tag man the program can write its manual pages: `stump man FOLDER`.
func init() {
	if len(os.Args) != 3 || os.Args[1] != "man" {
		return
	}
	pages := man.Program{
		Root: root(&globals{}), Version: version, See: []string{"stump.toml(5)"},
		Files: [][2]string{
			{"/etc/stump/stump.toml", "The configuration."},
			{"/var/lib/stump", "The state of the service: the ledger, the site key, backups."},
			{"/run/stump/stump.sock", "Where commands ask the service."},
		},
	}
	err := pages.Write(os.Args[2])
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Args[2], "stump.toml.5"), []byte(pages.File("stump.toml", "Configuration of stump",
			"The file is TOML. Each key has a default; a file may lack all of them but the lines of a reader. `stump config check` finds mistakes, and `stump config show` prints what is so now.",
			config.Example())), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
