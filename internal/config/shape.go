package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"stump/internal/hint"
)

const seeExample = "`stump config example` prints every key with a comment"

// shape compares v, a value of the file, with the type that it is decoded into.
// It notes unknown keys, values of a wrong type and impossible lengths of time. The
// decoder would stop at the first wrong type and name it only in a sentence. It
// reports whether v can be decoded, and leaves out of v what can't.
func (c *Config) shape(key string, t reflect.Type, v any) (fits bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch has, wants := kindOf(reflect.TypeOf(v)), kindOf(t); {
	case t == reflect.TypeFor[DeviceKey]() && has == aString:
		return true
	case t == reflect.TypeFor[DeviceKey]():
		return c.shape(key, reflect.TypeFor[deviceTable](), v)
	case wants == interval && (has == aString || has == integer):
		return c.length(key, t, v)
	case wants == list && has == table && !strings.Contains(key, "."):
		return c.misfit(key, "there may be several: write [["+key+"]], in two brackets", "must be %s, not %s", wants, has)
	case has != wants:
		return c.misfit(key, seeExample, "must be %s, not %s", wants, has)
	}
	return c.inside(key, t, v)
}

// inside is shape for the parts of a value of the right type.
func (c *Config) inside(key string, t reflect.Type, v any) (fits bool) {
	fits = true
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		table := v.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(table)) {
			if !c.entry(key, t, name, table[name]) {
				delete(table, name)
			}
		}
	case reflect.Slice:
		elements := reflect.ValueOf(v)
		for i := range elements.Len() {
			element := key
			if !strings.Contains(key, ".") { // an array of tables
				element = fmt.Sprintf("%s[%d]", key, i)
			}
			fits = c.shape(element, t.Elem(), elements.Index(i).Interface()) && fits
		}
	case reflect.Uint64: // the decoder takes any integer
		if n := v.(int64); n < 0 {
			return c.misfit(key, "use 0 or more", "%d is negative", n)
		}
	}
	return fits
}

// entry is shape for one key of a table.
func (c *Config) entry(table string, t reflect.Type, name string, v any) (fits bool) {
	key := strings.TrimPrefix(table+"."+toml.Key{name}.String(), ".")
	if t.Kind() == reflect.Map {
		return c.shape(key, t.Elem(), v)
	}
	var known []string
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("toml")
		if tag == "" || tag == "-" {
			continue
		}
		if strings.EqualFold(tag, name) {
			return c.shape(key, f.Type, v)
		}
		known = append(known, tag)
	}
	remedy := seeExample
	if near := hint.Nearest(name, known); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	}
	c.faults = append(c.faults, &fault{c.path, "", c.line(key), fmt.Sprintf("unknown key %q", printable(key)), remedy})
	return false
}

// misfit notes that the file can't be decoded for the value of key, unless that is
// a guess.
func (c *Config) misfit(key, remedy, format string, args ...any) (fits bool) {
	if !c.guessed[c.line(key)] {
		c.bad(key, remedy, format, args...)
	}
	if c.unfit == nil {
		c.unfit = map[string]bool{}
	}
	c.unfit[strings.ToLower(key)] = true
	return false
}

// length checks a length of time. As an integer, which the decoder takes for
// nanoseconds, it lacks its unit.
func (c *Config) length(key string, t reflect.Type, v any) (fits bool) {
	text := fmt.Sprint(v)
	d, err := time.ParseDuration(text)
	if t == reflect.TypeFor[Span]() {
		err = (*Span)(&d).UnmarshalText([]byte(text))
	} else if n, ok := v.(int64); ok {
		d, err = time.Duration(n), nil
	}
	switch {
	case err != nil:
		remedy := `write "60s", "5m" or "1h30m"`
		if _, err := strconv.ParseUint(text, 10, 64); err == nil {
			remedy = fmt.Sprintf(`write the unit too: "%ss", "%sm" or "%sh"`, text, text, text)
		}
		if t == reflect.TypeFor[Span]() {
			remedy += `; in days, "14d"`
		}
		return c.misfit(key, remedy, "%q is not a length of time", text)
	case d < 0:
		return c.misfit(key, `use a positive length such as "90s" or "1h", or "0s"`, "%v is negative", d)
	case d > 0 && d < time.Millisecond:
		return c.misfit(key, fmt.Sprintf("write the number with its unit, such as \"%ds\" or \"%dm\"", d, d), "%v is too short to be meant", d)
	}
	return true
}

// kind is a type in the words of TOML.
type kind string

const (
	aString  kind = "a string"
	aNumber  kind = "a number"
	integer  kind = "an integer"
	boolean  kind = "true or false"
	list     kind = "a list"
	table    kind = "a table"
	date     kind = "a date"
	interval kind = "a length of time"
)

func kindOf(t reflect.Type) kind {
	switch t {
	case reflect.TypeFor[time.Time]():
		return date
	case reflect.TypeFor[time.Duration](), reflect.TypeFor[Span]():
		return interval
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return integer
	case reflect.Float64:
		return aNumber
	case reflect.Bool:
		return boolean
	case reflect.String:
		return aString
	case reflect.Slice:
		return list
	}
	return table
}
