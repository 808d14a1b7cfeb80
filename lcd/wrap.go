package lcd

import (
	"slices"
	"strings"
)

// wrap breaks a line into at most rows rows of cols letters. The rest is in the
// last row, which may be longer.
func wrap(letters []rune, cols, rows int) [][]rune {
	if len(letters) <= cols {
		return [][]rune{letters} // blanks at the edges are part of the text
	}
	var out [][]rune
	rest := trim(letters)
	for len(rest) > cols && len(out) < rows-1 {
		n := breakAt(rest, cols)
		out = append(out, trimRight(rest[:n]))
		rest = trim(rest[n:])
	}
	if len(rest) > 0 {
		out = append(out, rest)
	}
	return out
}

// breakAt returns after how many letters to break a line that is longer than
// cols: before the first word that doesn't fit, or after a hyphen or a slash in
// it. It breaks inside a word only if the word fits no row and would leave this
// one nearly empty.
func breakAt(letters []rune, cols int) int {
	best := 0
	for i := 1; i <= cols && i < len(letters); i++ {
		if after := letters[i]; after == ' ' || after == '(' || strings.ContainsRune(" -/", letters[i-1]) {
			best = i
		}
	}
	word := trim(letters[best:])
	if i := slices.Index(word, ' '); i >= 0 {
		word = word[:i]
	}
	if best == 0 || best*3 < cols && len(word) > cols {
		return min(cols, len(letters))
	}
	return best
}

func trimRight(letters []rune) []rune {
	for len(letters) > 0 && letters[len(letters)-1] == ' ' {
		letters = letters[:len(letters)-1]
	}
	return letters
}

func trim(letters []rune) []rune {
	for len(letters) > 0 && letters[0] == ' ' {
		letters = letters[1:]
	}
	return trimRight(letters)
}
