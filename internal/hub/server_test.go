//go:build services

package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/hub/hubtest"
	"stump/internal/hub/pgtest"
	"stump/internal/hub/store"
	"stump/internal/lab/wire"
	"stump/internal/sitekey"
)

func TestMain(m *testing.M) {
	if os.Getenv(turnCode) != "" { // a station that is a process of its own
		fmt.Fprintln(os.Stderr, takeTurns(os.Args[1]))
		os.Exit(1)
	}
	pgtest.Main(m)
}

// served is a hub with a lab, as stations see it.
type served struct {
	*testing.T
	*Server
	lab int64
	url string
	at  *httptest.Server
}

func serve(t *testing.T) *served {
	t.Helper()
	return serveAt(t, pgtest.Shared(t).Database(t, func(url string) error {
		s, err := store.Open(store.Options{URL: url})
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = s.Migrate(context.Background())
		return err
	}), t.TempDir())
}

// serveAt is a hub of a database, with the keys in a folder.
func serveAt(t *testing.T, url, dir string) *served {
	t.Helper()
	keys := Keys{Dir: dir}
	s, err := store.Open(store.Options{URL: url, Whose: keys.Whose})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	x := &served{T: t, url: url, Server: &Server{Store: s, Keys: keys, Log: slog.New(slog.DiscardHandler), Wait: 5 * time.Second}}
	x.lab, err = s.Lab(t.Context(), "lab", true)
	x.ok(err)
	x.at = httptest.NewServer(x.Handler())
	t.Cleanup(x.at.Close)
	return x
}

func (x *served) ok(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// ask sends a request, and returns the status and the answer.
func (x *served) ask(method, path, bearer string, body any) (int, http.Header, string) {
	x.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		x.ok(err)
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(x.Context(), method, x.at.URL+path, r)
	x.ok(err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	got, err := http.DefaultClient.Do(req)
	x.ok(err)
	defer got.Body.Close()
	raw, err := io.ReadAll(got.Body)
	x.ok(err)
	return got.StatusCode, got.Header, string(raw)
}

// want asks, and reads an answer of 200.
func want[T any](x *served, method, path, bearer string, body any) (v T) {
	x.Helper()
	status, _, text := x.ask(method, path, bearer, body)
	if status != http.StatusOK {
		x.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	x.ok(json.Unmarshal([]byte(text), &v))
	return v
}

// refused asks, and wants a problem.
func (x *served) refused(status int, code, method, path, bearer string, body any) wire.Problem {
	x.Helper()
	got, head, text := x.ask(method, path, bearer, body)
	var p wire.Problem
	if err := json.Unmarshal([]byte(text), &p); err != nil || got != status || p.Code != code || p.Error == "" || p.Hint == "" || head.Get("Content-Type") != "application/problem+json" {
		x.Fatalf("%s %s: %d %s, want %d and %q", method, path, got, text, status, code)
	}
	return p
}

func (x *served) code() wire.Code {
	x.Helper()
	c, err := x.Keys.NewCode(x.at.URL, nil)
	x.ok(err)
	x.ok(x.Store.AddCode(x.Context(), x.lab, c))
	return c
}

// TestJoin: the first station brings the site key, each code is good once, a name is one
// station's.
func TestJoin(t *testing.T) {
	x := serve(t)
	key, code := sitekey.New(), x.code()
	x.refused(http.StatusGone, wire.CodeSpent, "POST", wire.PathJoin, "", wire.Join{Name: "north"})
	x.refused(http.StatusUnauthorized, wire.CodeNotHere, "POST", wire.PathJoin, code.ID+".AAAA", wire.Join{Name: "north"})
	x.refused(http.StatusPreconditionRequired, wire.CodeKey, "POST", wire.PathJoin, code.Bearer(), wire.Join{Name: "north"})
	x.refused(http.StatusBadRequest, wire.CodeInvalid, "POST", wire.PathJoin, code.Bearer(), wire.Join{Name: "north", Key: []byte("what?")})
	x.refused(http.StatusBadRequest, wire.CodeInvalid, "POST", wire.PathJoin, code.Bearer(), wire.Join{Name: "\x00", Key: code.Seal(key)})
	dry := want[wire.Joined](x, "POST", wire.PathJoin, code.Bearer(), wire.Join{Name: "north", DryRun: true})
	if dry.Token != "" || dry.Key != nil {
		t.Errorf("a dry run gives %+v", dry)
	}
	ann := wire.Subject{Kind: "person", ID: "ann", Fields: map[string]string{"name": "Ann", "tag/aa": "1"}}
	north := want[wire.Joined](x, "POST", wire.PathJoin, code.Bearer(), wire.Join{Name: "north", Key: code.Seal(key), Subjects: []wire.Subject{ann}})
	if got, err := code.Open(north.Key); err != nil || !bytes.Equal(got, key) {
		t.Fatalf("the key that comes back is %x, %v", got, err)
	}
	info, err := os.Stat(x.Keys.siteKeyFile("lab"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the site key's file: %v, %v", info, err)
	}
	x.refused(http.StatusGone, wire.CodeSpent, "POST", wire.PathJoin, code.Bearer(), wire.Join{Name: "other"})
	b := hubtest.New("north", time.Now())
	b.Bump("ipad", "ann", "", checkout.Place{})
	p := b.Next(0, 0)
	p.Patches = []wire.Patch{{Kind: "person", ID: "ann", Fields: ann.Fields}}
	want[[]wire.Accepted](x, "POST", wire.PathAppend, north.Token, p)

	second := x.code()
	x.refused(http.StatusConflict, wire.CodeTaken, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "north"})
	x.refused(http.StatusConflict, wire.CodeForked, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "copy", Chain: b.Chain.String()})
	others := []wire.Subject{
		{Kind: "person", ID: "ann", Fields: map[string]string{"name": "Another Ann"}},
		{Kind: "person", ID: "eve", Fields: map[string]string{"name": "Eve", "tag/aa": "1"}},
		{Kind: "person", ID: "fay", Fields: map[string]string{"name": "Fay", "tag/bb": "1"}},
	}
	x.refused(http.StatusConflict, wire.CodeClash, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "south", Subjects: others})
	dry = want[wire.Joined](x, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "south", Subjects: others, DryRun: true})
	if got := fmt.Sprint(dry.Clashes); got != "[{person ann id ann Ann} {person eve tag ann Ann}]" {
		t.Errorf("clashes: %s", got)
	}
	south := want[wire.Joined](x, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "south", Subjects: []wire.Subject{{Kind: "person", ID: "ann", Fields: map[string]string{"name": " ann "}}}})
	if got, err := second.Open(south.Key); err != nil || !bytes.Equal(got, key) {
		t.Errorf("the second station gets the key %x, %v", got, err)
	}

	// A copied card begins a chain of its own, and a replaced one takes the name over.
	third := x.code()
	clone := want[wire.Joined](x, "POST", wire.PathJoin, third.Bearer(), wire.Join{Name: "copy", Chain: b.Chain.String(), As: true})
	own := hubtest.New("copy", time.Now())
	own.Bump("pixel", "ben", "", checkout.Place{})
	x.refused(http.StatusConflict, wire.CodeForked, "POST", wire.PathAppend, clone.Token, b.Next(0, 0))
	want[[]wire.Accepted](x, "POST", wire.PathAppend, clone.Token, own.Next(0, 0))
	fourth := x.code()
	x.refused(http.StatusBadRequest, wire.CodeInvalid, "POST", wire.PathJoin, fourth.Bearer(), wire.Join{Name: "nobody", Replace: true})
	again := want[wire.Joined](x, "POST", wire.PathJoin, fourth.Bearer(), wire.Join{Name: "north", Replace: true})
	x.refused(http.StatusUnauthorized, wire.CodeNotHere, "GET", wire.PathChanges+"?epoch=0&since=0", north.Token, nil)
	rows := want[wire.Changes](x, "GET", wire.PathChanges+"?epoch=0&since=0", again.Token, nil)
	if len(rows.Loans) != 2 || len(rows.Subjects) != 1 || len(rows.Stations) != 3 {
		t.Errorf("the new card gets %+v", rows)
	}
}

// TestKeys: another hub of the database has the same keys, or says what to copy.
func TestKeys(t *testing.T) {
	x := serve(t)
	code, key := x.code(), sitekey.New()
	want[wire.Joined](x, "POST", wire.PathJoin, code.Bearer(), wire.Join{Name: "north", Key: code.Seal(key)})
	second := x.code()
	y := *x
	y.Server = &Server{Store: x.Store, Keys: Keys{Dir: t.TempDir()}, Log: x.Log}
	y.at = httptest.NewServer(y.Handler())
	defer y.at.Close()
	y.refused(http.StatusServiceUnavailable, CodeBusy, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "south"})
	b, err := os.ReadFile(x.Keys.Dir + "/hub.key")
	x.ok(err)
	x.ok(os.WriteFile(y.Keys.Dir+"/hub.key", b, 0o600))
	y.refused(http.StatusServiceUnavailable, CodeBusy, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "south", Key: second.Seal(sitekey.New())})
	other, err := y.Keys.SetSite("lab", sitekey.New())
	x.ok(err)
	y.refused(http.StatusServiceUnavailable, CodeBusy, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "south", Key: second.Seal(other)})
	if kept, err := x.Keys.SetSite("lab", other); err != nil || !bytes.Equal(kept, key) {
		t.Errorf("the site key was replaced: %v", err)
	}
	x.ok(os.Remove(y.Keys.siteKeyFile("lab")))
	_, err = y.Keys.SetSite("lab", key)
	x.ok(err)
	want[wire.Joined](&y, "POST", wire.PathJoin, second.Bearer(), wire.Join{Name: "south"})
}

// TestChanges: who waits hears of what comes, also by another hub, and of nothing else.
func TestChanges(t *testing.T) {
	x := serve(t)
	join := func(name string) wire.Joined {
		c := x.code()
		return want[wire.Joined](x, "POST", wire.PathJoin, c.Bearer(), wire.Join{Name: name, Key: c.Seal(sitekey.New())})
	}
	north, south := join("north"), join("south")
	at := func(c wire.Changes) string {
		return fmt.Sprintf("%s?epoch=%d&since=%d", wire.PathChanges, c.Epoch, c.Ver)
	}
	c := want[wire.Changes](x, "GET", at(wire.Changes{}), south.Token, nil)
	got := make(chan wire.Changes)
	wait := func(token string) {
		go func() { got <- want[wire.Changes](x, "GET", at(c), token, nil) }()
	}
	b := hubtest.New("north", time.Now())
	for i, hub := range []*served{x, serveAtOf(x)} {
		wait(south.Token)
		select {
		case c := <-got:
			t.Fatalf("an answer without a change: %+v", c)
		case <-time.After(100 * time.Millisecond):
		}
		b.Bump("ipad", "ann", "", checkout.Place{})
		want[[]wire.Accepted](hub, "POST", wire.PathAppend, north.Token, b.Next(i, 0))
		select {
		case c = <-got:
		case <-time.After(3 * time.Second):
			t.Fatal("who waits hears nothing")
		}
		if len(c.Loans) != 1 || c.Loans[0].Seq != uint64(i+1) {
			t.Errorf("%+v", c)
		}
	}
	x.Wait = 50 * time.Millisecond
	p := b.Next(2, 0)
	p.Station = wire.Station{Name: "north", Version: "2", Fault: "the display is unplugged"}
	want[[]wire.Accepted](x, "POST", wire.PathAppend, north.Token, p)
	c = want[wire.Changes](x, "GET", at(c), south.Token, nil)
	if st := c.Stations; len(st) != 2 || st[0].Name != "north" || st[0].Version != "2" || st[0].Fault != p.Station.Fault || time.Since(st[0].Heard) > time.Minute {
		t.Errorf("the stations: %+v", st)
	}
	if empty := want[wire.Changes](x, "GET", at(c), south.Token, nil); empty.Ver != c.Ver || len(empty.Loans)+len(empty.Subjects) > 0 || len(empty.Stations) != 2 || empty.More || time.Since(empty.At) > time.Minute {
		t.Errorf("nothing is %+v", empty)
	}
	want[struct{}](x, "POST", wire.PathLeave, south.Token, nil)
	x.refused(http.StatusUnauthorized, wire.CodeNotHere, "GET", at(c), south.Token, nil)
	x.refused(http.StatusUnauthorized, wire.CodeNotHere, "POST", wire.PathLeave, south.Token, nil)
	rest := want[wire.Changes](x, "GET", at(c), north.Token, nil)
	if len(rest.Stations) != 1 || rest.Stations[0].Name != "north" || rest.Stations[0].Chain != b.Chain.String() {
		t.Errorf("the stations that are left: %+v", rest.Stations)
	}
}

// serveAtOf is another hub of the same database.
func serveAtOf(x *served) *served {
	return serveAt(x.T, x.url, x.Keys.Dir)
}

// TestRoutes: each answers who has a token of it, and nobody else; what is too large, or no
// request, is refused.
func TestRoutes(t *testing.T) {
	x := serve(t)
	for _, token := range []string{"", "nonsense", strings.Repeat("x", 5000)} {
		x.refused(http.StatusUnauthorized, wire.CodeNotHere, "GET", wire.PathHead, token, nil)
		x.refused(http.StatusUnauthorized, wire.CodeNotHere, "GET", wire.PathChanges, token, nil)
		x.refused(http.StatusUnauthorized, wire.CodeNotHere, "POST", wire.PathAppend, token, strings.Repeat(" ", 1<<20))
		x.refused(http.StatusUnauthorized, wire.CodeNotHere, "POST", wire.PathLeave, token, nil)
	}
	c := x.code()
	north := want[wire.Joined](x, "POST", wire.PathJoin, c.Bearer(), wire.Join{Name: "north", Key: c.Seal(sitekey.New())})
	x.refused(http.StatusBadRequest, wire.CodeInvalid, "POST", wire.PathAppend, north.Token, "{")
	if p := x.refused(http.StatusBadRequest, wire.CodeInvalid, "POST", wire.PathAppend, north.Token, `{"chain":"`+strings.Repeat("x", mostBody)); !strings.Contains(p.Error, "more than") {
		t.Errorf("what is too large: %+v", p)
	}
	x.refused(http.StatusBadRequest, wire.CodeInvalid, "GET", wire.PathChanges+"?epoch=x&since=-1", north.Token, nil)
	x.refused(http.StatusBadRequest, wire.CodeInvalid, "GET", "/v1/lab/other", north.Token, nil)
	if h := want[wire.Head](x, "GET", wire.PathHead, north.Token, nil); h.Name != "north" || h.Epoch == 0 || h.Newest != (wire.Link{}) {
		t.Errorf("the head is %+v", h)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, _, text := x.ask("GET", path, "", nil); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	x.Store.Close()
	x.refused(http.StatusServiceUnavailable, CodeBusy, "GET", "/readyz", "", nil)
	if status, _, _ := x.ask("GET", "/healthz", "", nil); status != http.StatusOK {
		t.Errorf("without its database the process is %d", status)
	}
}

// TestLabs: of two labs of a hub neither sees anything of the other, by any route.
func TestLabs(t *testing.T) {
	x := serve(t)
	join := func(lab int64, name string) wire.Joined {
		c, err := x.Keys.NewCode(x.at.URL, nil)
		x.ok(err)
		x.ok(x.Store.AddCode(t.Context(), lab, c))
		return want[wire.Joined](x, "POST", wire.PathJoin, c.Bearer(), wire.Join{Name: name, Key: c.Seal(sitekey.New())})
	}
	other, err := x.Store.Lab(t.Context(), "other", true)
	x.ok(err)
	here, there := join(x.lab, "north"), join(other, "north")
	if here.Lab != "lab" || there.Lab != "other" || bytes.Equal(here.Key, there.Key) {
		t.Fatalf("%+v and %+v", here, there)
	}
	b := hubtest.New("north", time.Now())
	b.Bump("ipad", "ann", "", checkout.Place{})
	p := b.Next(0, 0)
	p.Patches = []wire.Patch{{Kind: "person", ID: "ann", Fields: map[string]string{"name": "Ann", "tag/aa": "1"}}}
	want[[]wire.Accepted](x, "POST", wire.PathAppend, here.Token, p)
	if c := want[wire.Changes](x, "GET", wire.PathChanges+"?epoch=0&since=0", there.Token, nil); len(c.Loans)+len(c.Subjects) > 0 || len(c.Stations) != 1 {
		t.Errorf("the other lab sees %+v", c)
	}
	if h := want[wire.Head](x, "GET", wire.PathHead, there.Token, nil); h.Newest != (wire.Link{}) || h.Epoch == here.Head.Epoch {
		t.Errorf("the other lab's head is %+v", h)
	}
	// The same ids, the same tag and even the same chain are others' there.
	got := want[[]wire.Accepted](x, "POST", wire.PathAppend, there.Token, p)
	if len(got) != 1 || got[0].LabSeq != 1 {
		t.Errorf("the other lab's receipts: %+v", got)
	}
	want[struct{}](x, "POST", wire.PathLeave, there.Token, nil)
	if c := want[wire.Changes](x, "GET", wire.PathChanges+"?epoch=0&since=0", here.Token, nil); len(c.Loans) != 1 || len(c.Subjects) != 1 || len(c.Stations) != 1 {
		t.Errorf("after a station has left the other lab: %+v", c)
	}
}

// TestFirstQuestion: a station that begins is told at once which others there are, though no
// row is new.
func TestFirstQuestion(t *testing.T) {
	x := serve(t)
	x.Wait = time.Minute
	a := newWired(t, x, "lab-a")
	a.join(x)
	token := a.link.Status().Member.Token
	var h wire.Head
	for was := (wire.Head{Ver: 1 << 60}); was.Ver != h.Ver; time.Sleep(300 * time.Millisecond) {
		was = h
		h = want[wire.Head](x, "GET", wire.PathHead, token, nil)
	}
	begun := time.Now()
	c := want[wire.Changes](x, "GET", fmt.Sprintf("%s?epoch=%d&since=%d&first=", wire.PathChanges, h.Epoch, h.Ver), token, nil)
	if len(c.Stations) != 1 || c.Stations[0].Name != "lab-a" || time.Since(begun) > 30*time.Second {
		t.Errorf("after %v: %+v", time.Since(begun), c)
	}
}
