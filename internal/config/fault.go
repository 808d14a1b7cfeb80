package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"

	"stump/directory/call"
	"stump/internal/hint"
)

// fault is what is wrong in one place of the file.
type fault struct {
	file, key string // the key may be ""
	line      int    // 0 if the file has no such place
	what      string
	remedy    string
}

func (f *fault) Error() string {
	text := f.file + ": "
	if f.line > 0 {
		text = fmt.Sprintf("%s:%d: ", f.file, f.line)
	}
	if f.key != "" {
		text += f.key + ": "
	}
	return text + f.what
}

// Hint says what to do.
func (f *fault) Hint() string { return f.remedy }

// fault returns the error for the value of key. Elements of arrays of tables
// are counted from 0: "webhook[0].url".
func (c *Config) fault(key, remedy, format string, args ...any) error {
	return &fault{c.path, printable(key), c.line(key), fmt.Sprintf(format, args...), remedy}
}

// bad notes that the value of key can't be used. What could not be decoded has been
// noted as that, and its default is no mistake.
func (c *Config) bad(key, remedy, format string, args ...any) {
	if c.leftOut(key) {
		return
	}
	c.faults = append(c.faults, c.fault(key, remedy, format, args...))
}

// leftOut reports whether a key, the table that it is in, or something in it was
// not decoded.
func (c *Config) leftOut(key string) bool {
	key = strings.ToLower(key)
	for unfit := range c.unfit {
		if within(key, unfit) || within(unfit, key) {
			return true
		}
	}
	return false
}

// within reports whether a key is outer, or in it.
func within(key, outer string) bool {
	rest, ok := strings.CutPrefix(key, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Faults are all that is wrong with a file, in the order of its lines.
type Faults []error

func (f Faults) Error() string { return errors.Join(f...).Error() }

// Unwrap returns the single errors. Each has its own hint.
func (f Faults) Unwrap() []error { return f }

// Join makes one error of several: nil, the only one, or Faults.
func Join(errs ...error) error {
	var all Faults
	for _, err := range errs {
		if several := Faults(nil); errors.As(err, &several) {
			all = append(all, several...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	line := func(err error) int {
		if f := (*fault)(nil); errors.As(err, &f) {
			return f.line
		}
		return 0
	}
	sort.SliceStable(all, func(i, j int) bool { return line(all[i]) < line(all[j]) })
	return all
}

// Locate adds the line and a hint to an error of the directory or of a webhook.
func (c *Config) Locate(err error) error {
	if err == nil {
		return nil
	}
	remedy := cmp.Or(hint.Of(err), "docs/directory.md has whole tables to start from")
	bad, ok := errors.AsType[*call.KeyError](err)
	if !ok {
		return &fault{file: c.path, what: err.Error(), remedy: remedy}
	}
	table := bad.Table
	if table == "webhook" {
		table = fmt.Sprintf("webhook[%d]", bad.Index)
	}
	if c.leftOut(table + "." + bad.Key) {
		return nil
	}
	return c.fault(table+"."+bad.Key, remedy, "%v", bad.Err)
}

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
		if n := cmp.Or(c.lines[key], c.lines[key+"[0]"]); n > 0 {
			return n
		}
	}
	return 0
}

var element = regexp.MustCompile(`^(\w+)\[\d+\]`)

// printable is a key as it is written in the file: "reader.data0".
func printable(key string) string { return element.ReplaceAllString(key, "$1") }
