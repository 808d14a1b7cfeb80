package main

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// fit cuts a plain text to a width, which it then has, in a terminal's cells.
// What was cut is marked.
func fit(s string, width int) string {
	if w := lipgloss.Width(s); w <= width {
		return s + strings.Repeat(" ", width-w)
	}
	return fit(cut(s, width), width)
}

// cut is fit without the blanks behind.
func cut(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	letters := []rune(s)
	letters = letters[:min(len(letters), 4*width)] // more would be drawn onto the same letters
	for len(letters) > 0 && lipgloss.Width(string(letters)) > width-1 {
		letters = letters[:len(letters)-1]
	}
	return string(letters) + "…"
}

// wrapped breaks plain text between words.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && lipgloss.Width(line)+1+lipgloss.Width(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line == "" {
		return lines
	}
	return append(lines, line)
}

// shorten keeps n lines; more tells in the last of them what is left out, from
// the line of that number on.
func shorten(lines []string, n int, more func(from int) string) []string {
	if len(lines) <= n || n <= 0 {
		return lines[:min(len(lines), max(n, 0))]
	}
	return append(lines[:n-1:n-1], more(n-1))
}
