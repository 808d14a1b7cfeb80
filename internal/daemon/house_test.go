package daemon

import (
	"go/build"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHouse holds docs/development.md to what each package really imports of the
// others, and the packages to what the page allows.
func TestHouse(t *testing.T) {
	const root = "../.."
	doc, err := os.ReadFile(filepath.Join(root, "docs/development.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, house, ok := strings.Cut(string(doc), "\n## The house\n")
	house, _, ok2 := strings.Cut(house, "\n## ")
	if !ok || !ok2 {
		t.Fatal("the page has no chapter on the house")
	}
	var above []string
	quoted := regexp.MustCompile("`([a-z/-]+)`")
	for line := range strings.Lines(house) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		name := quoted.FindStringSubmatch(cells[1])[1]
		pkg, err := build.ImportDir(filepath.Join(root, name), 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, path := range pkg.Imports {
			if of, ok := strings.CutPrefix(path, "stump/"); ok {
				got = append(got, of)
			}
		}
		if strings.TrimSpace(cells[3]) == "all above" {
			for _, p := range got {
				if !slices.Contains(above, p) {
					t.Errorf("%s imports %s, which does not stand above it", name, p)
				}
			}
		} else {
			var want []string
			for _, m := range quoted.FindAllStringSubmatch(cells[3], -1) {
				want = append(want, m[1])
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s imports %v, and the page says %v", name, got, want)
			}
		}
		above = append(above, name)
	}
	if len(above) < 19 {
		t.Errorf("the page lists %d packages: %v", len(above), above)
	}
}
