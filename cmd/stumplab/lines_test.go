package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMain runs stumplab itself for the test that needs a process.
func TestMain(m *testing.M) {
	if os.Getenv("BE_STUMPLAB") != "" {
		os.Args = os.Args[:1]
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestClosedOutput closes the output as head does: the lab ends and leaves no
// files behind.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "lab") // a short path for the socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "BE_STUMPLAB=1", "TMPDIR="+dir)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	io.WriteString(in, "help\n") // the input stays open
	cmd.Wait()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 || ctx.Err() != nil {
		t.Errorf("left behind: %v %v %v", left, err, ctx.Err())
	}
}

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
	if err := run(ctx, state, false, false, strings.NewReader(strings.Join(script, "\n")+"\n"), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if ctx.Err() != nil {
		t.Fatalf("the lab did not end\n%s", out.String())
	}
	return out.String()
}

// inOrder checks that the words come one after the other.
func inOrder(t *testing.T, out string, words ...string) {
	t.Helper()
	rest := out
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Fatalf("%q is not in its place in\n%s", w, out)
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

// TestTypedNameOverAPipe: a stranger types a name, and takes a device.
func TestTypedNameOverAPipe(t *testing.T) {
	t.Parallel()
	out := play(t, "type", "type Zoe", "tap H10301:99:4711", "type Zoe Maris", "tap ipad", "who", "quit")
	inOrder(t, out,
		"error: type needs a name", "then type Zoe\n", "error: nobody is asked for a name", "tap an unknown badge",
		"│Type your name: │", "│Hello Zoe Maris │", "│Checked out     │", "iPad Pro 13      Zoe Maris\n")
}

func TestMistakesOverAPipe(t *testing.T) {
	t.Parallel()
	out := play(t, "", "# a comment", "dance", "tapp ann", "who ann", "tap", "tap nobody", "tap bits:012", "wait soon", "wait", "wait -3s",
		"fault", "fault everything", "fault d0-opne", "fault d0-open", "tap ann", "fault off", "tap ben", "help") // ends with the input
	inOrder(t, out,
		`error: "dance" is not a command`, "the commands are tap, type, who, history, wait, fault, help, quit",
		`error: "tapp" is not a command`, "did you mean tap?",
		`error: who takes no argument, but got "ann"`, "write only who",
		`error: tap needs a name`, "write tap ann, then tap ipad",
		`error: "nobody" is `, "bump ann ben cem", "H10301:99:4711",
		`error: "bits:012": '2' at position 3 is not a bit`,
		`error: "soon" is not a duration`, "write wait 6s",
		`error: "" is not a duration`,
		`error: -3s is negative`, "write wait 6s",
		`error: fault needs a name`, "write fault and one of no-power,",
		`error: "everything" is `, "use off, or one of",
		`error: "d0-opne" is `, "did you mean d0-open?",
		"│Bad tag read", "Refused (", "): a broken DATA0 wire\n",
		"│Hello Ben Lindq", "tap NAME")
	if strings.Contains(out, "stump sim") {
		t.Errorf("a hint names a program that a player does not have\n%s", out)
	}
	for line := range strings.SplitSeq(out[strings.Index(out, "tap NAME"):], "\n") {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("the help is %d wide: %s", n, line)
		}
	}
}

// TestNamesInAnyCapitals bumps ids and whole names in any letter case.
func TestNamesInAnyCapitals(t *testing.T) {
	t.Parallel()
	out := play(t, "TAP Ann", "tap IPAD PRO 13", "who", "quit")
	inOrder(t, out, "│Hello Ann Okafor│", "│Checked out     │", "iPad Pro 13      Ann Okafor\n")
}

// TestWhyNothingHappens bumps a card twice in a row, and at a reader without power.
func TestWhyNothingHappens(t *testing.T) {
	t.Parallel()
	out := play(t, "history", "tap ann", "tap ann", "wait 1.6s", "tap ann", "fault no-power", "tap ann", "quit")
	inOrder(t, out, "nothing yet: tap a badge, then a device\n",
		"│Hello Ann Okafor│", "Ignored: the same card within 1.5s is the reader repeating itself\n",
		"│Hello Ann Okafor│", "Nothing came over the wires: no power at the reader\n")
	if n := strings.Count(out, "Hello Ann Okafor"); n != 2 {
		t.Errorf("greeted %d times\n%s", n, out)
	}
}

// TestScrollingNameIsPrintedOnce waits while a name scrolls to its end and starts
// again.
func TestScrollingNameIsPrintedOnce(t *testing.T) {
	t.Parallel()
	out := play(t, "tap dia", "wait 5s", "quit")
	if n := strings.Count(out, "┌"); n != 2 {
		t.Errorf("%d displays\n%s", n, out)
	}
	inOrder(t, out, "│Lab open", "│Hello Día Márque│\n│Tap a device    │")
}

func TestMessageChanged(t *testing.T) {
	t.Parallel()
	steps := []struct {
		rows    string
		changed bool
	}{
		{"Lab open   10:42|All devices in  ", true},
		{"Lab open   10:42|All devices in  ", false},
		{"Lab open   10:43|All devices in  ", false}, // the clock
		{"Reader fault10:4|All devices in  ", true},
		{"Hello Ben Lindqv|Tap a device    ", true},
		{"ello Ben Lindqvi|Tap a device    ", false},
		{"lo Ben Lindqvist|Tap a device    ", false}, // a step was missed
		{"Hello Ben Lindqv|Tap a device    ", false}, // it starts again
		{"Hello Ben Lindqv|Ignored         ", true},
		{"Hello Día Márque|Tap a device    ", true},
		{"                |                ", true},
		{"               x|                ", true},
		{"Lab open   10:43|1 out           ", true},
	}
	var m message
	for i, s := range steps {
		if got := m.changed(strings.Split(s.rows, "|")); got != s.changed {
			t.Errorf("step %d, %q: changed %v", i, s.rows, got)
		}
	}
	if m.changed(nil) {
		t.Error("no rows count as a new text")
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args   []string
		want   options
		status int
		says   string
	}{
		{nil, options{}, -1, ""},
		{[]string{"-plain", "-state", "x"}, options{state: "x", plain: true}, -1, ""},
		{[]string{"-h"}, options{}, 0, "usage: stumplab"},
		{[]string{"run"}, options{}, 2, "stumplab: unexpected argument \"run\""},
		{[]string{"-plain", "tap", "ann"}, options{plain: true}, 2, "usage: stumplab"},
		{[]string{"-colour"}, options{}, 2, "usage: stumplab"},
	}
	for _, tc := range tests {
		var stderr bytes.Buffer
		got, status := parseOptions(tc.args, &stderr)
		if got != tc.want || status != tc.status || !strings.Contains(stderr.String(), tc.says) {
			t.Errorf("%q: %v, %d\n%s", tc.args, got, status, stderr.String())
		}
	}
	if !dumb("dumb") || !dumb("") || dumb("xterm-256color") {
		t.Error("which terminals are dumb?")
	}
}

// TestKeepsItsState plays twice with one folder, which is seeded only once.
func TestKeepsItsState(t *testing.T) {
	t.Parallel()
	state, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(state)
	for range 2 {
		var out bytes.Buffer
		if err := run(t.Context(), state, false, false, strings.NewReader("who\ntap eve\ntap pixel\n"), &out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "Checked out") && !strings.Contains(out.String(), "Returned") {
			t.Errorf("%s", out.String())
		}
	}
}
