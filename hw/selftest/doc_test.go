package selftest

import (
	"flag"
	"os"
	"strings"
	"testing"

	"stump/internal/testkit"
)

var update = flag.Bool("update", false, "write docs/selftest.md and testdata anew")

// TestSelftestDocument keeps docs/selftest.md as the program speaks:
// go test ./hw/selftest -run TestSelftestDocument -update.
func TestSelftestDocument(t *testing.T) {
	head, err := os.ReadFile("testdata/selftest.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(head)
	for _, check := range checks {
		if !strings.Contains(doc, "| "+check.name+" |") {
			t.Errorf("no row for the check %s", check.name)
		}
	}
	causes, err := os.ReadFile("../diagnose/testdata/causes.md")
	if err != nil {
		t.Fatal(err)
	}
	doc = strings.Replace(doc, "{{causes}}\n", string(causes), 1)
	for _, name := range []string{"healthy", "swapped", "wrong-gpio"} {
		doc = strings.Replace(doc, "{{"+name+"}}\n", withFault(t, name).screen(80), 1)
	}
	screen, err := os.ReadFile("testdata/scope-cards-80x24.txt")
	if err != nil {
		t.Fatal(err)
	}
	doc = strings.Replace(doc, "{{scope}}\n", string(screen), 1)
	if strings.Contains(doc, "{{") {
		t.Error("a placeholder is left")
	}
	testkit.Golden(t, *update, "../../docs/selftest.md", doc)
}
