package main

import (
	"github.com/rogpeppe/go-internal/testscript"

	"stump/internal/lab/labtest"
)

// labHub is the key of a script's hub.
type labHub struct{}

// hubDouble starts a hub, whose code is in $CODE then, unplugs it, and plugs it in again:
// hub start, hub away, hub back.
func hubDouble(ts *testscript.TestScript, neg bool, args []string) {
	hub := ts.Value(labHub{}).(**labtest.Hub)
	switch args[0] {
	case "away":
		(*hub).Unplug(true)
	case "back":
		(*hub).Unplug(false)
	default:
		*hub = labtest.New(scriptEnd{ts})
		ts.Setenv("CODE", (*hub).Code())
	}
}

// scriptEnd is the end of a script.
type scriptEnd struct{ *testscript.TestScript }

// Cleanup calls a function at the end.
func (s scriptEnd) Cleanup(f func()) { s.Defer(f) }
