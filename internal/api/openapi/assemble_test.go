package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"stump/internal/api/wire"
)

// object is an object of JSON, as YAML and OpenAPI have it.
type object = map[string]any

// fragment is a file of this folder.
type fragment struct {
	Tag, About string
	Calls      map[string]*call
	Objects    map[string]*thing
}

// call is a call of the API. Its method and path are those of the table of routes.
type call struct {
	Does, More string
	// Role is the least that may ask; Board is with which setting the role board may.
	Role, Board string
	Daemon      bool // only a running daemon can do it
	Simulated   bool // only a simulated one
	// Params and Headers are typed as the keys of a thing; a ? behind the name is for
	// those that may be left out.
	Params, Headers map[string]string
	// Takes is the thing in the body, or what it is by media type, and Try an example of it.
	Takes, Try any
	// Once is for what takes an Idempotency-Key, and Match says whose ETag If-Match is.
	Once  bool
	Match string
	// Answers is the thing in the answer, or what it is by media type; see is where a
	// browser is sent. List is for pages of things, and lines of them, Begins for the resource
	// of what goes on behind the answer, and Makes for one that is made. Also has further
	// answers that are no problems, by status.
	Answers             any
	List, Begins, Makes string
	Also                map[string]object
	ETag                bool `yaml:"etag"`
	// Problems are the codes beside those that all calls have, and Waits those of them with a
	// Retry-After. Pages are statuses that browsers get as a page.
	Problems, Waits []string
	Pages           []int
}

// thing is an object that travels.
type thing struct {
	Is string
	As string // the thing that it is with more keys
	// Keys have a type and, behind a semicolon, a description. Types are text, flag, number
	// (not negative), int, float, time, uuid, any, bytes, the name of a thing, `one of a|b`,
	// and `such as a|b` where there may be more later. Behind them stand [] for lists, [2] for
	// pairs, ? for what may be null; map before them is for objects with any keys. A ? behind
	// the key is for what may be left out.
	Keys    map[string]string
	Example any
}

// mediaTypes are the short names of media types.
var mediaTypes = map[string]string{
	"json": "application/json", "lines": wire.LineType, "csv": "text/csv", "html": "text/html", "script": "text/javascript", "style": "text/css",
	"file": "application/octet-stream", "sse": "text/event-stream", "cloudevents": "application/cloudevents+json",
	"calendar": "text/calendar", "form": "application/x-www-form-urlencoded", "plain": "text/plain",
}

// pathParams are the parameters in paths, by the beginning of the path.
var pathParams = map[string]string{"/v1/people/{ref}": "person", "/v1/devices/{ref}": "device", "/v1/sync/{id}": "stuck", "/v1/tokens/{name}": "token", "/v1/verifications/{id}": "job", "/v1/backups/{id}": "job", "/v1/selftest/{id}": "job", "/v1/leases/{id}": "job", "/v1/enrolments/{id}": "job", "/v1/pulls/{id}": "job", "/v1/sync/checks/{id}": "job", "/v1/unknown/{id}": "unknown", "/extend/{token}": "link",
	"/v1/reservations/{id}": "reservation", "/v1/my/reservations/{id}": "reservation", "/v1/feeds/{of}": "of", "/v1/feeds/{of}/{ref}": "fed", "/v1/feeds/{file}": "calendar"}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

// typed is the schema of a type.
func typed(word string) object {
	if base, ok := strings.CutSuffix(word, "?"); ok {
		return orNull(typed(base))
	}
	if of, ok := strings.CutPrefix(word, "map "); ok {
		return object{"type": "object", "additionalProperties": typed(of)}
	}
	if of, ok := strings.CutPrefix(word, "one of "); ok {
		return object{"type": "string", "enum": list(strings.Split(of, "|"))}
	}
	if of, ok := strings.CutPrefix(word, "such as "); ok {
		return object{"type": "string", "x-extensible-enum": list(strings.Split(of, "|"))}
	}
	if of, ok := strings.CutSuffix(word, "[]"); ok {
		return object{"type": "array", "items": typed(of)}
	}
	if of, ok := strings.CutSuffix(word, "[2]"); ok {
		return object{"type": "array", "items": typed(of), "minItems": 2, "maxItems": 2}
	}
	switch word {
	case "text":
		return object{"type": "string"}
	case "flag":
		return object{"type": "boolean"}
	case "number":
		return object{"type": "integer", "minimum": 0}
	case "int":
		return object{"type": "integer"}
	case "float":
		return object{"type": "number"}
	case "time":
		return object{"type": "string", "format": "date-time"}
	case "uuid":
		return object{"type": "string", "format": "uuid"}
	case "any", "bytes":
		return object{}
	}
	return ref("schemas", word)
}

func orNull(s object) object {
	if s["$ref"] != nil {
		return object{"anyOf": []any{s, object{"type": "null"}}}
	}
	s["type"] = []any{s["type"], "null"}
	for _, key := range []string{"enum", "x-extensible-enum"} {
		if values, ok := s[key].([]any); ok {
			s[key] = append(values, nil)
		}
	}
	return s
}

func list(words []string) []any {
	var all []any
	for _, w := range words {
		all = append(all, w)
	}
	return all
}

// described is the schema of a type with its description behind a semicolon.
func described(words string) object {
	word, about, _ := strings.Cut(words, "; ")
	s := typed(word)
	if about != "" {
		s["description"] = about
	}
	return s
}

// keysOf are the keys of a thing, with those of the thing that it is.
func keysOf(all map[string]*thing, name string) map[string]string {
	keys := map[string]string{}
	if as := all[name].As; as != "" {
		keys = keysOf(all, as)
	}
	maps.Copy(keys, all[name].Keys)
	return keys
}

// schema is that of a thing. In requests nothing else is taken.
func schema(all map[string]*thing, name string, request bool) object {
	properties, required := object{}, []string{}
	for key, words := range keysOf(all, name) {
		plain, optional := strings.CutSuffix(key, "?")
		properties[plain] = described(words)
		if !optional {
			required = append(required, plain)
		}
	}
	slices.Sort(required)
	s := object{"type": "object", "description": all[name].Is, "properties": properties}
	if len(required) > 0 {
		s["required"] = list(required)
	}
	if request {
		s["additionalProperties"] = false
	}
	if all[name].Example != nil {
		s["examples"] = []any{all[name].Example}
	}
	return s
}

// pageOf is the schema of a page of things.
func pageOf(name string) object {
	return object{
		"type": "object", "description": "A part of a list.", "required": []any{"items", "next"},
		"properties": object{
			"items": object{"type": "array", "items": ref("schemas", name)},
			"next":  object{"type": []any{"string", "null"}, "description": "the after of the next part; null at the end"},
		},
	}
}

// content is what a body is by media type: the name of a thing, or types by short names.
func content(of any) object {
	byType := object{}
	switch of := of.(type) {
	case string:
		byType["application/json"] = object{"schema": typed(of)}
	case object:
		for short, word := range of {
			byType[mediaTypes[short]] = object{"schema": typed(word.(string))}
		}
	}
	return byType
}

// param is a parameter.
func param(in, name, words string) object {
	name, optional := strings.CutSuffix(name, "?")
	words, example, hasExample := strings.Cut(words, ", e.g. ")
	p := object{"name": name, "in": in, "required": !optional}
	s := described(words)
	if about, ok := s["description"]; ok {
		p["description"] = about
		delete(s, "description")
	}
	if s["type"] == "string" && s["enum"] == nil {
		s["minLength"] = 1
	}
	p["schema"] = s
	switch {
	case hasExample && s["type"] == "boolean":
		p["example"] = example == "true"
	case hasExample && s["type"] == "array":
		p["example"] = []any{example}
	case hasExample:
		p["example"] = example
	}
	return p
}

// codesOf are the codes that a call may answer.
func (c *call) codesOf(method string) []string {
	codes := append([]string{"invalid", "no-login", "foreign-page", "too-often", "internal", "damaged", "stopping"}, c.Problems...)
	if c.Role != "none" {
		codes = append(codes, "role")
	}
	if strings.HasPrefix(c.Role, "fresh ") {
		codes = append(codes, "stale-login")
	}
	if c.Daemon || c.Simulated {
		codes = append(codes, "no-daemon")
	}
	if c.Simulated {
		codes = append(codes, "not-simulated")
	}
	if c.Takes != nil || c.Once {
		codes = append(codes, "too-large")
	}
	if method != "GET" {
		codes = append(codes, "cannot-save")
	}
	if c.Once {
		codes = append(codes, "busy", "done", "key-reused")
	}
	if c.Match != "" {
		codes = append(codes, "changed")
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// whens is when a code is answered, by the manual's table, which is made from package wire.
func whens(t *testing.T) map[string]string {
	t.Helper()
	manual, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| \\d+ \\| (.*) \\|$").FindAllStringSubmatch(string(manual), -1) {
		all[m[1]] = m[2]
	}
	return all
}

// refusals are the responses of a call that does not do what was asked.
func (c *call) refusals(method string, when map[string]string) object {
	responses := object{}
	for _, code := range c.codesOf(method) {
		status, _ := wire.Code(code).Row()
		key := strconv.Itoa(status)
		r, ok := responses[key].(object)
		if !ok {
			r = object{"description": "", "x-codes": []any{}, "content": object{wire.ProblemType: object{"schema": ref("schemas", "Problem")}}}
			responses[key] = r
		}
		r["x-codes"] = append(r["x-codes"].([]any), code)
		r["description"] = strings.TrimPrefix(fmt.Sprintf("%s\n`%s`: %s", r["description"], code, when[code]), "\n")
		switch {
		case code == "no-login":
			r["headers"] = object{"WWW-Authenticate": ref("headers", "Authenticate")}
		case code == "too-often", slices.Contains(c.Waits, code):
			r["headers"] = object{"Retry-After": ref("headers", "RetryAfter")}
		}
	}
	for _, status := range c.Pages {
		key := strconv.Itoa(status)
		r, ok := responses[key].(object)
		if !ok {
			r = object{"description": "why not, on a page", "content": object{}}
			responses[key] = r
		}
		delete(r, "headers") // a page has not all of them
		r["content"].(object)["text/html"] = object{"schema": object{"type": "string"}}
	}
	return responses
}

// success is the response of a call that does what was asked.
func (c *call) success() (status string, response object) {
	if see, ok := c.Answers.(object); ok && see["see"] != nil {
		return "303", object{"description": fmt.Sprint("on to ", see["see"]), "headers": object{"Location": ref("headers", "Location")}}
	}
	response = object{"description": c.Does, "content": content(c.Answers)}
	at := object{"Location": ref("headers", "Location")}
	switch {
	case c.Begins != "":
		return "202", object{"description": "it has begun", "content": content(c.Begins), "headers": at}
	case c.Makes != "":
		return "201", object{"description": "it was made", "content": content(c.Makes), "headers": at}
	}
	if c.List != "" {
		response["content"] = object{
			"application/json": object{"schema": ref("schemas", c.List+"Page")},
			wire.LineType:      object{"schema": ref("schemas", c.List)},
		}
	}
	headers := object{}
	if c.ETag {
		headers["ETag"] = ref("headers", "ETag")
	}
	if c.Once {
		headers["Idempotency-Replayed"] = ref("headers", "Replayed")
	}
	if len(headers) > 0 {
		response["headers"] = headers
	}
	return "200", response
}

// params are the parameters of a call.
func (c *call) params(path string) []any {
	all := []any{}
	for _, prefix := range slices.Sorted(maps.Keys(pathParams)) {
		if strings.HasPrefix(path, prefix) {
			all = append(all, ref("parameters", pathParams[prefix]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		all = append(all, param("query", name, c.Params[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		all = append(all, param("header", name, c.Headers[name]))
	}
	if c.List != "" {
		all = append(all, ref("parameters", "limit"), ref("parameters", "after"), ref("parameters", "q"))
	}
	if c.Once {
		all = append(all, ref("parameters", "key"))
	}
	if c.Match != "" {
		all = append(all, ref("parameters", "match"))
	}
	if strings.HasPrefix(path, "/v1/") {
		all = append(all, ref("parameters", "actor"))
	}
	return all
}

// operation is a call as OpenAPI has it.
func (c *call) operation(tag, method, path string, when map[string]string) object {
	id := strings.NewReplacer("/v1/", "_", "/", "_", "{", "", "}", "", ".", "_", "-", "_").Replace(path)
	role, fresh := strings.CutPrefix(c.Role, "fresh ")
	op := object{
		"operationId": strings.ToLower(method) + id, "summary": c.Does, "tags": []any{tag}, "x-role": role, "parameters": c.params(path),
	}
	about := []string{}
	if c.More != "" {
		about = append(about, c.More)
	}
	switch {
	case role == "none":
		op["security"] = []any{}
		about = append(about, "Anybody may ask.")
	case c.Board != "":
		op["x-board"] = c.Board
		about = append(about, fmt.Sprintf("Wants the role %s, or the role board where the lab's board shows it.", role))
	case fresh:
		op["x-fresh-login"] = true
		about = append(about, fmt.Sprintf("Wants the role %s, and a login within the last 15 minutes.", role))
	default:
		about = append(about, fmt.Sprintf("Wants the role %s.", role))
	}
	if c.Match != "" {
		about = append(about, "If-Match takes "+c.Match+" ETag.")
	}
	op["description"] = strings.Join(about, " ")
	responses := c.refusals(method, when)
	status, success := c.success()
	responses[status] = success
	for status, of := range c.Also {
		also, ok := responses[status].(object)
		if !ok {
			also = object{"description": "as RFC 9110 says", "content": object{}}
			if c.ETag && status == "304" {
				also["headers"] = object{"ETag": ref("headers", "ETag")}
			}
			responses[status] = also
		}
		maps.Copy(also["content"].(object), content(of))
	}
	op["responses"] = responses
	if body := c.body(); body != nil {
		op["requestBody"] = body
	}
	return op
}

// body is the body that a call takes; nil for none.
func (c *call) body() object {
	if c.Takes == nil {
		return nil
	}
	body := content(c.Takes)
	for _, media := range body {
		if c.Try != nil {
			media.(object)["example"] = c.Try
		}
	}
	return object{"required": true, "content": body}
}

// assemble makes the description.
func assemble(t *testing.T) object {
	t.Helper()
	base := object{}
	read(t, "base.yaml", &base)
	when, paths, tags := whens(t), object{}, []any{}
	things, requests, pages := map[string]*thing{}, map[string]bool{}, map[string]bool{}
	files, _ := filepath.Glob("*.yaml")
	for _, file := range files {
		if file == "base.yaml" {
			continue
		}
		var f fragment
		read(t, file, &f)
		tags = append(tags, object{"name": f.Tag, "description": f.About})
		for name, thing := range f.Objects {
			if things[name] != nil {
				t.Errorf("%s: %s is there twice", file, name)
			}
			things[name] = thing
		}
		for pattern, c := range f.Calls {
			method, path, _ := strings.Cut(pattern, " ")
			item, ok := paths[path].(object)
			if !ok {
				item = object{}
				paths[path] = item
			}
			item[strings.ToLower(method)] = c.operation(f.Tag, method, path, when)
			if name, ok := c.Takes.(string); ok {
				requests[name] = true
			}
			if form, ok := c.Takes.(object); ok && form["form"] != nil {
				requests[form["form"].(string)] = true
			}
			if c.List != "" {
				pages[c.List] = true
			}
		}
	}
	schemas := base["components"].(object)["schemas"].(object)
	for name := range things {
		schemas[name] = schema(things, name, requests[name])
	}
	for name := range pages {
		schemas[name+"Page"] = pageOf(name)
	}
	base["paths"], base["tags"] = paths, tags
	base["components"].(object)["responses"] = shareRefusals(paths)
	dropUnused(t, base, things)
	return base
}

// shareRefusals takes the refusals out of the calls, most of which have the same.
func shareRefusals(paths object) object {
	shared := object{}
	for _, item := range paths {
		for _, op := range item.(object) {
			responses := op.(object)["responses"].(object)
			for status, r := range responses {
				codes, _ := r.(object)["x-codes"].([]any)
				content, _ := r.(object)["content"].(object)
				if codes == nil || content["text/html"] != nil {
					continue
				}
				name := strings.ReplaceAll(strings.Trim(fmt.Sprint(codes), "[]"), " ", "_")
				if r.(object)["headers"] != nil && status == "409" {
					name += "_wait"
				}
				shared[name] = r
				responses[status] = ref("responses", name)
			}
		}
	}
	return shared
}

// dropUnused takes out the things that only others are made of, and refuses those that
// nothing is made of.
func dropUnused(t *testing.T, doc object, things map[string]*thing) {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]bool{}
	for _, thing := range things {
		parts[thing.As] = true
	}
	for name := range things {
		if bytes.Contains(text, []byte(`"#/components/schemas/`+name+`"`)) {
			continue
		}
		delete(doc["components"].(object)["schemas"].(object), name)
		if !parts[name] {
			t.Errorf("no call takes or answers %s", name)
		}
	}
}

// read reads a file, and refuses keys that it can't have.
func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
