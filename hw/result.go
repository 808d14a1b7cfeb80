package hw

import (
	"encoding/json"
	"strings"
)

// Verdict is how a check ended.
type Verdict string

// The verdicts. Warn means that it works, and may not for long or for all.
const (
	Pass Verdict = "pass"
	Warn Verdict = "warn"
	Fail Verdict = "fail"
	Skip Verdict = "skip"
)

// Checks are the names of the checks in the order in which they are made.
var Checks = []string{
	"board", "power", "permissions", "lines", "idle", "float", "outputs", "card", "second-card",
	"display", "keyboard", "clock", "storage", "network", "directory", "queue", "ledger",
}

// Result is what one check found, one line of `selftest --json`.
type Result struct {
	Check    string   `json:"check"`
	Result   Verdict  `json:"result"`
	Measured string   `json:"measured"`
	Causes   []string `json:"causes"` // of gpio.Faults, the likeliest first
	Remedy   string   `json:"remedy"` // what to do, in the site's words; empty when nothing is to be done
}

// MarshalJSON writes causes as a list also when there are none.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result
	if r.Causes == nil {
		r.Causes = []string{}
	}
	return json.Marshal(plain(r))
}

// Summary is the whole self-test, the last line of `selftest --json`.
type Summary struct {
	Summary bool     `json:"summary"` // always true
	Result  Verdict  `json:"result"`  // the worst of all, without skip
	Causes  []string `json:"causes"`
}

// MarshalJSON writes causes as a list also when there are none.
func (s Summary) MarshalJSON() ([]byte, error) {
	type plain Summary
	if s.Causes == nil {
		s.Causes = []string{}
	}
	return json.Marshal(plain(s))
}

// ExitStatus is that of the command: 0 pass, 1 fail, 3 warnings only.
func (s Summary) ExitStatus() int {
	switch s.Result {
	case Fail:
		return 1
	case Warn:
		return 3
	}
	return 0
}

// summarise takes the worst of all results.
func summarise(results []Result, causes []Cause) Summary {
	s := Summary{Summary: true, Result: Pass, Causes: names(causes)}
	for _, r := range results {
		if r.Result == Fail || r.Result == Warn && s.Result == Pass {
			s.Result = r.Result
		}
	}
	return s
}

// Lines renders a result for a terminal of that many columns: the verdict, the
// check and what was measured, and below it what to do.
func (r Result) Lines(columns int) []string {
	const indent = 19 // "FAIL  permissions  "
	head := strings.ToUpper(string(r.Result))
	head += strings.Repeat(" ", 6-len(head)) + r.Check
	head += strings.Repeat(" ", indent-len(head))
	lines := wrap(r.Measured, columns-indent)
	if len(lines) == 0 {
		lines = []string{""}
	}
	pad := strings.Repeat(" ", indent)
	for i := range lines {
		if i == 0 {
			lines[i] = strings.TrimRight(head+lines[i], " ")
		} else {
			lines[i] = pad + lines[i]
		}
	}
	for i, l := range wrap(r.Remedy, columns-indent-2) {
		mark := "  "
		if i == 0 {
			mark = "> "
		}
		lines = append(lines, pad+mark+l)
	}
	return lines
}

// Lines renders the summary for a terminal of that many columns.
func (s Summary) Lines(columns int) []string {
	var text string
	switch s.Result {
	case Pass:
		text = "All that could be measured is as it should be."
	case Warn:
		text = "It works, with the warnings above."
	default:
		text = "Something is wrong, see FAIL above."
	}
	if len(s.Causes) > 0 {
		text += " The likeliest cause: " + s.Causes[0]
		if len(s.Causes) > 1 {
			text += "; less likely: " + strings.Join(s.Causes[1:], ", ")
		}
		text += "."
	}
	lines := []string{strings.ToUpper(string(s.Result))}
	for i, l := range wrap(text, columns-6) {
		if i == 0 {
			lines[0] += strings.Repeat(" ", 6-len(lines[0])) + l
			continue
		}
		lines = append(lines, "      "+l)
	}
	return lines
}

// wrap breaks text at spaces so that no line has more than width characters,
// unless a single word has.
func wrap(text string, width int) (lines []string) {
	line, n := "", 0
	for word := range strings.FieldsSeq(text) {
		w := len([]rune(word))
		if n > 0 && n+1+w > width {
			lines = append(lines, line)
			line, n = "", 0
		}
		if n > 0 {
			line, n = line+" ", n+1
		}
		line, n = line+word, n+w
	}
	if n > 0 {
		lines = append(lines, line)
	}
	return lines
}
