// Package config reads the station's TOML file: strictly, so that a slip of
// the pen is found at the desk and not in the lab. An unknown key or a bad value
// is an error with the file, the line, and what was probably meant.
//
// The file is first decoded as it stands (the types below, defaults filled
// in), then checked as a whole; every rejection names its key.
package config

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"

	"stump/directory"
	"stump/hw/board"
	"stump/internal/hint"
	"stump/wiegand"
)

// DefaultPath is read when it is present and no other file was named.
const DefaultPath = "/etc/stump/stump.toml"

// Example is a commented file with every key at its default or a plausible
// value. The tests parse it.
//
//go:embed example.toml
var Example string

// Config is the whole file.
type Config struct {
	// Station names this station in every event; default the host's name.
	Station string `toml:"station"`
	// Listen is a loopback address for the API beside the socket; "" is off.
	Listen string `toml:"listen"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `toml:"log_level"`

	Readers []Reader `toml:"reader"`
	// Formats are card formats of the site's own.
	Formats []wiegand.CustomFormat `toml:"format"`
	Desk    Desk                   `toml:"desk"`
	Enroll  Enroll                 `toml:"enroll"`
	Display Display                `toml:"display"`

	Lights    Lights                    `toml:"lights"`
	Keyboard  Keyboard                  `toml:"keyboard"`
	Directory directory.Config          `toml:"directory"`
	Webhooks  []directory.WebhookConfig `toml:"webhook"`
	Loans     Loans                     `toml:"loans"`
	Backup    Backup                    `toml:"backup"`
	Privacy   Privacy                   `toml:"privacy"`

	formats []*wiegand.Format // of Formats
	faults  []error           // found by Check

	source string // the file's text, for line numbers
	path   string
}

// Reader is one door reader: two data lines, the formats of its cards and what
// tells a badge from a device tag.
type Reader struct {
	Name  string `toml:"name"`
	Data0 string `toml:"data0"` // line name, "pin 11", or "chip-label:17"
	Data1 string `toml:"data1"`
	// Formats are the card formats that are accepted, in order of preference.
	Formats []string `toml:"formats"`
	// Preset "original" reads cards as the original client did.
	Preset string `toml:"preset"`
	Badge  *Rule  `toml:"badge"`
	Device *Rule  `toml:"device"`
	// Keypad accepts key presses: "4bit", "8bit" or "".
	Keypad string `toml:"keypad"`
	// Bias is the board's own pull on the lines: as-is, pull-up, pull-down, off.
	Bias string `toml:"bias"`
	// ActiveLow is for a stage that inverts, such as a transistor.
	ActiveLow bool `toml:"active_low"`
	// Converter is what is between reader and board: bss138 or divider.
	Converter string `toml:"converter"`
	// Colours of the reader's wires; empty ones are HID's.
	Colours board.Colours `toml:"colours"`
}

// Rule says which tags are of a kind without asking the register.
type Rule struct {
	Facilities []uint64 `toml:"facilities"` // none: any
	Min        uint64   `toml:"min"`
	Max        uint64   `toml:"max"` // 0: no limit
	// Raw makes Min and Max limits of the value of all bits instead of the
	// card's number.
	Raw bool `toml:"raw"`
}

// Desk holds the rules that staff feel.
type Desk struct {
	Window      time.Duration `toml:"window"`
	HeldByOther string        `toml:"held_by_other"` // handover, return, refuse
	BatchWindow time.Duration `toml:"batch_window"`
}

// Enroll says who may be enrolled by a name typed at the station.
type Enroll struct {
	People string `toml:"people"` // free, known-people, off
}

// Display is the character display.
type Display struct {
	Kind string `toml:"kind"`
	Size string `toml:"size"`
	// Language of the texts: en, de, fr, es, or original for the texts of the
	// original client.
	Language string `toml:"language"`
	// Texts replace single texts of the language, by their key.
	Texts map[string]string `toml:"texts"`
	// ROM is the character generator of an HD44780: A00 or A02.
	ROM      string  `toml:"rom"`
	Bus      string  `toml:"bus"`
	Address  Address `toml:"address"` // 0: 0x27
	Map      string  `toml:"map"`
	LightLow *bool   `toml:"light_low"`
	Port     string  `toml:"port"`
	Baud     int     `toml:"baud"` // 0: the display's own
	// Lines are the output lines of hd44780-gpio by the display's names: rs, e,
	// d4, d5, d6, d7 and, if it is switched, light.
	Lines map[string]string `toml:"lines"`
}

// Address is a device's on an I2C bus, which people write in hexadecimal.
type Address int

// MarshalTOML writes 0x27.
func (a Address) MarshalTOML() ([]byte, error) { return fmt.Appendf(nil, "%#02x", int(a)), nil }

// Lights are the reader's lights and beeper, each on an output line.
type Lights struct {
	Green  *Output `toml:"green"`
	Red    *Output `toml:"red"`
	Beeper *Output `toml:"beeper"`
}

// Output is one output line.
type Output struct {
	Line string `toml:"line"` // as a reader's data lines
	// ActiveLow is for a line that is on while it is low, as a reader's control
	// wires are behind a level converter.
	ActiveLow bool `toml:"active_low"`
	// OpenDrain only ever pulls the line down.
	OpenDrain bool `toml:"open_drain"`
}

// Keyboard is what unknown people type their name on.
type Keyboard struct {
	// Device is "auto" for the first keyboard, "off", or a path such as
	// /dev/input/by-id/…-event-kbd.
	Device string `toml:"device"`
	Layout string `toml:"layout"` // us, de, fr, gb
}

// Loans say for how long devices are lent.
type Loans struct {
	Length Span            `toml:"length"` // 0: no limit
	Kinds  map[string]Span `toml:"kinds"`  // exceptions by the device's kind
}

// Backup says where the daily copies of the ledger go.
type Backup struct {
	Dir  string `toml:"dir"`  // "": backups in the state folder
	Keep int    `toml:"keep"` // how many; 0 is no backups
}

// Privacy says how long what is personal is kept.
type Privacy struct {
	// RetainClosedLoans is how long after its return a loan keeps the person;
	// 0 is for ever.
	RetainClosedLoans Span `toml:"retain_closed_loans"`
	// KeyFile is the site key; "" is a systemd credential "site-key", or
	// site.key beside the ledger.
	KeyFile string `toml:"key_file"`
}

// Span is a duration that may be written in days: "14d".
type Span time.Duration

// UnmarshalText reads "14d" or what time.ParseDuration reads.
func (s *Span) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err == nil {
			*s = Span(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no length of time", text)
	}
	*s = Span(d)
	return nil
}

// MarshalText writes whole days as days.
func (s Span) MarshalText() ([]byte, error) {
	const day = 24 * time.Hour
	if d := time.Duration(s); d != 0 && d%day == 0 {
		return fmt.Appendf(nil, "%dd", d/day), nil
	}
	return []byte(time.Duration(s).String()), nil
}

// Default is the configuration of a station without a file.
func Default() *Config {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "stump"
	}
	return &Config{
		Station:  host,
		LogLevel: "info",
		Desk:     Desk{Window: 60 * time.Second, HeldByOther: "handover"},
		Enroll:   Enroll{People: "known-people"},
		Display: Display{
			Kind: "terminal", Size: "16x2", Language: "en",
			ROM: "A00", Bus: "/dev/i2c-1", Address: 0x27, Map: "common", Port: "/dev/serial0",
		},
		Keyboard:  Keyboard{Device: "off", Layout: "us"},
		Directory: directory.Config{Kind: "local"},
		Backup:    Backup{Keep: 14},
	}
}

// The data lines of a Raspberry Pi, where the original client had them: header
// pins 11 and 12.
const (
	DefaultData0 = "GPIO17"
	DefaultData1 = "GPIO18"
)

// defaultReader is what a reader's missing keys are filled from.
func defaultReader() Reader {
	return Reader{Name: "stump", Data0: DefaultData0, Data1: DefaultData1, Formats: []string{"H10301", "H10306", "H10302"}}
}

// Load reads the file at path. With path "" it reads DefaultPath when that is
// present and is the default configuration when not. Where only values are
// wrong, the configuration comes with the error, to be looked at further.
func Load(path string) (*Config, error) {
	optional := path == ""
	if optional {
		path = DefaultPath
	}
	src, err := os.ReadFile(path)
	if optional && errors.Is(err, fs.ErrNotExist) {
		c := Default()
		return c, c.Check()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, hint.Errorf("write one with `stump config example > "+path+"`", "configuration: %w", err)
	case errors.Is(err, syscall.EISDIR):
		return nil, hint.Errorf("name the file in it", "configuration: %w", err)
	case err != nil:
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return Parse(path, string(src))
}

// Parse reads a configuration from text; name is said in errors.
func Parse(name, src string) (*Config, error) {
	c := Default()
	c.source, c.path = src, name
	md, err := toml.Decode(src, c)
	if err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			if err := wrongLength(name, pe); err != nil {
				return nil, err
			}
			what := strings.TrimSuffix(strings.TrimPrefix(pe.Message, "incompatible types: "), ".")
			what = strings.ToLower(what[:1]) + what[1:]
			return nil, hint.Errorf("`stump config example` prints every key with a comment", "%s:%d: %s", name, pe.Position.Line, what)
		}
		return nil, wrongType(name, err)
	}
	var table toml.Key // an unknown one, whose keys are unknown too
	for _, key := range md.Undecoded() {
		if table == nil || !strings.HasPrefix(key.String(), table.String()+".") {
			table = key
			c.faults = append(c.faults, c.unknownKey(key))
		}
	}
	return c, c.Check()
}

// lengthError is how the decoder, and Span, tell of a text that is no length of
// time.
var lengthError = regexp.MustCompile(`^(?:invalid duration: )?("(?:[^"\\]|\\.)*")(?: is no length of time)?$`)

// wrongLength names the key and says what to write; nil when pe is about
// something else.
func wrongLength(name string, pe toml.ParseError) error {
	m := lengthError.FindStringSubmatch(pe.Message)
	if m == nil {
		return nil
	}
	remedy := `write "60s", "5m" or "1h30m"`
	if value, err := strconv.Unquote(m[1]); err == nil && value != "" && strings.Trim(value, "0123456789") == "" {
		remedy = fmt.Sprintf(`write the unit too: "%ss", "%sm" or "%sh"`, value, value, value)
	}
	if !strings.HasPrefix(pe.Message, "invalid duration") {
		remedy += `; in days, "14d"`
	}
	return hint.Errorf(remedy, "%s:%d: %s: %s is no length of time", name, pe.Position.Line, pe.LastKey, m[1])
}

// The decoder tells of a value of a wrong type only in words.
var typeError = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*?)"\): (.*)$`)

// wrongType gives such an error the form of the others.
func wrongType(name string, err error) error {
	remedy := "`stump config example` prints every key with a comment"
	m := typeError.FindStringSubmatch(err.Error())
	if m == nil {
		return hint.Errorf(remedy, "%s: %w", name, err)
	}
	what := strings.TrimPrefix(m[3], "incompatible types: ")
	has, wants, ok := strings.Cut(what, "; destination has type ")
	if !ok {
		_, has, ok = strings.Cut(what, ": expected table but found ")
		wants = "map"
	}
	if ok {
		has, wants = kindOf(strings.TrimPrefix(has, "TOML value has type ")), kindOf(wants)
		what = "it is " + has + ", and has to be " + wants
		if key := m[2]; has == "a table" && wants == "a list" && !strings.Contains(key, ".") {
			remedy = "there may be several: write [[" + key + "]], in two brackets"
		}
	}
	return hint.Errorf(remedy, "%s:%s: %s: %s", name, m[1], m[2], what)
}

// kindOf is a type in the words of TOML.
func kindOf(t string) string {
	switch {
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "uint"):
		return "an integer"
	case strings.HasPrefix(t, "float"):
		return "a number"
	case t == "bool", t == "boolean":
		return "true or false"
	case t == "string":
		return `a "string"`
	case strings.HasPrefix(t, "map"):
		return "a table"
	case strings.HasPrefix(t, "["), t == "slice", t == "array":
		return "a list"
	case t == "time.Time":
		return "a date"
	}
	return t
}

// Path is the file that was read, "" when there was none.
func (c *Config) Path() string { return c.path }

func (c *Config) unknownKey(key toml.Key) error {
	remedy := "`stump config example` prints every key with a comment"
	if near := hint.Nearest(key[len(key)-1], keysOf(reflect.TypeOf(*c), key[:len(key)-1])); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	}
	return &Fault{c.path, locateAny(c.source, key), "", fmt.Sprintf("unknown key %q", key.String()), remedy}
}

// locateAny is locate for a key that may lie in any element of an array of
// tables, which the decoder does not number.
func locateAny(src string, key toml.Key) int {
	best, bestDepth := locateDepth(src, key)
	for i := range strings.Count(src, "[[") {
		numbered := append([]string{key[0], strconv.Itoa(i)}, key[1:]...)
		if line, depth := locateDepth(src, numbered); depth > bestDepth {
			best, bestDepth = line, depth
		}
	}
	return best
}

// keysOf lists the keys of the table at path below type t.
func keysOf(t reflect.Type, path []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			keys = append(keys, keysOf(f.Type, path)...)
			continue
		}
		name := f.Tag.Get("toml")
		if name == "" || name == "-" {
			continue
		}
		if len(path) > 0 && strings.EqualFold(name, path[0]) {
			return keysOf(f.Type, path[1:])
		}
		keys = append(keys, name)
	}
	if len(path) > 0 {
		return nil
	}
	return keys
}

// bad notes a value that was read but cannot be meant.
func (c *Config) bad(remedy string, key []string, format string, args ...any) {
	c.faults = append(c.faults, c.fault(remedy, key, format, args...))
}

// fault is the error for the value of key.
func (c *Config) fault(remedy string, key []string, format string, args ...any) error {
	return &Fault{c.path, locate(c.source, key), printable(key), fmt.Sprintf(format, args...), remedy}
}

// Locate gives an error of package directory the form of the others.
func (c *Config) Locate(err error) error {
	if err == nil {
		return nil
	}
	remedy := cmp.Or(hint.Of(err), "docs/directory.md has whole tables to start from")
	var bad *directory.KeyError
	if !errors.As(err, &bad) {
		return &Fault{file: c.path, what: err.Error(), remedy: remedy}
	}
	key := []string{bad.Table, bad.Key}
	if bad.Table == "webhook" {
		key = []string{bad.Table, strconv.Itoa(bad.Index), bad.Key}
	}
	return c.fault(remedy, key, "%v", bad.Err)
}

// printable is a key as a person writes it: without the index of an array.
func printable(key []string) string {
	var parts []string
	for _, k := range key {
		if k == "" || k[0] < '0' || k[0] > '9' {
			parts = append(parts, k)
		}
	}
	return strings.Join(parts, ".")
}
