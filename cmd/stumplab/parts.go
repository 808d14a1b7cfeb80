package main

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"stump/internal/api/wire"
	"stump/internal/simlab"
)

// drawLeft draws the display, the lights and the badges.
func (s screen) drawLeft(width, height int) []string {
	lines := append(s.drawPanel(), s.drawLights(width))
	var badges []string
	for i, p := range simlab.People {
		badges = append(badges, s.row(string(badgeKeys[i]), cut(p.Name, width-3)))
	}
	if spare := height - len(lines) - len(badges); spare >= 1 {
		badges = append([]string{s.title.Render("Badges")}, badges...)
		if spare >= 2 {
			badges = append([]string{""}, badges...)
		}
	}
	return append(lines, shorten(badges, height-len(lines), func(from int) string {
		return s.dim.Render(fmt.Sprintf("…  %d more", len(simlab.People)-from))
	})...)
}

// drawPanel draws the display as a lit panel of cells.
func (s screen) drawPanel() []string {
	var width int
	var lines []string
	for n, row := range s.panel.Rows {
		width = len([]rune(row))
		var b strings.Builder
		b.WriteString(s.frame.Render("│") + s.glass.Render(" "))
		for i, letter := range []rune(fit(row, width)) {
			b.WriteString(s.cells[(n+i)%2].Render(string(letter)))
		}
		b.WriteString(s.glass.Render(" ") + s.frame.Render("│"))
		lines = append(lines, b.String())
	}
	edge := strings.Repeat("─", width+2)
	return append(append([]string{s.frame.Render("╭" + edge + "╮")}, lines...), s.frame.Render("╰"+edge+"╯"))
}

// drawLights draws the reader's lights and its beeper.
func (s screen) drawLights(width int) string {
	lamp := func(on bool, lit lipgloss.Style) string {
		if on {
			return lit.Render("●")
		}
		return s.dim.Render("○")
	}
	lamps := " " + lamp(s.panel.Green, s.green) + " green " + lamp(s.panel.Red, s.red) + " red "
	return lamps + s.dim.Render(cut(fmt.Sprintf("♪ %d", s.panel.Beeps), width-lipgloss.Width(lamps)))
}

// row draws a key and its card, with a mark on the newest bump.
func (s screen) row(key, what string) string {
	mark := " "
	if key == s.card {
		mark = s.key.Render("›")
	}
	return s.key.Render(key) + mark + " " + what
}

func (s screen) drawDevices(width, height int) []string {
	const name = 14
	holder := map[string]string{}
	longest := 0
	for _, d := range s.devices {
		holder[d.ID] = or(d.Person, "")
		longest = max(longest, lipgloss.Width(holder[d.ID]))
	}
	room := width - 3 - name - 2
	with := "with "
	if len(with)+longest > room {
		with = ""
	}
	var lines []string
	for i, d := range simlab.Devices {
		state := s.dim.Render(cut("in the lab", room))
		if h := holder[d.ID]; h != "" {
			state = s.held.Render(cut(with+h, room))
		} else if room < len("in the lab") {
			state = ""
		}
		lines = append(lines, s.row(string(deviceKeys[i]), fit(d.Name, name)+"  "+state))
	}
	if height > len(lines) {
		return append([]string{s.title.Render("Devices")}, lines...)
	}
	return shorten(lines, height, func(from int) string {
		out := 0
		for _, d := range simlab.Devices[from:] {
			if holder[d.ID] != "" {
				out++
			}
		}
		text := fmt.Sprintf("…  %d more", len(simlab.Devices)-from)
		if out > 0 {
			text += fmt.Sprintf(", %d out", out)
		}
		return s.dim.Render(text)
	})
}

// drawWires draws the newest card's pulses on the two data wires.
func (s screen) drawWires(width int) []string {
	const label, count = 4, 12
	bits, perBit := 27, 1
	if width >= label+2*bits+count {
		perBit = 2
	}
	var lines []string
	for line, style := range []lipgloss.Style{s.data0, lipgloss.NewStyle()} {
		drawn, pulses := s.bump.trace(uint8(line), bits*perBit, perBit)
		what := fmt.Sprintf("%d pulses", pulses)
		if s.card == "" {
			what = "data wire"
		}
		lines = append(lines, style.Render(fmt.Sprintf("D%d  %s  %s", line, drawn, what)))
	}
	return lines
}

// drawEvents draws the last events, newest first.
func (s screen) drawEvents(width, height int) []string {
	if height < 2 {
		return nil
	}
	lines := []string{s.title.Render("Last events")}
	if len(s.events) == 0 {
		return append(lines, s.dim.Render(cut("none yet: bump a badge, say 1, and then a device, say a", width)))
	}
	for i := len(s.events) - 1; i >= 0 && len(lines) <= height; i-- {
		e := s.events[i]
		at := "        "
		if e.At != nil {
			at = e.At.Local().Format("15:04:05")
		}
		text := fmt.Sprintf("%-9s %s  %s", e.Kind, fit(or(e.Device, ""), 14), parties(e))
		lines = append(lines, s.dim.Render(at)+"  "+cut(text, width-len(at)-2))
	}
	return shorten(lines, height, func(from int) string {
		return s.dim.Render(fmt.Sprintf("…         %d more", len(s.events)+1-from))
	})
}

// parties names the person of an event, and from whom the device came.
func parties(e wire.History) string {
	person, from := or(e.Person, ""), or(e.From, "")
	switch {
	case from == "" || from == person:
		return person
	case e.Kind == "return":
		return person + " for " + from
	default:
		return from + " → " + person
	}
}

// drawNote draws the result of the newest bump, and the wiring fault.
func (s screen) drawNote(width int) string {
	if s.fault != "" && !s.alarm {
		return s.alarmed.Render(cut("Wiring: "+s.wiring()+". "+s.note, width))
	}
	style, note := s.dim, s.note
	switch {
	case s.alarm:
		style = s.alarmed
	case note == "" && planFor(s.height).events == 0: // the list of events, which says so, has no room
		note = "Bump a badge, 1-6, and then a device, a-l"
	}
	return style.Render(cut(note, width))
}
