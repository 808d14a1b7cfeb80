package selftest

import (
	"cmp"
	"fmt"
	"strings"

	"stump/hw/diagnose"
	"stump/internal/wrap"
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

// Result is what one check found, one line of `selftest --json`.
type Result struct {
	Check    string   `json:"check"`
	Result   Verdict  `json:"result"`
	Measured string   `json:"measured"`
	Causes   []string `json:"causes"` // of gpio.Faults or reader.Faults, the likeliest first
	Remedy   string   `json:"remedy"` // what to do; empty when nothing is to be done
}

// Summary is the whole self-test, the last line of `selftest --json`.
type Summary struct {
	Summary bool     `json:"summary"` // always true
	Result  Verdict  `json:"result"`  // the worst of all, without skip
	Causes  []string `json:"causes"`
}

func (s *Summary) add(r Result) {
	if r.Result == Fail || r.Result == Warn && s.Result == Pass {
		s.Result = r.Result
	}
}

// ExitStatus is that of the command: 0 pass, 1 fail, 3 warnings only.
func (s Summary) ExitStatus() int { return map[Verdict]int{Fail: 1, Warn: 3}[s.Result] }

// Printer renders results for a terminal. It does not repeat a remedy.
type Printer struct {
	Columns int
	given   string // the last remedy …
	by      string // … and the check that gave it
}

// Lines renders a result: the verdict, the check and what was measured, and
// below it what to do.
func (p *Printer) Lines(r Result) []string {
	lines := wrap.Hang(fmt.Sprintf("%-6s%-13s", strings.ToUpper(string(r.Result)), r.Check), cmp.Or(r.Measured, "-"), p.Columns)
	remedy := r.Remedy
	switch {
	case remedy == "":
		return lines
	case remedy == p.given:
		remedy = "as for " + p.by + " above"
	default:
		p.given, p.by = remedy, r.Check
	}
	return append(lines, wrap.Hang("      > ", remedy, p.Columns)...)
}

// Summary renders the last line.
func (p *Printer) Summary(s Summary) []string {
	return wrap.Hang(fmt.Sprintf("%-6s", strings.ToUpper(string(s.Result))), s.Text(), p.Columns)
}

// Text says how it ended, and the likeliest causes.
func (s Summary) Text() string {
	text := map[Verdict]string{
		Pass: "All that could be measured is as it should be.",
		Warn: "It works, with the warnings above.",
		Fail: "Something is wrong, see FAIL above.",
	}[s.Result]
	for i, c := range s.Causes {
		text += []string{" The likeliest cause: ", "; less likely: ", ", "}[min(i, 2)] + cmp.Or(sentLabels[c], diagnose.Label(c))
	}
	if len(s.Causes) > 0 {
		text += "."
	}
	return text
}
