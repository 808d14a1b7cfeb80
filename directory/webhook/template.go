package webhook

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"stump/checkout"
	"stump/internal/hint"
)

// kinds are those of the events that webhooks get.
var kinds = []checkout.Kind{checkout.Checkout, checkout.Return, checkout.Handover, checkout.Incomplete, checkout.Extend,
	checkout.Reserve, checkout.Cancel, checkout.Ready, checkout.Remind, checkout.Digest, checkout.Lost, checkout.Found, checkout.Enrol, checkout.Resolve}

// A template is a text with placeholders in braces, as the display's texts are. Go's
// text/template would be a sixth of the program: it keeps every method of every type.
type template string

// placeholders are the fields in the order in which errors list them.
var placeholders = []struct {
	name  string
	value func(Fields) string
}{
	{"{text}", func(f Fields) string { return f.Text }},
	{"{kind}", func(f Fields) string { return f.Kind }},
	{"{person}", func(f Fields) string { return f.Person }},
	{"{device}", func(f Fields) string { return f.Device }},
	{"{from}", func(f Fields) string { return f.From }},
	{"{due}", func(f Fields) string { return f.Due }},
	{"{at}", func(f Fields) string { return f.At }},
	{"{station}", func(f Fields) string { return f.Station }},
	{"{reader}", func(f Fields) string { return f.Reader }},
	{"{note}", func(f Fields) string { return f.Note }},
}

// fill puts the fields in place of the placeholders.
func (t template) fill(f Fields) string {
	var pairs []string
	for _, p := range placeholders {
		pairs = append(pairs, p.name, p.value(f))
	}
	return strings.TrimSpace(strings.NewReplacer(pairs...).Replace(string(t)))
}

// check refuses placeholders that there are not.
func (t template) check() error {
	var names []string
	for _, p := range placeholders {
		names = append(names, p.name)
	}
	for _, found := range regexp.MustCompile(`\{[^{}]*\}?`).FindAllString(string(t), -1) {
		if !slices.Contains(names, found) {
			return hint.Errorf("use "+strings.Join(names, " "), "%q is not a placeholder", found)
		}
	}
	return nil
}

// parseTemplates reads the templates of a configuration by the kinds of event that
// they are for, "" for all others. The error's key is that of the configuration.
func parseTemplates(cfg Config) (all map[string]template, key string, err error) {
	all = map[string]template{}
	if cfg.Template != "" {
		all[""], key = template(cfg.Template), "template"
	}
	for _, kind := range slices.Sorted(maps.Keys(cfg.Templates)) {
		if key == "" {
			key = "templates"
		}
		all[kind] = template(cfg.Templates[kind])
	}
	if _, chat := chatFormats[cfg.Format]; !chat && key != "" {
		return nil, key, hint.Errorf(`add format = "slack", "teams" or "text", or leave the template out`, "a CloudEvent has no text")
	}
	if err := all[""].check(); err != nil {
		return nil, "template", err
	}
	for _, kind := range slices.Sorted(maps.Keys(cfg.Templates)) {
		if !slices.Contains(kinds, checkout.Kind(kind)) {
			err := fmt.Errorf("%q is not a kind of event that webhooks get", kind)
			return nil, "templates", hint.Wrap(err, fmt.Sprintf("use %s", join(kinds)))
		}
		if err := all[kind].check(); err != nil {
			return nil, "templates", fmt.Errorf("%s: %w", kind, err)
		}
	}
	return all, "", nil
}

func join(kinds []checkout.Kind) string {
	var all []string
	for _, k := range kinds {
		all = append(all, string(k))
	}
	return strings.Join(all, ", ")
}
