package wire

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"stump/internal/testkit"
)

var update = flag.Bool("update", false, "rewrite what docs/api.md takes from the program")

const docs = "../../../docs/api.md"

// TestDocs: the manual has what the program has.
func TestDocs(t *testing.T) {
	old, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	text := testkit.Section(t, string(old), "codes", codeTable(t))
	if text == string(old) {
		return
	}
	if !*update {
		t.Fatal("docs/api.md is out of date: go test ./internal/api/wire -run Docs -update")
	}
	if err := os.WriteFile(docs, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// codeTable is the table of problems. Each constant is in it, once.
func codeTable(t *testing.T) string {
	t.Helper()
	b := strings.Builder{}
	b.WriteString("| `code` | status | when |\n|---|---|---|\n")
	seen := map[Code]bool{}
	for _, row := range codes {
		if seen[row.code] || row.title == "" || row.when == "" {
			t.Errorf("%s is there twice, or without words", row.code)
		}
		seen[row.code] = true
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", row.code, row.status, row.when)
	}
	source, err := os.ReadFile("problem.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(.*)"$`).FindAllSubmatch(source, -1) {
		if !seen[Code(c[1])] {
			t.Errorf("%s is not in the table", c[1])
		}
		delete(seen, Code(c[1]))
	}
	if len(seen) > 0 {
		t.Errorf("no constants: %v", seen)
	}
	return b.String()
}
