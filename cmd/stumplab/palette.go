package main

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// palette is the lab's colours. Every one of them only underlines what a
// letter or a shape says too: NO_COLOR loses nothing.
type palette struct {
	title, dim, key, held, alarmed lipgloss.Style
	frame, green, red, data0       lipgloss.Style
	// glass is the lit display around its cells, and cells are those of even
	// and odd places, which differ as little as on a real one.
	glass lipgloss.Style
	cells [2]lipgloss.Style
}

// newPalette is the palette for a terminal's background and its kind of
// colours. The display is of the yellow-green kind, lit from behind, whatever
// the terminal is.
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

// fullColour is the palette until the terminal says what it can.
func fullColour(_, _, full color.Color) color.Color { return full }
