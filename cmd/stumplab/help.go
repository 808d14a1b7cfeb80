package main

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"stump/checkout"
)

// helpText is the help: paragraphs, rows of a key and what it does, separated by
// a tab, and indented commands to copy.
const helpText = `This is the daemon that runs on a board; only the reader and the display are simulated. A bump sends a card's pulses over the two data wires: on D0 for a 0, on D1 for a 1.

1-6	bump a badge
a-l	bump a device
u	bump an unknown badge
n	type the name of its owner, then Enter; Esc leaves it
x	break the wiring, each time in a new way; then bump and see
m	mend the wiring
w	a link with which a browser shows who has what (it warns: self-made)
?	this help; ? or Esc closes it. q or Ctrl-C: quit

A badge and a device within a minute, in either order: checked out. The same two again: returned, unless they come within %[3]v. Another badge and the device: handed over. The same card again within %[1]v is ignored.

Ask the daemon from another terminal, as admins do, after make build:
  bin/stump --socket %[2]s who
With "enroll person Zoe" in place of "who", the next unknown card is Zoe's: press u.`

// helpLines returns the help at the screen's width.
func (s screen) helpLines() []string {
	const keys = 5
	var lines []string
	for row := range strings.SplitSeq(fmt.Sprintf(helpText, checkout.Presentation, s.lab.socket, checkout.DefaultSamePair), "\n") {
		key, about, ok := strings.Cut(row, "\t")
		switch {
		case row == "":
			lines = append(lines, "")
		case ok:
			for i, part := range wrapped(about, s.room()-keys) {
				if i > 0 {
					key = ""
				}
				lines = append(lines, s.key.Render(fit(key, keys))+part)
			}
		case strings.HasPrefix(row, " "):
			lines = append(lines, s.commandLines(row)...)
		default:
			lines = append(lines, wrapped(row, s.room())...)
		}
	}
	return lines
}

// commandLines returns a command to copy, with a backslash where it is broken.
func (s screen) commandLines(row string) []string {
	if lipgloss.Width(row) <= s.room() {
		return []string{row}
	}
	first, rest, _ := strings.Cut(row, "--socket ")
	return []string{first + `--socket \`, cut("  "+rest, s.room())}
}

// helpRows returns how many lines of the help the screen shows.
func (s screen) helpRows() int { return s.height - 3 }

// helpBelow returns how many lines of the help don't fit on the screen.
func (s screen) helpBelow() int { return max(0, len(s.helpLines())-s.helpRows()) }

func (s screen) drawHelp() []string {
	lines := s.helpLines()
	top := min(s.scroll, s.helpBelow())
	lines = lines[top:min(len(lines), top+s.helpRows())]
	lines = append([]string{s.title.Render("Stump") + s.dim.Render("  help")}, lines...)
	for len(lines) < s.height-1 {
		lines = append(lines, "")
	}
	return append(lines, s.drawKeys(s.room()))
}
