package panel

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"stump/internal/hint"
	"stump/lcd"
)

// Catalogue is the texts that the panel shows.
//
// A text is lines, the most important first, with placeholders in braces; how
// it is fitted on a display is [lcd.Lay]'s business. A site changes a text by
// its key, for every display or for one size: "greet", "greet@16x2".
type Catalogue struct {
	texts map[string]string
}

// languages are the ready sets.
var languages = map[string]map[string]string{
	"en": english, "de": german, "fr": french, "es": spanish, "original": original,
}

// Languages returns the names of the ready sets of texts, sorted.
func Languages() []string { return slices.Sorted(maps.Keys(languages)) }

// NewCatalogue returns the set of a language ("" is English), with the site's
// own texts in place of those it names. A key or a placeholder that doesn't
// exist is refused: it would show up as a hole on the display.
func NewCatalogue(language string, own map[string]string) (*Catalogue, error) {
	if language == "" {
		language = "en"
	}
	set, ok := languages[language]
	if !ok {
		return nil, fmt.Errorf("display language %q: use one of %s", language, strings.Join(Languages(), ", "))
	}
	c := &Catalogue{texts: maps.Clone(set)}
	for k := range set { // a site's own text also stands for those of single sizes
		if base, _, sized := strings.Cut(k, "@"); sized && own[base] != "" {
			delete(c.texts, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(own)) {
		if err := CheckText(k, own[k]); err != nil {
			return nil, err
		}
		c.texts[k] = own[k]
	}
	return c, nil
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// CheckText says why a site's text can't be used: there is no such key, display
// size or placeholder.
func CheckText(name, text string) error {
	base, size, sized := strings.Cut(name, "@")
	if !slices.Contains(Keys(), base) {
		err := fmt.Errorf("text %q: there is no such text", name)
		if near := hint.Nearest(base, Keys()); near != "" {
			err = hint.Wrap(err, fmt.Sprintf("did you mean %q?", near))
		}
		return err
	}
	if sized {
		if _, err := lcd.ParseSize(size); err != nil {
			return fmt.Errorf("text %q: %w", name, err)
		}
	}
	known := fieldNames
	if _, idle := idleKeys[base]; idle {
		known = idleFields[base]
	}
	for _, p := range placeholder.FindAllString(text, -1) {
		if !slices.Contains(known, p) {
			return fmt.Errorf("text %q: nothing is put in place of %s; it takes %s", name, p, list(known))
		}
	}
	return nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "no placeholders"
	}
	return strings.Join(names, " ")
}

// text returns the text of a key on a display of a size.
func (c *Catalogue) text(k string, s lcd.Size) string {
	if t, ok := c.texts[k+"@"+s.String()]; ok {
		return t
	}
	if t, ok := c.texts[k]; ok {
		return t
	}
	return k // a message that the catalogue lacks is better than none
}

// fieldNames are the placeholders of messages.
var fieldNames = []string{"{person}", "{device}", "{from}", "{holder}", "{number}", "{detail}"}

// idleFields are the placeholders of the idle screen's texts.
var idleFields = map[string][]string{
	"idle":          {"{open}", "{clock}", "{count}", "{mark}"},
	"count-out":     {"{out}"},
	"count-overdue": {"{out}", "{overdue}"},
}

// Text returns a message's text for a display of a size, filled in.
func (c *Catalogue) Text(m Message, s lcd.Size) string {
	return fill(c.text(m.Key, s),
		"{person}", m.Person, "{device}", m.Device, "{from}", m.From,
		"{holder}", m.Holder, "{number}", m.Number, "{detail}", m.Detail)
}

// idleText returns the idle screen's text.
func (c *Catalogue) idleText(i IdleInfo, s lcd.Size) string {
	count := "count-none"
	switch {
	case i.Overdue > 0:
		count = "count-overdue"
	case i.Out > 0:
		count = "count-out"
	}
	open, clock, mark := c.text("open", s), "", ""
	if i.Notice != "" {
		open = i.Notice
	}
	if !i.Clock.IsZero() {
		clock = i.Clock.Format("15:04")
	}
	if i.Notice != "" && utf8.RuneCountInString(i.Notice)+1+len(clock) > s.Cols {
		clock = "" // half a notice says something else
	}
	if i.Behind {
		mark = c.text("mark", s)
	}
	n := fill(c.text(count, s), "{out}", strconv.Itoa(i.Out), "{overdue}", strconv.Itoa(i.Overdue))
	return fill(c.text("idle", s), "{open}", open, "{clock}", clock, "{count}", n, "{mark}", mark)
}

// fill puts values in place of placeholders, line by line: a line that says
// nothing without its values is left out with them. Control characters in a
// value would move the layout; they become blanks.
func fill(text string, pairs ...string) string {
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, pairs[i])
	}
	r := strings.NewReplacer(pairs...)
	var lines []string
	for ln := range strings.SplitSeq(text, "\n") {
		if !hollow(ln, pairs) {
			lines = append(lines, r.Replace(ln))
		}
	}
	return strings.Join(lines, "\n")
}

// hollow is whether a line has placeholders and no value for any of them.
func hollow(ln string, pairs []string) bool {
	has := false
	for i := 0; i < len(pairs); i += 2 {
		if strings.Contains(ln, pairs[i]) {
			if pairs[i+1] != "" {
				return false
			}
			has = true
		}
	}
	return has && !strings.Contains(ln, "\r")
}
