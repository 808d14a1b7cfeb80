package panel

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"stump/internal/hint"
	"stump/lcd"
)

// Catalogue is the texts that the panel shows.
//
// A text is lines, the most important first, with placeholders in braces;
// [lcd.Lay] fits it on the display. A site changes a text by its key, for every
// display or for one size: "greet", "greet@16x2".
type Catalogue struct {
	texts map[string]string
}

// cue is how a text is announced, and how long it stays.
type cue struct {
	signal signal
	stay   time.Duration // 0: the desk's window
}

const (
	brief = 3 * time.Second
	usual = 4 * time.Second
	long  = 8 * time.Second
)

// cues are the keys of all messages.
var cues = map[string]cue{
	"greet": {signalWaiting, 0}, "device-free": {signalWaiting, 0}, "device-held": {signalWaiting, 0}, "device-reserved": {signalWaiting, 0}, "doubtful": {signalWaiting, 0}, "enrol-next": {signalWaiting, 0},
	"type-name": {signalWaiting, 0}, "type-name-hint": {signalWaiting, 0}, "type-name-tab": {signalWaiting, 0}, "type-number": {signalWaiting, 0}, "saving": {signalWaiting, time.Hour},

	"checked-out": {signalDone, usual}, "returned": {signalDone, usual}, "returned-for": {signalDone, usual}, "handed-over": {signalDone, usual},
	"enrolled": {signalDone, usual}, "pending": {signalSavedNotSynced, usual},

	"refused": {signalRefused, usual}, "refused-handover": {signalRefused, usual}, "overdue-first": {signalRefused, usual}, "reserved": {signalRefused, usual},
	"needs-group": {signalRefused, usual}, "limit": {signalRefused, usual}, "out-of-service": {signalRefused, usual}, "retired": {signalRefused, usual},
	"suspended": {signalRefused, usual}, "name-unknown": {signalRefused, usual},
	"lost-badge": {signalRefused, usual}, "old-badge": {signalRefused, usual}, "ended": {signalRefused, brief},
	"unknown-tag": {signalRefused, long}, "unknown-badge": {signalRefused, long}, "unknown-device": {signalRefused, long},
	"cannot-save": {signalRefused, long}, "disk-stopped": {signalRefused, long}, "reader-fault": {signalRefused, long}, "salvaged": {signalRefused, long},
	"bad-read": {signalBadRead, brief}, "unknown-format": {signalRefused, long},

	"was-doubtful": {signalNone, usual}, "overdue-too": {signalNone, usual}, "reserved-too": {signalNone, usual}, "due": {signalNone, 2 * usual}, // with the message before it
	"kit-parts": {signalNone, 2 * usual}, "kit-part": {signalNone, 2 * usual}, "kit-without": {signalNone, 2 * usual}, "kit-complete": {signalNone, 2 * usual},
	"stock": {signalNone, 0}, "stock-here": {signalDone, brief}, "stock-over": {signalNone, brief}, "stock-again": {signalDone, brief}, "stock-held": {signalRefused, usual}, "stock-unused": {signalRefused, usual},
	"returns-only": {signalRefused, brief}, "not-out": {signalRefused, brief},
	"kit-asks": {signalWaiting, 0}, "kit-asks-name": {signalWaiting, 0}, "kit-type": {signalWaiting, 0}, "kit-missing": {signalRefused, long}, "kit-not-asked": {signalRefused, brief},
	"lies": {signalNone, usual}, "cancelled": {signalNone, brief}, "timeout": {signalNone, brief}, "testing": {signalNone, usual}, "watching": {signalNone, usual},
	"log-in":       {signalWaiting, 20 * time.Second},
	"fingerprint":  {signalNone, usual},
	"display-code": {signalNone, time.Minute},
	"stopped":      {signalNone, brief}, // stays on the display after the end
}

// typing is whether a text is one of those that follow each other while a
// name is typed: the beeper doesn't sound for every letter.
func typing(key string) bool { return strings.HasPrefix(key, "type-") || key == "kit-type" }

// fieldNames are the placeholders of messages.
var fieldNames = []string{"{person}", "{device}", "{from}", "{holder}", "{ended}", "{number}", "{detail}", "{until}", "{help}", "{when}"}

// idleFields are the keys of the idle screen's texts, and of dates, with their
// placeholders.
var idleFields = map[string][]string{
	"idle": {"{open}", "{clock}", "{count}", "{mark}"},
	"open": nil, "mark": nil, "days": nil, "months": nil, "date": {"{day}", "{month}"}, "help": nil,
	"count-none": nil, "count-out": {"{out}"}, "count-overdue": {"{out}", "{overdue}"},
}

// keys returns the keys of all texts, sorted.
func keys() []string {
	return slices.Sorted(slices.Values(slices.AppendSeq(slices.Collect(maps.Keys(cues)), maps.Keys(idleFields))))
}

// languages are the sets of texts.
var languages = map[string]map[string]string{
	"en": english, "de": german, "fr": french, "es": spanish, "original": original,
}

// Languages returns the names of the sets of texts, sorted.
func Languages() []string { return slices.Sorted(maps.Keys(languages)) }

// NewCatalogue returns the texts of a language, "" is English, with the site's
// own texts in place of those that they name.
func NewCatalogue(language string, own map[string]string) (*Catalogue, error) {
	set, ok := languages[cmp.Or(language, "en")]
	if !ok {
		return nil, fmt.Errorf("display language %q: use one of %s", language, strings.Join(Languages(), ", "))
	}
	c := &Catalogue{texts: maps.Clone(set)}
	for k := range set { // the site's own text is for all sizes
		if base, _, sized := strings.Cut(k, "@"); sized && own[base] != "" {
			delete(c.texts, k)
		}
	}
	for k, text := range own {
		if err := CheckText(k, text); err != nil {
			return nil, err
		}
		c.texts[k] = text
	}
	return c, nil
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// CheckText says why a site's text can't be used: there is no such key, display
// size or placeholder.
func CheckText(key, text string) error {
	base, size, sized := strings.Cut(key, "@")
	if !slices.Contains(keys(), base) {
		err := fmt.Errorf("text %q: there is no such text", key)
		if near := hint.Nearest(base, keys()); near != "" {
			err = hint.Wrap(err, fmt.Sprintf("did you mean %q?", near))
		}
		return err
	}
	if sized {
		if _, err := lcd.ParseSize(size); err != nil {
			return fmt.Errorf("text %q: %w", key, err)
		}
	}
	known := fieldNames
	if fields, idle := idleFields[base]; idle {
		known = fields
	}
	for _, p := range placeholder.FindAllString(text, -1) {
		if !slices.Contains(known, p) {
			return fmt.Errorf("text %q: %s is not one of its placeholders: %s", key, p, cmp.Or(strings.Join(known, " "), "it has none"))
		}
	}
	return nil
}

// text returns the text of a key on a display of a size.
func (c *Catalogue) text(key string, s lcd.Size) string {
	if t, ok := c.texts[key+"@"+s.String()]; ok {
		return t
	}
	return c.texts[key]
}

// Text returns a message's text for a display of a size, filled in.
func (c *Catalogue) Text(m Message, s lcd.Size) string {
	return fill(c.text(m.Key, s),
		"{person}", m.Person, "{device}", m.Device, "{from}", m.From,
		"{holder}", m.Holder, "{ended}", m.Ended, "{number}", m.Number, "{detail}", m.Detail,
		"{until}", c.until(m, s), "{help}", c.text("help", s), "{when}", c.when(m, s))
}

// when is when a reservation begins or began, as short as can be understood: the time on the
// same day, the day of the week within a week, else the day.
func (c *Catalogue) when(m Message, s lcd.Size) string {
	days := dayOf(m.When).Sub(dayOf(m.At)) / (24 * time.Hour)
	switch {
	case m.When.IsZero():
		return ""
	case days == 0:
		return m.When.Format("15:04")
	case -7 < days && days < 7:
		return c.word("days", int(m.When.Weekday()), s)
	}
	return c.date(m.When, s)
}

// word is the n-th word of a text.
func (c *Catalogue) word(key string, n int, s lcd.Size) string {
	if words := strings.Fields(c.text(key, s)); n < len(words) {
		return words[n]
	}
	return ""
}

// date is a day of this year or the next.
func (c *Catalogue) date(t time.Time, s lcd.Size) string {
	return fill(c.text("date", s), "{day}", strconv.Itoa(t.Day()), "{month}", c.word("months", int(t.Month())-1, s))
}

func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// until is when a loan ends, as short as can be understood: the time on the same day,
// with the day of the week within a week, else the day.
func (c *Catalogue) until(m Message, s lcd.Size) string {
	if m.Until.IsZero() {
		return ""
	}
	switch days := int(dayOf(m.Until).Sub(dayOf(m.At)) / (24 * time.Hour)); {
	case days == 0:
		return m.Until.Format("15:04")
	case days > 0 && days < 7:
		if m.Day {
			return c.word("days", int(m.Until.Weekday()), s)
		}
		return c.word("days", int(m.Until.Weekday()), s) + m.Until.Format(" 15:04")
	case days > 0 && days < 300:
		return c.date(m.Until, s)
	}
	return m.Until.Format(time.DateOnly)
}

// idle returns the idle screen's text.
func (c *Catalogue) idle(i IdleInfo, s lcd.Size) string {
	count := "count-none"
	switch {
	case i.Overdue > 0:
		count = "count-overdue"
	case i.Out > 0:
		count = "count-out"
	}
	open, clock, mark := c.text("open", s), "", ""
	if !i.Clock.IsZero() {
		clock = i.Clock.Format("15:04")
	}
	if i.Notice != "" {
		open, _, _ = strings.Cut(c.Text(Message{Key: i.Notice, Person: i.By}, s), "\n")
		if utf8.RuneCountInString(open)+1+len(clock) > s.Cols {
			clock = "" // half a notice would say something else
		}
	}
	if i.Behind {
		mark = c.text("mark", s)
	}
	n := fill(c.text(count, s), "{out}", strconv.Itoa(i.Out), "{overdue}", strconv.Itoa(i.Overdue))
	return fill(c.text("idle", s), "{open}", open, "{clock}", clock, "{count}", n, "{mark}", mark)
}

// fill puts values in place of placeholders and drops the lines that say
// nothing without their values. Control characters in a value, which would
// change the layout, become blanks.
func fill(text string, pairs ...string) string {
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, pairs[i])
	}
	var b strings.Builder
	first := true
	for ln := range strings.SplitSeq(text, "\n") {
		if hollow(ln, pairs) {
			continue
		}
		if !first {
			b.WriteByte('\n')
		}
		first = false
		replace(&b, ln, pairs)
	}
	return b.String()
}

// replace writes a line with values in place of placeholders. What is in a value is none.
func replace(b *strings.Builder, ln string, pairs []string) {
next:
	for at := strings.IndexByte(ln, '{'); at >= 0; at = strings.IndexByte(ln, '{') {
		b.WriteString(ln[:at])
		ln = ln[at:]
		for i := 0; i < len(pairs); i += 2 {
			if rest, ok := strings.CutPrefix(ln, pairs[i]); ok {
				b.WriteString(pairs[i+1])
				ln = rest
				continue next
			}
		}
		b.WriteByte('{')
		ln = ln[1:]
	}
	b.WriteString(ln)
}

// hollow is whether a line has placeholders and no value for any of them. A line
// that is being typed never is.
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
