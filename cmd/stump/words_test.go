package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// literals calls f with every string of the product's source.
func literals(t *testing.T, f func(where, s string)) {
	t.Helper()
	const top = "../.."
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != top || d.Name() == "testdata" || d.Name() == "scripts") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					f(set.Position(lit.Pos()).String(), s)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// commandIn finds commands that a text tells somebody to type.
var commandIn = regexp.MustCompile("`(?:sudo )?stump ([^`]*)`")

// TestHintsNameWhatExists: whoever follows a hint must not meet another error.
func TestHintsNameWhatExists(t *testing.T) {
	found := 0
	literals(t, func(where, s string) {
		for _, m := range commandIn.FindAllStringSubmatch(s, -1) {
			found++
			if why := unusable(m[1]); why != "" {
				t.Errorf("%s: `stump %s`: %s", where, m[1], why)
			}
		}
	})
	if found < 20 {
		t.Errorf("found only %d commands in all texts", found)
	}
}

// unusable says why a command line can't be meant, as far as its words tell.
func unusable(line string) string {
	words := strings.Fields(line)
	cmd := root(&globals{})
	for len(words) > 0 && cmd.HasSubCommands() {
		var next *cobra.Command
		for _, sub := range cmd.Commands() {
			if sub.Name() == words[0] {
				next = sub
			}
		}
		if next == nil {
			break
		}
		cmd, words = next, words[1:]
	}
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") && cmd.HasSubCommands() {
		return words[0] + " is not a command of " + cmd.CommandPath()
	}
	for _, w := range words {
		name, ok := strings.CutPrefix(w, "--")
		name, _, _ = strings.Cut(name, "=")
		if ok && name != "help" && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
			return cmd.CommandPath() + " has no flag --" + name
		}
	}
	return ""
}

// TestDocumentsExist looks for every page that a text sends somebody to.
func TestDocumentsExist(t *testing.T) {
	page := regexp.MustCompile(`docs/[a-z-]+\.md`)
	seen := map[string]bool{}
	look := func(where, s string) {
		for _, p := range page.FindAllString(s, -1) {
			if _, err := os.Stat(filepath.Join("../..", p)); err != nil && !seen[p] {
				t.Errorf("%s names %s, which is not there", where, p)
			}
			seen[p] = true
		}
	}
	literals(t, look)
	example, err := os.ReadFile("../../internal/config/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	look("example.toml", string(example))
}

// TestHelp reads every command's help: it has a sentence, without a full stop,
// and names its arguments.
func TestHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		switch {
		case c.Hidden:
			return
		case c.Short == "":
			t.Errorf("%s has no short help", c.CommandPath())
		case strings.HasSuffix(c.Short, ".") || strings.ToUpper(c.Short[:1]) != c.Short[:1]:
			t.Errorf("%s: %q: a capital, and no full stop", c.CommandPath(), c.Short)
		}
		for line := range strings.Lines(c.Long) {
			if len([]rune(line)) > 100 {
				t.Errorf("%s: a line of its help is longer than 100: %q", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root(&globals{}))
}
