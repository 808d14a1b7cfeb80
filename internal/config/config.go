// Package config reads the station's TOML file. It is strict, so that a typing
// mistake is found at the desk and not in the lab: an unknown key or a bad
// value is an error with the file, the line, the key, and what to write.
//
// Parse compares the file with the types below (shape.go), decodes it over the
// defaults, and checks the values (check.go, reader.go).
package config

import (
	"cmp"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"

	"stump/checkout"
	"stump/checkout/loan"
	"stump/checkout/reminder"
	"stump/directory"
	"stump/directory/call"
	"stump/directory/endpoints"
	"stump/directory/mail"
	"stump/directory/snipeit"
	"stump/directory/webhook"
	"stump/hw/board"
	"stump/internal/hint"
	"stump/internal/holidays"
	"stump/internal/signin"
	"stump/lcd"
	"stump/wiegand"
)

// defaultPath is read if it is there and no other file was named.
const defaultPath = "/etc/stump/stump.toml"

//go:embed example.toml.gz
var packed string // example.toml, which a test packs: a board has no room for all its words

// Example is a commented file with every key at its default or a plausible value.
func Example() string {
	r, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		panic(err) // it is in the program
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Config is the whole file.
type Config struct {
	Station  string `toml:"station"`   // in every event; default the host's name
	Listen   string `toml:"listen"`    // a loopback address for the API beside the socket; "" is off
	LogLevel string `toml:"log_level"` // debug, info, warn, error

	Readers []Reader `toml:"reader"`
	// Formats are card formats of the site's own.
	Formats []wiegand.CustomFormat `toml:"format"`
	Desk    Desk                   `toml:"desk"`
	Enroll  Enroll                 `toml:"enroll"`
	Display Display                `toml:"display"`

	Lights    Lights           `toml:"lights"`
	Keyboard  Keyboard         `toml:"keyboard"`
	Directory Directory        `toml:"directory"`
	Webhooks  []webhook.Config `toml:"webhook"`
	Loans     Loans            `toml:"loans"`
	Mail      mail.Config      `toml:"mail"`
	Alerts    Alerts           `toml:"alerts"`
	Clock     Clock            `toml:"clock"`
	Backup    Backup           `toml:"backup"`
	Privacy   Privacy          `toml:"privacy"`
	Web       Web              `toml:"web"`
	Lab       Lab              `toml:"lab"`

	path    string
	lines   map[string]int    // of the file's keys
	formats []*wiegand.Format // of Formats
	faults  []error
	unfit   map[string]bool // keys whose values can't be decoded: they are left out
	guessed map[int]bool    // lines that are not TOML, read as they were probably meant
}

// Reader is one door reader.
type Reader struct {
	Name  string `toml:"name"`
	Kind  string `toml:"kind"`  // wiegand (two data lines), usb, serial
	Data0 string `toml:"data0"` // a line name, "pin 11", or "chip-label:17"
	Data1 string `toml:"data1"`
	// Swapped says that the two wires are exchanged, where nobody can get at them.
	Swapped bool `toml:"swapped"`
	// Formats are the accepted card formats, in order of preference.
	Formats []string `toml:"formats"`
	// Preset "original" reads cards as the original client did.
	Preset string `toml:"preset"`
	// Normalize brings this reader's cards to the form that others deliver.
	Normalize []string  `toml:"normalize"` // reverse-bytes, strip-parity, "as H10301"
	Badge     *Rule     `toml:"badge"`
	Device    DeviceKey `toml:"device"`
	Layout    string    `toml:"layout"` // usb: the keyboard that the reader believes to be
	Number    string    `toml:"number"` // usb: what its digits mean, see reader.Numbers
	// Repeat is the interval at which the reader repeats a tag that lies on it; 0
	// is learned.
	Repeat time.Duration `toml:"repeat"`
	Keypad string        `toml:"keypad"` // "4bit" or "8bit" key presses; "" takes none
	// KeypadEnrols "employee-number": the owner of an unknown badge types their id
	// on the reader's keypad.
	KeypadEnrols string `toml:"keypad_enrols"`
	// Returns "device-alone": devices come back here without a badge, as into a box, and none
	// is lent.
	Returns string `toml:"returns"` // with-badge, device-alone
	Bias    string `toml:"bias"`    // the board's own pull on the lines: as-is, pull-up, pull-down, off
	// ActiveLow is for an inverting stage, such as a transistor.
	ActiveLow bool          `toml:"active_low"`
	Converter string        `toml:"converter"` // between reader and board: bss138, divider
	Colours   board.Colours `toml:"colours"`   // of the reader's wires; an empty one is HID's
}

// Rule says which tags are badges, or device tags, before the register knows
// them.
type Rule = wiegand.Range

// Desk holds the rules of check-outs and returns.
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
	lcd.Config
	// Language of the texts: en, de, fr, es, or original for those of the
	// original client.
	Language string            `toml:"language"`
	Texts    map[string]string `toml:"texts"` // the site's own texts, by key
}

// Lights are the reader's lights and beeper, each on an output line.
type Lights struct {
	Green  *Output `toml:"green"`
	Red    *Output `toml:"red"`
	Beeper *Output `toml:"beeper"`
}

// Output is one output line.
type Output struct {
	Line string `toml:"line"` // written as a reader's data lines
	// ActiveLow is for a line that is on while it is low, as a reader's control
	// wires are behind a level converter.
	ActiveLow bool `toml:"active_low"`
	OpenDrain bool `toml:"open_drain"` // the line is only ever pulled down
}

// Keyboard is what people without a known badge type their name on.
type Keyboard struct {
	// Device is "auto" for every keyboard, "off", or a path such as
	// /dev/input/by-id/…-event-kbd.
	Device string `toml:"device"`
	Layout string `toml:"layout"` // us, de, fr, gb
}

// The keys of each kind of directory stand where they are used; in the file all
// are in one table.
type (
	EndpointsKeys = endpoints.Config
	SnipeITKeys   = snipeit.Config
)

// Directory is the [directory] table. docs/directory.md shows complete ones.
type Directory struct {
	// Kind is local (default), endpoints, snipeit or scim.
	Kind string `toml:"kind"`
	EndpointsKeys
	call.API
	call.HTTP
	call.Badges
	SnipeITKeys
	directory.Timing
}

// Alerts say who is told of faults that last.
type Alerts struct {
	After time.Duration `toml:"after"` // for how long a fault lasts until it is told
	Mail  string        `toml:"mail"`  // an address; "" for none
	// URL is a webhook's; "" for none. SecretFile and Format are as in [[webhook]].
	URL        string `toml:"url"`
	SecretFile string `toml:"secret_file"`
	Format     string `toml:"format"`
	call.HTTP
}

// Loans say for how long devices are lent.
type Loans struct {
	Length Span            `toml:"length"` // 0: no limit
	Kinds  map[string]Span `toml:"kinds"`  // exceptions, by kind of device
	// Groups are lengths for people in a group, in place of Length.
	Groups map[string]Span `toml:"groups"`
	// Needs are groups, by kind of device: who takes one must be in one of them.
	Needs map[string][]string `toml:"needs"`
	// Limit is how many devices of a kind a person may have, or of "*", all kinds together.
	Limit map[string]int `toml:"limit"`
	// Help is who can help those who are refused, as the display says it.
	Help string `toml:"help"`
	// Days are those on which the lab is open, such as "mon"; all if empty. Until is the
	// time of day at which loans of days end, such as "18:00".
	Days  []string `toml:"days"`
	Until string   `toml:"until"`
	// Holidays is an iCalendar file, or the address of one, whose whole-day events are days
	// on which the lab is closed.
	Holidays string `toml:"holidays"`
	// Remind is when people are reminded, in days before, on and after the due day: "-1d",
	// "0d", "3d". Left out, these three if there is a mail server.
	Remind []string `toml:"remind"`
	// RemindAt is the time of day, "09:00", or "any".
	RemindAt string `toml:"remind_at"`
	// Notify is of which events people get a mail that are about devices of theirs:
	// "checkout", "handover", "return".
	Notify []string `toml:"notify"`
	// Overdue is warn or refuse: what it means that somebody with something overdue takes
	// another device.
	Overdue string `toml:"overdue"`
	// Kits is trust or check: whether the parts of a kit that came back are taken to be in
	// it, or those with a tag are to be bumped, too.
	Kits string `toml:"kits"`
	// Reserved is warn or refuse: what it means that somebody takes what another has
	// reserved. NoShow is how long a device waits for who has reserved it; 0: until the
	// reservation is over.
	Reserved string `toml:"reserved"`
	NoShow   Span   `toml:"no_show"`
	// Extend is how often who has a device may extend the loan; 0: only admins do.
	Extend int `toml:"extend"`
}

// Texts are the display's own texts of the site, among them who can help.
func (c *Config) Texts() map[string]string {
	if c.Loans.Help == "" {
		return c.Display.Texts
	}
	own := map[string]string{}
	maps.Copy(own, c.Display.Texts)
	own["help"] = c.Loans.Help
	return own
}

// Calendar is when the lab is open, without the holidays.
func (l Loans) Calendar() (c loan.Calendar) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if slices.Contains(l.Days, weekday(d)) {
			c.Days = append(c.Days, d)
		}
	}
	if t, err := time.Parse("15:04", l.Until); err == nil {
		c.Until = t.Sub(t.Truncate(24 * time.Hour))
	}
	return c
}

// Notices are the kinds of events of which people get mails.
func (l Loans) Notices() (kinds []checkout.Kind) {
	for _, kind := range l.Notify {
		kinds = append(kinds, checkout.Kind(kind))
	}
	return kinds
}

// anyTime is a RemindAt that is no time of day.
const anyTime = "any"

// Reminders are the rules of when people are reminded.
func (l Loans) Reminders() reminder.Rules {
	r := reminder.Rules{Any: l.RemindAt == anyTime, Calendar: l.Calendar()}
	if t, err := time.Parse("15:04", l.RemindAt); err == nil {
		r.At = t.Sub(t.Truncate(24 * time.Hour))
	}
	for _, s := range l.Remind {
		if stage, err := reminder.ParseStage(s); err == nil {
			r.Stages = append(r.Stages, stage)
		}
	}
	return r
}

// weekday is how a day of the week is written: "mon".
func weekday(d time.Weekday) string { return strings.ToLower(d.String()[:3]) }

// Clock says when the board's time is known to be right.
type Clock struct {
	// Trust is "ntp" (default), once it has come from the network, or "rtc": the
	// board has a good clock of its own.
	Trust string `toml:"trust"`
}

// Backup says where the daily copies of the ledger go.
type Backup struct {
	Dir  string `toml:"dir"`  // "": the folder backups in the state folder
	Keep int    `toml:"keep"` // how many in each folder; 0: no backups
	Also string `toml:"also"` // a second folder, on another disk; "": none
	// Run is a command that takes each good backup elsewhere. In its arguments
	// {file} stands for the backup's path and {name} for its name.
	Run []string `toml:"run"`
}

// Privacy says how long personal data is kept.
type Privacy struct {
	// RetainClosedLoans is how long a loan keeps its person after the return;
	// 0: for ever.
	RetainClosedLoans Span `toml:"retain_closed_loans"`
	// KeyFile is the file with the site key; "": the systemd credential
	// site-key, or site.key beside the ledger.
	KeyFile string `toml:"key_file"`
}

// Web says how browsers and scripts reach the station from elsewhere.
type Web struct {
	Listen string `toml:"listen"` // an address for TLS; "" is off
	URL    string `toml:"url"`    // how others reach it; "": the host's name and the port
	// Certificate and Key are PEM files; none: the station makes a certificate.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	// Board is what the role board sees: off, free, holders.
	Board string `toml:"board"`
	// OIDC logs people in by an OpenID provider.
	OIDC signin.Config `toml:"oidc"`
}

// Lab says how the station is in a lab of several; `stump join` keeps in which.
type Lab struct {
	Stale time.Duration `toml:"stale"` // how old the lab's word may be before it is said
}

// Span is a length of time that may be written in days: "14d".
type Span time.Duration

// UnmarshalText reads whole days, "14d", or what time.ParseDuration reads.
func (s *Span) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			*s = Span(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	}
	d, err := time.ParseDuration(string(text))
	*s = Span(d)
	return err
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
	host, _ := os.Hostname()
	return &Config{
		Station:  cmp.Or(host, "stump"),
		LogLevel: "info",
		Desk:     Desk{Window: 60 * time.Second, HeldByOther: "handover"},
		Enroll:   Enroll{People: "known-people"},
		Display: Display{Language: "en", Config: lcd.Config{
			Kind: "terminal", Size: "16x2", ROM: "A00", Bus: "/dev/i2c-1", Address: 0x27, Map: "common", Port: "/dev/serial0",
		}},
		Keyboard:  Keyboard{Device: "off", Layout: "us"},
		Directory: Directory{Kind: "local", Timing: directory.Timing{LoansEvery: 30 * time.Second}},
		Mail:      mail.Config{TLS: mail.Modes[0]},
		Alerts:    Alerts{After: 10 * time.Minute},
		Clock:     Clock{Trust: "ntp"},
		Backup:    Backup{Keep: 14},
		Loans:     Loans{Reserved: "warn", NoShow: Span(24 * time.Hour), Extend: 1, RemindAt: "09:00", Overdue: "warn", Kits: "trust"},
		Web:       Web{Board: "free"},
		Lab:       Lab{Stale: 10 * time.Minute},
	}
}

// Load reads the file at path. With path "" it reads /etc/stump/stump.toml, or
// returns the defaults if that doesn't exist. An error comes with a
// configuration if some of the file could be read, so that more can be checked.
func Load(path string) (*Config, error) {
	src, err := read(cmp.Or(path, defaultPath))
	switch {
	case path == "" && errors.Is(err, fs.ErrNotExist):
		c := Default()
		return c, c.Check()
	case errors.Is(err, fs.ErrNotExist):
		return nil, hint.Errorf("write one with `stump config example > "+path+"`", "configuration: %w", err)
	case errors.Is(err, syscall.EISDIR):
		return nil, hint.Errorf("name the file in it", "configuration: %w", err)
	case err != nil:
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return Parse(cmp.Or(path, defaultPath), string(src))
}

// most is how many bytes a configuration may have: a file that never ends must not fill the
// memory of a station that is told to read it again.
const most = 1 << 20

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, most+1))
	if len(src) > most {
		return nil, hint.Errorf("name the station's own file, /etc/stump/stump.toml", "%s has more than %d kB", path, most>>10)
	}
	return src, err
}

// Parse reads a configuration from text; name is the file in errors. It goes on
// after a mistake, so that its error has all of them.
func Parse(name, src string) (*Config, error) {
	c := Default()
	c.path, c.guessed = name, map[int]bool{}
	text, file, md, ok := c.parse(src)
	if !ok {
		return nil, Join(c.faults...)
	}
	c.lines = keyLines(text, md)
	c.shape("", reflect.TypeOf(*c), file)
	if len(c.unfit) > 0 { // shape has left them out of file
		var rest strings.Builder
		if err := toml.NewEncoder(&rest).Encode(file); err != nil {
			return nil, Join(append(c.faults, fmt.Errorf("%s: %w", name, err))...)
		}
		text = rest.String()
	}
	if _, err := toml.Decode(text, c); err != nil {
		return nil, Join(append(c.faults, fmt.Errorf("%s: %w", name, err))...)
	}
	return c, c.Check()
}

// lowerFirst begins a message without a capital; "TOML" stays.
func lowerFirst(s string) string {
	if strings.ToUpper(s[:2]) == s[:2] {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// Path is the file that was read, "" when there was none.
func (c *Config) Path() string { return c.path }

// Write prints the configuration with all defaults, as TOML.
// What is secret in it is written as xxxxx.
func (c *Config) Write(w io.Writer) error {
	shown := c.Clone()
	d := &shown.Directory
	for _, address := range []*string{&d.CheckInOut, &d.WhatIs, &d.Associate, &d.URL} {
		*address = call.Masked(*address)
	}
	if d.HashString != "" {
		d.HashString = "xxxxx"
	}
	if l := &shown.Loans; holidays.IsAddress(l.Holidays) {
		l.Holidays = call.MaskedHook(l.Holidays)
	}
	if shown.Alerts.URL != "" {
		shown.Alerts.URL = call.MaskedHook(shown.Alerts.URL)
	}
	shown.Webhooks = slices.Clone(c.Webhooks)
	for i := range shown.Webhooks {
		shown.Webhooks[i].URL = call.MaskedHook(shown.Webhooks[i].URL)
	}
	enc := toml.NewEncoder(w)
	enc.Indent = ""
	return enc.Encode(shown)
}
