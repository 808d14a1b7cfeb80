package openapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var release = flag.Bool("release", false, "from now on others rely on this description")

const releasedFile = "testdata/released.json.gz"

// TestReleased: who relies on the last description that was released can go on. What breaks
// them on purpose is accepted with -release, and told in CHANGELOG.md.
func TestReleased(t *testing.T) {
	if *release {
		if err := os.WriteFile(releasedFile, packed, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(releasedFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range breaks(parsed(t, text), today(t)) {
		t.Errorf("this breaks who relies on the API: %s", broken)
	}
}

func parsed(t *testing.T, text []byte) (doc object) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func today(t *testing.T) object {
	t.Helper()
	text, err := JSON()
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, text)
}

// comparison finds what of an old description a new one breaks.
type comparison struct {
	old, new object
	broken   []string
}

func breaks(old, new object) []string {
	c := &comparison{old: old, new: new}
	for _, path := range sorted(object(old["paths"].(object))) {
		for _, method := range sorted(at(old, "paths", path)) {
			where := strings.ToUpper(method) + " " + path
			now := at(new, "paths", path, method)
			if now == nil {
				c.breaks(where, "it has gone")
				continue
			}
			c.call(where, at(old, "paths", path, method), now)
		}
	}
	return c.broken
}

func (c *comparison) breaks(where, format string, args ...any) {
	c.broken = append(c.broken, where+": "+fmt.Sprintf(format, args...))
}

func sorted(o object) []string { return slices.Sorted(maps.Keys(o)) }

// at is the object at a place; nil if there is none.
func at(o object, path ...string) object {
	for _, part := range path {
		o, _ = o[part].(object)
	}
	return o
}

func (c *comparison) call(where string, old, new object) {
	roles := []any{"none", "board", "staff", "technician", "admin"}
	switch {
	case slices.Index(roles, new["x-role"]) > slices.Index(roles, old["x-role"]):
		c.breaks(where, "it wants the role %v", new["x-role"])
	case new["x-fresh-login"] != nil && old["x-fresh-login"] == nil:
		c.breaks(where, "it wants a new login")
	case old["x-board"] != nil && new["x-board"] != old["x-board"]:
		c.breaks(where, "the role board may ask less")
	case old["operationId"] != new["operationId"]:
		c.breaks(where, "it is called %v", new["operationId"])
	}
	c.params(where, old, new)
	c.request(where, at(old, "requestBody"), at(new, "requestBody"))
	for _, status := range sorted(at(old, "responses")) {
		was := follow(c.old, at(old, "responses", status))
		if was["x-codes"] != nil {
			continue // who is refused goes by the code; there may be others
		}
		now := follow(c.new, at(new, "responses", status))
		if now == nil {
			c.breaks(where, "it no longer answers %s", status)
			continue
		}
		for _, name := range sorted(at(was, "headers")) {
			if at(now, "headers", name) == nil {
				c.breaks(where, "the answer's header %s has gone", name)
			}
		}
		c.contents(where+", answer", at(was, "content"), at(now, "content"), answers)
	}
}

// params compares parameters.
func (c *comparison) params(where string, old, new object) {
	name := func(doc, p object) string {
		p = follow(doc, p)
		return fmt.Sprint(p["in"], " ", p["name"])
	}
	all, _ := new["parameters"].([]any)
	now := map[string]object{}
	for _, p := range all {
		now[name(c.new, p.(object))] = follow(c.new, p.(object))
	}
	all, _ = old["parameters"].([]any)
	for _, p := range all {
		key := name(c.old, p.(object))
		was, is := follow(c.old, p.(object)), now[key]
		delete(now, key)
		switch {
		case is == nil:
			c.breaks(where, "the parameter %s has gone", key)
			continue
		case is["required"] == true && was["required"] != true:
			c.breaks(where, "the parameter %s is required", key)
		}
		c.schema(where+", "+key, at(was, "schema"), at(is, "schema"), requests)
	}
	for key, p := range now {
		if p["required"] == true {
			c.breaks(where, "the new parameter %s is required", key)
		}
	}
}

func (c *comparison) request(where string, old, new object) {
	switch {
	case old == nil && new["required"] == true:
		c.breaks(where, "it wants a body")
		return
	case old == nil:
		return
	case new["required"] == true && old["required"] != true:
		c.breaks(where, "the body is required")
	}
	c.contents(where+", body", at(old, "content"), at(new, "content"), requests)
}

func (c *comparison) contents(where string, old, new object, way way) {
	for _, media := range sorted(old) {
		if at(new, media) == nil {
			c.breaks(where, "the media type %s has gone", media)
			continue
		}
		c.schema(where, at(old, media, "schema"), at(new, media, "schema"), way)
	}
}

// way is who writes what a schema describes.
type way bool

const (
	requests way = false // those who rely on the API
	answers  way = true
)

// follow is the object that an object refers to.
func follow(doc, o object) object {
	for {
		ref, ok := o["$ref"].(string)
		if !ok {
			return o
		}
		o = at(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
}

// plain is a schema without references at its top, and the types that it has; none for any.
func plain(doc, s object) (object, []any) {
	s = follow(doc, s)
	if any, ok := s["anyOf"].([]any); ok { // of a thing and null
		thing, types := plain(doc, any[0].(object))
		return thing, append(slices.Clone(types), "null")
	}
	switch t := s["type"].(type) {
	case []any:
		return s, t
	case string:
		return s, []any{t}
	}
	return s, nil
}

// schema compares what is taken or answered.
func (c *comparison) schema(where string, old, new object, way way) {
	was, wasTypes := plain(c.old, old)
	is, isTypes := plain(c.new, new)
	// Requests may not lose a type, answers not get one; no types are all of them.
	narrow, wide := isTypes, wasTypes
	if way == answers {
		narrow, wide = wasTypes, isTypes
	}
	if len(narrow) > 0 && (len(wide) == 0 || slices.ContainsFunc(wide, func(t any) bool { return !slices.Contains(narrow, t) })) {
		c.breaks(where, "it is %v in place of %v", isTypes, wasTypes)
		return
	}
	if was["format"] != is["format"] {
		c.breaks(where, "its form is %v", is["format"])
	}
	c.values(where, was, is, way)
	c.bounds(where, was, is, way)
	c.keys(where, was, is, way)
	for _, key := range []string{"items", "additionalProperties"} {
		if at(was, key) != nil && at(is, key) != nil {
			c.schema(where+"[]", at(was, key), at(is, key), way)
		}
	}
}

// values compares lists of values. Those that may become longer are not compared.
func (c *comparison) values(where string, was, is object, way way) {
	old, _ := was["enum"].([]any)
	new, _ := is["enum"].([]any)
	narrow, wide := new, old
	if way == answers {
		narrow, wide = old, new
	}
	switch {
	case len(narrow) == 0:
	case len(wide) == 0:
		c.breaks(where, "its values are other ones")
	default:
		for _, v := range wide {
			if !slices.Contains(narrow, v) {
				c.breaks(where, "the value %v", v)
			}
		}
	}
}

// bounds compares what texts and numbers may be in a request.
func (c *comparison) bounds(where string, was, is object, way way) {
	if way == answers {
		return
	}
	for name, sign := range map[string]float64{"minimum": 1, "minLength": 1, "maximum": -1, "maxLength": -1} {
		now, bound := is[name].(float64)
		before, bounded := was[name].(float64)
		if bound && (!bounded || now*sign > before*sign) {
			c.breaks(where, "its %s is %v", name, now)
		}
	}
}

// keys compares the keys of an object.
func (c *comparison) keys(where string, was, is object, way way) {
	required := func(s object, key string) bool {
		all, _ := s["required"].([]any)
		return slices.Contains(all, any(key))
	}
	for _, key := range sorted(at(was, "properties")) {
		now := at(is, "properties", key)
		switch {
		case now == nil:
			c.breaks(where, "the key %s has gone", key)
			continue
		case way == requests && required(is, key) && !required(was, key):
			c.breaks(where, "the key %s is required", key)
		case way == answers && required(was, key) && !required(is, key):
			c.breaks(where, "the key %s may be missing", key)
		}
		c.schema(where+"."+key, at(was, "properties", key), now, way)
	}
	for _, key := range sorted(at(is, "properties")) {
		if way == requests && at(was, "properties", key) == nil && required(is, key) {
			c.breaks(where, "the new key %s is required", key)
		}
	}
}

// TestBreaks: which changes break those who rely on the API.
func TestBreaks(t *testing.T) {
	type change func(doc object)
	schema := func(name string) func(object) object {
		return func(doc object) object { return at(doc, "components", "schemas", name) }
	}
	loan, give, status := schema("Loan"), schema("Give"), schema("PersonChange")
	call := func(doc object, path, method string) object { return at(doc, "paths", path, method) }
	for name, tt := range map[string]struct {
		change change
		want   string // "" for nothing
	}{
		"nothing":              {func(object) {}, ""},
		"a call has gone":      {func(d object) { delete(at(d, "paths", "/v1/people/{ref}"), "patch") }, "PATCH /v1/people/{ref}: it has gone"},
		"a path has gone":      {func(d object) { delete(at(d, "paths"), "/v1/panel") }, "GET /v1/panel: it has gone"},
		"a call more":          {func(d object) { at(d, "paths")["/v1/tea"] = object{"get": object{}} }, ""},
		"a higher role":        {func(d object) { call(d, "/v1/status", "get")["x-role"] = "admin" }, "GET /v1/status: it wants the role admin"},
		"a lower role":         {func(d object) { call(d, "/v1/status", "get")["x-role"] = "board" }, ""},
		"a new login":          {func(d object) { call(d, "/v1/sync", "get")["x-fresh-login"] = true }, "GET /v1/sync: it wants a new login"},
		"another name":         {func(d object) { call(d, "/v1/status", "get")["operationId"] = "x" }, "GET /v1/status: it is called x"},
		"no board":             {func(d object) { delete(call(d, "/v1/devices", "get"), "x-board") }, "GET /v1/devices: the role board may ask less"},
		"a parameter has gone": {func(d object) { c := call(d, "/v1/who", "get"); c["parameters"] = c["parameters"].([]any)[1:] }, "GET /v1/who: the parameter query device has gone"},
		"a parameter must be":  {func(d object) { call(d, "/v1/who", "get")["parameters"].([]any)[0].(object)["required"] = true }, "GET /v1/who: the parameter query device is required"},
		"a smaller limit":      {func(d object) { at(d, "components", "parameters", "limit", "schema")["maximum"] = 100.0 }, "query limit: its maximum is 100"},
		"a larger limit":       {func(d object) { at(d, "components", "parameters", "limit", "schema")["maximum"] = 5000.0 }, ""},
		"a key has gone":       {func(d object) { delete(at(loan(d), "properties"), "due") }, "GET /v1/who, answer: the key due has gone"},
		"a key more":           {func(d object) { at(loan(d), "properties")["colour"] = object{"type": "string"} }, ""},
		"a key may be missing": {func(d object) { loan(d)["required"] = []any{"device"} }, "the key due may be missing"},
		"null may come":        {func(d object) { at(loan(d), "properties", "overdue")["type"] = []any{"boolean", "null"} }, "GET /v1/who, answer.overdue: it is [boolean null]"},
		"null no longer comes": {func(d object) { at(loan(d), "properties", "due")["type"] = "string" }, ""},
		"another type":         {func(d object) { at(loan(d), "properties", "due")["type"] = "integer" }, ".due: it is [integer] in place of [string null]"},
		"a value more":         {func(d object) { at(loan(d), "properties", "overdue")["enum"] = []any{true} }, ""},
		"an open list":         {func(d object) { at(schema("Person")(d), "properties", "status")["x-extensible-enum"] = []any{"active"} }, ""},
		"a request's key gone": {func(d object) { delete(at(give(d), "properties"), "note") }, "POST /v1/give, body: the key note has gone"},
		"a request's key more": {func(d object) { at(give(d), "properties")["why"] = object{"type": "string"} }, ""},
		"a key must be":        {func(d object) { give(d)["required"] = []any{"device", "person", "note"} }, "POST /v1/give, body: the key note is required"},
		"a new key must be": {func(d object) {
			at(give(d), "properties")["why"] = object{"type": "string"}
			give(d)["required"] = []any{"why"}
		}, "POST /v1/give, body: the new key why is required"},
		"a value less": {func(d object) { at(status(d), "properties", "status")["enum"] = []any{"active", "retired", nil} }, "the value suspended"},
		"a request's value more": {func(d object) {
			s := at(status(d), "properties", "status")
			s["enum"] = append(s["enum"].([]any), "ill")
		}, ""},
		"no null taken": {func(d object) { at(give(d), "properties", "note")["type"] = "string" }, "POST /v1/give, body.note: it is [string]"},
		"no lines": {func(d object) {
			delete(at(call(d, "/v1/who", "get"), "responses", "200", "content"), "application/x-ndjson")
		}, "the media type application/x-ndjson has gone"},
		"another status": {func(d object) {
			r := at(call(d, "/v1/give", "post"), "responses")
			r["202"] = r["200"]
			delete(r, "200")
		}, "POST /v1/give: it no longer answers 200"},
		"no ETag":         {func(d object) { delete(at(call(d, "/v1/people/{ref}", "get"), "responses", "200"), "headers") }, "the answer's header ETag has gone"},
		"another problem": {func(d object) { delete(at(call(d, "/v1/give", "post"), "responses"), "409") }, ""},
		"a body":          {func(d object) { call(d, "/v1/status", "get")["requestBody"] = object{"required": true} }, "GET /v1/status: it wants a body"},
	} {
		new := today(t)
		tt.change(new)
		got := breaks(today(t), new)
		if tt.want == "" && len(got) > 0 || tt.want != "" && !strings.Contains(strings.Join(got, "\n"), tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		// What is only more is a break for who goes back.
		if back := breaks(new, today(t)); name != "nothing" && len(got)+len(back) == 0 && name != "an open list" && name != "another problem" {
			t.Errorf("%s is seen neither forth nor back", name)
		}
	}
}
