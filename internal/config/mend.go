package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// parse decodes a file that may not be TOML everywhere. It notes each line that is
// not, and goes on with what was meant, or without the line, so that all mistakes
// of a file are found at once. The text that it returns has the same lines. ok is
// false if it can't go on.
func (c *Config) parse(src string) (text string, file map[string]any, md toml.MetaData, ok bool) {
	lines := strings.SplitAfter(src, "\n")
	if strings.HasPrefix(strings.TrimSpace(src), "{") {
		c.faults = append(c.faults, c.faultAt(1, "this is JSON, and a configuration is TOML: [display] for a table, kind = \"none\" for a key; "+seeExample, "the file begins with {"))
		return "", nil, md, false
	}
	c.headers(lines)
	for mended := map[int]bool{}; ; {
		file, text = nil, strings.Join(lines, "")
		md, err := toml.Decode(text, &file)
		pe := toml.ParseError{}
		switch {
		case err == nil:
			return text, file, md, true
		case !errors.As(err, &pe) || len(c.faults) > 30:
			c.faults = append(c.faults, fmt.Errorf("%s: %w", c.path, err))
			return "", nil, md, false
		}
		n := min(pe.Position.Line, len(lines)) - 1
		if strings.Contains(pe.Message, `got '\n'`) && n > 0 {
			n-- // the parser has gone on to the next line
		}
		line := lines[n]
		switch m, found := c.meant(lines, n); {
		case found && !mended[n]:
			c.faults = append(c.faults, c.faultAt(n+1, m.remedy, "%s", m.what))
			lines[n] = m.line
		case strings.TrimSpace(line) == "":
			return "", nil, md, false // of a text or list without an end
		default:
			if !mended[n] {
				c.faults = append(c.faults, c.faultAt(n+1, seeExample, "%s", lowerFirst(strings.TrimSuffix(pe.Message, "."))))
			}
			lines[n] = blank(line)
		}
		mended[n] = true
		c.guessed[n+1] = true
	}
}

// headers mends the headers of tables that are in one pair of brackets instead of
// two, or in two instead of one, which is TOML all the same.
func (c *Config) headers(lines []string) {
	inText := false // over several lines
	for i, line := range lines {
		if (strings.Count(line, `"""`)+strings.Count(line, "'''"))%2 != 0 {
			inText = !inText
		}
		m := header.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil || inText {
			continue
		}
		right, wrong := bracketed(m[1]), "["+m[1]+"]"
		what, remedy := "must be a list, not a table", "there may be several: write "+right+", in two brackets"
		if right == wrong {
			wrong, what, remedy = "["+right+"]", "must be a table, not a list", "there is only one: write "+right+", in one bracket"
		}
		rest, ok := strings.CutPrefix(strings.TrimLeft(line, " \t"), wrong)
		if ok && !strings.HasPrefix(rest, "]") && fieldKind("", m[1]) != "" {
			lines[i] = right + rest
			c.faults = append(c.faults, &fault{c.path, m[1], i + 1, what, remedy})
		}
	}
}

// faultAt is a fault of a line that has no key.
func (c *Config) faultAt(line int, remedy, format string, args ...any) error {
	return &fault{c.path, "", line, fmt.Sprintf(format, args...), remedy}
}

// mending is a line as it was meant, what is wrong with it, and what to write.
type mending struct{ line, what, remedy string }

var (
	yamlLine = regexp.MustCompile(`^\s*(?:- )?\s*["']?([A-Za-z_][A-Za-z0-9_-]*)["']?\s*:(?:\s+(.*?))?\s*$`)
	yamlItem = regexp.MustCompile(`^\s*(?:- |---)`)
	header   = regexp.MustCompile(`^\s*\[+\s*([A-Za-z0-9_."-]+)\s*\]*\s*(?:#.*)?$`)
	keyLine  = regexp.MustCompile(`^(\s*([A-Za-z0-9_."-]+)\s*=\s*)(.*?)(\r?\n?)$`)
	noEquals = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s+([^=\s].*?)\s*$`)
)

// meant says what the line at n was probably meant to be. A file in YAML is one
// mistake, so its first line stands for all.
func (c *Config) meant(lines []string, n int) (mending, bool) {
	line := strings.TrimRight(lines[n], "\r\n")
	end := lines[n][len(line):]
	table := tableOf(lines, n)
	switch m := header.FindStringSubmatch(line); {
	case m != nil && twice(lines, n):
		return mending{skip(lines, n), fmt.Sprintf("%s is there twice", strings.TrimSpace(line)), "write the keys of both below the first"}, true
	case m != nil && strings.TrimSpace(line) != bracketed(m[1]):
		right := bracketed(m[1])
		return mending{right + end, fmt.Sprintf("the brackets of %q are not a pair", strings.TrimSpace(line)), "write " + right}, true
	case yamlLine.MatchString(line) || yamlItem.MatchString(line):
		return c.yaml(lines, n), true
	}
	if first := strings.TrimLeft(line, " \t"); strings.HasPrefix(first, ";") || strings.HasPrefix(first, "//") {
		return mending{"#" + line + end, "that is no comment", "a comment begins with #"}, true
	}
	if m := keyLine.FindStringSubmatch(lines[n]); m != nil {
		return quoted(m[1], m[3], m[4], fieldKind(table, m[2]))
	}
	if m := noEquals.FindStringSubmatch(line); m != nil && fieldKind(table, m[1]) != "" {
		right, ok := quoted(m[1]+" = ", m[2], end, fieldKind(table, m[1]))
		if !ok {
			right.line = m[1] + " = " + m[2] + end
		}
		return mending{right.line, fmt.Sprintf("%s has no =", m[1]), "write " + strings.TrimSpace(right.line)}, true
	}
	right, ok := quoted("", line, end, aString) // an element of a list over several lines
	return right, ok && strings.HasSuffix(strings.TrimSpace(line), ",")
}

// yaml takes YAML's lines away from n on, and says how TOML writes the first.
func (c *Config) yaml(lines []string, n int) mending {
	line := strings.TrimSpace(lines[n])
	remedy := "a list is written in brackets: formats = [\"H10301\", \"H10306\"]"
	if m := yamlLine.FindStringSubmatch(lines[n]); m != nil && m[2] == "" {
		remedy = fmt.Sprintf("a table is %s, on a line of its own; its keys stand below it, as in name = \"door\"", bracketed(m[1]))
	} else if m != nil {
		right, ok := quoted(m[1]+" = ", m[2], "", fieldKind("", m[1]))
		if !ok {
			right.line = m[1] + " = " + m[2]
		}
		remedy = "a key is " + right.line
	}
	more := 0
	for i := n; i < len(lines); i++ {
		if yamlLine.MatchString(lines[i]) || yamlItem.MatchString(lines[i]) {
			if i > n {
				more++
			}
			lines[i] = blank(lines[i])
		}
	}
	what := fmt.Sprintf("%q is YAML, and a configuration is TOML", line)
	switch {
	case more == 1:
		what += " (and so is 1 more line)"
	case more > 1:
		what += fmt.Sprintf(" (and so are %d more lines)", more)
	}
	return mending{lines[n], what, remedy + "; " + seeExample}
}

// blank is a line with its end alone.
func blank(line string) string { return line[len(strings.TrimRight(line, "\r\n")):] }

// twice reports whether the header at n is there before, of a table that can be
// there only once.
func twice(lines []string, n int) bool {
	line := strings.TrimSpace(lines[n])
	return !strings.HasPrefix(line, "[[") && slices.ContainsFunc(lines[:n], func(l string) bool { return strings.TrimSpace(l) == line })
}

// skip takes the table at n away, up to the next one.
func skip(lines []string, n int) string {
	lines[n] = blank(lines[n])
	for i := n + 1; i < len(lines) && !header.MatchString(strings.TrimRight(lines[i], "\r\n")); i++ {
		lines[i] = blank(lines[i])
	}
	return lines[n]
}

// bracketed is a table's name in the brackets that it has.
func bracketed(name string) string {
	t, ok := field(reflect.TypeFor[Config](), name)
	if ok && t.Kind() == reflect.Slice {
		return "[[" + name + "]]"
	}
	return "[" + name + "]"
}

// tableOf is the table that line n is in, "" before the first.
func tableOf(lines []string, n int) string {
	for i := n - 1; i >= 0; i-- {
		if m := header.FindStringSubmatch(strings.TrimRight(lines[i], "\r\n")); m != nil {
			return m[1]
		}
	}
	return ""
}

// field is the type of a key in a struct.
func field(t reflect.Type, name string) (reflect.Type, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if strings.EqualFold(f.Tag.Get("toml"), name) {
			return f.Type, true
		}
	}
	return nil, false
}

// fieldKind is what a key of a table takes; "" for a key that is not known. Of a
// table it is a table.
func fieldKind(table, key string) kind {
	t := reflect.TypeFor[Config]()
	for _, name := range strings.Split(strings.Trim(table+"."+key, "."), ".") {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return ""
		}
		next, ok := field(t, name)
		if !ok {
			return ""
		}
		t = next
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return kindOf(t)
}

// quoted writes a value whose words lack their quotation marks. before and after
// stand around it in the line.
func quoted(before, value, after string, wants kind) (mending, bool) {
	right, words := quoteWords(value, wants)
	if len(words) == 0 || strings.Contains(value, `"""`) || strings.Contains(value, "'''") { // a text over several lines
		return mending{}, false
	}
	what := strings.Join(words, " and ") + " is not in quotation marks"
	switch {
	case len(words) > 1:
		what = strings.Join(words, " and ") + " are not in quotation marks"
	case strings.HasPrefix(words[0], `"`), strings.HasPrefix(words[0], "'"):
		what = words[0] + " has no quotation mark at its end"
	case strings.ContainsAny(words[0], "“”„‘’"):
		what = words[0] + " has a typesetter's quotation marks"
	case right == "true" || right == "false":
		what = words[0] + " is neither true nor false"
	}
	written, _, _ := strings.Cut(strings.TrimSpace(before+right), " #")
	return mending{before + right + after, what, "write " + strings.TrimSpace(written)}, true
}

// quoteWords puts the bare words of a value into quotation marks, and returns them.
func quoteWords(value string, wants kind) (right string, words []string) {
	for value != "" {
		switch i := strings.IndexAny(value, " \t[]{},=#\"'"); {
		case value[0] == '#':
			return right + value, words
		case value[0] == '"' || value[0] == '\'':
			end := strings.IndexByte(value[1:], value[0])
			if end < 0 { // the rest is one text, up to a comment
				text, comment, _ := strings.Cut(value, " #")
				if comment != "" {
					comment = " #" + comment
				}
				return right + strconv.Quote(strings.TrimSpace(text[1:])) + comment, append(words, strings.TrimSpace(text))
			}
			right, value = right+value[:end+2], value[end+2:]
		case i == 0:
			right, value = right+value[:1], value[1:]
		default:
			// A bare word ends where a list or an inline table goes on, or a comment
			// begins; blanks are part of it, as in pin 11.
			end := strings.IndexAny(value, "[]{},=")
			if end < 0 {
				end = len(value)
			}
			if comment := strings.Index(value, " #"); comment >= 0 {
				end = min(end, comment)
			}
			word := strings.TrimRight(value[:end], " \t")
			value = value[len(word):]
			if strings.HasPrefix(strings.TrimLeft(value, " \t"), "=") { // a key of an inline table
				right += word
				continue
			}
			fixed := scalar(word, wants)
			if fixed != word {
				words = append(words, word)
			}
			right += fixed
		}
	}
	return right, words
}

// scalar is a bare word as TOML has it.
func scalar(word string, wants kind) string {
	if _, err := toml.Decode("x = "+word, new(map[string]any)); err == nil {
		return word
	}
	if yes := strings.ToLower(word); wants == boolean || yes == "true" || yes == "false" {
		switch {
		case slices.Contains([]string{"true", "yes", "on"}, yes):
			return "true"
		case slices.Contains([]string{"false", "no", "off"}, yes):
			return "false"
		}
	}
	return strconv.Quote(strings.Trim(word, "“”„‘’"))
}
