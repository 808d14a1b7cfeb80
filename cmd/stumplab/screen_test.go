package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"stump/gpio"
	"stump/internal/api/wire"
	"stump/internal/panel"
	"stump/internal/simlab"
	"stump/wiegand"
)

// drawn returns a screen of that size, before anything happened.
func drawn(width, height int) screen {
	return screen{
		lab:   &lab{socket: "/tmp/stumplab-1234567890/stump.sock"},
		panel: panel.State{Rows: []string{"Lab open   10:42", "All devices in  "}},
		width: width, height: height, palette: newPalette(true, fullColour),
	}
}

// busy returns a full screen: every device is out, to people with long names,
// and the wiring is broken.
func busy(width, height int) screen {
	s := drawn(width, height)
	long := "Karl-Theodor Freiherr von 李雷 und zu Guttenberg"
	for i, d := range simlab.Devices {
		holder := []string{long, "Ann Okafor", "Ben Lindqvist"}[i%3]
		s.devices = append(s.devices, wire.Device{ID: d.ID, Name: &d.Name, Person: &holder})
		at := time.Date(2026, 11, 21, 10, 42, i, 0, time.UTC)
		s.events = append(s.events, wire.History{Kind: "handover", Device: &d.Name, Person: &holder, From: &long, At: &at})
	}
	s.panel = panel.State{Rows: []string{"李雷 Handed over ", "iPad Pro 13     "}, Green: true, Red: true, Beeps: 123456}
	for i := range 200 {
		s.bump.edges = append(s.bump.edges, wiegand.Edge{Time: int64(i) * int64(10*time.Millisecond), Line: uint8(i % 2)})
	}
	s.fault, s.card, s.note, s.alarm = "converter-unpowered", "l", strings.Repeat("What a long story. ", 20), true
	return s
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// lines returns the text of the screen.
func lines(s screen) []string { return strings.Split(escapes.ReplaceAllString(s.draw(), ""), "\n") }

// TestEverySize draws the lab and its help at all sizes: nothing exceeds the
// screen, and the last line has the keys.
func TestEverySize(t *testing.T) {
	t.Parallel()
	states := map[string]func(w, h int) screen{
		"new": drawn, "busy": busy,
		"hum": func(w, h int) screen { s := busy(w, h); s.alarm = false; return s },
		"help": func(w, h int) screen {
			s := busy(w, h)
			s.help, s.scroll = true, 100
			return s
		},
	}
	for name, state := range states {
		for _, width := range []int{1, 5, 20, 47, 48, 49, 55, 60, 61, 62, 68, 69, 80, 94, 120, 200} {
			for _, height := range []int{2, 3, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 24, 26, 40} {
				got := lines(state(width, height))
				at := fmt.Sprintf("%s at %dx%d", name, width, height)
				if len(got) > height {
					t.Fatalf("%s: %d lines", at, len(got))
				}
				for _, line := range got {
					if w := lipgloss.Width(line); w > width {
						t.Fatalf("%s: %d wide: %q", at, w, line)
					}
				}
				last := got[len(got)-1]
				if width < minWidth || height < minHeight {
					if !strings.HasPrefix("q quit", strings.TrimSuffix(last, "…")) {
						t.Fatalf("%s: the keys are %q", at, last)
					}
					continue
				}
				keys := []string{"1-6", "a-l", "u unknown", "n ", "x break", "? help", "q quit"}
				switch name {
				case "busy", "hum":
					keys = []string{"1-6", "a-l", "u unknown", "n ", "x next", "m mend", "? help", "q quit"}
				case "help":
					keys = []string{"? Esc back", "q quit"}
				}
				for _, key := range keys {
					if !strings.Contains(last, key) {
						t.Fatalf("%s: %q is not among the keys: %q", at, key, last)
					}
				}
				if len(got) != height {
					t.Fatalf("%s: the keys are in line %d", at, len(got))
				}
			}
		}
	}
}

// TestNothingIsLeftOutSilently wants every badge and device on the screen, or how
// many are left out and how many of those devices are lent.
func TestNothingIsLeftOutSilently(t *testing.T) {
	t.Parallel()
	more := regexp.MustCompile(`…  (\d+) more(?:, (\d+) out)?`)
	for height := minHeight; height < 40; height++ {
		for _, width := range []int{minWidth, 60, 80, 120} {
			all := strings.Join(lines(busy(width, height)), "\n")
			shown := 0
			for _, list := range [][]simlab.Card{simlab.People, simlab.Devices} {
				for _, c := range list {
					if regexp.MustCompile(`[1-6a-l][ ›] ` + c.Name).MatchString(all) {
						shown++
					}
				}
			}
			hidden, out := 0, 0
			for _, m := range more.FindAllStringSubmatch(all, -1) {
				var n, o int
				fmt.Sscan(m[1], &n)
				fmt.Sscan(m[2], &o)
				hidden, out = hidden+n, out+o
			}
			if shown+hidden != 6+12 {
				t.Errorf("%dx%d: %d shown and %d hidden\n%s", width, height, shown, hidden, all)
			}
			if height >= 20 && hidden > 0 {
				t.Errorf("%dx%d: %d are hidden\n%s", width, height, hidden, all)
			}
			if held := strings.Count(all, "Ann O") + strings.Count(all, "Ben L") + strings.Count(all, "Karl"); height < 15 && held-2+out != 12 {
				t.Errorf("%dx%d: %d holders shown, %d out\n%s", width, height, held, out, all)
			}
		}
	}
}

func TestTooSmallSaysSo(t *testing.T) {
	t.Parallel()
	if got := strings.Join(lines(drawn(40, 10)), "\n"); got != "Too small: 40×10. The lab needs 48×12.\nq quit" {
		t.Errorf("%q", got)
	}
}

// TestEmptyLabInvites checks what a newcomer sees first.
func TestEmptyLabInvites(t *testing.T) {
	t.Parallel()
	all := strings.Join(lines(drawn(80, 24)), "\n")
	inOrder(t, all, "Stump", "│ Lab open   10:42 │", "Badges", "1  Ann Okafor", "Last events", "none yet: bump a badge, say 1, and then a device, say a", "? help")
	all = strings.Join(lines(drawn(minWidth, minHeight)), "\n")
	inOrder(t, all, "│ Lab open   10:42 │", "Bump a badge, 1-6, and then a device, a-l", "? help")
}

// TestHelpIsComplete scrolls through the help and sees every row. On a terminal
// of 80x24 there is nothing to scroll.
func TestHelpIsComplete(t *testing.T) {
	t.Parallel()
	s := drawn(80, 24)
	s.help = true
	if s.helpBelow() != 0 {
		t.Errorf("at 80x24 %d lines don't fit", s.helpBelow())
	}
	s.width, s.height = minWidth, minHeight
	seen := map[string]bool{}
	for range 60 {
		for _, line := range lines(s) {
			seen[strings.TrimSpace(line)] = true
		}
		s = press(t, s, "down")
	}
	for _, line := range s.helpLines() {
		if line = strings.TrimSpace(escapes.ReplaceAllString(line, "")); !seen[line] {
			t.Errorf("%q is never seen", line)
		}
	}
	if !seen[`bin/stump --socket \`] || !seen["/tmp/stumplab-1234567890/stump.sock who"] {
		t.Errorf("the command can't be copied")
	}
}

func TestKeysOfTheHelp(t *testing.T) {
	t.Parallel()
	for _, closes := range []string{"?", "esc"} {
		s := press(t, drawn(80, 24), "?")
		if got := lines(s); !strings.Contains(got[0], "help") {
			t.Fatalf("? opens %q", got)
		}
		if s = press(t, s, "1"); !s.help || s.card != "" {
			t.Error("a card was shown behind the help")
		}
		if s = press(t, s, closes); s.help {
			t.Errorf("%s does not close the help", closes)
		}
	}
	s := press(t, drawn(minWidth, minHeight), "?")
	if s = press(t, s, "pgdown"); s.scroll != s.helpRows()-1 {
		t.Errorf("a page is %d lines of %d", s.scroll, s.helpRows())
	}
	for range 9 {
		s = press(t, s, "space")
	}
	below := s.helpBelow()
	if s.height++; s.scroll != below || press(t, s, "up").scroll != below-2 {
		t.Errorf("at the end, on a larger screen, up leads from %d to %d of %d", s.scroll, press(t, s, "up").scroll, below)
	}
	if s = press(t, press(t, s, "pgup"), "pgup"); s.scroll != max(0, below-1-2*(s.helpRows()-1)) {
		t.Errorf("two pages up is line %d", s.scroll)
	}
	if s := press(t, drawn(80, 24), "z"); !strings.Contains(s.note, "z is not a key here") {
		t.Errorf("z: %q", s.note)
	}
}

func TestLeaving(t *testing.T) {
	t.Parallel()
	for _, help := range []bool{false, true} {
		for _, key := range []string{"q", "Q", "ctrl+c"} {
			s := drawn(80, 24)
			s.help = help
			if _, cmd := s.Update(keyPress(key)); cmd == nil || cmd() != tea.Quit() {
				t.Errorf("%s does not end it (help %v)", key, help)
			}
		}
	}
	if _, cmd := drawn(80, 24).Update(keyPress("esc")); cmd != nil {
		t.Error("Esc ends the lab")
	}
}

// TestCardsOfTheKeys wants a different card for every key.
func TestCardsOfTheKeys(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, key := range strings.Split(badgeKeys+deviceKeys+strangerKey, "") {
		card, ok := cardOf(key)
		if !ok || seen[card.Credential] || strings.Contains("xmq?", key) {
			t.Errorf("%s is %v", key, card)
		}
		seen[card.Credential] = true
	}
	if len(seen) != len(simlab.People)+len(simlab.Devices)+1 {
		t.Errorf("%d keys", len(seen))
	}
}

// TestBumpsOnTheScreen plays with the real daemon.
func TestBumpsOnTheScreen(t *testing.T) {
	t.Parallel()
	s := openScreen(t)
	see := func(words ...string) {
		t.Helper()
		all := strings.Join(lines(s), "\n")
		for _, w := range words {
			if !regexp.MustCompile(w).MatchString(all) {
				t.Fatalf("no %q in\n%s", w, all)
			}
		}
	}
	see("none yet", `a  iPad Pro 13 +in the lab`)
	s = press(t, s, "1")
	see("│ Hello Ann Okafor │", "1› Ann Okafor", `H10301:17:31001: 26 bits in 50 ms`, `D0 .*┬.* pulses`)
	s = press(t, s, "1")
	see("Ignored: the same card within 1.5s is the reader repeating itself")
	s = press(t, s, "A") // Caps Lock
	see("│ Checked out      │", `a› iPad Pro 13 +with Ann Okafor`, `checkout +iPad Pro 13 +Ann Okafor`)
	s = press(t, s, "u")
	see("│ Type your name:  │")
	for _, key := range []string{"n", "Z", "o", "x", "backspace", "e"} {
		s = press(t, s, key)
	}
	see("Name, then Enter: Zoe_")
	s = press(t, s, "enter")
	see("│ Hello Zoe        │")
	for _, key := range []string{"n", "Z", "esc", "n", "enter"} {
		s = press(t, s, key)
	}
	see("nobody is asked for a name")
	for s.fault != "d0-open" {
		s = press(t, s, "x")
	}
	see(`Wiring: d0-open \(a broken DATA0 wire\)`, "x next", "m mend")
	s = press(t, s, "b")
	see("│ Bad tag read     │", `Refused \(.+\): a broken DATA0 wire`, "D0  ─+  0 pulses")
	s = press(t, s, "m")
	see("The wiring is mended", "x break a wire")

	// A change from outside is seen at the next look.
	before := s.commits
	if err := s.lab.client.Do(t.Context(), "POST", "give", wire.Give{Device: "pixel", Person: "fay"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.lab.setFault(t.Context(), "hum"); err != nil {
		t.Fatal(err)
	}
	if s = update(t, s, look{}); s.commits == before {
		t.Error("the screen did not look")
	}
	see(`c  Pixel 9 +with Fay Müller`, `Wiring: hum`)
}

// TestBumpsAtOnce holds three cards to the reader at once: each is read by itself.
func TestBumpsAtOnce(t *testing.T) {
	t.Parallel()
	l := openScreen(t).lab
	var wg sync.WaitGroup
	for _, card := range []simlab.Card{simlab.People[0], simlab.Devices[0], simlab.Stranger} {
		wg.Go(func() {
			b, err := l.tap(t.Context(), card.Credential)
			if err != nil || b.number != card.Credential || b.why != "" || len(b.edges) != 26 {
				t.Errorf("%s: %s, %d edges, %q, %v", card.Credential, b.number, len(b.edges), b.why, err)
			}
		})
	}
	wg.Wait()
}

// TestNoPulses bumps a card at a reader without power.
func TestNoPulses(t *testing.T) {
	t.Parallel()
	s := press(t, openScreen(t), "x")
	if s.fault != gpio.Faults[0] || s.fault != "no-power" {
		t.Fatalf("the first fault is %s", s.fault)
	}
	s = press(t, s, "1")
	if got := lines(s); !strings.Contains(got[len(got)-2], "Nothing came over the wires: no power at the reader") {
		t.Errorf("%q", got[len(got)-2])
	}
}

// TestPalettes draws with every kind of colours: the text stays the same.
func TestPalettes(t *testing.T) {
	t.Parallel()
	want := strings.Join(lines(busy(80, 24)), "\n")
	for _, dark := range []bool{false, true} {
		var msg tea.ColorProfileMsg
		for range 6 { // unknown, no terminal, no colours, 16, 256, all
			m, _ := busy(80, 24).Update(msg)
			s := m.(screen)
			s.palette = newPalette(dark, s.colours)
			if got := strings.Join(lines(s), "\n"); got != want {
				t.Errorf("%v, dark %v:\n%s", msg.Profile, dark, got)
			}
			msg.Profile++
		}
	}
}

// openScreen returns a screen on a running lab.
func openScreen(t *testing.T) screen {
	t.Helper()
	state, err := os.MkdirTemp("", "lab") // a short path for the socket
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l, err := openLab(ctx, state, filepath.Join(state, "stump.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := l.wait(); err != nil {
			t.Error(err)
		}
		os.RemoveAll(state)
	})
	s := newScreen(ctx, l)
	s.width, s.height = 80, 24
	return update(t, s, s.reload())
}

func keyPress(key string) tea.KeyPressMsg {
	switch key {
	case "esc":
		return tea.KeyPressMsg{Code: tea.KeyEscape}
	case "down":
		return tea.KeyPressMsg{Code: tea.KeyDown}
	case "ctrl+c":
		return tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(key)[0], Text: key}
}

// press presses a key and waits for the result.
func press(t *testing.T, s screen, key string) screen {
	t.Helper()
	return update(t, s, keyPress(key))
}

// update gives the screen a message, those that follow from it, and then the
// display.
func update(t *testing.T, s screen, msg tea.Msg) screen {
	t.Helper()
	for todo := []tea.Msg{msg}; len(todo) > 0; todo = todo[1:] {
		if batch, ok := todo[0].(tea.BatchMsg); ok {
			todo = append(todo, batch[0]()) // the others wait for a tick
			continue
		}
		m, cmd := s.Update(todo[0])
		s = m.(screen)
		if _, tick := todo[0].(look); cmd != nil && (!tick || s.lab.commits() != s.commits) {
			todo = append(todo, cmd())
		}
	}
	if s.lab.daemon != nil {
		s.panel = s.lab.display()
	}
	return s
}
