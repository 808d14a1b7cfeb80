package openapitest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"stump/internal/api/wire"
)

const loan = `{"device":"iPad","device_id":"ipad","person":"Ann","person_id":"ann","since":"2026-11-21T10:00:00Z","clock_trusted":true,"due":null,` +
	`"overdue":false,"pending":false,"doubtful":false,"station":"lab","note":null}`

// TestWatch: what is not as it is described is found, and nothing else.
func TestWatch(t *testing.T) {
	page := `{"items":[` + loan + `],"next":null}`
	problem := func(code, status string) string {
		return `{"type":"urn:stump:problem:` + code + `","title":"x","status":` + status + `,"detail":"x","code":"` + code + `","error":"x","hint":""}`
	}
	for name, tt := range map[string]struct {
		pattern, ask, body string
		status             int
		media, answer      string
		headers            []string
		want               string
	}{
		"a page":             {"GET /v1/who", "/v1/who?limit=5", "", 200, "application/json", page, nil, ""},
		"lines":              {"GET /v1/who", "/v1/who", "", 200, wire.LineType, loan + "\n" + loan + "\n", nil, ""},
		"no call":            {"GET /v1/tea", "/v1/tea", "", 418, "x", "x", nil, ""}, // is a test's own
		"a key more":         {"GET /v1/who", "/v1/who", "", 200, wire.LineType, strings.Replace(loan, "{", `{"colour":"red",`, 1), nil, "colour"},
		"a key less":         {"GET /v1/who", "/v1/who", "", 200, "application/json", strings.Replace(page, `"due":null,`, "", 1), nil, "due"},
		"another type":       {"GET /v1/who", "/v1/who", "", 200, "application/json", strings.Replace(page, "false", "0", 1), nil, "overdue"},
		"no time":            {"GET /v1/who", "/v1/who", "", 200, "application/json", strings.Replace(page, "2026-11-21T10:00:00Z", "today", 1), nil, "since"},
		"another media type": {"GET /v1/who", "/v1/who", "", 200, "text/csv", "x", nil, "text/csv is not described"},
		"another status":     {"GET /v1/who", "/v1/who", "", 201, "application/json", page, nil, "status 201 is not described"},
		"an ETag":            {"GET /v1/who", "/v1/who", "", 200, "application/json", page, []string{"ETag", `"1"`}, "ETag"},
		"a parameter":        {"GET /v1/who", "/v1/who?colour=red", "", 200, "application/json", page, nil, "the parameter colour"},
		"too large a limit":  {"GET /v1/who", "/v1/who?limit=5000", "", 200, "application/json", page, nil, "limit"},
		"a problem":          {"GET /v1/who", "/v1/who?colour=red", "", 400, wire.ProblemType, problem("invalid", "400"), nil, ""},
		"a code more":        {"GET /v1/who", "/v1/who", "", 409, wire.ProblemType, problem("tag-taken", "409"), nil, "the code tag-taken"},
		"another number":     {"GET /v1/who", "/v1/who", "", 400, wire.ProblemType, problem("invalid", "404"), nil, "says 404"},
		"no Retry-After":     {"GET /v1/who", "/v1/who", "", 429, wire.ProblemType, problem("too-often", "429"), nil, "Retry-After is missing"},
		"a Retry-After":      {"GET /v1/who", "/v1/who", "", 429, wire.ProblemType, problem("too-often", "429"), []string{"Retry-After", "5"}, ""},
		"a bad Retry-After":  {"GET /v1/who", "/v1/who", "", 429, wire.ProblemType, problem("too-often", "429"), []string{"Retry-After", "soon"}, "Retry-After"},
		"a body's key":       {"POST /v1/sim/fault", "/v1/sim/fault", `{"fault":"off","why":1}`, 200, "application/json", `{"fault":"off"}`, nil, "why"},
		"a body":             {"POST /v1/sim/fault", "/v1/sim/fault", `{"fault":"off"}`, 200, "application/json", `{"fault":"off"}`, nil, ""},
		"a name":             {"POST /v1/sim/fault", "/v1/sim/fault", `{"fault":"off"}`, 200, "application/json", `{"fault":"off"}`, []string{"ask Idempotency-Key", "1"}, "Idempotency-Key"},
	} {
		w := NewWatch()
		mux := http.NewServeMux()
		mux.HandleFunc(tt.pattern, func(rw http.ResponseWriter, r *http.Request) {
			buffer := make([]byte, 100)
			_, _ = r.Body.Read(buffer)
			rw.Header().Set("Content-Type", tt.media)
			for i := 0; i < len(tt.headers); i += 2 {
				rw.Header().Set(tt.headers[i], tt.headers[i+1])
			}
			rw.WriteHeader(tt.status)
			_, _ = rw.Write([]byte(tt.answer))
		})
		method, _, _ := strings.Cut(tt.pattern, " ")
		r := httptest.NewRequest(method, tt.ask, strings.NewReader(tt.body))
		for i := 0; i < len(tt.headers); i += 2 {
			if name, ok := strings.CutPrefix(tt.headers[i], "ask "); ok {
				r.Header.Set(name, tt.headers[i+1])
				tt.headers = nil
				break
			}
		}
		w.Serve(mux, httptest.NewRecorder(), r)
		faults := strings.Join(w.Faults(false), "\n")
		if (faults == "") != (tt.want == "") || !strings.Contains(faults, tt.want) {
			t.Errorf("%s: %q, want %q", name, faults, tt.want)
		}
		asked := tt.status < 400 && w.Calls[tt.pattern] != nil
		if missing := slices.Contains(w.Faults(true), tt.pattern+": no test gets a success"); w.Calls[tt.pattern] != nil && missing == asked {
			t.Errorf("%s: a success is missing: %v", name, missing)
		}
	}
}

// TestRandom: what is made for right is described, and what is said to be wrong is not.
func TestRandom(t *testing.T) {
	spec, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	random := NewRandom(spec, 1)
	wrong := 0
	for i := range 5000 {
		c := spec.Calls[slices.Sorted(maps.Keys(spec.Calls))[i%len(spec.Calls)]]
		r := random.Next(c, "http://stump")
		err := spec.CheckRequest(c, r.Request, []byte(r.Body))
		if (err != nil) != (r.Wrong != "") && r.Wrong != Unreadable {
			t.Errorf("%s %.300s %.300s: %q, and the description: %v", c.Method, r.URL, r.Body, r.Wrong, err)
		}
		if r.Wrong != "" {
			wrong++
		}
	}
	if wrong < 500 {
		t.Errorf("only %d of the requests are wrong", wrong)
	}
}
