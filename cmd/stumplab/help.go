package main

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"stump/checkout"
)

// helpText is the help: paragraphs, and rows of a key or a command and what it
// does, parted by a tab. An indented row is a command to copy.
const helpText = `The daemon as it runs on a board; only the reader and the display are simulated. A bump makes the pulses that a card makes on the two data wires: on D0 for a 0, on D1 for a 1.

1-6	bump somebody's badge
a-l	bump a device
u	bump a card that nobody knows
x	break the wiring, each time in another way; then bump and see
m	mend the wiring
?	this help; ? or Esc closes it
q	quit; Ctrl-C too

A badge and a device within a minute, in either order: checked out. The same two again: returned, but within %[3]v they undo nothing. Another badge and the device: handed over. The same card again within %[1]v is ignored.

Ask it from another terminal, as admins do, after make build:
  bin/stump --socket %[2]s who
With "enroll person Zoe" in place of "who", the next unknown card is Zoe's: press u.`

// helpLines is the help at the screen's width.
func (s screen) helpLines() []string {
	const keys = 5
	var lines []string
	for row := range strings.SplitSeq(fmt.Sprintf(helpText, checkout.DefaultRepeat, s.lab.socket, checkout.DefaultSamePair), "\n") {
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

// commandLines is a command to copy, broken as a shell takes it if need be.
func (s screen) commandLines(row string) []string {
	if lipgloss.Width(row) <= s.room() {
		return []string{row}
	}
	first, rest, _ := strings.Cut(row, "--socket ")
	return []string{first + `--socket \`, cut("  "+rest, s.room())}
}

// helpRows is how many lines of the help are seen at once.
func (s screen) helpRows() int { return s.height - 3 }

// helpBelow is how many lines don't fit on the screen.
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
