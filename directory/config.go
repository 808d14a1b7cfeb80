package directory

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"stump/checkout"
)

// Config is the [directory] table and the [[webhook]] tables of the
// configuration. docs/directory.md shows complete ones.
type Config struct {
	// Kind is local (default), endpoints, snipeit or scim.
	Kind string `toml:"kind"`

	// CheckInOut, WhatIs and Associate are the addresses of the original's three
	// calls, with {staff} and {asset}, {tag}, {who} and {tag} in them.
	CheckInOut string `toml:"checkinout"`
	WhatIs     string `toml:"whatis"`
	Associate  string `toml:"associate"`
	// HashString goes before a badge number that is hashed. HashStringFile
	// keeps it out of the configuration.
	HashString     string `toml:"hash_string"`
	HashStringFile string `toml:"hash_string_file"`
	// WordsIn and WordsOut are what the server's answer says of the direction.
	// Default "checked in", "checked out".
	WordsIn  []string `toml:"words_in"`
	WordsOut []string `toml:"words_out"`
	// EventParameter is the name of a parameter that carries the event's id,
	// for a server that counts an id only once. Empty: it does not.
	EventParameter string `toml:"event_parameter"`

	// URL is the base address of Snipe-IT (https://host) or of SCIM
	// (https://host/scim/v2).
	URL string `toml:"url"`
	// TokenFile holds the bearer token; a name without a slash is a systemd
	// credential.
	TokenFile string `toml:"token_file"`

	HTTP

	// BadgeField is where people's badge numbers are. snipeit: a field of a
	// user, default employee_num. scim: an attribute path, default
	// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber.
	BadgeField string `toml:"badge_field"`
	// BadgeTransform and BadgeForm make a credential of such a value: the
	// transforms in their order (digits, strip-zeros, hex), then the form with
	// the result in place of {}, such as "H10301:84:{}". Default none and "{}".
	BadgeTransform []string `toml:"badge_transform"`
	BadgeForm      string   `toml:"badge_form"`
	// DeviceField is where Snipe-IT has the tag's number: asset_tag (default),
	// serial, or "custom:" and the name of a custom field.
	DeviceField     string   `toml:"device_field"`
	DeviceTransform []string `toml:"device_transform"`
	DeviceForm      string   `toml:"device_form"`
	// Zone is the time zone of the Snipe-IT server (APP_TIMEZONE). Default UTC.
	Zone string `toml:"zone"`
	// SettleTime is how long Snipe-IT may take to count a call after we gave it
	// up; until then the asset is left alone. Default 1m, which is more than PHP
	// lets a script run.
	SettleTime time.Duration `toml:"settle_time"`
	// RequireActivated suspends people who may not log in to Snipe-IT.
	RequireActivated bool `toml:"require_activated"`

	// PullEvery is the time between pulls. Default 1h.
	PullEvery time.Duration `toml:"pull_every"`
	// UnknownFor is how long "not known" counts before the directory is asked
	// about the same tag again. Default 5m.
	UnknownFor time.Duration `toml:"unknown_for"`
	// KnownFor is how long an answer counts before the name is asked for again,
	// behind a tap. Default 24h.
	KnownFor time.Duration `toml:"known_for"`

	// Webhooks are the [[webhook]] tables.
	Webhooks []WebhookConfig `toml:"-"`
	// Station is this station's name, for webhooks and notes.
	Station string `toml:"-"`
	// ParseTag reads the written form of a credential; a plain decimal takes
	// the bit count of the first configured format.
	ParseTag func(string) (checkout.Tag, error) `toml:"-"`
}

// WebhookConfig is a [[webhook]] table.
type WebhookConfig struct {
	// Name is how the hook is called in "stump sync"; it must stay the same as
	// long as events wait for it. Default: the host of URL.
	Name string `toml:"name"`
	URL  string `toml:"url"`
	// SecretFile holds the key of the signature; empty: unsigned.
	SecretFile string `toml:"secret_file"`
	// Kinds limits what is told; empty: everything.
	Kinds []string `toml:"kinds"`
	HTTP
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.PullEvery, time.Hour)
	def(&c.SettleTime, time.Minute)
	def(&c.UnknownFor, 5*time.Minute)
	def(&c.KnownFor, 24*time.Hour)
	text := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	text(&c.BadgeForm, "{}")
	text(&c.DeviceForm, "{}")
	text(&c.DeviceField, "asset_tag")
	text(&c.Zone, "UTC")
	if c.ParseTag == nil {
		c.ParseTag = decimal26
	}
	if c.WordsIn == nil {
		c.WordsIn = []string{"checked in"}
	}
	if c.WordsOut == nil {
		c.WordsOut = []string{"checked out"}
	}
	return c
}

// secretFiles lists the files that hold secrets.
func (c Config) secretFiles() (files []string) {
	all := []string{c.TokenFile, c.HashStringFile}
	for _, h := range c.Webhooks {
		all = append(all, h.SecretFile)
	}
	for _, f := range all {
		if f != "" {
			files = append(files, f)
		}
	}
	return files
}

// Open returns the directory that the configuration names. It calls nobody.
func Open(c Config) (Directory, error) {
	c = c.withDefaults()
	switch c.Kind {
	case "", "local":
		return Local{}, nil
	case "endpoints":
		return NewEndpoints(c)
	case "snipeit":
		return NewSnipeIT(c)
	case "scim":
		return NewSCIM(c)
	}
	return nil, badKey("kind", "%q is not one of local, endpoints, snipeit, scim", c.Kind)
}

// KeyError says that the value of a configuration key can't be used.
type KeyError struct {
	Table string // "directory" or "webhook"
	Index int    // of the [[webhook]] table, from 0
	Key   string
	Err   error
}

func (e *KeyError) Error() string { return fmt.Sprintf("%s.%s: %v", e.Table, e.Key, e.Err) }
func (e *KeyError) Unwrap() error { return e.Err }

// badKey is the KeyError for a key of [directory].
func badKey(key, format string, args ...any) error {
	return &KeyError{Table: "directory", Key: key, Err: fmt.Errorf(format, args...)}
}

// Trouble is an Outcome as an error, for calls that are not deliveries.
type Trouble struct{ Outcome }

func (t *Trouble) Error() string { return t.Reason }

// Hint is what a person can do.
func (t *Trouble) Hint() string {
	if t.Remedy != "" {
		return t.Remedy
	}
	return "nothing was changed; `stump sync` shows when it is tried again"
}

// Is makes every trouble that passes by itself an ErrOffline.
func (t *Trouble) Is(target error) bool {
	return target == ErrOffline && (t.Verdict == Down || t.Verdict == Failing || t.Verdict == BadConfig)
}

// troubleOf finds the Outcome behind an error.
func troubleOf(err error) (Outcome, bool) {
	var t *Trouble
	if errors.As(err, &t) {
		return t.Outcome, true
	}
	return Outcome{}, false
}

// trimBOM removes the mark that some editors put at the front of a PHP file
// and that then stands before every answer.
func trimBOM(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) }
