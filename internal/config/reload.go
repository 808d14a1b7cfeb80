package config

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"
)

// Level is LogLevel as the log takes it.
func (c *Config) Level() (l slog.Level) {
	_ = l.UnmarshalText([]byte(strings.ToUpper(c.LogLevel))) // it was checked
	return l
}

// Clone is a copy that keeps its readers where c's are changed.
func (c *Config) Clone() *Config {
	copied := *c
	copied.Readers = slices.Clone(c.Readers)
	return &copied
}

// TakeOver takes from now what can change while a station works.
func (c *Config) TakeOver(now *Config) {
	c.LogLevel, c.Display.Language, c.Display.Texts = now.LogLevel, now.Display.Language, now.Display.Texts
}

// Restarts names the tables and keys in which now differs from c by more than can
// change while a station works.
func (c *Config) Restarts(now *Config) (keys []string) {
	was := c.Clone()
	was.TakeOver(now)
	a, b := reflect.ValueOf(*was), reflect.ValueOf(*now)
	for i := range a.NumField() {
		key := a.Type().Field(i).Tag.Get("toml")
		if key != "" && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}
