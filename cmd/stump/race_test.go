//go:build race

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The race detector needs some times as much memory and time.
func init() {
	flat *= 5
	commands = commandsUnderRace
}

// commandsUnderRace puts a stump on the path that is under the race detector
// where it has goroutines, and else what ships: a program under the detector
// takes a tenth of a second to start, and the scripts start a thousand.
func commandsUnderRace(dir string) error {
	raced, err := exec.LookPath("stump")
	if err != nil {
		return err
	}
	plain := filepath.Join(dir, "plain", "stump")
	build := exec.Command("go", "build", "-trimpath", "-o", plain, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the Makefile builds: from its cache
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	script := fmt.Sprintf(`#!/bin/sh
case " $* " in *" run "* | *" selftest "*) exec '%s' "$@" ;; esac
exec '%s' "$@"
`, raced, plain)
	if err := os.WriteFile(filepath.Join(dir, "stump"), []byte(script), 0o755); err != nil {
		return err
	}
	return os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}
