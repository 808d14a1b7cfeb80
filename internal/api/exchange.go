package api

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"stump/internal/api/wire"
)

// handler answers a request, or returns why it can't.
type handler func(http.ResponseWriter, *http.Request) error

// object answers with the object that f returns. It has no parameters.
func object(f func(*http.Request) (any, error)) handler {
	return bare(func(w http.ResponseWriter, r *http.Request) error {
		v, err := f(r)
		if err != nil {
			return err
		}
		return writeJSON(w, v)
	})
}

// bare serves a call that has no parameters.
func bare(f handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := params(r); err != nil {
			return err
		}
		return f(w, r)
	}
}

// asked reads the request's object, to which In points, and answers with the one that
// f returns. For all types of pointers it is compiled only once.
func asked[In any](f func(*http.Request, In) (any, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := reflect.New(reflect.TypeFor[In]().Elem()).Interface().(In)
		if err := readJSON(w, r, in); err != nil {
			return err
		}
		return object(func(r *http.Request) (any, error) { return f(r, in) })(w, r)
	}
}

// lines returns a function that sends one JSON object a line, at once.
func lines[T any](w http.ResponseWriter) func(T) error {
	enc, rc := json.NewEncoder(w), http.NewResponseController(w)
	w.Header().Set("Content-Type", wire.LineType)
	return func(line T) error {
		if err := enc.Encode(line); err != nil {
			return err
		}
		return rc.Flush()
	}
}

func writeJSON(w http.ResponseWriter, v any) error {
	if v, ok := v.(interface{ ETag() string }); ok && v.ETag() != "" {
		w.Header().Set("ETag", v.ETag())
	}
	return writeStatus(w, http.StatusOK, v)
}

func writeStatus(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}

// maxBody is the size of the largest request, in bytes, unless it is an import.
const maxBody = 1 << 20

// readJSON reads the object in a request's body strictly.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return err
	}
	if !utf8.Valid(body) {
		return wire.ErrNotText // the decoder would replace what it can't read
	}
	const remedy = "send one JSON object with the keys of this call"
	if string(bytes.TrimSpace(body)) == "null" {
		return refuse(remedy, "the request can't be read: it is null")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return refuse(remedy, "the request can't be read: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return refuse(remedy, "the request has more than one value")
	}
	return nil
}

// query is a request's parameters.
type query struct{ url.Values }

// params reads a request's parameters. It refuses an unknown one: a misspelt filter
// would keep everything.
func params(r *http.Request, known ...string) (query, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return query{}, refuse("write spaces as %20", "the parameters can't be read: %w", err)
	}
	for name, values := range q {
		if slices.Contains(known, name+"*") {
			continue // may be there several times
		}
		if !slices.Contains(known, name) {
			remedy := "use " + strings.Join(known, ", ")
			if len(known) == 0 {
				remedy = "leave it out"
			}
			return query{}, refuse(remedy, "%q is not a parameter of this call", name)
		}
		if values[0] == "" || len(values) > 1 {
			return query{}, refuse("leave it out, or give it one value", "%s has %d values, or an empty one", name, len(values))
		}
	}
	return query{q}, nil
}

// flag reads a parameter that is true or false, false if it was left out.
func (q query) flag(name string) (bool, error) {
	word := q.Get(name)
	if word == "" {
		return false, nil
	}
	set, err := strconv.ParseBool(word)
	if err != nil {
		return false, refuse("use true or false", "%s: %q is neither", name, word)
	}
	return set, nil
}

// rows are the rows of a slice.
func rows[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range all {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// mapRows applies f to every row.
func mapRows[A, B any](rows iter.Seq2[A, error], f func(A) B) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		for row, err := range rows {
			var b B
			if err == nil {
				b = f(row)
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// known is a value that may be unknown: "" is null.
func known[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// str is the reverse of known.
func str[T ~string](s *T) T {
	if s == nil {
		return ""
	}
	return *s
}
