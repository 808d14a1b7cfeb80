package openapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "make the description anew")

// TestMade: what is served is what the files of this folder say.
func TestMade(t *testing.T) {
	made, err := json.Marshal(assemble(t))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = w.Write(made)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("openapi.json.gz", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		packed = b.Bytes()
	}
	served, err := JSON()
	if err != nil || !bytes.Equal(served, made) {
		t.Errorf("%v: openapi.json.gz is not what the files here say: go test ./internal/api/openapi -update", err)
	}
	t.Logf("%d bytes, %d packed", len(made), len(packed))
}

// TestValid: it is an OpenAPI description.
func TestValid(t *testing.T) {
	text, err := JSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}
