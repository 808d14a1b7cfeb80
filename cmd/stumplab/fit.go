package main

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// fit cuts or pads plain text to a width in terminal cells. A cut ends in "…".
func fit(s string, width int) string {
	if w := lipgloss.Width(s); w <= width {
		return s + strings.Repeat(" ", width-w)
	}
	return fit(cut(s, width), width)
}

// cut is fit without the padding.
func cut(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	letters := []rune(s)
	letters = letters[:min(len(letters), 4*width)] // anything longer is combining marks
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

// shorten keeps n lines. If that leaves any out, the last one is more(i), where
// i is the first line left out.
func shorten(lines []string, n int, more func(from int) string) []string {
	if len(lines) <= n || n <= 0 {
		return lines[:min(len(lines), max(n, 0))]
	}
	return append(lines[:n-1:n-1], more(n-1))
}
