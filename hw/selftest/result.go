package selftest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"stump/hw/diagnose"
	"stump/hw/wiring"
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

// checkNames are the names of the checks in the order in which they are made.
var checkNames = []string{
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
func summarise(results []Result, causes []diagnose.Cause) Summary {
	s := Summary{Summary: true, Result: Pass, Causes: diagnose.Names(causes)}
	for _, r := range results {
		if r.Result == Fail || r.Result == Warn && s.Result == Pass {
			s.Result = r.Result
		}
	}
	return s
}

// Printer renders results for a terminal. A remedy that was given already is
// not given again.
type Printer struct {
	Columns int
	given   string // the last remedy …
	by      string // … and the check that gave it
}

// Lines renders a result: the verdict, the check and what was measured, and
// below it what to do.
func (p *Printer) Lines(r Result) []string {
	lines := wiring.Hang(fmt.Sprintf("%-6s%-13s", strings.ToUpper(string(r.Result)), r.Check), cmp.Or(r.Measured, "-"), p.Columns)
	remedy := r.Remedy
	switch {
	case remedy == "":
		return lines
	case remedy == p.given:
		remedy = "as for " + p.by + " above"
	default:
		p.given, p.by = remedy, r.Check
	}
	return append(lines, wiring.Hang("      > ", remedy, p.Columns)...)
}

// Summary renders the last line.
func (p *Printer) Summary(s Summary) []string {
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
		text += " The likeliest cause: " + diagnose.Label(s.Causes[0])
		for i, c := range s.Causes[1:] {
			text += []string{"; less likely: ", ", "}[min(i, 1)] + diagnose.Label(c)
		}
		text += "."
	}
	return wiring.Hang(fmt.Sprintf("%-6s", strings.ToUpper(string(s.Result))), text, p.Columns)
}
