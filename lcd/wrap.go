package lcd

// wrap breaks a line into at most rows rows of cols letters; what is left goes
// into the last row, which may be longer.
func wrap(letters []rune, cols, rows int) [][]rune {
	if len(letters) <= cols {
		return [][]rune{letters} // as it is: blanks at the edges are meant
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

// breakAt returns after how many letters a person would break a line that is
// longer than cols: before the last word that doesn't fit, after a hyphen or
// a slash, and inside a word only when the word fits no row at all or the row
// would be left nearly empty.
func breakAt(letters []rune, cols int) int {
	best := 0
	for i := 1; i <= cols && i < len(letters); i++ {
		switch before, after := letters[i-1], letters[i]; {
		case after == ' ', after == '(':
			best = i
		case (before == '-' || before == '/') && after != ' ':
			best = i
		case before == ' ':
			best = i
		}
	}
	if best*3 < cols && wordLen(letters[best:]) > cols {
		return min(cols, len(letters))
	}
	if best == 0 {
		return min(cols, len(letters))
	}
	return best
}

// wordLen is how many letters the next word has.
func wordLen(letters []rune) int {
	letters = trim(letters)
	for i, r := range letters {
		if r == ' ' {
			return i
		}
	}
	return len(letters)
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
