package webhook

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"time"

	"stump/checkout"
	"stump/internal/hint"
)

// kinds are those of the events that webhooks get.
var kinds = []checkout.Kind{checkout.Checkout, checkout.Return, checkout.Handover, checkout.Lost, checkout.Found, checkout.Enrol, checkout.Resolve}

// parseTemplates reads the templates of a configuration by the kinds of event that
// they are for, "" for all others, and tries each with samples. The error's key is
// that of the configuration.
func parseTemplates(cfg Config) (all map[string]*template.Template, key string, err error) {
	if cfg.Template == "" && len(cfg.Templates) == 0 {
		return nil, "", nil
	}
	if _, chat := chatFormats[cfg.Format]; !chat {
		key = "template"
		if cfg.Template == "" {
			key = "templates"
		}
		return nil, key, hint.Errorf(`add format = "slack", "teams" or "text", or leave the template out`, "a CloudEvent has no text")
	}
	all = map[string]*template.Template{}
	if cfg.Template != "" {
		if all[""], err = parseTemplate("", cfg.Template); err != nil {
			return nil, "template", err
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(cfg.Templates)) {
		if !slices.Contains(kinds, checkout.Kind(kind)) {
			err := fmt.Errorf("%q is not a kind of event that webhooks get", kind)
			return nil, "templates", hint.Wrap(err, fmt.Sprintf("use %s", join(kinds)))
		}
		if all[kind], err = parseTemplate(checkout.Kind(kind), cfg.Templates[kind]); err != nil {
			return nil, "templates", fmt.Errorf("%s: %w", kind, err)
		}
	}
	return all, "", nil
}

// parseTemplate reads a template and tries it with an event of the kind, or of every
// kind: with everything known, and with nothing.
func parseTemplate(kind checkout.Kind, text string) (*template.Template, error) {
	t, err := template.New("").Parse(text)
	if err != nil {
		return nil, templateError(err)
	}
	tries := kinds
	if kind != "" {
		tries = []checkout.Kind{kind}
	}
	for _, k := range tries {
		for _, f := range []Fields{sample(k), {Kind: string(k)}} {
			if err := t.Execute(io.Discard, f); err != nil {
				return nil, templateError(err)
			}
		}
	}
	return t, nil
}

// sample is what a template is tried with.
func sample(kind checkout.Kind) Fields {
	now := time.Now()
	return languages["en"].fields(checkout.Event{
		Kind: kind, Station: "lab-1", Reader: "door", Note: "a note", Person: "ann", PersonName: "Ann Okafor", From: "ben", FromName: "Ben Ito",
		Device: "ipad", DeviceName: "iPad Pro 13", Loan: 72 * time.Hour, At: checkout.Stamp{Wall: now, Trusted: true},
	}, now, func(s string) string { return s })
}

// templateError says what is wrong with a template in the words of its language, and
// which fields there are.
func templateError(err error) error {
	what := strings.TrimPrefix(err.Error(), "template: ")
	if i := strings.Index(what, ">: "); i >= 0 {
		what = what[i+3:]
	}
	what = strings.TrimPrefix(what, ":")
	if bad, ok := errors.AsType[template.ExecError](err); ok && strings.Contains(what, "can't evaluate field") {
		_, field, _ := strings.Cut(what, "can't evaluate field ")
		field, _, _ = strings.Cut(field, " ")
		what = fmt.Sprintf("there is no .%s", field)
		err = bad
	}
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Fields]()) {
		fields = append(fields, "."+f.Name)
	}
	return hint.Errorf("the fields are "+strings.Join(fields, " ")+"; the language is that of Go's text/template", "%s", what)
}

func join(kinds []checkout.Kind) string {
	var all []string
	for _, k := range kinds {
		all = append(all, string(k))
	}
	return strings.Join(all, ", ")
}
