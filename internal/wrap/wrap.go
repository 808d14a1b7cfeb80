// Package wrap breaks text into lines.
package wrap

import "strings"

// Hang breaks a text at spaces into lines of at most columns characters, unless
// a single word is longer. The first line begins with mark, and the others are
// indented by as much.
func Hang(mark, text string, columns int) (lines []string) {
	indent := strings.Repeat(" ", len([]rune(mark)))
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(mark+line+" "+word)) > columns {
			lines = append(lines, mark+line)
			mark, line = indent, ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, mark+line)
}
