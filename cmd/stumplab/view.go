package main

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// Sizes of the screen, in cells.
const (
	// minWidth and minHeight have room for the display, two badges and the names
	// of the devices.
	minWidth, minHeight = 48, 12
	// maxWidth is the widest that the lab is drawn; a wider screen centres it.
	maxWidth = 92

	glassWidth = 20 // 16 cells, the glass around them and the frame
	bodyHeight = 1 + 12
	usualList  = 1 + 3 // the last events
)

// plan is how many lines each part has. The note and the keys always have one each.
type plan struct{ title, underTitle, body, wires, events, space int }

// planFor gives lines to the parts, the most important first.
func planFor(height int) plan {
	left := height - 2
	take := func(lines, atLeast int) int {
		n := min(lines, left)
		if n < atLeast {
			return 0
		}
		left -= n
		return n
	}
	var p plan
	p.body = take(bodyHeight, 1)
	p.title = take(1, 1)
	p.events = take(usualList-1, 2)
	p.space = take(1, 1) // between body and events
	p.events += take(1, 1)
	p.wires = take(3, 3) // with a blank line
	p.underTitle = take(1, 1)
	p.space += take(1, 1) // above the note
	p.events += left
	return p
}

func (s screen) View() tea.View {
	v := tea.NewView(s.draw())
	v.AltScreen = true
	v.WindowTitle = "Stump"
	return v
}

// draw draws the screen, never wider or taller than the terminal.
func (s screen) draw() string {
	if s.width < minWidth || s.height < minHeight {
		return s.drawTooSmall()
	}
	lines := s.drawLab
	if s.help {
		lines = s.drawHelp
	}
	margin := strings.Repeat(" ", (s.width-s.room())/2)
	return margin + strings.Join(lines(), "\n"+margin)
}

// room returns the width that is drawn.
func (s screen) room() int {
	if s.width < 62 {
		return s.width
	}
	return min(s.width-2, maxWidth)
}

// drawTooSmall asks for a larger terminal, and says how to quit.
func (s screen) drawTooSmall() string {
	text := fmt.Sprintf("Too small: %d×%d. The lab needs %d×%d.", s.width, s.height, minWidth, minHeight)
	lines := append(shorten(wrapped(text, s.width), s.height-1, func(int) string { return "…" }), "q quit")
	for i := range lines {
		lines[i] = cut(lines[i], s.width)
	}
	return strings.Join(lines, "\n")
}

func (s screen) drawLab() []string {
	p, room := planFor(s.height), s.room()
	left := glassWidth + 2
	left += max(0, room-left-38) / 2 // 38 is what the devices need
	right := room - left
	var lines []string
	add := func(more ...string) { lines = append(lines, more...) }
	blank := func(n int) {
		for range n {
			add("")
		}
	}
	if p.title > 0 {
		add(s.title.Render("Stump") + s.dim.Render(cut("  a lab to play with: the real daemon, simulated wires", room-5)))
	}
	blank(p.underTitle)
	leftSide, rightSide := s.drawLeft(left-2, p.body), s.drawDevices(right, p.body)
	for i := range p.body {
		l, r := "", ""
		if i < len(leftSide) {
			l = leftSide[i]
		}
		if i < len(rightSide) {
			r = rightSide[i]
		}
		add(l + strings.Repeat(" ", left-lipgloss.Width(l)) + r)
	}
	if p.wires > 0 {
		blank(1)
		add(s.drawWires(room)...)
	}
	blank(min(p.space, 1))
	add(s.drawEvents(room, p.events)...)
	blank(s.height - 2 - len(lines))
	add(s.drawNote(room), s.drawKeys(room))
	return lines
}
