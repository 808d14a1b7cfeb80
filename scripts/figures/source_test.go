package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// repository returns a file system with these files: name, text, name, text …
func repository(files ...string) fstest.MapFS {
	root := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		root[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return root
}

func scanned(t *testing.T, root fstest.MapFS) []*folder {
	t.Helper()
	folders, err := scan(root)
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

func TestScanCountsLines(t *testing.T) {
	t.Parallel()
	folders := scanned(t, repository(
		"b/b.go", "package b\n\n// a comment\nvar x = 1\n",
		"b/more.go", "//go:build windows\n\npackage b\n",
		"b/b_test.go", "package b\n\n",
		"b/b_fixture_test.go", "//go:build fixture\n\npackage b\n",
		"b/notes.txt", "not Go\n",
		"b/testdata/t.go", "package t\n",
		"a/c/c.go", "package c\n",
		".cache/x.go", "package x\n",
		"only/only_test.go", "package only\n",
	))
	var got []string
	for _, f := range folders {
		got = append(got, f.dir)
	}
	if want := []string{"a/c", "b", "only"}; !slices.Equal(got, want) {
		t.Fatalf("folders %v, want %v", got, want)
	}
	if b := folders[1]; b.code != 4+3 || b.tests != 2+3 {
		t.Errorf("b has %d lines of code and %d of tests, want 7 and 5", b.code, b.tests)
	}
	if only := folders[2]; only.code != 0 || only.tests != 1 {
		t.Errorf("only has %d lines of code and %d of tests, want 0 and 1", only.code, only.tests)
	}
}

func TestScanSaysWhereAFileIsBroken(t *testing.T) {
	t.Parallel()
	_, err := scan(repository("a/a.go", "package a\n\nfunc {\n"))
	if err == nil || !strings.Contains(err.Error(), "a/a.go:3:") {
		t.Errorf("the error is %v", err)
	}
}

func TestExportedNames(t *testing.T) {
	t.Parallel()
	folders := scanned(t, repository(
		"a/a.go", `package a

const (
	One, two = 1, 2
	_        = 3
)

var Global, hidden int

type Shown struct{ Field int }
type Generic[K, V any] struct{}
type secret struct{}

func Do()                     {}
func do()                     {}
func (Shown) Value()          {}
func (*Shown) Pointer()       {}
func (*Shown) private()       {}
func (*Generic[K, V]) Method() {}
func (secret) Unreachable()   {}
`,
		// The same name for another system is the same name.
		"a/a_windows.go", "package a\n\nfunc Do() {}\n",
		"a/a_test.go", "package a\n\nfunc TestDo() {}\n",
	))
	got := slices.Sorted(maps.Keys(folders[0].exported))
	want := []string{"Do", "Generic", "Generic.Method", "Global", "One", "Shown", "Shown.Pointer", "Shown.Value"}
	if !slices.Equal(got, want) {
		t.Errorf("exported are\n%v, want\n%v", got, want)
	}
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	folders := scanned(t, repository("a/a.go", `package a

// Comments above a function are not in it.
func one() {}

func (l *List[T]) three() {
	// but those inside are
}

func elsewhere()
`, "a/a_test.go", "package a\n\nfunc TestIt() {\n}\n"))
	want := []function{
		{file: "a/a.go", line: 4, name: "one", lines: 1, complexity: 1},
		{file: "a/a.go", line: 6, name: "List.three", lines: 3, complexity: 1},
	}
	if got := folders[0].funcs; !slices.Equal(got, want) {
		t.Errorf("functions\n%v, want\n%v", got, want)
	}
}

// TestComplexity has the numbers that gocyclo prints for the same functions.
func TestComplexity(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       int
	}{
		{"empty", ``, 1},
		{"if and else", `if a { return } else { return }`, 2},
		{"else if", `if a { return } else if b { return }`, 3},
		{"loops", `for a { }; for i := 0; i < 3; i++ { }; for range 3 { }`, 4},
		{"operators", `_ = a && b || !a; _ = 1 + 2 | 3`, 3},
		{"switch", `switch { case a: case b, !b: default: }`, 3},
		{"type switch", `switch any(a).(type) { case int: case nil: }`, 3},
		{"select", `select { case <-c: case c <- 1: default: }`, 3},
		{"literal", `f := func() { if a { return }; for { } }; f()`, 3},
		{"goto", `again: if a { goto again }`, 2},
		{"nested", `if a { if b { for { } } }`, 4},
	}
	for _, tc := range tests {
		text := "package p\n\nfunc f() {\n" + tc.body + "\n}\n"
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := complexity(file.Decls[0].(*ast.FuncDecl)); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}
