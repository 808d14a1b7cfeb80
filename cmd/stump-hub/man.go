//go:build man

package main

import (
	"fmt"
	"os"

	"stump/internal/hub"
	"stump/scripts/package/man"
)

// With the tag man the program can write its manual pages: `stump-hub man FOLDER`.
func init() {
	if len(os.Args) != 3 || os.Args[1] != "man" {
		return
	}
	program := root()
	program.InitDefaultCompletionCmd()
	pages := man.Program{
		Root: program, Version: version,
		Files: [][2]string{
			{hub.DefaultConfig, "The configuration: which PostgreSQL, and where stations reach the hub."},
			{"/var/lib/stump-hub", "The keys of the hub and of its labs."},
		},
	}
	if err := pages.Write(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
