package openapitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Random makes requests of the description: such as it wants, and such as it does not.
type Random struct {
	*Spec
	*rand.Rand
	// Pool has values that may mean something, by the name of a key or parameter; what
	// answers had is added to it by Learn.
	Pool map[string][]string
}

// NewRandom returns one that makes the same requests for the same seed and answers.
func NewRandom(spec *Spec, seed uint64) *Random {
	cards := []string{"", "", "H10301:17:4711", "17:4712", "H10301:200:4713", "200:4714", "raw34:9278063906"}
	return &Random{spec, rand.New(rand.NewPCG(seed, seed)), map[string][]string{
		"sync": {"all"}, "status": {"active", "suspended", "retired"}, "badge": cards, "add_badge": cards, "tag": cards, "card": cards,
		"email": {"", "ann@lab.example"}, "fault": {"off", "swapped", "d0-open"}, "reader": {"stump", ""},
	}}
}

// Request is a request, with what is known of it.
type Request struct {
	*http.Request
	Call *Call
	Body string
	// Wrong is what the description forbids in it, "" for nothing: then it must be refused.
	Wrong string
}

// Unreadable is what is wrong with a body that is too large, or no text.
const Unreadable = "a body that can't be read"

// nasty are texts that are seldom thought of.
var nasty = []string{
	"", " ", ".", "..", "/", "a/b", "%2e%2e", "%", "\x00", "\x1b[31m", "\u202e", "\u200b", "ZoÃ«", "Zoe\u0308", "李雷", "💡", "null", "true", "0", "-1",
	"1e999", "9223372036854775808", "=1+1", "'", "\"", "`x`", "<b>", "&amp;", "{}", "[]", "\n", "\r\n", "a\tb", "\ufeff", "\xff", "…066", "bits:01", "bits:2",
	"H10301:17:1", "84:31066", "raw34:9278063906", "all", "any", "*", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", strings.Repeat("x", 1001),
	strings.Repeat("ä", 40000),
}

// Own begins the names of what requests leave alone.
const Own = "fuzzer "

// maxURL is the longest text in an address or a header, in bytes.
const maxURL = 2000

func pick[T any](r *Random, all []T) T { return all[r.IntN(len(all))] }

// chance is true n times of a hundred.
func (r *Random) chance(n int) bool { return r.IntN(100) < n }

// text is some text for a key or parameter.
func (r *Random) text(name string) string {
	if known := r.Pool[name]; len(known) > 0 && r.chance(75) {
		return pick(r, known)
	}
	if r.chance(40) {
		return pick(r, nasty)
	}
	return fmt.Sprintf("%s %d", name, r.IntN(50))
}

// value is a value that a schema wants.
func (r *Random) value(name string, schema Object) any {
	schema = r.Resolve(schema)
	if any, ok := schema["anyOf"].([]any); ok {
		return r.value(name, pick(r, any).(Object))
	}
	if values, ok := schema["enum"].([]any); ok {
		return pick(r, values)
	}
	kind := schema["type"]
	if several, ok := kind.([]any); ok {
		kind = several[0]
		if r.chance(10) {
			kind = "null"
		}
	}
	switch kind {
	case "null":
		return nil
	case "boolean":
		return r.chance(50)
	case "integer", "number":
		return r.IntN(1000)
	case "array":
		all := []any{}
		for range r.IntN(3) {
			all = append(all, r.value(name, objectOf(schema["items"])))
		}
		return all
	case "object":
		return r.object(schema)
	}
	if schema["format"] == "date-time" {
		return time.Now().Add(time.Duration(r.NormFloat64() * float64(100*24*time.Hour))).Format(time.RFC3339)
	}
	return r.text(name)
}

// object is an object that a schema wants.
func (r *Random) object(schema Object) Object {
	o := Object{}
	for name, of := range objectOf(schema["properties"]) {
		required, _ := schema["required"].([]any)
		if slices.Contains(required, any(name)) || r.chance(35) {
			o[name] = r.value(name, objectOf(of))
		}
	}
	return o
}

// spoil makes an object one that a schema does not want, and says how; "" if it did not.
func (r *Random) spoil(o, schema Object) string {
	names := []string{}
	for name := range objectOf(schema["properties"]) {
		names = append(names, name)
	}
	slices.Sort(names)
	switch r.IntN(3) {
	case 0:
		o[fmt.Sprintf("no_such_key_%d", r.IntN(9))] = r.text("note")
		return "a key that is not described"
	case 1:
		required, _ := schema["required"].([]any)
		if len(required) > 0 {
			name := pick(r, required).(string)
			delete(o, name)
			return "a missing " + name
		}
	}
	if len(names) == 0 {
		return ""
	}
	name := pick(r, names)
	wrong := []any{Object{"a": 1}, 1.5, []any{Object{}}}
	types := fmt.Sprint(r.Resolve(objectOf(objectOf(schema["properties"])[name]))["type"])
	if !strings.Contains(types, "boolean") {
		wrong = append(wrong, true)
	}
	if !strings.Contains(types, "array") {
		wrong = append(wrong, []any{})
	}
	o[name] = pick(r, wrong)
	return "a wrong type of " + name
}

// body makes the body of a request; wrong is what is wrong with it.
func (r *Random) body(c *Call, spoil bool) (media, body, wrong string) {
	for media, content := range c.Body {
		schema := r.Resolve(objectOf(objectOf(content)["schema"]))
		switch media {
		case "application/json":
			o := r.object(schema)
			if example, ok := objectOf(content)["example"].(Object); ok && r.chance(30) {
				o = maps.Clone(example) // some calls want values that belong together
			}
			if !spoil {
				return media, encode(o), ""
			}
			if wrong = r.spoil(o, schema); r.chance(60) {
				return media, encode(o), wrong
			}
			if r.chance(20) { // which no schema can say
				return media, pick(r, []string{"{\"note\":\"\xff\"}", `{"note":"` + strings.Repeat("x", 1<<20) + `"}`}), Unreadable
			}
			return media, pick(r, []string{"", "null", "[]", "1", `"x"`, "{", "{} {}", "{}]", strings.Repeat(`{"a":`, 10000)}), "a body that is no object"
		case "application/x-www-form-urlencoded":
			values := url.Values{}
			for name, v := range r.object(schema) {
				values.Set(name, fmt.Sprint(v))
			}
			return media, values.Encode(), ""
		case "text/csv":
			return media, r.sheet(c), ""
		default:
			return media, encode(r.text("note")) + "\n", ""
		}
	}
	return "", "", ""
}

// encode writes JSON, with bytes that are no text where a text has them.
func encode(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return strings.TrimSpace(b.String())
}

// sheet is a CSV file.
func (r *Random) sheet(c *Call) string {
	columns := []string{"id", "name", "email", "badge", "status"}
	if strings.Contains(c.Path, "device") {
		columns = []string{"id", "name", "tag", "kind", "status"}
	}
	if r.chance(30) {
		columns = append(columns, pick(r, []string{"E-Mail", "phone", "", "kit", "id"}))
	}
	r.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	columns = columns[:1+r.IntN(4)]
	comma := pick(r, []string{",", ",", ",", ";", "\t"})
	var b strings.Builder
	b.WriteString(strings.Join(columns, comma) + "\n")
	for range r.IntN(5) {
		cells := []string{}
		for _, name := range columns {
			cells = append(cells, strings.ReplaceAll(r.text(name), "\n", " "))
		}
		b.WriteString(strings.Join(cells, comma) + "\n")
	}
	return b.String()
}

// query makes the query of a request; wrong is what is wrong with it.
func (r *Random) query(c *Call, spoil bool) (query, wrong string) {
	values := url.Values{}
	for _, p := range c.Params {
		if p.In == "query" && (p.Required || r.chance(25)) {
			if text := fmt.Sprint(r.value(p.Name, p.Schema)); text != "" && len(text) <= maxURL && p.Schema["type"] != "array" {
				values.Set(p.Name, text)
			}
		}
		if n := p.Schema["maximum"]; n != nil && values.Has(p.Name) {
			values.Set(p.Name, fmt.Sprint(1+r.IntN(1000)))
		}
	}
	if !spoil {
		return values.Encode(), ""
	}
	switch r.IntN(3) {
	case 0:
		return strings.TrimPrefix(values.Encode()+"&"+pick(r, []string{"x=%zz", "a;b", "%"}), "&"), "a query that can't be read"
	case 1:
		for _, p := range c.Params {
			word := map[any]string{"boolean": "perhaps", "integer": "-1"}[p.Schema["type"]]
			if p.Schema["enum"] != nil || p.Schema["format"] != nil {
				word = "nonsense"
			}
			if p.In == "query" && word != "" && r.chance(50) {
				values.Set(p.Name, word)
				return values.Encode(), p.Name + "=" + word
			}
		}
	}
	values.Set(fmt.Sprintf("no_such_%d", r.IntN(9)), "1")
	return values.Encode(), "a parameter that is not described"
}

// Next makes a request of a call for a station at this address.
func (r *Random) Next(c *Call, station string) Request {
	path := c.Path
	for _, p := range c.Params {
		if p.In == "path" {
			name := p.Name
			if kind := strings.Split(c.Path, "/")[2]; r.chance(80) && len(r.Pool[kind]) > 0 {
				name = kind
			}
			value := r.text(name)
			if value == "" || value == "." || value == ".." || value == "/" || len(value) > maxURL {
				value = "x" // package http takes them for no elements of a path
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(value))
		}
	}
	spoilt := 0 // 1: the query, 2: the body
	if strings.HasPrefix(c.Path, "/v1/") && r.chance(30) {
		spoilt = 1 + r.IntN(2)
	}
	query, wrong := r.query(c, spoilt == 1)
	media, body, wrongBody := r.body(c, spoilt == 2)
	if query != "" {
		query = "?" + query
	}
	req, err := http.NewRequest(c.Method, station+path+query, strings.NewReader(body))
	if err != nil {
		panic(fmt.Sprint(path, query, err)) // all of it was escaped
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	r.headers(c, req)
	return Request{req, c, body, wrong + wrongBody}
}

// headers sets headers that mean something, or little.
func (r *Random) headers(c *Call, req *http.Request) {
	if r.chance(50) {
		req.Header.Set("Accept", pick(r, []string{"application/json", "application/x-ndjson", "text/event-stream", "application/cloudevents+json", "text/html", "*/*", "x"}))
	}
	for _, p := range c.Params {
		if p.In != "header" || !r.chance(20) {
			continue
		}
		value := r.text(p.Name)
		if strings.ContainsAny(value, "\x00\r\n\x1b") {
			value = url.QueryEscape(value)
		}
		if len(value) > maxURL {
			continue
		}
		req.Header.Set(p.Name, value)
	}
}

// Learn puts what an answer to a call has into the pool.
func (r *Random) Learn(c *Call, a Answer) {
	kind, _, _ := strings.Cut(strings.TrimPrefix(c.Path, "/v1/"), "/")
	if _, id, ok := strings.Cut(a.Header.Get("Location"), "/v1/"); ok { // of what was begun
		kind, id, _ := strings.Cut(id, "/")
		r.learn(kind, id)
	}
	if tag := a.Header.Get("ETag"); tag != "" {
		r.learn("If-Match", tag)
	}
	for line := range strings.Lines(string(a.Body)) {
		var v any
		if json.Unmarshal([]byte(line), &v) == nil {
			r.learnFrom(v)
			list, _ := objectOf(v)["items"].([]any)
			for _, item := range append(list, v) {
				if id, ok := objectOf(item)["id"].(string); ok {
					r.learn(kind, id)
				}
			}
		}
	}
}

func (r *Random) learnFrom(v any) {
	switch v := v.(type) {
	case []any:
		for _, sub := range v[:min(len(v), 20)] {
			r.learnFrom(sub)
		}
	case Object:
		for key, sub := range v {
			switch text, ok := sub.(string); {
			case !ok:
			case key == "id" && v["tag"] != nil:
				r.learn("device_id", text)
			case key == "id" && v["badge"] != nil:
				r.learn("person_id", text)
			case key == "badge": // only its end
				r.learn("lost_badge", text)
				r.learn("found_badge", text)
			case key != "device" && key != "person" && key != "tag": // which are names, or only an end
				r.learn(key, text)
			}
			r.learnFrom(sub)
		}
		if chain, ok := v["chain"].(string); ok {
			r.learn("after", fmt.Sprintf("%s:%v", chain, v["seq"]))
			r.learn("Last-Event-ID", fmt.Sprintf("%s:%v", chain, v["seq"]))
		}
	}
}

// same are keys that mean what another one does.
var same = map[string][]string{
	"device_id": {"device", "devices", "card"},
	"person_id": {"person", "people", "into", "card"},
	"next":      {"after"},
}

func (r *Random) learn(key, text string) {
	for _, key := range append([]string{key}, same[key]...) {
		all := r.Pool[key]
		if slices.Contains(all, text) || len(text) > maxURL || strings.HasPrefix(text, Own) {
			continue
		}
		if len(all) < 60 {
			r.Pool[key] = append(all, text)
		} else {
			all[r.IntN(len(all))] = text
		}
	}
}
