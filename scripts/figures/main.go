// Command figures prints how large and how tangled this repository is, each
// figure beside its limit, and fails where one is over it.
//
//	figures [-lint]
//
// Run it from the repository's root. With -lint it checks only what `make lint`
// enforces, and prints only what is over a limit.
package main

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	lint := flag.Bool("lint", false, "check only dead code, long functions and large packages")
	flag.Parse()
	passed := false
	dead, err := deadCode()
	if err == nil {
		passed, err = run(os.Stdout, os.DirFS("."), dead, *lint)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
	}
	if !passed {
		os.Exit(1)
	}
}

// run prints the figures of the repository in root and reports whether all are
// within their limits.
func run(w io.Writer, root fs.FS, dead []string, lint bool) (passed bool, err error) {
	folders, err := scan(root)
	if err != nil {
		return false, err
	}
	figures := measure(folders, dead)
	if lint {
		figures = slices.DeleteFunc(figures, func(f figure) bool { return !f.lint || f.within() })
	}
	passed = true
	for _, f := range figures {
		f.print(w)
		passed = passed && f.within()
	}
	return passed, nil
}

// deadCode returns what scripts/deadcode prints, a function a line.
func deadCode() ([]string, error) {
	cmd := exec.Command("scripts/deadcode")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("scripts/deadcode: %w", err)
	}
	return slices.Collect(strings.Lines(string(out))), nil
}

// figure is one number and its limit.
type figure struct {
	name    string
	value   float64
	limit   float64
	ratio   bool // the limit is a minimum, and two decimals matter
	lint    bool // `make lint` enforces it
	details []string
}

func (f figure) within() bool {
	if f.ratio {
		return f.value >= f.limit
	}
	return f.value <= f.limit
}

func (f figure) print(w io.Writer) {
	row, verdict := "%-56s %7.0f   ≤ %.0f%s\n", ""
	if f.ratio {
		row = "%-56s %7.2f   ≥ %.2f%s\n"
	}
	if !f.within() {
		verdict = "   FAIL"
	}
	fmt.Fprintf(w, row, f.name, f.value, f.limit, verdict)
	for _, d := range f.details {
		fmt.Fprintln(w, "  "+strings.TrimRight(d, "\n"))
	}
}
