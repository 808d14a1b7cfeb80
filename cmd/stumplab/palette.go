package main

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// palette is the lab's colours. Each repeats what a letter or a shape says too,
// so that NO_COLOR loses nothing.
type palette struct {
	title, dim, key, held, alarmed lipgloss.Style
	frame, green, red, data0       lipgloss.Style
	// glass is the lit display around its cells; cells are the even and the odd
	// ones, which differ as slightly as on real glass.
	glass lipgloss.Style
	cells [2]lipgloss.Style
}

// newPalette returns the palette for a terminal's background and the colours it
// can show. The display is yellow-green and lit from behind on any terminal.
func newPalette(dark bool, kind lipgloss.CompleteFunc) palette {
	on := lipgloss.LightDark(dark)
	ink := func(light, dark string) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(on(lipgloss.Color(light), lipgloss.Color(dark)))
	}
	lit := func(ansi, ansi256, full string) color.Color {
		return kind(lipgloss.Color(ansi), lipgloss.Color(ansi256), lipgloss.Color(full))
	}
	cell := lipgloss.NewStyle().Bold(true).Foreground(lit("0", "16", "#142108"))
	return palette{
		title:   lipgloss.NewStyle().Bold(true),
		dim:     ink("242", "246"),
		key:     ink("25", "75").Bold(true),
		held:    ink("130", "214"),
		alarmed: ink("160", "203"),
		frame:   ink("245", "241"),
		green:   ink("28", "46"),
		red:     ink("160", "196"),
		data0:   ink("28", "71"),
		glass:   lipgloss.NewStyle().Background(lit("10", "148", "#b6d53c")),
		cells: [2]lipgloss.Style{
			cell.Background(lit("10", "148", "#abca31")),
			cell.Background(lit("10", "148", "#a5c42c")),
		},
	}
}

// fullColour is the kind of colours until the terminal reports its own.
func fullColour(_, _, full color.Color) color.Color { return full }
