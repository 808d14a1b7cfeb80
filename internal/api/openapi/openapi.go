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
)

//go:embed openapi.json.gz
var packed []byte

// JSON is the description.
func JSON() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
