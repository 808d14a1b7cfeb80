package config

import (
	"slices"
	"strconv"
	"strings"
)

// locate returns the line, from 1, on which key is set in src, or 0. A key is
// the path of tables to a value; the element of an array of tables is named
// by its index ("reader", "1", "data0"). The TOML decoder tells lines only for
// what it refuses itself.
func locate(src string, key []string) int {
	line, _ := locateDepth(src, key)
	return line
}

// locateDepth is locate, and how many elements of key were found.
func locateDepth(src string, key []string) (int, int) {
	var table []string
	seen := map[string]int{}
	best, bestDepth := 0, 0
	for i, line := range strings.Split(src, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "[["):
			name := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(cut(line, "#"), "[["), "]]"))
			table = append(splitKey(name), strconv.Itoa(seen[name]))
			seen[name]++
		case strings.HasPrefix(line, "["):
			table = splitKey(strings.Trim(cut(line, "#"), "[] \t"))
			if n := seen[table[0]]; n > 0 { // a table of the newest element
				table = slices.Insert(table, 1, strconv.Itoa(n-1))
			}
		default:
			name, _, ok := strings.Cut(line, "=")
			if !ok || strings.HasPrefix(line, "#") {
				continue
			}
			if d := prefixDepth(key, append(table[:len(table):len(table)], splitKey(strings.TrimSpace(name))...)); d > bestDepth {
				best, bestDepth = i+1, d
			}
			continue
		}
		if d := prefixDepth(key, table); d > bestDepth {
			best, bestDepth = i+1, d
		}
	}
	return best, bestDepth
}

// prefixDepth is len(path) when path leads towards key, else 0.
func prefixDepth(key, path []string) int {
	if len(path) > len(key) {
		return 0
	}
	for i := range path {
		if !strings.EqualFold(path[i], key[i]) {
			return 0
		}
	}
	return len(path)
}

func splitKey(s string) []string {
	parts := strings.Split(s, ".")
	for i := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(parts[i]), `"'`)
	}
	return parts
}

func cut(s, sep string) string {
	s, _, _ = strings.Cut(s, sep)
	return strings.TrimSpace(s)
}
