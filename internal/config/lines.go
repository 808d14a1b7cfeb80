package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// keyLines returns the line, from 1, of each key of src, whose metadata is md.
// A key is written as in a fault: "reader[1].badge.min", in lower case.
//
// The decoder knows positions, but gives them only in its own errors, and one
// for all the elements of an array of tables. So the lines are decoded one by
// one, and the keys of each are the next ones in the order of the whole file.
func keyLines(src string, md toml.MetaData) map[string]int {
	lines, elements := map[string]int{}, map[string]int{}
	keys := md.Keys()
	chunk, first, n := "", 1, 0
	for text := range strings.Lines(src) {
		chunk += text
		n++
		part, err := toml.Decode(chunk, new(map[string]any))
		if err != nil {
			continue // a value that goes on in the next line
		}
		for _, key := range keys[:len(part.Keys())] {
			name, top := key.String(), toml.Key(key[:1]).String()
			if md.Type(key[0]) == "ArrayHash" {
				if len(key) == 1 {
					elements[top]++
				}
				name = fmt.Sprintf("%s[%d]%s", top, elements[top]-1, strings.TrimPrefix(name, top))
			}
			if name = strings.ToLower(name); lines[name] == 0 {
				lines[name] = first
			}
		}
		keys = keys[len(part.Keys()):]
		chunk, first = "", n+1
	}
	return lines
}

// line returns the line of a key or else of the table that it would be in, 0
// if the file has neither.
func (c *Config) line(key string) int {
	for key = strings.ToLower(key); key != ""; key = key[:max(0, strings.LastIndexAny(key, ".["))] {
		if n := c.lines[key]; n > 0 {
			return n
		}
	}
	return 0
}

var element = regexp.MustCompile(`^(\w+)\[\d+\]`)

// printable is a key as it is written in the file: "reader.data0".
func printable(key string) string { return element.ReplaceAllString(key, "$1") }
