// Package openapi is the description of the API, OpenAPI 3.1.
//
// It is written by hand and short, in the YAML files of this folder, one a resource;
// `go test ./internal/api/openapi -update` makes the file of them that is served. The
// tests of package api hold every answer to it.
package openapi

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"net/http"
	"strings"
)

//go:embed openapi.json.gz
var packed []byte

// Send sends the description, packed to who takes that: it has 150 kB.
func Send(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		_, err := w.Write(packed)
		return err
	}
	text, err := JSON()
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// JSON is the description.
func JSON() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
