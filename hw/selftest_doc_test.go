package hw

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"stump/gpio"
)

// TestSelftestDocument keeps docs/selftest.md as the program speaks:
// go test ./hw -run TestSelftestDocument -update.
func TestSelftestDocument(t *testing.T) {
	head, err := os.ReadFile("testdata/selftest.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(head)
	for _, check := range Checks {
		if !strings.Contains(doc, "| "+check+" |") {
			t.Errorf("no row for the check %s", check)
		}
	}
	pi, _ := BoardByKey("pi4")
	site := (&Wiring{Board: pi}).Site()
	var b strings.Builder
	b.WriteString("| cause | what it is | how to make sure |\n|---|---|---|\n")
	for _, name := range gpio.Faults {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, Label(name), tellApart(name, name, &site))
	}
	doc = strings.Replace(doc, "{{causes}}\n", b.String(), 1)
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
	golden(t, "../docs/selftest.md", doc)
}
