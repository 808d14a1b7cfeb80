package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// play runs the lab over a pipe and returns what it printed.
func play(t *testing.T, script ...string) string {
	t.Helper()
	state, err := os.MkdirTemp("", "lab") // a short path for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(state) })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, state, false, strings.NewReader(strings.Join(script, "\n")+"\n"), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if ctx.Err() != nil {
		t.Fatalf("the lab did not end\n%s", out.String())
	}
	return out.String()
}

// inOrder wants the words to come one after the other.
func inOrder(t *testing.T, out string, words ...string) {
	t.Helper()
	rest := out
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Fatalf("%q does not come in its place in\n%s", w, out)
		}
		rest = after
	}
}

func TestCheckoutAndReturnOverAPipe(t *testing.T) {
	t.Parallel()
	out := play(t, "tap ann", "tap ipad", "who", "wait 6s", "tap ipad", "tap ann", "who", "history", "quit")
	inOrder(t, out,
		"│Lab open", "│Hello Ann Okafor│", "│Checked out     │", "iPad Pro 13      Ann Okafor\n",
		"│iPad Pro 13", "│Returned        │", "nobody holds a device\n",
		"checkout  iPad Pro 13      Ann Okafor\n", "return    iPad Pro 13      Ann Okafor\n")
	if strings.Contains(out, "error") {
		t.Errorf("an error in\n%s", out)
	}
}

func TestMistakesOverAPipe(t *testing.T) {
	t.Parallel()
	out := play(t, "", "# a comment", "dance", "tap nobody", "tap bits:012", "wait soon", "wait", "fault everything", "fault d0-opne",
		"fault d0-open", "tap ann", "fault off", "tap ben", "help") // ends with the input
	inOrder(t, out,
		`error: "dance" is no command`, "type help for the commands",
		`error: "nobody" is nobody's name and no credential`,
		`error: "bits:012": '2' at position 3 is not a bit`,
		`error: "soon" is no time`, "write wait 6s",
		`error: "" is no time`,
		`error: "everything" is no fault`, "use off, or one of",
		`error: "d0-opne" is no fault`, "did you mean d0-open?",
		"│Bad tag read", "│Hello Ben Lindq", "tap NAME")
}

// TestKeepsItsState plays twice with one folder; the second time nothing is
// seeded again.
func TestKeepsItsState(t *testing.T) {
	t.Parallel()
	state, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(state)
	for range 2 {
		var out bytes.Buffer
		if err := run(t.Context(), state, false, strings.NewReader("who\ntap eve\ntap pixel\n"), &out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "Checked out") && !strings.Contains(out.String(), "Returned") {
			t.Errorf("%s", out.String())
		}
	}
}
