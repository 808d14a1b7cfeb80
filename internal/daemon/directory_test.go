package daemon

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"stump/directory"
	"stump/directory/call"
	"stump/directory/webhook"
	"stump/internal/config"
)

// Every configuration of these pages is one that opens.
func TestDocumentedConfigurations(t *testing.T) {
	var pages []byte
	for _, name := range []string{"directory", "entra-google", "operations"} {
		page, err := os.ReadFile("../../docs/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page...)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(pages), -1)
	if len(blocks) < 8 {
		t.Fatalf("%d configurations on the page", len(blocks))
	}
	for _, b := range blocks {
		cfg, err := config.Parse("stump.toml", b[1])
		if err == nil {
			err = CheckPlaces(cfg)
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
	}
}

func TestOpenWebhooks(t *testing.T) {
	tables := []webhook.Config{{URL: "https://Chat.example/a"}, {URL: "https://chat.example/b"}}
	_, err := openWebhooks(tables, "en")
	bad, ok := errors.AsType[*call.KeyError](err)
	if !ok || bad.Index != 1 || bad.Key != "name" || !strings.Contains(err.Error(), `two webhooks are called "chat.example"`) {
		t.Errorf("%v", err)
	}
	tables[1].URL = "chat.example"
	_, err = openWebhooks(tables, "en")
	if bad, ok := errors.AsType[*call.KeyError](err); !ok || bad.Index != 1 || bad.Key != "url" {
		t.Errorf("%v", err)
	}
	tables[1] = webhook.Config{URL: "https://chat.example/b", Name: "mail"}
	hooks, err := openWebhooks(tables, "en")
	if got := strings.Join(directory.Sinks(directory.Local{}, hooks), " "); err != nil || got != "chat.example mail" {
		t.Errorf("%q, %v", got, err)
	}
}
