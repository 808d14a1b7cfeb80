package config

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"stump/directory/webhook"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

// TestDocument keeps docs/configuration.md, and what `stump config example` prints, as
// example.toml is.
func TestDocument(t *testing.T) {
	example, err := os.ReadFile("example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if _, err := w.Write(example); err != nil || w.Close() != nil || os.WriteFile("example.toml.gz", b.Bytes(), 0o644) != nil {
			t.Fatal("example.toml is not packed")
		}
	} else if Example() != string(example) {
		t.Error("example.toml.gz is not example.toml: run go test ./internal/config -update")
	}
	const path, fence = "../../docs/configuration.md", "```"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), fence+"toml\n")
	_, after, ok2 := strings.Cut(rest, "\n"+fence+"\n")
	if !ok || !ok2 {
		t.Fatalf("%s has no toml block", path)
	}
	want := before + fence + "toml\n" + strings.TrimSuffix(string(example), "\n") + "\n" + fence + "\n" + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(doc) != want {
		t.Errorf("%s is not as `stump config example`: run go test ./internal/config -update", path)
	}
}

// TestPackagedFile is the file that the Debian package installs.
func TestPackagedFile(t *testing.T) {
	c, err := Load("../../scripts/package/stump.toml")
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Readers[0]; r.Data0 != "GPIO17" || r.Data1 != "GPIO18" || len(c.CardFormats()) != 1 {
		t.Errorf("the packaged reader is %+v", r)
	}
}

// TestDirectoryKeys: every key of a directory and a webhook is in the table of
// docs/directory.md.
func TestDirectoryKeys(t *testing.T) {
	page, err := os.ReadFile("../../docs/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Keys")
	for _, typ := range []reflect.Type{reflect.TypeFor[Directory](), reflect.TypeFor[webhook.Config]()} {
		for _, f := range reflect.VisibleFields(typ) {
			if key := f.Tag.Get("toml"); key != "" && key != "-" && !strings.Contains(table, "`"+key+"`") {
				t.Errorf("the key %q is not on the page", key)
			}
		}
	}
}
