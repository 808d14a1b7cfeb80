package panel

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"stump/internal/testkit"
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
	text := testkit.Section(t, string(old), "keys", keyTable(t))
	text = testkit.Section(t, text, "pictures", pictures(t))
	text = testkit.Section(t, text, "languages", otherLanguages(t))
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

// about is when each text is shown.
var about = map[string]string{
	"bad-read":         "a damaged read",
	"cancelled":        "typing a name was cancelled",
	"cannot-save":      "the tap could not be written to the disk and does not count",
	"checked-out":      "{person} has the device now",
	"count-none":       "every device is in the lab",
	"count-out":        "{out} devices are out",
	"count-overdue":    "{out} devices are out, {overdue} of them overdue",
	"device-free":      "a free device; waits for a badge",
	"device-held":      "a device that {holder} has; waits for a badge",
	"device-reserved":  "a free device that {holder} has reserved, from {when} on, which is now or before it would be due; waits for a badge",
	"doubtful":         "a device of which the directory and the station have told two stories; the station has it with {holder}, or free; waits for a badge",
	"was-doubtful":     "after the bump of such a device",
	"disk-stopped":     "the tap could not be written, and only a restart of the machine, or mounting the file system again, helps",
	"display-code":     "the self-test's code {number}, which the technician types",
	"enrol-next":       "the next unknown tag will belong to {person} or {device}",
	"enrolled":         "a tag was given to {person} or {device}",
	"fingerprint":      "a part {number} of the certificate's fingerprint, of which {detail} is the place; an admin compares it",
	"greet":            "a known badge; waits for a device",
	"help":             "who can help those who get no device; [loans] help takes its place",
	"handed-over":      "the device went from {from} to {person}",
	"idle":             "the idle screen: {open}, {clock} if the clock is trusted, {count} and {mark}",
	"log-in":           "a known badge while a browser waits for one: the digits {number} log it in as {person}; waits for a device",
	"mark":             "the directory is behind",
	"days":             "the days of the week in {until} and {when}, from Sunday on",
	"months":           "the months in {until} and {when}",
	"date":             "the day in {until}, where that is in a week or more; in a year, it is 2027-12-04",
	"due":              "until when {person} has the device, after `checked-out` or `handed-over`, where the display had no row for that",
	"name-unknown":     "no person in the register has the typed name {detail}",
	"open":             "nothing is wrong",
	"pending":          "saved; the directory will be asked later whose {number} is",
	"reader-fault":     "the reader's lines are faulty; {detail} says how",
	"refused":          "refused for the reason {detail}",
	"overdue-first":    "{person} must bring {device} back before they get another; nothing has changed",
	"needs-group":      "{person} is not in the group {detail} that {device} needs; {help} is who can help",
	"limit":            "{person} has as many devices as they may, {detail}: 3 of the kind phone, or 3",
	"out-of-service":   "{device} is out of service until that day, which has no time",
	"overdue-too":      "after a check-out, to somebody who should have brought {device} back",
	"reserved":         "{holder} has reserved {device} from {when} on, with `[loans] reserved = \"refuse\"`; nothing has changed",
	"reserved-too":     "after a check-out of {device}, which {holder} has reserved from {when} on",
	"refused-handover": "{holder} has the device and must return it first",
	"ended":            "an unknown badge has ended the turn of {ended}; then its owner types a name",
	"lies":             "{device} has not been taken off the reader since it changed hands; it is not lent on",
	"stock":            "a stock-taking is under way, {number} devices were shown; nobody is there",
	"stock-here":       "in a stock-taking: {device} is here, the {number}th",
	"stock-again":      "in a stock-taking: {device} was shown before",
	"stock-held":       "in a stock-taking: {device} is here, and {holder} is said to have it",
	"stock-unused":     "in a stock-taking: {device} is here, and no longer lent",
	"stock-over":       "a stock-taking has ended",
	"returns-only":     "a badge, at a reader with returns = \"device-alone\"",
	"not-out":          "{device} comes back at such a reader, and nobody has it; nothing has changed",
	"kit-parts":        "after the bump of the box {device}: {number} parts in it changed hands, too",
	"kit-part":         "as kit-parts, of one, {detail}",
	"kit-without":      "after a check-out or hand-over of {device}: its part {detail} is not in it",
	"kit-asks":         "{device} has come back, with `[loans] kits = \"check\"`; waits for its part {detail}",
	"kit-asks-name":    "as kit-asks, of a part without a tag, where there is a keyboard",
	"kit-type":         "as kit-asks-name; {detail} has been typed so far, and is no part. With a part it is type-name-hint",
	"kit-complete":     "the last part of {device} that was asked for is there",
	"kit-missing":      "{device} came back without {detail}, which {person} is still said to have",
	"kit-not-asked":    "{device} was bumped while the station waits for the parts of a box, and is none of them; nothing has changed",
	"lost-badge":       "a badge that was reported lost; {ended} must start again",
	"old-badge":        "a badge in whose place the person has another; {ended} must start again",
	"retired":          "{device} is no longer lent",
	"returned":         "{person} brought the device back",
	"returned-for":     "{person} brought the device back for {from}",
	"salvaged":         "the ledger was damaged and put aside",
	"saving":           "the disk is slow: the tap is not saved and does not count yet",
	"stopped":          "the station has stopped; stays on the display",
	"suspended":        "{person} may not borrow now, or has left; {ended} must start again",
	"testing":          "a self-test of {person} uses the lines: taps do not count",
	"watching":         "a scope of {person} uses the lines: taps do not count",
	"timeout":          "the second tap didn't come",
	"type-name":        "an unknown badge; its owner has typed {detail} so far",
	"type-name-hint":   "as type-name; Enter takes {person}",
	"type-name-tab":    "as type-name; Tab takes {person}, Enter what was typed",
	"type-number":      "an unknown badge at a reader with keys; its owner has typed {detail} so far",
	"unknown-badge":    "a badge that is not registered; {ended} must start again",
	"unknown-device":   "a device tag that is not registered",
	"unknown-format":   "a card came intact for the third time, and no enabled format has its {number} bits or their checks; {ended} must start again",
	"unknown-tag":      "a tag that fits no rule; {ended} must start again",
}

var signalNames = [...]string{"none", "waiting", "done", "refused", "bad-read", "saved-not-synced"}

// keyTable lists the texts.
func keyTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| key | shown | English text | signal |\n|---|---|---|---|\n")
	for _, k := range keys() {
		signal := ""
		if cue, ok := cues[k]; ok {
			signal = signalNames[cue.signal]
		}
		if about[k] == "" {
			t.Errorf("when is %s shown?", k)
		}
		text := strings.NewReplacer("\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(english[k])
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", k, about[k], text, signal)
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
		left, right := picture(t, small, text(small)), picture(t, large, text(large))
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
	draw("idle", func(s lcd.Size) string { return c.idle(sampleIdle(), s) })
	for _, k := range keys() {
		if _, ok := cues[k]; ok {
			draw(k, func(s lcd.Size) string { return c.Text(sample(k), s) })
		}
	}
	return b.String()
}

// otherLanguages draws the messages about loans in German, French and Spanish, side by side.
func otherLanguages(t *testing.T) string {
	var b strings.Builder
	for _, k := range keys() {
		loans := strings.HasPrefix(k, "kit-") || strings.HasPrefix(k, "stock") || slices.Contains([]string{"due", "overdue-first", "overdue-too", "needs-group", "limit",
			"out-of-service", "device-reserved", "reserved", "reserved-too", "returns-only", "not-out"}, k)
		if _, ok := cues[k]; !ok || !loans {
			continue
		}
		fmt.Fprintf(&b, "**%s**\n\n", k)
		for _, size := range []lcd.Size{{Cols: 16, Rows: 2}, {Cols: 20, Rows: 4}} {
			rows := make([]string, size.Rows+2)
			for _, language := range []string{"de", "fr", "es"} {
				c, err := NewCatalogue(language, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, row := range picture(t, size, c.Text(sample(k), size)) {
					rows[i] += "  " + row
				}
			}
			for _, row := range rows {
				b.WriteString("  " + row + "\n")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// picture is a display in a frame.
func picture(t *testing.T, s lcd.Size, text string) []string {
	f, _ := lcd.Lay(a00(t), s, text).At(0)
	edge := strings.Repeat("─", s.Cols)
	var rows []string
	for _, r := range f.Rows() {
		rows = append(rows, "│"+r+"│")
	}
	return slices.Concat([]string{"┌" + edge + "┐"}, rows, []string{"└" + edge + "┘"})
}
