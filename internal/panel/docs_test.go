package panel

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"stump/lcd"
)

var update = flag.Bool("update", false, "rewrite what docs/display.md takes from the program")

const docs = "../../docs/display.md"

// The manual shows what the program shows.
func TestDocsAreUpToDate(t *testing.T) {
	old, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	text := section(t, string(old), "keys", keyTable())
	text = section(t, text, "pictures", pictures(t))
	if text == string(old) {
		return
	}
	if !*update {
		t.Fatal("docs/display.md is out of date: go test ./internal/panel -run Docs -update")
	}
	if err := os.WriteFile(docs, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// section replaces what lies between the marks.
func section(t *testing.T, text, name, content string) string {
	t.Helper()
	re := regexp.MustCompile(`(?s)(<!-- ` + name + ` -->\n).*?(<!-- end -->)`)
	if !re.MatchString(text) {
		t.Fatalf("no section %s", name)
	}
	return re.ReplaceAllStringFunc(text, func(s string) string {
		return "<!-- " + name + " -->\n" + content + "<!-- end -->"
	})
}

// keyTable lists the texts.
func keyTable() string {
	var b strings.Builder
	b.WriteString("| key | shown | English text | signal |\n|---|---|---|---|\n")
	for _, k := range Keys() {
		about, signal := idleKeys[k], ""
		if e, ok := keys[k]; ok {
			about, signal = e.about, e.signal.String()
		}
		text := strings.NewReplacer("\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(english[k])
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", k, about, text, signal)
	}
	b.WriteString("\nPlaceholders of messages: " + strings.Join(fieldNames, " ") + ".\n")
	return b.String()
}

// pictures draws every message, small and large side by side.
func pictures(t *testing.T) string {
	c, err := NewCatalogue("en", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	draw := func(name string, text func(lcd.Size) string) {
		small, large := lcd.Size{Cols: 16, Rows: 2}, lcd.Size{Cols: 20, Rows: 4}
		left, right := picture(small, text(small)), picture(large, text(large))
		fmt.Fprintf(&b, "**%s**\n\n", name)
		for i := range right {
			l := ""
			if i < len(left) {
				l = left[i]
			}
			b.WriteString(strings.TrimRight(fmt.Sprintf("    %-20s%s", l, right[i]), " ") + "\n")
		}
		b.WriteString("\n")
	}
	draw("idle", func(s lcd.Size) string { return c.idleText(sampleIdle(), s) })
	for _, k := range Keys() {
		if _, ok := keys[k]; ok {
			draw(k, func(s lcd.Size) string { return c.Text(sample(k), s) })
		}
	}
	return b.String()
}

// picture is a display in a frame.
func picture(s lcd.Size, text string) []string {
	f, _ := lcd.Lay(lcd.ROMA00, s, text).At(0)
	edge := strings.Repeat("─", s.Cols)
	var rows []string
	for _, r := range f.Rows() {
		rows = append(rows, "│"+r+"│")
	}
	return slices.Concat([]string{"┌" + edge + "┐"}, rows, []string{"└" + edge + "┘"})
}
