package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
)

// keyHeader names a request, so that it changes something once however often it is sent.
const keyHeader = "Idempotency-Key"

// maxKey is the length of a request's name, in bytes.
const maxKey = 255

// on returns the ledger for a change of the person or device ref, on the terms of the
// request: its If-Match and its name. An empty ref is for changes of no one alone.
func (s *Server) on(r *http.Request, kind checkout.SubjectKind, ref string) (books.Keeper, error) {
	terms, _ := r.Context().Value(termsOf{}).(books.Terms)
	match := strings.Join(r.Header.Values("If-Match"), ",")
	switch {
	case match == "":
		return s.o.Books.On(terms), nil
	case ref == "":
		return nil, refuse("leave it out", "If-Match is for changes of one person or one device")
	}
	terms.Kind, terms.Ref = kind, ref
	for _, tag := range strings.Split(match, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" { // whatever it is, as long as it is there
			terms.Revisions = nil
			break
		}
		revision, weak := strings.CutPrefix(tag, "W/")
		quoted := len(revision) > 1 && revision[0] == '"' && revision[len(revision)-1] == '"'
		if !quoted {
			return nil, refuse("give the ETag of the answer as it is, with its quotation marks", "If-Match: %s is not an ETag", tag)
		}
		if weak { // is never the same
			revision = `""`
		}
		terms.Revisions = append(terms.Revisions, strings.Trim(revision, `"`))
	}
	return s.o.Books.On(terms), nil
}

// termsOf is the key of a request's terms in its context.
type termsOf struct{}

// given is an answer that is kept.
type given struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	ETag   string `json:"etag,omitempty"`
	Body   []byte `json:"body"`
}

// once serves a request that has a name: the first time as any other, then with the
// answer of the first time. What failed has changed nothing, and is tried again.
func (s *Server) once(w http.ResponseWriter, r *http.Request, to route) error {
	name := r.Header.Get(keyHeader)
	switch {
	case name == "" || r.Method == http.MethodGet:
		return to.answer(w, r)
	case len(name) > maxKey || len(r.Header.Values(keyHeader)) > 1:
		return refuse("send one, of at most 255 bytes, such as a UUID", "%s: too long, or several", keyHeader)
	case !to.repeats():
		return refuse("leave it out: asked twice, this does no harm", "%s is not for this call", keyHeader)
	}
	body, sent, err := s.whole(http.MaxBytesReader(w, r.Body, maxImport))
	if err != nil {
		return err
	}
	defer body.Close()
	terms := books.Terms{
		Key:     digest([]byte(identity.Of(r.Context()).ID), []byte(name)),
		Request: digestOf(sum(r.Method), sum(r.URL.RequestURI()), sum(r.Header.Get("If-Match")), sent),
	}
	if _, running := s.running.LoadOrStore(terms.Key, true); running {
		return problem(wire.CodeBusy, "ask again when it has its answer", "a request with this %s is under way", keyHeader)
	}
	defer s.running.Delete(terms.Key)
	made, ok, err := s.o.Books.Made(terms.Key)
	if err != nil {
		return err
	}
	if ok {
		return repeat(w, terms, made)
	}
	r = r.WithContext(context.WithValue(r.Context(), termsOf{}, terms))
	r.Body = body
	kept := &memo{header: http.Header{}, status: http.StatusOK}
	if err := to.answer(kept, r); err != nil {
		var again *books.MadeError
		if errors.As(err, &again) {
			return repeat(w, terms, again.Made)
		}
		return err
	}
	first := given{kept.status, kept.header.Get("Content-Type"), kept.header.Get("ETag"), kept.Bytes()}
	answer, err := json.Marshal(first)
	if err == nil {
		err = s.o.Books.Answered(terms.Key, answer)
	}
	if err != nil {
		s.o.Log.Error("an answer can't be kept; who asks again with the same key hears only that it was done", "err", err)
	}
	maps.Copy(w.Header(), kept.header)
	return send(w, first)
}

// whole reads a body to its end before anything is done with it, and returns its sum. A
// large one waits in a file without a name.
func (s *Server) whole(in io.Reader) (io.ReadCloser, sha, error) {
	h := sha256.New()
	in = io.TeeReader(in, h)
	first, err := io.ReadAll(io.LimitReader(in, maxBody))
	if err != nil {
		return nil, sha{}, err
	}
	if len(first) < maxBody {
		return io.NopCloser(bytes.NewReader(first)), sha(h.Sum(nil)), nil
	}
	f, err := os.CreateTemp(filepath.Dir(s.o.Path), ".request-*")
	if err != nil {
		return nil, sha{}, err
	}
	err = os.Remove(f.Name())
	if err == nil {
		_, err = f.Write(first)
	}
	if err == nil {
		_, err = io.Copy(f, in)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, sha{}, err
	}
	return f, sha(h.Sum(nil)), nil
}

// repeats reports whether asking twice would change something twice.
func (to route) repeats() bool {
	work := to.pattern == "POST /v1/verifications" || to.pattern == "POST /v1/backups" // change nothing
	return to.needs == ledgerOnly && !work
}

// repeat answers as the first time.
func repeat(w http.ResponseWriter, terms books.Terms, made books.Made) error {
	var g given
	switch {
	case made.Request != terms.Request:
		return problem(wire.CodeKeyReused, "choose a new one for each request", "this %s was sent with another request", keyHeader)
	case made.Answer == nil || json.Unmarshal(made.Answer, &g) != nil:
		return problem(wire.CodeDone, "read what is there now", "this was done; its answer was not kept")
	}
	w.Header().Set("Idempotency-Replayed", "true")
	return send(w, g)
}

func send(w http.ResponseWriter, g given) error {
	w.Header().Set("Content-Type", g.Type)
	if g.ETag != "" {
		w.Header().Set("ETag", g.ETag)
	}
	w.WriteHeader(g.Status)
	_, err := w.Write(g.Body)
	return err
}

// memo is where a handler writes an answer that is kept.
type memo struct {
	bytes.Buffer
	header http.Header
	status int
}

func (m *memo) Header() http.Header { return m.header }

func (m *memo) WriteHeader(status int) { m.status = status }

// digest is the hash of parts.
func digest(parts ...[]byte) string {
	var sums []sha
	for _, p := range parts {
		sums = append(sums, sha256.Sum256(p))
	}
	return digestOf(sums...)
}

// sha is the hash of a part.
type sha [sha256.Size]byte

func sum(part string) sha { return sha256.Sum256([]byte(part)) }

func digestOf(parts ...sha) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p[:])
	}
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil)[:16])
}
