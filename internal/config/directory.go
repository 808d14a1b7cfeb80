package config

import (
	"cmp"
	"errors"
	"fmt"

	"stump/directory"
	"stump/directory/call"
	"stump/directory/endpoints"
	"stump/directory/snipeit"
	"stump/internal/hint"
)

// The keys of each kind of directory stand where they are used; in the file all
// are in one table.
type (
	EndpointsKeys = endpoints.Config
	SnipeITKeys   = snipeit.Config
)

// Directory is the [directory] table. docs/directory.md shows complete ones.
type Directory struct {
	// Kind is local (default), endpoints, snipeit or scim.
	Kind string `toml:"kind"`
	EndpointsKeys
	call.API
	call.HTTP
	call.Badges
	SnipeITKeys
	directory.Timing
}

// Locate adds the line and a hint to an error of the directory or of a webhook.
func (c *Config) Locate(err error) error {
	if err == nil {
		return nil
	}
	remedy := cmp.Or(hint.Of(err), "docs/directory.md has whole tables to start from")
	bad, ok := errors.AsType[*call.KeyError](err)
	if !ok {
		return &fault{file: c.path, what: err.Error(), remedy: remedy}
	}
	table := bad.Table
	if table == "webhook" {
		table = fmt.Sprintf("webhook[%d]", bad.Index)
	}
	return c.fault(table+"."+bad.Key, remedy, "%v", bad.Err)
}
