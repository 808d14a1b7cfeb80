// Package openapitest holds the API to its description: what is asked and answered in the
// tests must be in it.
package openapitest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"stump/internal/api/openapi"
	"stump/internal/api/wire"
)

// Object is an object of JSON.
type Object = map[string]any

// Spec is the description, read strictly: an object has no keys but those that it lists,
// and a value that may be one of several is one of them.
type Spec struct {
	Calls map[string]*Call // by method and path
	doc   Object

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// Call is a call of the description.
type Call struct {
	Method, Path string
	Role         string
	Fresh        bool
	Board        string // with which setting the role board may ask
	Params       []Param
	Body         Object // by media type; nil for none
	responses    Object
	at           string // where in the description
}

// Param is a parameter.
type Param struct {
	Name, In string
	Required bool
	Schema   Object
	Example  any // nil for none
	at       string
}

const source = "openapi.json"

// Read reads the description that is served.
func Read() (*Spec, error) {
	text, err := openapi.JSON()
	if err != nil {
		return nil, err
	}
	s := &Spec{Calls: map[string]*Call{}, compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	s.doc = doc.(Object)
	strict(s.doc)
	s.compiler.DefaultDraft(jsonschema.Draft2020)
	s.compiler.AssertFormat()
	if err := s.compiler.AddResource(source, s.doc); err != nil {
		return nil, err
	}
	paths := s.doc["paths"].(Object)
	for path, item := range paths {
		for method, op := range item.(Object) {
			c := s.call(method, path, op.(Object))
			s.Calls[c.Method+" "+path] = c
		}
	}
	return s, nil
}

// strict closes the objects of a schema, and its lists of values.
func strict(node any) {
	switch node := node.(type) {
	case Object:
		if _, open := node["additionalProperties"]; node["type"] == "object" && node["properties"] != nil && !open {
			node["additionalProperties"] = false
		}
		if values, ok := node["x-extensible-enum"]; ok {
			node["enum"] = values
		}
		for key, sub := range node {
			if key != "examples" && key != "example" {
				strict(sub)
			}
		}
	case []any:
		for _, sub := range node {
			strict(sub)
		}
	}
}

// escape is a part of a JSON pointer.
func escape(part string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(part))
}

func (s *Spec) call(method, path string, op Object) *Call {
	c := &Call{Method: strings.ToUpper(method), Path: path, responses: op["responses"].(Object), at: "/paths/" + escape(path) + "/" + method}
	c.Role, _ = op["x-role"].(string)
	c.Board, _ = op["x-board"].(string)
	c.Fresh, _ = op["x-fresh-login"].(bool)
	for i, p := range op["parameters"].([]any) {
		p, at := s.follow(p.(Object), fmt.Sprintf("%s/parameters/%d", c.at, i))
		required, _ := p["required"].(bool)
		c.Params = append(c.Params, Param{p["name"].(string), p["in"].(string), required, p["schema"].(Object), p["example"], at + "/schema"})
	}
	if body, ok := op["requestBody"].(Object); ok {
		c.Body = body["content"].(Object)
	}
	return c
}

// follow is what an object refers to, and where it is.
func (s *Spec) follow(o Object, at string) (Object, string) {
	ref, ok := o["$ref"].(string)
	if !ok {
		return o, at
	}
	var node any = s.doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		node = node.(Object)[part]
	}
	return node.(Object), strings.TrimPrefix(ref, "#")
}

// Resolve is the schema that a schema refers to.
func (s *Spec) Resolve(schema Object) Object {
	schema, _ = s.follow(schema, "")
	return schema
}

// valid validates a value by the schema at a place.
func (s *Spec) valid(at string, value any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	schema := s.compiled[at]
	if schema == nil {
		var err error
		if schema, err = s.compiler.Compile(source + "#" + at); err != nil {
			return err
		}
		s.compiled[at] = schema
	}
	return schema.Validate(value)
}

// checkText validates JSON by the schema at a place.
func (s *Spec) checkText(at string, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.valid(at, value)
}

// Answer is what was answered to a call.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// CheckAnswer is what is wrong with an answer; nil if nothing is.
func (s *Spec) CheckAnswer(c *Call, a Answer) error {
	status := strconv.Itoa(a.Status)
	response, ok := c.responses[status].(Object)
	if !ok {
		return fmt.Errorf("the status %d is not described: %.300s", a.Status, a.Body)
	}
	response, at := s.follow(response, c.at+"/responses/"+status)
	for name, header := range objectOf(response["headers"]) {
		h, hAt := s.follow(header.(Object), at+"/headers/"+escape(name))
		values := a.Header.Values(name)
		if len(values) == 0 && h["required"] == true && !(name == "Retry-After" && a.Status == http.StatusConflict) {
			return fmt.Errorf("the header %s is missing", name)
		}
		for _, v := range values {
			if err := s.valid(hAt+"/schema", like(objectOf(h["schema"]), v)); err != nil {
				return fmt.Errorf("%s: %q: %w", name, v, err)
			}
		}
	}
	if tag := a.Header.Get("ETag"); tag != "" && objectOf(response["headers"])["ETag"] == nil {
		return fmt.Errorf("it has the ETag %s, which is not described", tag)
	}
	contents := objectOf(response["content"])
	if len(contents) == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("the media type %q: %w", a.Header.Get("Content-Type"), err)
	}
	if contents[media] == nil {
		return fmt.Errorf("the media type %s is not described", media)
	}
	if err := s.checkContent(at+"/content/"+escape(media)+"/schema", media, a.Body); err != nil {
		return err
	}
	if media == wire.ProblemType {
		return checkCode(response, a)
	}
	return nil
}

// checkCode checks that a call lists the code of a problem.
func checkCode(response Object, a Answer) error {
	var p wire.Problem
	if err := json.Unmarshal(a.Body, &p); err != nil {
		return err
	}
	codes, _ := response["x-codes"].([]any)
	if !slices.Contains(codes, any(string(p.Code))) {
		return fmt.Errorf("the code %s is not described: %s", p.Code, p.Error)
	}
	if p.Status != a.Status {
		return fmt.Errorf("a problem says %d, the answer %d", p.Status, a.Status)
	}
	return nil
}

func objectOf(v any) Object {
	o, _ := v.(Object)
	return o
}

// checkContent validates a body. Of lines and events each is validated.
func (s *Spec) checkContent(at, media string, body []byte) error {
	switch media {
	case "application/json", wire.ProblemType:
		return s.checkText(at, body)
	case wire.LineType, "application/cloudevents+json":
		for line := range bytes.Lines(body) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if err := s.checkText(at, line); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
		}
	case "text/event-stream":
		for line := range bytes.Lines(body) {
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				if err := s.checkText(at, data); err != nil {
					return fmt.Errorf("%s: %w", line, err)
				}
			}
		}
	}
	return nil
}

// like is a parameter's or a header's text as its schema wants it.
func like(schema Object, text string) any {
	switch schema["type"] {
	case "integer":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return json.Number(strconv.FormatInt(n, 10))
		}
	case "boolean":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return text
}

// CheckRequest is what of a request is not described; nil if all is.
func (s *Spec) CheckRequest(c *Call, r *http.Request, body []byte) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	for name, values := range query {
		i := slices.IndexFunc(c.Params, func(p Param) bool { return p.Name == name && p.In == "query" })
		if i < 0 {
			return fmt.Errorf("the parameter %s is not described", name)
		}
		p := c.Params[i]
		var value any = like(p.Schema, values[0])
		if p.Schema["type"] == "array" {
			all := []any{}
			for _, v := range values {
				all = append(all, v)
			}
			value = all
		}
		if err := s.valid(p.at, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range []string{"If-Match", "Idempotency-Key", "Last-Event-ID"} {
		described := slices.ContainsFunc(c.Params, func(p Param) bool { return p.Name == name })
		if r.Header.Get(name) != "" && !described && r.Method != http.MethodGet {
			return fmt.Errorf("the header %s is not described", name)
		}
	}
	if media := objectOf(c.Body["application/json"]); media != nil {
		return s.checkText(c.at+"/requestBody/content/application~1json/schema", body)
	}
	return nil
}

// Examples validates the examples of the description's objects and requests.
func (s *Spec) Examples() error {
	var all []error
	for name, schema := range s.doc["components"].(Object)["schemas"].(Object) {
		examples, _ := schema.(Object)["examples"].([]any)
		for _, e := range examples {
			if err := s.valid("/components/schemas/"+name, e); err != nil {
				all = append(all, fmt.Errorf("the example of %s: %w", name, err))
			}
		}
	}
	for _, c := range s.Calls {
		for media, content := range c.Body {
			if example := content.(Object)["example"]; example != nil {
				if err := s.valid(c.at+"/requestBody/content/"+escape(media)+"/schema", example); err != nil {
					all = append(all, fmt.Errorf("the example of %s %s: %w", c.Method, c.Path, err))
				}
			}
		}
		for _, p := range c.Params {
			if p.Example != nil {
				if err := s.valid(p.at, p.Example); err != nil {
					all = append(all, fmt.Errorf("the example of %s in %s %s: %w", p.Name, c.Method, c.Path, err))
				}
			}
		}
	}
	return errors.Join(all...)
}

// Watch serves requests and holds what is asked and answered to the description.
type Watch struct {
	*Spec
	// Where says where in the tests a request comes from.
	Where func() string

	mu     sync.Mutex
	faults []string
	done   map[string]bool // the calls that were answered with a success
}

// NewWatch reads the description.
func NewWatch() *Watch {
	spec, err := Read()
	if err != nil {
		panic(err)
	}
	return &Watch{Spec: spec, done: map[string]bool{}}
}

// maxKept is how much of a body is kept, in bytes.
const maxKept = 8 << 20

// Serve serves a request.
func (w *Watch) Serve(next http.Handler, rw http.ResponseWriter, r *http.Request) {
	asked := &kept{}
	if r.Body != nil {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, asked), r.Body}
	}
	answer := &recorder{ResponseWriter: rw, status: http.StatusOK}
	next.ServeHTTP(answer, r) // one that breaks off panics, and is not looked at
	c := w.Calls[r.Pattern]
	if c == nil || asked.full || answer.full {
		return // a part of a test
	}
	err := w.CheckAnswer(c, Answer{answer.status, rw.Header(), unpacked(rw.Header(), answer.Bytes())})
	success := answer.status < 400
	if err == nil && success {
		err = w.CheckRequest(c, r, asked.Bytes())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done[r.Pattern] = w.done[r.Pattern] || success
	if err != nil {
		where := ""
		if w.Where != nil {
			where = w.Where()
		}
		w.faults = append(w.faults, fmt.Sprintf("%s %s: %v", where, r.Pattern, err))
	}
}

// unpacked is a body that may be packed.
func unpacked(h http.Header, body []byte) []byte {
	if h.Get("Content-Encoding") != "gzip" {
		return body
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	plain, _ := io.ReadAll(r)
	return plain
}

// Faults are what was not as it is described. With all, each call must have been answered
// with a success.
func (w *Watch) Faults(all bool) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	faults := slices.Clone(w.faults)
	for pattern := range w.Calls {
		if all && !w.done[pattern] {
			faults = append(faults, pattern+": no test gets a success")
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

// kept is what was read or written, as far as there is room.
type kept struct {
	bytes.Buffer
	full bool
}

func (k *kept) Write(b []byte) (int, error) {
	if k.full = k.full || k.Len()+len(b) > maxKept; !k.full {
		k.Buffer.Write(b)
	}
	return len(b), nil
}

// recorder keeps what is answered.
type recorder struct {
	http.ResponseWriter
	kept
	status int
}

func (r *recorder) Write(b []byte) (int, error) {
	_, _ = r.kept.Write(b)
	return r.ResponseWriter.Write(b)
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Example is the example of a call's body, and its media type; "" without one.
func (c *Call) Example() (media, body string) {
	for media, content := range c.Body {
		switch example := content.(Object)["example"].(type) {
		case nil:
		case string:
			return media, example
		default:
			text, _ := json.Marshal(example)
			return media, string(text)
		}
	}
	return "", ""
}
