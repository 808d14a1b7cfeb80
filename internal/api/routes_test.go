package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/directory"
	"stump/directory/call"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/station"
	"stump/internal/testkit"
	"stump/wiegand"
)

// admin is who asks in tests that are not about roles.
func admin() context.Context { return identity.With(context.Background(), identity.Process()) }

// ask serves one request of an admin without a network, for lines where there are rows.
func ask(h http.Handler, method, path, body string) (status int, answer string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(admin(), method, path, strings.NewReader(body))
	r.Header.Set("Accept", wire.LineType)
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// split returns a route's method, and a path that matches it.
func (r route) split(t *testing.T) (method, path string) {
	t.Helper()
	method, path, ok := strings.Cut(r.pattern, " ")
	if !ok || !strings.HasPrefix(path, "/") {
		t.Fatalf("the pattern %q", r.pattern)
	}
	if path == "/v1/events" {
		path += "?after=nowhere" // else the answer never ends
	}
	return method, strings.NewReplacer("{ref}", "ann", "{id}", "1", "{name}", "ci", "{file}", "x", "{of}", "device", "{$}", "").Replace(path)
}

// TestEveryRoute asks each route wrongly in the ways that go for all of them.
func TestEveryRoute(t *testing.T) {
	s := newServer(t, newLedger(t))
	seedLab(t, client.Local(s))
	table := s.routes()
	if len(table) != 123 {
		t.Errorf("%d routes", len(table))
	}
	for _, r := range table {
		method, path := r.split(t)
		plain, _, _ := strings.Cut(path, "?")
		problem := func(name, method, path, body string, header string) wire.Problem {
			req := httptest.NewRequestWithContext(admin(), method, path, strings.NewReader(body))
			req.Header.Set(wire.ActorHeader, header)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, req)
			var p wire.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Error == "" || w.Header().Get("Content-Type") != wire.ProblemType {
				t.Errorf("%s, %s: %d %s", r.pattern, name, w.Code, w.Body)
			}
			return p
		}
		if p := problem("wrong method", "PUT", path, "", ""); !strings.Contains(p.Error, "PUT "+plain+" is not part of the API") || p.Hint == "" {
			t.Errorf("%s, wrong method: %+v", r.pattern, p)
		}
		if p := problem("a bad actor", method, path, "", "a%00b"); !strings.HasPrefix(p.Error, wire.ActorHeader) || p.Hint == "" {
			t.Errorf("%s, a bad actor: %+v", r.pattern, p)
		}
		if strings.HasPrefix(path, "/v1/sim/") != (r.needs == simulation) {
			t.Errorf("%s: what only a simulated station can do is apart from all else", r.pattern)
		}
		if r.needs == ledgerOnly {
			continue
		}
		if p := problem("without a daemon", method, path, "{}", ""); p.Error != "no daemon is running" && p.Error != "this station has real lines, nothing is simulated" || p.Hint == "" {
			t.Errorf("%s, without a daemon: %+v", r.pattern, p)
		}
	}
}

// TestEveryBody sends what is not the object that a route reads. Nothing changes.
func TestEveryBody(t *testing.T) {
	s := newServer(t, newLedger(t))
	seedLab(t, client.Local(s))
	_, before := ask(s, "GET", "/v1/history", "")
	reads := 0
	for _, r := range s.routes() {
		method, path := r.split(t)
		if status, answer := ask(s, method, path, `{"no_such_key":1}`); status != 400 || !strings.Contains(answer, "no_such_key") {
			continue // it reads no object
		}
		reads++
		for name, tt := range map[string]struct {
			body   string
			status int
			want   string
		}{
			"nothing":    {"", 400, "the request can't be read: EOF"},
			"half":       {`{"name":`, 400, "the request can't be read: unexpected EOF"},
			"a list":     {`[]`, 400, "the request can't be read: json: cannot unmarshal array"},
			"two":        {`{} {}`, 400, "the request has more than one value"},
			"a bracket":  {`{} ]`, 400, "the request has more than one value"},
			"null":       {`null`, 400, "the request can't be read: it is null"},
			"Latin-1":    {"{\"note\":\"Zo\xeb\"}", 400, "what was given is not valid UTF-8"},
			"wrong type": {`{"note":1,"name":1}`, 400, "the request can't be read: json: "},
			"too large":  {`{"note":"` + strings.Repeat("x", maxBody) + `"}`, 413, "http: request body too large"},
		} {
			status, answer := ask(s, method, path, tt.body)
			var p wire.Problem
			if err := json.Unmarshal([]byte(answer), &p); err != nil || status != tt.status || !strings.HasPrefix(p.Error, tt.want) || p.Hint == "" {
				t.Errorf("%s, %s: %d %+v, want %d %s", r.pattern, name, status, p, tt.status, tt.want)
			}
		}
	}
	if reads != 15 {
		t.Errorf("%d routes read an object", reads)
	}
	if _, after := ask(s, "GET", "/v1/history", ""); after != before {
		t.Errorf("the history changed:\n%s", after)
	}
}

// TestTooLargeImport: more than a register needs is refused before it is read whole.
func TestTooLargeImport(t *testing.T) {
	s := newServer(t, newLedger(t))
	status, answer := ask(s, "POST", "/v1/people/import", "id,name\n"+strings.Repeat("ann,"+strings.Repeat("x", 1000)+"\n", maxImport/1000))
	if status != 413 || !strings.Contains(answer, "nothing was changed; send at most 32 MB at once") {
		t.Errorf("%d %s", status, answer)
	}
	if _, people := ask(s, "GET", "/v1/people", ""); people != "" {
		t.Errorf("imported: %s", people)
	}
}

// TestExplain: the status and the remedy of every kind of error.
func TestExplain(t *testing.T) {
	s := newServer(t, newLedger(t))
	seedLab(t, client.Local(s))
	person := func(ref string) error { return &books.NotFoundError{Kind: checkout.KindPerson, Ref: ref} }
	device := func(ref string) error { return &books.NotFoundError{Kind: checkout.KindDevice, Ref: ref} }
	retired := checkout.Subject{Kind: checkout.KindDevice, ID: "ipad", Name: "iPad", Status: checkout.Retired}
	for _, tt := range []struct {
		err  error
		code wire.Code
		hint string
	}{
		{refuse("mend it", "bad"), wire.CodeInvalid, "mend it"},
		{problem(wire.CodeNoRoute, "drink it", "tea"), wire.CodeNoRoute, "drink it"},
		{fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 5 << 20}), wire.CodeTooLarge, "nothing was changed; send at most 5 MB at once"},
		{person("xy"), wire.CodeNotFound, "`stump people list` shows the people"},
		{device("xy"), wire.CodeNotFound, "`stump devices list` shows the devices"},
		{person("ANN"), wire.CodeNotFound, "did you mean Ann (id ann)?"},
		{person("ben"), wire.CodeNotFound, "did you mean Ben (id b1) or Ben (id b2)?"},
		{person("ipad"), wire.CodeNotFound, "that is a device; `stump people list` shows the people"},
		{device("Ann"), wire.CodeNotFound, "that is a person; `stump devices list` shows the devices"},
		{device("iPad"), wire.CodeNotFound, "did you mean iPad (id ipad)?"},
		{hint.Wrap(person("ANN"), "ask her"), wire.CodeNotFound, "ask her"},
		{&books.AmbiguousError{Kind: checkout.KindPerson, Name: "Ben", IDs: []string{"b1", "b2"}}, wire.CodeAmbiguous, "`stump people list` and `stump devices list` begin with the id"},
		{&books.ExistsError{Kind: checkout.KindPerson, ID: "ann"}, wire.CodeExists, "choose another with --id, or change the one that is there with edit"},
		{&books.TagTakenError{Owner: "ann", OwnerKind: checkout.KindPerson}, wire.CodeTagTaken, "check the number, or give ann another one first: `stump people edit ann --badge CREDENTIAL`"},
		{&books.TagTakenError{Owner: "ipad 2", OwnerKind: checkout.KindDevice}, wire.CodeTagTaken, "check the number, or give ipad 2 another one first: `stump devices edit 'ipad 2' --tag CREDENTIAL`"},
		{&checkout.RefusedError{Subject: retired}, wire.CodeRefused, "`stump devices edit ipad --status active` ends that"},
		{&checkout.RefusedError{Subject: retired, Holder: "Ann"}, wire.CodeRefused, "`stump who` shows who holds which device; `stump people list` and `stump devices list` show the status"},
		{&checkout.RefusedError{Reason: "it is late"}, wire.CodeRefused, "`stump who` shows who holds which device; `stump people list` and `stump devices list` show the status"},
		{fmt.Errorf("give: %w", checkout.ErrRefused), wire.CodeRefused, "`stump who` shows who holds which device; `stump people list` and `stump devices list` show the status"},
		{ledger.ErrClosed, wire.CodeInternal, ""},
		{ledger.ErrReadOnly, wire.CodeInternal, ""},
		{&ledger.DamagedError{Reason: "page 3"}, wire.CodeDamaged, (*ledger.DamagedError)(nil).Hint()},
		{ledger.ErrCannotSave, wire.CodeCannotSave, boltfile.SaveRemedy(ledger.ErrCannotSave)},
		{directory.ErrTaken, wire.CodeRefused, ""},
		{call.ErrNobody, wire.CodeNotFound, ""},
		{fmt.Errorf("pull: %w", call.Outcome{Verdict: call.Down, Reason: "no route", Remedy: "look at the cable"}), wire.CodeDirectory, "look at the cable"},
		{station.ErrStopping, wire.CodeStopping, "ask again when it runs"},
		{station.ErrNotShown, wire.CodeTimeout, hint.Of(station.ErrNotShown)},
		{station.ErrReplaced, wire.CodeBusy, hint.Of(station.ErrReplaced)},
		{&station.LeasedError{}, wire.CodeBusy, (&station.LeasedError{}).Hint()},
		{hint.Errorf("write it so", "a bad name"), wire.CodeInvalid, "write it so"},
		{errors.New("anything else"), wire.CodeInternal, ""},
	} {
		w := httptest.NewRecorder()
		s.fail(&reply{ResponseWriter: w}, httptest.NewRequestWithContext(admin(), "GET", "/v1/who", nil), tt.err)
		var p wire.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Code != tt.code || p.Error != tt.err.Error() || p.Hint != tt.hint {
			t.Errorf("%T %v: %d %+v, want %s %q", tt.err, tt.err, w.Code, p, tt.code, tt.hint)
		}
	}
}

// TestServersFault: the log has what the client can do nothing about, and no more.
func TestServersFault(t *testing.T) {
	log := new(testkit.Log)
	s := NewServer(Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	respond := func(err error) int {
		w := httptest.NewRecorder()
		s.fail(&reply{ResponseWriter: w}, httptest.NewRequestWithContext(admin(), "GET", "/v1/who", nil), err)
		return w.Code
	}
	if status := respond(refuse("mend it", "bad")); status != 400 || log.String() != "" {
		t.Errorf("%d, logged %q", status, log)
	}
	if status := respond(ledger.ErrClosed); status != 500 || !strings.Contains(log.String(), `level=ERROR msg="request failed" method=GET path=/v1/who err="the ledger is closed"`) {
		t.Errorf("%d, logged %q", status, log)
	}
}

// TestCancelled: a client that has gone is told nothing, and is no fault of the
// server's; a daemon that stops says so.
func TestCancelled(t *testing.T) {
	log := new(testkit.Log)
	s := NewServer(Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	s.handle(route{"GET /v1/wait", ledgerOnly, identity.Staff, object(func(r *http.Request) (any, error) {
		<-r.Context().Done()
		return struct{}{}, context.Cause(r.Context())
	})})
	ctx, cancel := context.WithCancel(admin())
	time.AfterFunc(20*time.Millisecond, cancel)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/v1/wait", nil).WithContext(ctx))
	if w.Code != 503 || !strings.Contains(w.Body.String(), `"code":"stopping","error":"the station is stopping","hint":"ask again when it runs"}`) || log.String() != "" {
		t.Errorf("%d %s, logged %q", w.Code, w.Body, log)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := client.Local(s).Stream(ctx, "GET", "wait", nil, nil); !errors.Is(err, context.Canceled) || log.String() != "" {
		t.Errorf("who went gets %v, logged %q", err, log)
	}
}

// TestBrokenOff: an error after the first row ends the connection, and is logged.
func TestBrokenOff(t *testing.T) {
	log := new(testkit.Log)
	s := NewServer(Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	rows := func(n int) iter.Seq2[party, error] {
		return func(yield func(party, error) bool) {
			for range n {
				if !yield(party{}, nil) {
					return
				}
			}
			yield(party{}, errors.New("a bad page"))
		}
	}
	for n := range 2 {
		s.handle(route{fmt.Sprintf("GET /v1/rows/%d", n), ledgerOnly, identity.Staff, list(func(*http.Request, query, books.Page) (iter.Seq2[party, error], error) { return rows(n), nil })})
	}
	if status, answer := ask(s, "GET", "/v1/rows/0", ""); status != 500 || !strings.Contains(answer, `"error":"a bad page"`) {
		t.Errorf("before the first row: %d %s", status, answer)
	}
	body, err := client.Local(s).Stream(t.Context(), "GET", "rows/1", nil, nil)
	if err == nil {
		_, err = io.ReadAll(body)
	}
	if err == nil || log.Count("a bad page") != 2 {
		t.Errorf("after the first row: %v, logged %q", err, log)
	}
}

func TestParams(t *testing.T) {
	get := func(query string) (query, error) {
		return params(&http.Request{URL: &url.URL{RawQuery: query}}, "person", "overdue")
	}
	for query, want := range map[string]string{
		"person=":              "person has 1 values, or an empty one",
		"person":               "person has 1 values, or an empty one",
		"person=a&person=b":    "person has 2 values, or an empty one",
		"persn=a":              `"persn" is not a parameter of this call`,
		"person=a&Overdue=yes": `"Overdue" is not a parameter of this call`,
		"person=%f":            "the parameters can't be read: ",
		"person=a;overdue=b":   "the parameters can't be read: ",
	} {
		if _, err := get(query); err == nil || !strings.HasPrefix(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%s: %v (%s), want %s", query, err, hint.Of(err), want)
		}
	}
	for query, want := range map[string]bool{"": false, "overdue=true": true, "overdue=1": true, "overdue=false": false, "person=true": false} {
		q, err := get(query)
		if err != nil {
			t.Fatal(query, err)
		}
		if got, err := q.flag("overdue"); err != nil || got != want {
			t.Errorf("%q: %v, %v", query, got, err)
		}
	}
	q, err := get("overdue=yes&person=Zo%C3%AB+A")
	if err != nil || q.Get("person") != "Zoë A" {
		t.Fatal(q, err)
	}
	if _, err := q.flag("overdue"); err == nil || err.Error() != `overdue: "yes" is neither` {
		t.Errorf("overdue=yes: %v", err)
	}
}

// TestEditsForAShell: an id in a hint can be typed as it is printed.
func TestEditsForAShell(t *testing.T) {
	s := newServer(t, newLedger(t))
	for _, id := range []string{"ann", "ann-2", "a.b_c@d", "李雷", "ann 2", "o'neil", "$HOME", "a;b", "*", `a"b`, "-", "#1"} {
		command := strings.Trim(s.people.giveTag(id), "`")
		out, err := exec.Command("sh", "-c", "stump() { printf '%s|' \"$@\"; }; "+command).Output()
		if want := "people|edit|" + id + "|--badge|CREDENTIAL|"; err != nil || string(out) != want {
			t.Errorf("%s: %s, %v", command, out, err)
		}
	}
	if got, want := s.devices.giveTag("ipad"), "`stump devices edit ipad --tag CREDENTIAL`"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestNoFormat(t *testing.T) {
	format, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(Options{Formats: []*wiegand.Format{format}})
	tag := testkit.Tag
	for _, tt := range []struct {
		tags []checkout.Tag
		want string
	}{
		{nil, ""},
		{[]checkout.Tag{{}, {}}, ""},
		{[]checkout.Tag{{Bits: 200}}, ""}, // no tag: nothing to say about its format
		{[]checkout.Tag{{}, tag(1, 34)}, "1 tag will not be read here: 34 bits that no enabled format takes: H10301 26 bits"},
		{[]checkout.Tag{tag(3, 26), tag(1, 34)}, "2 tags will not be read here: 26 bits that no enabled format takes: the parity is wrong for H10301"},
	} {
		var all unreadable
		for _, t := range tt.tags {
			all.look(s, t)
		}
		if got := all.warning(); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%v: %q, want %q", tt.tags, got, tt.want)
		}
	}
}

// TestNear: who may be meant by a name, in a register in which some have left.
func TestNear(t *testing.T) {
	l := newLedger(t)
	s := newServer(t, l)
	for id, name := range map[string]string{"ann": "Ann Okafor", "zoe": "Zoe\u0308 Mu\u0308ller", "ghost": "Zoë Retired", "pixel": "Pixel Person"} {
		if err := l.AddPerson(books.Person{ID: id, Name: name}, checkout.Tag{}, "test", checkout.SourceCLI); err != nil {
			t.Fatal(err)
		}
	}
	retired := checkout.Retired
	if err := l.EditPerson("ghost", books.Edit{Status: &retired}, "test", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	if err := l.AddDevice(books.Device{ID: "p8", Name: "Pixel 8"}, checkout.Tag{}, "test", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	ids := func(list []party) (ids []string) {
		for _, p := range list {
			ids = append(ids, p.id)
		}
		return ids
	}
	for _, tt := range []struct {
		reg        *register
		ref        string
		same, near []string
	}{
		{s.people, "ann okafor", []string{"ann"}, nil},
		{s.people, "ANN", []string{"ann"}, nil},
		{s.people, "okafor", nil, []string{"ann"}},
		{s.people, "Ann Okafro", nil, []string{"ann"}},
		{s.people, "Zoë Müller", []string{"zoe"}, nil}, // composed here, decomposed there
		{s.people, "Zoë Retired", nil, nil},
		{s.people, "ghost", nil, nil},
		{s.people, "Bob", nil, nil},
		{s.devices, "pixel 8", []string{"p8"}, nil},
		{s.devices, "Pixel", nil, nil}, // a word of a device's name is no hint
		{s.devices, "Pixel 9", nil, nil},
	} {
		same, near, err := tt.reg.near(tt.ref)
		if err != nil || !slices.Equal(ids(same), tt.same) || !slices.Equal(ids(near), tt.near) {
			t.Errorf("%s %q: %v and %v, %v, want %v and %v", tt.reg.path, tt.ref, ids(same), ids(near), err, tt.same, tt.near)
		}
	}
	many := make([]party, 5)
	if got := didYouMean(many); strings.Count(got, " or ") != 2 {
		t.Errorf("of five: %s", got)
	}
	l.Close()
	if _, _, err := s.people.near("ann"); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("in a closed ledger: %v", err)
	}
}
