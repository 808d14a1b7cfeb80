package scripts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// figures runs scripts/figures over a project with these files, of which other tools
// say that there is one dead function and one tangled one.
func figures(t *testing.T, files map[string]string, args ...string) (printed string, passed bool) {
	t.Helper()
	c := checkout{t, t.TempDir()}
	script, err := os.ReadFile("figures")
	if err != nil {
		t.Fatal(err)
	}
	c.write("scripts/figures", string(script))
	c.write("scripts/deadcode", "#!/bin/sh\necho 'a/a.go:9:6: unreachable func: dead'\n")
	c.write(".tools/gocyclo", "#!/bin/sh\necho '16 a tangled a/a.go:7:1'\nexit 1\n")
	c.write(".tools/go", "#!/bin/sh\necho "+filepath.Join(c.dir, ".tools/gocyclo")+"\n")
	for name, text := range files {
		c.write(name, text)
	}
	cmd := exec.Command(filepath.Join(c.dir, "scripts/figures"), args...)
	cmd.Env = append(os.Environ(), "GO="+filepath.Join(c.dir, ".tools/go"))
	out, err := cmd.Output()
	return string(out), err == nil
}

// more is a number of lines.
func more(n int) string { return strings.Repeat("// more\n", n) }

// body is a function of so many lines.
func body(name string, n int) string {
	return "func " + name + "() {\n" + strings.Repeat("\t_ = 0\n", n-2) + "}\n"
}

func TestFigures(t *testing.T) {
	t.Parallel()
	printed, passed := figures(t, map[string]string{
		"a/a.go": "package a\n" + more(4000) + body("long", 61) + body("fits", 60) + "func one() {}\n",
		"a/names.go": `package a

const One, Two = 1, 2

var (
	Three, four = 3, 4
	Five        int
)

type Six[T any] struct {
	Field int
}

type seven struct{}

func Eight[T any](t T) {}

func nine() {}

func (s *Six[T]) Ten() {}

func (Six[T]) eleven() {}

func (seven) Twelve() {}
`,
		"a/a_test.go":            "package a\n" + more(499) + body("TestLong", 70),
		"a/testdata/x.go":        "package x\n" + more(5000),
		".hidden/x.go":           "package x\n" + more(5000),
		"checkout/ledger/l.go":   "package l\n" + more(7999),
		"checkout/l_test.go":     "package l\n" + more(8800),
		"cmd/stumplab/screen.go": "package main\n" + more(4500) + body("screen", 62),
	})
	for _, want := range []string{
		fmt.Sprintf("lines of code %50d\n", 1+4000+61+60+1+24+8000),
		"packages over 4000 lines of code (checkout/ledger: 8600, cmd/stump: 4400)       1   ≤ 0   FAIL\n  a  4147\n",
		// One, Two, Three, Five, Six, Eight and Six.Ten
		"exported names of the largest package, a                       7   ≤ 120\n",
		"lines that deadcode prints                                     1   ≤ 0   FAIL\n  a/a.go:9:6: unreachable func: dead\n",
		"lines of tests for each line of code                        0.77   ≥ 0.75\n",
		"  a                               570 tests   4147 code\n",
		"functions over 60 lines                                        2   ≤ 0   FAIL\n  62  cmd/stumplab/screen.go:4502\n  61  a/a.go:4002\n",
		"functions with a cyclomatic number over 15                     1   ≤ 15\n  16 a tangled a/a.go:7:1\n",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in\n%s", want, printed)
		}
	}
	if passed {
		t.Error("it passed")
	}
}

// TestFiguresForLint prints only what lint enforces and what is over its limit.
func TestFiguresForLint(t *testing.T) {
	t.Parallel()
	printed, passed := figures(t, map[string]string{"a/a.go": "package a\n" + more(50_000)}, "-lint")
	for _, want := range []string{"packages over", "lines that deadcode prints"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in\n%s", want, printed)
		}
	}
	if passed || strings.Contains(printed, "lines of code   ") || strings.Contains(printed, "functions") {
		t.Errorf("passed: %v\n%s", passed, printed)
	}
}
