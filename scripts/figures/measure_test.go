package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// lines returns a file of a package with that many lines.
func lines(n int) string { return "package p\n" + strings.Repeat("// more\n", n-1) }

// named returns the figure whose name begins so.
func named(t *testing.T, figures []figure, name string) figure {
	t.Helper()
	for _, f := range figures {
		if strings.HasPrefix(f.name, name) {
			return f
		}
	}
	t.Fatalf("there is no figure %q", name)
	return figure{}
}

func TestLinesLeaveOutTheScreen(t *testing.T) {
	t.Parallel()
	figures := measure(scanned(t, repository(
		"a/a.go", lines(100), "a/a_test.go", lines(50),
		"b/b.go", lines(300), "b/b_test.go", lines(250),
		"cmd/stumplab/main.go", lines(1000), "cmd/stumplab/main_test.go", lines(9000),
		"t/t_test.go", lines(20),
	)), nil)
	if f := named(t, figures, "lines of code"); f.value != 400 || f.limit != maxCode || !f.within() {
		t.Errorf("lines of code: %+v", f)
	}
	f := named(t, figures, "lines of tests")
	if f.value != 0.8 || f.limit != minTests || !f.within() {
		t.Errorf("lines of tests: %+v", f)
	}
	if len(f.details) != 2 || !strings.HasPrefix(f.details[0], "a  ") || !strings.Contains(f.details[0], "0.50") {
		t.Errorf("the least tested package does not come first: %q", f.details)
	}
}

func TestLargePackages(t *testing.T) {
	t.Parallel()
	figures := measure(scanned(t, repository(
		"a/a.go", lines(maxPackage),
		"b/b.go", lines(maxPackage), "b/more.go", lines(1), "b/b_test.go", lines(5000),
		"checkout/ledger/a.go", lines(larger["checkout/ledger"]),
	)), nil)
	f := named(t, figures, "packages over")
	if f.value != 1 || f.within() || len(f.details) != 1 || !strings.HasPrefix(f.details[0], "b  ") {
		t.Errorf("large packages: %+v", f)
	}
	figures = measure(scanned(t, repository("checkout/ledger/a.go", lines(larger["checkout/ledger"]+1))), nil)
	if f := named(t, figures, "packages over"); f.value != 1 {
		t.Errorf("a package over its own limit: %+v", f)
	}
}

func TestExportsOfTheLargest(t *testing.T) {
	t.Parallel()
	root := fstest.MapFS{}
	for i := range 7 {
		text := "package p\n"
		for n := range i {
			text += fmt.Sprintf("var Name%d int\n", n)
		}
		root[fmt.Sprintf("p%d/p.go", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	f := named(t, measure(scanned(t, root), nil), "exported names")
	if f.value != 6 || len(f.details) != 5 || !strings.HasPrefix(f.details[0], "p6 ") || !strings.HasPrefix(f.details[4], "p2 ") {
		t.Errorf("exported names: %+v", f)
	}
}

// TestFunctionsOverALimit counts functions of the lab's screen, but not tests.
func TestFunctionsOverALimit(t *testing.T) {
	t.Parallel()
	long := func(name string, n int) string { return "func " + name + "() {\n" + strings.Repeat("\n", n-2) + "}\n" }
	branches := func(name string, n int) string {
		return "func " + name + "() {\n" + strings.Repeat("if a {}; ", n-1) + "\n}\n"
	}
	figures := measure(scanned(t, repository(
		"a/a.go", "package a\n"+long("fits", maxLines)+long("long", maxLines+1)+branches("simple", maxComplexity)+branches("tangled", maxComplexity+1),
		"a/a_test.go", "package a\n"+long("TestLong", 100)+branches("TestTangled", 100),
		"cmd/stumplab/main.go", "package main\n"+long("longer", maxLines+2),
	)), nil)
	f := named(t, figures, "functions over")
	if f.value != 2 || len(f.details) != 2 || f.details[0] != "  62  longer  cmd/stumplab/main.go:2" || f.details[1] != "  61  long  a/a.go:62" {
		t.Errorf("long functions: %+v", f)
	}
	f = named(t, figures, "functions with")
	if f.value != 1 || !strings.HasPrefix(f.details[0], "  16  tangled  a/a.go:") || !f.within() {
		t.Errorf("tangled functions: %+v", f)
	}
}

func TestWithinIncludesTheLimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		figure
		want bool
	}{
		{figure{value: 3, limit: 3}, true},
		{figure{value: 4, limit: 3}, false},
		{figure{value: 0.75, limit: 0.75, ratio: true}, true},
		{figure{value: 0.74, limit: 0.75, ratio: true}, false},
	}
	for _, tc := range tests {
		if got := tc.within(); got != tc.want {
			t.Errorf("%+v: within is %v", tc.figure, got)
		}
	}
}

// TestRun prints every figure, and for lint only those over a limit that lint
// enforces.
func TestRun(t *testing.T) {
	t.Parallel()
	good := repository("a/a.go", "package a\n", "a/a_test.go", "package a\n")
	untested := repository("a/a.go", "package a\n") // not for lint
	large := repository("a/a.go", lines(maxPackage+1), "a/a_test.go", lines(maxPackage))
	dead := make([]string, maxDead+1)
	for i := range dead {
		dead[i] = fmt.Sprintf("a.go:%d: unreachable func\n", i+1)
	}
	tests := []struct {
		name   string
		root   fstest.MapFS
		dead   []string
		lint   bool
		passed bool
		prints []string
	}{
		{"good", good, nil, false, true, []string{"lines of code  ", "   1   ≤ 41000\n", "   1.00   ≥ 0.75\n"}},
		{"good for lint", good, nil, true, true, nil},
		{"untested", untested, nil, false, false, []string{"0.00   ≥ 0.75   FAIL\n  a  "}},
		{"untested for lint", untested, nil, true, true, nil},
		{"large for lint", large, nil, true, false, []string{"packages over 4000 lines of code ", "1   ≤ 0   FAIL\n  a  ", " 4001 lines, may have 4000\n"}},
		{"dead", good, dead, false, false, []string{"FAIL\n  a.go:1: unreachable func\n"}},
		{"dead for lint", good, dead, true, false, []string{"lines that deadcode prints", "FAIL\n  a.go:1: unreachable func\n"}},
	}
	for _, tc := range tests {
		var out bytes.Buffer
		passed, err := run(&out, tc.root, tc.dead, tc.lint)
		if err != nil || passed != tc.passed {
			t.Errorf("%s: passed is %v, %v\n%s", tc.name, passed, err, out.String())
		}
		rest := out.String()
		for _, words := range tc.prints {
			_, after, ok := strings.Cut(rest, words)
			if !ok {
				t.Errorf("%s: %q is not in its place in\n%s", tc.name, words, out.String())
			}
			rest = after
		}
		if tc.lint && tc.prints == nil && rest != "" {
			t.Errorf("%s: prints\n%s", tc.name, rest)
		}
	}
	if _, err := run(&bytes.Buffer{}, repository("a/a.go", "broken"), nil, false); err == nil {
		t.Error("a broken file is no error")
	}
}
