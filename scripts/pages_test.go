package scripts

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks follows every relative link of every page.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	pages := 0
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"): // what pages are made from lies there
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".md":
			return nil
		}
		pages++
		text, err := os.ReadFile(filepath.Join("..", name))
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join("..", filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
		return err
	})
	if err != nil || pages < 20 {
		t.Errorf("%d pages, %v", pages, err)
	}
}

// TestDecisionsAreListed wants each decision in the index, under its title.
func TestDecisionsAreListed(t *testing.T) {
	t.Parallel()
	index, err := os.ReadFile("../docs/decisions/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../docs/decisions/0*.md")
	if err != nil || len(files) == 0 {
		t.Fatal("no decisions", err)
	}
	for i, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		heading, _, _ := strings.Cut(string(text), "\n")
		title, ok := strings.CutPrefix(heading, fmt.Sprintf("# %d. ", i+1))
		if row := fmt.Sprintf("| %d | [%s](%s) |", i+1, title, filepath.Base(name)); !ok || !strings.Contains(string(index), row) {
			t.Errorf("the index lacks %s", row)
		}
		for _, part := range []string{"**Question.** ", "**Decision.** ", "**Why.**", "**Cost.**"} {
			if !strings.Contains(string(text), "\n"+part) {
				t.Errorf("%s lacks %s", name, part)
			}
		}
	}
}
