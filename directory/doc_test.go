package directory

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func readDoc(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../docs/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// Every configuration of the manual is one that opens.
func TestDocumentedConfigurations(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(readDoc(t), -1)
	if len(blocks) < 6 {
		t.Fatalf("%d configurations in the manual", len(blocks))
	}
	for _, b := range blocks {
		var c struct {
			Directory Config          `toml:"directory"`
			Webhooks  []WebhookConfig `toml:"webhook"`
		}
		md, err := toml.Decode(b[1], &c)
		if err != nil || len(md.Undecoded()) > 0 {
			t.Errorf("%v, unknown keys %v in\n%s", err, md.Undecoded(), b[1])
			continue
		}
		if _, err := Open(c.Directory); err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
		c.Directory.Webhooks = c.Webhooks
		if _, err := OpenWebhooks(c.Directory); err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
	}
}

// Every key is in the manual's table, and durations are read as it says.
func TestDocumentedKeys(t *testing.T) {
	_, table, _ := strings.Cut(readDoc(t), "## Keys")
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous {
				walk(f.Type)
			} else if key := f.Tag.Get("toml"); key != "" && key != "-" && !strings.Contains(table, "`"+key+"`") {
				t.Errorf("the key %q is not in the manual", key)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
	walk(reflect.TypeFor[WebhookConfig]())
	var c struct{ Directory Config }
	if _, err := toml.Decode("[directory]\npull_every = \"90m\"\nanswer_timeout = \"3s\"\nca_file = \"x\"", &c); err != nil {
		t.Fatal(err)
	}
	if c.Directory.PullEvery.Minutes() != 90 || c.Directory.AnswerTimeout.Seconds() != 3 || c.Directory.CAFile != "x" {
		t.Errorf("%+v", c.Directory)
	}
}

// The manual's words for each fault are those that the fault tests read.
func TestDocumentedFaults(t *testing.T) {
	doc := readDoc(t)
	for _, tc := range endpointFaults {
		if !tc.only && !strings.Contains(doc, "| "+tc.says+" |") {
			t.Errorf("%s: %q is not in the manual", tc.fault, tc.says)
		}
	}
	for _, tc := range connectionFaults {
		if !strings.Contains(doc, tc.says) {
			t.Errorf("%s: %q is not in the manual", tc.name, tc.says)
		}
	}
}
