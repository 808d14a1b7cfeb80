package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger"
	"stump/internal/api/wire"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/identity"
	"stump/internal/testkit"
)

// lab is a simulated station that is asked over its socket, byte by byte.
type lab struct {
	*testing.T
	*daemon.Daemon
	http http.Client
	stop func()
	log  *testkit.Log
}

// newLab runs a station with the seeded people and devices.
func newLab(t *testing.T, toml string) *lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "st") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg, err := config.Parse("stump.toml", toml)
	if err != nil {
		t.Fatal(err)
	}
	ready, log := make(chan struct{}), new(testkit.Log)
	o := daemon.Options{
		Config: cfg, StateDir: filepath.Join(dir, "state"), Socket: filepath.Join(dir, "sock"), Sim: true, Version: "test",
		Log: slog.New(slog.NewTextHandler(log, nil)), Ready: func() { close(ready) },
	}
	d, err := daemon.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	l := &lab{T: t, Daemon: d, stop: stop, log: log}
	l.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", o.Socket)
	}}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-ready
	l.want("POST", "sim/seed", "", 200, `^{"people":6,"devices":12}\n$`)
	return l
}

// send sends a request and returns the answer, or the error of one that was cancelled.
func (l *lab) send(ctx context.Context, method, path, body string) (*http.Response, error) {
	l.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "http://stump/v1/"+path, strings.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	req.Header.Set("Stump-Actor", "eve")
	req.Header.Set("Accept", "application/x-ndjson")
	return l.http.Do(req)
}

// want sends a request, and wants this status and a body that matches a pattern.
func (l *lab) want(method, path, body string, status int, pattern string) string {
	l.Helper()
	resp, err := l.send(l.Context(), method, path, body)
	if err != nil {
		l.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !regexp.MustCompile(pattern).Match(got) {
		l.Errorf("%s %s %s: %d %v\n%s, want %d %s", method, path, body, resp.StatusCode, err, got, status, pattern)
	}
	if p := (wire.Problem{}); status >= 400 && (json.Unmarshal(got, &p) != nil || p.Error == "" || strings.ContainsAny(p.Error+p.Hint, "\n")) {
		l.Errorf("%s %s %s: %s is not an error object", method, path, body, got)
	}
	return string(got)
}

// worked begins a job, and wants what came of it to match a pattern.
func (l *lab) worked(path, body, pattern string) string {
	l.Helper()
	var job wire.Job
	if err := json.Unmarshal([]byte(l.want("POST", path, body, 202, `"state":"`)), &job); err != nil {
		l.Fatal(err)
	}
	path += "/" + job.ID
	lines := strings.Split(strings.TrimSpace(l.want("GET", path+"/events", "", 200, "")), "\n")
	var last wire.JobEvent
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.What != "end" || last.N != len(lines) {
		l.Errorf("%s: %v, the last event is %+v", path, err, last)
	}
	if ended := l.want("GET", path, "", 200, pattern); strings.TrimSpace(ended) != string(last.Data) {
		l.Errorf("%s: the last event is %s, and then it is %s", path, last.Data, ended)
	}
	return string(last.Data)
}

// exchange is a request and what is wanted of its answer.
type exchange struct {
	method, path, body string
	status             int
	want               string
}

func (l *lab) all(exchanges []exchange) {
	l.Helper()
	for _, e := range exchanges {
		l.want(e.method, e.path, e.body, e.status, e.want)
	}
}

// until waits for a body that matches.
func (l *lab) until(path, pattern string) {
	l.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		resp, err := l.send(l.Context(), "GET", path, "")
		if err != nil {
			l.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if regexp.MustCompile(pattern).Match(got) {
			return
		}
		if time.Now().After(end) {
			l.Fatalf("%s: %s never matches %s", path, got, pattern)
		}
	}
}

func TestStatus(t *testing.T) {
	l := newLab(t, "station = \"lab\"\n[backup]\nkeep = 0\n")
	var st map[string]any
	if err := json.Unmarshal([]byte(l.want("GET", "status", "", 200, "")), &st); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"station": "lab", "version": "test", "pid": float64(os.Getpid()), "sim": true, "display": "up", "display_down_since": nil,
		"listen": nil, "events": 18.0, "salvaged": nil, "damaged": nil, "ledger": l.Ledger.Path(),
	} {
		if got, ok := st[key]; !ok || got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	if readers := st["readers"].([]any); len(readers) != 1 || !strings.HasPrefix(readers[0].(string), "stump: ") || len(st) != 15 {
		t.Errorf("%d keys, readers %v", len(st), readers)
	}
	l.want("GET", "panel", "", 200, `^{"rows":\["[^"]{16}","[^"]{16}"\],"green":(true|false),"red":false,"beeps":\d+}\n$`)
	l.want("POST", "status", "", 404, `"error":"POST /v1/status is not part of the API"`)
	l.want("POST", "salvage/seen", "", 200, `^{}\n$`)
}

func TestLoans(t *testing.T) {
	l := newLab(t, "[loans]\nlength = \"1h\"\n")
	gave := `"kind":"checkout",.*"actor":"eve","device":"iPad Pro 13","device_id":"ipad","person":"Ann Okafor","person_id":"ann",.*"source":"cli","note":"for a week"`
	l.all([]exchange{
		{"GET", "who", "", 200, `^$`},
		{"POST", "give", `{"device":"ipad","person":"Ann Okafor","note":"for a week"}`, 200, gave},
		{"POST", "give", `{"device":"ipad","person":"ann"}`, 409, `"error":"refused: .*Ann Okafor.*","hint":".stump who. shows`},
		{"POST", "give", `{"device":"toaster","person":"ann"}`, 404, `"error":"device \\"toaster\\": not in the register"`},
		{"POST", "give", `{"device":"ipda pro 13","person":"ben"}`, 404, `"hint":"did you mean iPad Pro 13 \(id ipad\)\?"`},
		{"POST", "give", `{"device":"ann","person":"ben"}`, 404, `"hint":"that is a person; .stump devices list. shows the devices"`},
		{"POST", "give", `{"device":"ipad","person":"pixel"}`, 404, `"hint":"that is a device; .stump people list. shows the people"`},
		{"POST", "give", `{"device":"ipad","person":""}`, 404, `not in the register`},
		{"POST", "give", `{"device":"ipad","person":"ben","note":"a\u0000b"}`, 400, `control character`},
		{"POST", "give", `{"device":"ipad","to":"ben"}`, 400, `unknown field \\"to\\"","hint":"send one JSON object`},
		{"GET", "who", "", 200, `^{"device":"iPad Pro 13",[^\n]*"person_id":"ann",[^\n]*}\n$`},
		{"GET", "who?person=ann&device=ipad&overdue=false&shown=true", "", 200, `"person_id":"ann"`},
		{"GET", "who?person=ben", "", 200, `^$`},
		{"GET", "who?device=pixel", "", 200, `^$`},
		{"GET", "who?overdue=true", "", 200, `^$`},
		{"GET", "who?device=toaster", "", 404, `device \\"toaster\\"`},
		{"GET", "who?overdue=perhaps", "", 400, `"error":"overdue: \\"perhaps\\" is neither","hint":"use true or false"`},
		{"GET", "who?shown=x", "", 400, `"error":"shown:`},
		{"GET", "who?prsn=ann", "", 400, `"prsn\\" is not a parameter of this call","hint":"use person, device, overdue, due_soon, missing, shown, q, limit, after"`},
		{"GET", "who?person=%zz", "", 400, `can't be read.*"hint":"write spaces as %20"`},
		{"GET", "who?person=ann&person=ben", "", 400, `"error":"person has 2 values, or an empty one"`},
		{"GET", "history?person=ann", "", 200, `(?s)^{.*"kind":"enrol".*\n{.*"kind":"checkout"[^\n]*\n$`},
		{"GET", "history?device=pixel", "", 200, `^[^\n]*"kind":"enrol"[^\n]*\n$`},
		{"GET", "history?since=2099-01-01T00:00:00Z", "", 200, ``},
		{"GET", "history?since=tomorrow", "", 400, `"error":"since: \\"tomorrow\\" is not a time","hint":"write it as 2026-11-21T10:00:00Z"`},
		{"GET", "history?kind=checkout", "", 200, `^[^\n]*"kind":"checkout"[^\n]*\n$`},
		{"GET", "history?kind=any&limit=2", "", 200, `"kind":"enrol"`},
		{"GET", "history?kind=loan", "", 400, `"error":"kind: \\"loan\\" is none"`},
		{"GET", "history?person=nobody", "", 404, `person \\"nobody\\"`},
		{"GET", "history?limit=1", "", 200, `^[^\n]*"kind":"enrol"[^\n]*\n$`},
		{"POST", "give", `{"device":"ipad","person":"ben"}`, 200, `"kind":"handover",.*"person_id":"ben","from":"Ann Okafor"`},
		{"POST", "return", `{"device":"ipad","condition":"scratched","note":"on the shelf"}`, 200, `"kind":"return",.*"actor":"eve".*scratched`},
		{"POST", "return", `{"device":"ipad","note":"again"}`, 409, `"error":"refused`},
		{"POST", "return", `{"device":"ipad","person":"ann"}`, 400, `unknown field \\"person\\"`},
		{"POST", "return", `{"device":"toaster"}`, 404, `toaster`},
		{"GET", "give", "", 404, `is not part of the API`},
	})
	l.all([]exchange{
		{"POST", "give", `{"device":"pixel","person":"ann"}`, 200, `checkout`},
		{"POST", "devices/pixel/lost", `{"note":"not in the drawer"}`, 200, `"kind":"lost",.*"from":"Ann Okafor",.*"note":"not in the drawer"`},
		{"POST", "devices/pixel/lost", `{}`, 409, `"error":"refused: Pixel 9 is lost already"`},
		{"GET", "devices", "", 200, `"id":"pixel",.*"status":"lost","person":null,"person_id":null,`},
		{"POST", "devices/Pixel%209/found", `{}`, 200, `"kind":"found"`},
		{"POST", "devices/pixel/found", `{}`, 409, `"error":"refused: Pixel 9 is not lost"`},
		{"POST", "devices/toaster/lost", `{}`, 404, `toaster`},
		{"POST", "devices/pixel/lost", ``, 400, `can't be read: EOF`},
		{"POST", "people/ann/lost", `{}`, 404, `is not part of the API`},
	})
}

func TestRegister(t *testing.T) {
	l := newLab(t, "")
	l.all([]exchange{
		// People
		{"POST", "people", `{"name":" Zoë Ångström ","email":"zoe@lab.example","badge":"H10301:17:9"}`, 200,
			`^{"id":"zoe-angstrom","name":"Zoë Ångström","email":"zoe@lab.example","badge":"…9","status":"active","groups":\[\],"language":null,"warning":null}\n$`},
		{"POST", "people", `{"name":"Zoë Ångström"}`, 200, `"id":"zoe-angstrom-2",.*"email":null,"badge":null`},
		{"POST", "people", `{"name":"💡"}`, 200, `"id":"person"`},
		{"POST", "people", `{"name":"Cem","id":"cem"}`, 409, `"error":"there is a person \\"cem\\" already","hint":"choose another with --id`},
		{"POST", "people", `{"name":"Cem","badge":"H10301:17:31001"}`, 409, `it is that of person \\"ann\\"","hint":"check the number, or give ann another one first: .stump people edit ann --badge CREDENTIAL."`},
		{"POST", "people", `{"name":"Cem","badge":"H10301:200:8101"}`, 409, `.stump devices edit ipad --tag CREDENTIAL.`},
		{"POST", "people", `{"name":"Cem","badge":"17-31001"}`, 409, `the tag …001 can't be given to person \\"cem-2\\"`},
		{"POST", "people", `{"name":"Gil","badge":"17-31009"}`, 200, `"warning":"17-31009 was taken as H10301:17:31009; if it is H10306:17:31009, write that"`},
		{"POST", "people", `{"name":"Cem","badge":"raw26:31001"}`, 200, `"warning":"1 tag will not be read here: 26 bits that no enabled format takes`},
		{"POST", "people", `{"name":"Cem","email":"cem at lab"}`, 400, `cem at lab`},
		{"POST", "people", `{"name":"Cem","kind":"phone"}`, 400, `unknown field \\"kind\\"`},
		{"POST", "people", `{"name":"  "}`, 400, `the name is empty`},
		{"POST", "people", `{"name":"Dora","status":"suspended"}`, 400, `"error":"what is new is active","hint":"add them, then change the status"`},
		{"PATCH", "people/Ben%20Lindqvist", `{"name":"Benjamin","email":""}`, 200, `"id":"ben","name":"Benjamin","email":null,"badge":"…075"`},
		{"PATCH", "people/ben", `{"status":"suspended"}`, 200, `"status":"suspended","groups":\[\],"language":null,"warning":null`},
		{"POST", "give", `{"device":"ipad","person":"ben"}`, 409, `"hint":".stump people edit ben --status active. ends that"`},
		{"PATCH", "people/ben", `{"status":"away"}`, 400, `"error":"\\"away\\" is not a status","hint":"use active, suspended \(people only\) or retired; .stump devices lost. is for`},
		{"PATCH", "people/ben", `{"id":"b"}`, 400, `"error":"an id lasts: it can't be changed"`},
		{"PATCH", "people/ben", `{"badge":""}`, 400, `"error":"a tag can't be taken away"`},
		{"PATCH", "people/ben", `{"badge":"half"}`, 400, `half`},
		{"PATCH", "people/ben", `{"name":"X","badge":"H10301:17:31001"}`, 409, `ann`},
		{"PATCH", "people/benjamin", `{"name":"X"}`, 404, `"hint":"did you mean Benjamin \(id ben\)\?"`},
		{"PATCH", "people/ben", `{}`, 200, `"name":"Benjamin"`},
		{"PATCH", "people/gil", `{"lost_badge":"…009"}`, 200, `"id":"gil"`},
		{"POST", "people", `{"name":"Cem","badge":"H10301:17:31009"}`, 409, `"code":"refused",.*the badge of Gil is lost.*"hint":"if it is there again: .stump people edit gil --found-badge …009."`},
		{"POST", "people/cem/retire", ``, 200, `"id":"cem",.*"status":"retired"`},
		{"POST", "people/cem/retire", ``, 200, `"status":"retired"`},
		{"POST", "people/nobody/retire", ``, 404, `person \\"nobody\\"`},
		{"GET", "people", "", 200, `(?s)^{"id":"ann","name":"Ann Okafor","email":"ann@lab.example","badge":"…\d{3}","status":"active","groups":\[\],"language":null}\n`},
		{"DELETE", "people/ann", "", 404, `is not part of the API`},
		// Devices
		{"POST", "devices", `{"name":"Pixel 9","kind":"phone","tag":"H10301:200:1"}`, 200, `^{"id":"pixel-9","name":"Pixel 9","tag":"…1","kind":"phone","status":"active","person":null,"person_id":null,"serial":null,"place":null,"note":null,"link":null,"out_until":null,"condition":null,"kit":null,"warning":null}\n$`},
		{"POST", "devices", `{"name":"X","email":"x@lab.example"}`, 400, `unknown field \\"email\\"`},
		{"PATCH", "devices/Pixel%209", `{"kind":""}`, 409, `"hint":".stump people list. and .stump devices list. begin with the id"`},
		{"PATCH", "devices/pixel-9", `{"kind":"","status":"retired"}`, 200, `"kind":null,"status":"retired"`},
		{"PATCH", "devices/pixel-9", `{"status":"active"}`, 200, `"status":"active"`},
		{"PATCH", "devices/pixel-9", `{"status":"suspended"}`, 400, `suspended`},
		{"PATCH", "devices/pixel-9", `{"status":"lost"}`, 400, `.stump devices lost. is for`},
		{"POST", "give", `{"device":"ipad","person":"ann"}`, 200, ``},
		{"POST", "devices/ipad/retire", ``, 409, `"error":"refused: iPad Pro 13 is with Ann Okafor`},
		{"POST", "people/ann/retire", ``, 409, `"error":"refused: Ann Okafor still has iPad Pro 13`},
		{"GET", "devices", "", 200, `"id":"ipad",.*"status":"active","person":"Ann Okafor","person_id":"ann",`},
		// What is held about a person, and its erasure
		{"GET", "people/ann/dossier", "", 200, `^{"person":{"id":"ann",.*},"was":\[\],"loans":\[{"device":"iPad Pro 13".*}\],"reservations":\[\],"events":\[{.*}\],"named":\[\],"explain":"The badge`},
		{"GET", "people/nobody/dossier", "", 404, `nobody`},
		{"POST", "people/ann/erase", "", 409, `"error":"refused: Ann Okafor still has`},
		{"POST", "return", `{"device":"ipad"}`, 200, ``},
		{"POST", "people/ann/erase", "", 200, `^{}\n$`},
		{"POST", "people/ann/erase", "", 404, `person \\"ann\\"`},
		{"POST", "devices/ipad/erase", "", 404, `is not part of the API`},
	})
	if history := l.want("GET", "history", "", 200, ""); strings.Contains(history, "Okafor") || !strings.Contains(history, `"kind":"erase"`) {
		t.Errorf("after the erasure the history is\n%s", history)
	}
}

func TestImportAndExport(t *testing.T) {
	l := newLab(t, "")
	before := l.want("GET", "people/export", "", 200, `^id,name,email,badge\nann,Ann Okafor,ann@lab.example,\n`)
	devices := l.want("GET", "devices/export", "", 200, `(?m)^ipad,iPad Pro 13,H10301:200:8101,tablet$`)
	if got := l.want("POST", "people/import", "id,name,badge\nhal,Hal,31001\nida,Ida,H10301:17:9\njan,Jan,x\n", 400, `nothing was imported; correct these lines`); !strings.Contains(got, `; line 4: \"x\" is not a card`) || !strings.Contains(got, `line 2: \"31001\" may be H10301:FACILITY:31001`) || strings.Contains(got, "line 3") {
		t.Errorf("two bad lines of three are reported as %s", got)
	}
	undone := `"hint":"nothing was imported; correct the line and import the whole file again`
	l.all([]exchange{
		{"POST", "people/import", "id,name\nann,Ann\n\"zoe\",Zoe\nben,Ben Lindqvist\n", 200, `^{"rows":3,"added":1,"changed":1,"unchanged":1,"warning":null}\n$`},
		{"POST", "people/import", "id,name,badge\nhal,Hal,raw34:31001\nida,Ida,raw26:31002\n", 200, `"warning":"2 tags will not be read here`},
		{"POST", "people/import", "id,name\nx,X\ny\n", 400, `"error":"import: line 3: 1 field, the header has 2",` + undone + `"`},
		{"POST", "people/import", "i\x00d;name\nx;X\n", 400, undone + ` \(save it as UTF-8`},
		{"POST", "people/import", "id,name,badge\nx,X,H10301:200:8101\n", 400, `"error":"import: line 2: .*` + undone + ` \(check the number`},
		{"POST", "people/import", "id,name,tag\nx,X,7\n", 400, `unknown column \\"tag\\"`},
		{"POST", "people/import", "", 400, `no header`},
		{"POST", "devices/import", "id,name,kind\nipad,iPad,\nnew,New,x\n", 200, `"rows":2,"added":1,"changed":1`},
		{"POST", "devices/import", "id,name,status\nipad,iPad,suspended\n", 400, `use active, lost or retired`},
		{"POST", "devices/import", devices, 200, `"rows":12,"added":0,"changed":1,"unchanged":11`},
		{"POST", "people/import", before, 200, `"rows":6,"added":0,"changed":1,"unchanged":5`},
		{"GET", "people/export", "", 200, `(?m)^hal,Hal,,$`},
		{"POST", "people/retired/export", "", 404, `is not part of the API`},
	})
	if people := l.want("GET", "people", "", 200, ""); strings.Contains(people, `"id":"x"`) {
		t.Errorf("a part of a refused import is there:\n%s", people)
	}
	resp, err := l.send(t.Context(), "GET", "people/export", "")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/csv; charset=utf-8" {
		t.Errorf("an export is %s", kind)
	}
}

// TestAssign: a tag of the inbox is given to somebody who has left, once.
func TestAssign(t *testing.T) {
	l := newLab(t, "")
	l.want("POST", "sim/tap", `{"card":"H10301:99:4711"}`, 200, "")
	var row struct{ ID string }
	if err := json.Unmarshal([]byte(l.want("GET", "inbox", "", 200, `"kind":"unknown-tag","what":"unknown tag …711","why":null,"remedy":null,"at":".*"place":"stump".*"answers":\["assign","ignore"\]`)), &row); err != nil {
		t.Fatal(err)
	}
	path := "unknown/" + row.ID + "/"
	l.all([]exchange{
		{"POST", path + "assign", `{"kind":"robot","name":"ann"}`, 400, `can't be enrolled`},
		{"POST", path + "assign", `{"kind":"device","name":"iPad Por 13"}`, 404, `did you mean iPad Pro 13`},
		{"POST", "unknown/x/assign", `{"kind":"person","name":"ann"}`, 404, `"code":"not-found".*no unknown tag any more`},
		{"POST", path + "assign", `{"kind":"person","name":"ann"}`, 200, `^{"kind":"person","person_id":"ann","device_id":null,"name":"Ann Okafor","new":false,"warning":null}\n$`},
		{"POST", path + "assign", `{"kind":"person","name":"ben"}`, 404, `no unknown tag any more`},
		{"GET", "inbox", "", 200, `^$`},
		{"GET", "people/ann", "", 200, `"badge":"…[0-9]+, …711"`},
		{"POST", "sim/tap", `{"card":"H10301:99:4712"}`, 200, ""},
	})
	if err := json.Unmarshal([]byte(l.want("GET", "unknown", "", 200, `…712`)), &row); err != nil {
		t.Fatal(err)
	}
	l.want("POST", "unknown/"+row.ID+"/ignore", "", 200, "")
	l.want("GET", "inbox", "", 200, `^$`)
}

// TestEnroll: the next unknown tag is the person's; who waits is told.
func TestEnroll(t *testing.T) {
	l := newLab(t, "")
	l.all([]exchange{
		{"POST", "enrolments", `{"kind":"person","name":"ann"}`, 202, `"state":"waiting","by":"eve",.*"kind":"person","person_id":"ann","device_id":null,"name":"Ann Okafor","new":false,"reader":"stump","tag":null,"warning":null}\n$`},
		{"POST", "enrolments", `{"kind":"person","name":"BEN LINDQVIST"}`, 202, `"person_id":"ben"`},
		{"POST", "enrolments", `{"kind":"device","name":"New phone"}`, 202, `"device_id":null,"name":"New phone","new":true`},
	})
	l.until("panel", "Tap the tag of") // the display's loop takes a moment
	l.all([]exchange{
		{"POST", "enrolments", `{"kind":"robot","name":"ann"}`, 400, `"error":"\\"robot\\" can't be enrolled","hint":"use \\"person\\" or \\"device\\""`},
		{"POST", "enrolments", `{"kind":"device","name":"ipad","reader":"gate"}`, 404, `there is no reader \\"gate\\"`},
		{"POST", "enrolments", `{"kind":"person","name":""}`, 400, `"error":"no name"`},
		{"POST", "enrolments", `{"kind":"device","name":"  "}`, 400, `the name is empty`},
		{"POST", "enrolments", `{"kind":"person","name":"Ann Okafro"}`, 404, `did you mean Ann Okafor \(id ann\)\? who is new is added first with .stump people add.`},
		{"POST", "enrolments", `{"kind":"person","name":"müller"}`, 404, `did you mean Fay Müller`},
		{"POST", "enrolments", `{"kind":"device","name":"iPad Por 13"}`, 404, `did you mean iPad Pro 13 .*what is new is added first with .stump devices add.`},
		{"POST", "devices/mini/retire", "", 200, ""},
		{"POST", "enrolments", `{"kind":"device","name":"mini"}`, 409, `"error":"refused: iPad mini is retired","hint":".stump devices edit mini --status active. ends that"`},
		{"POST", "people", `{"name":"Eve Tanaka"}`, 200, ``},
		{"POST", "enrolments", `{"kind":"person","name":"Eve Tanaka"}`, 409, `is that of 2 people`},
	})
	path := func(answer string) string {
		var e wire.Enrolment
		if err := json.Unmarshal([]byte(answer), &e); err != nil {
			t.Fatal(err)
		}
		return "enrolments/" + e.ID
	}
	begin := func(kind, name string) string {
		t.Helper()
		at := path(l.want("POST", "enrolments", `{"kind":"`+kind+`","name":"`+name+`"}`, 202, `"state":"waiting"`))
		l.until("panel", "Tap the tag of.*"+name[:3])
		return at
	}
	first, second := begin("person", "Dora"), begin("person", "Fay Müller")
	l.want("GET", first+"/events", "", 200, `^{"n":1,"event":"end","data":{.*"state":"cancelled",.*"error":"another enrolment took its place"`)
	l.want("POST", "sim/tap", `{"card":"H10301:17:40000"}`, 200, `Tag now belongs`)
	l.want("GET", second+"/events", "", 200, `"state":"done",.*"person_id":"fay",.*"name":"Fay Müller","new":false,"reader":"stump","tag":"…000"`)
	l.want("GET", "people", "", 200, `"id":"fay",.*"badge":"…371, …000"`)

	// It is taken away again, and who was added by it is retired.
	l.want("POST", second+"/undo", "", 200, `"state":"undone",.*"person_id":"fay"`)
	l.want("POST", second+"/undo", "", 409, `"code":"too-late"`)
	l.want("GET", second, "", 200, `"state":"undone"`)
	l.want("GET", "people", "", 200, `"id":"fay",.*"badge":"…371","status":"active"`)
	dora := begin("person", "Dora")
	l.want("POST", dora+"/undo", "", 409, `"code":"too-late"`)
	l.want("POST", "sim/tap", `{"card":"H10301:17:40001"}`, 200, `Tag now belongs`)
	l.want("GET", dora+"/events", "", 200, `"state":"done",.*"person_id":"dora",.*"new":true`)
	l.want("POST", dora+"/undo", "", 200, `"state":"undone"`)
	l.want("GET", "people", "", 200, `"id":"dora","name":"Dora","email":null,"badge":null,"status":"retired",`)
	l.want("GET", "history?person=dora", "", 200, `(?s)"kind":"enrol".*"kind":"correct",.*"note":"tag …001 taken away".*"kind":"retire"`)
	pixel := begin("device", "Pixel 9")
	l.want("POST", "sim/tap", `{"card":"H10301:200:7"}`, 200, `Tag now belongs`)
	l.want("GET", pixel+"/events", "", 200, `"state":"done"`)
	l.want("POST", pixel+"/undo", "", 200, `"device_id":"pixel",.*"warning":"the tag that it had before does not come back: give it again"`)
	l.want("GET", "devices/pixel", "", 200, `"tag":null`)

	// Who ends it, ends it at the desk, too.
	ended := begin("person", "Dora Two")
	l.want("DELETE", ended, "", 200, `"state":"cancelled",.*"problem":null`)
	l.until("panel", `"rows":\["[^T]`)
	l.want("POST", "sim/tap", `{"card":"H10301:17:40009"}`, 200, `Unknown`)
}

// TestSim: cards, faults and what the reader refuses.
func TestSim(t *testing.T) {
	l := newLab(t, "")
	l.all([]exchange{
		{"POST", "sim/tap", `{"card":"ann"}`, 200, `^{"rows":\["Hello Ann Okafor.*"note":null}\n$`},
		{"POST", "sim/tap", `{"card":"ann"}`, 200, `"note":"ignored: the same tag within 1.5s is the reader repeating itself"`},
		{"POST", "sim/tap", `{"card":"iPad Pro 13"}`, 200, `Checked out`},
		{"POST", "sim/tap", `{"card":"H10301:99:4711"}`, 200, `Unknown tag`},
		{"GET", "unknown", "", 200, `^{"id":"[0-9a-f]{16}","number":"…711","bits":26,"count":1,"last":"[^"]+","clock_trusted":(true|false),"reader":"stump","fits":null}\n$`},
		{"POST", "sim/tap", `{"card":"bits:0101"}`, 200, `"note":"4 bits: fewer than \d+ are taken for noise, and the display says nothing"`},
		{"POST", "sim/tap", `{"card":"raw30:5"}`, 200, `"note":"30 bits that no enabled format takes: H10301 26, H10306 34`},
		{"POST", "sim/tap", `{"card":"bits:00101010001111001010110100"}`, 200, `"note":"26 bits that no enabled format takes: the parity is wrong for H10301"`},
		{"GET", "frames", "", 200, `^{"reader":"stump","start_ns":\d+,.*"fault":"(count|parity)",.*"edges":\[{`},
		{"POST", "sim/tap", `{"card":"bits:012"}`, 400, `"hint":"write bits:0101…, first bit sent first"`},
		{"POST", "sim/tap", `{"card":"H10301:17"}`, 400, `H10301:FACILITY:NUMBER`},
		{"POST", "sim/tap", `{"card":"nobody"}`, 404, `"error":"\\"nobody\\" is neither a name in the register nor a credential","hint":".stump sim seed. adds ann`},
		{"POST", "sim/tap", `{"card":""}`, 400, ``},
		{"POST", "sim/tap", `{"tag":"ann"}`, 400, `unknown field`},
		{"POST", "people", `{"name":"Zoe"}`, 200, ``},
		{"POST", "sim/tap", `{"card":"Zoe"}`, 400, `"error":"Zoe has no tag to show","hint":"give it one with .stump people edit zoe --badge CREDENTIAL."`},
		{"POST", "people", `{"name":"Ann Okafor","id":"ann 2"}`, 200, ``},
		{"POST", "sim/tap", `{"card":"Ann Okafor"}`, 409, `begin with the id`},
		{"POST", "sim/tap", `{"card":"ann 2"}`, 400, `.stump people edit 'ann 2' --badge CREDENTIAL.`},
		{"POST", "sim/fault", `{"fault":"d0-opne"}`, 400, `"error":"\\"d0-opne\\" is not a fault","hint":"did you mean d0-open\?"`},
		{"POST", "sim/fault", `{"fault":"gremlins"}`, 400, `"hint":"use off, or one of `},
		{"POST", "sim/fault", `{"fault":"d0-open"}`, 200, `^{"fault":"d0-open"}\n$`},
	})
	// With a broken wire a tap is never answered. Who cancels it makes room for others.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if resp, err := l.send(ctx, "POST", "sim/tap", `{"card":"bits:0"}`); err == nil {
		t.Errorf("a tap without a wire is answered %d", resp.StatusCode)
	}
	l.want("POST", "sim/fault", `{"fault":"off"}`, 200, `"off"`)
	l.want("POST", "sim/tap", `{"card":"ben"}`, 200, `Hello Ben`)
	if took := time.Since(start); took > 2500*time.Millisecond {
		t.Errorf("the next tap waited %v for one that was cancelled", took)
	}
}

// TestVerifyAndBackup: the copy is a ledger that verifies.
func TestVerifyAndBackup(t *testing.T) {
	l := newLab(t, "")
	l.worked("verifications", "", `"state":"done","by":"eve",.*"expires":null,"problem":null,"done":18,"total":18,`+
		`"report":{"ok":true,"sentence":"[^"]+","events":18,"loans":0,"gaps":0,"faults":\[\],"hint":null}}`)
	l.want("GET", "verifications", "", 404, `is not part of the API`)
	made := l.worked("backups", "", `"state":"done",.*"done":(\d+),"total":(\d+),"file":"/v1/backups/[a-z0-9]{16}/file","bytes":\d+}`)
	var where struct{ ID, File string }
	if err := json.Unmarshal([]byte(made), &where); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	whole := l.want("GET", strings.TrimPrefix(where.File, "/v1/"), "", 200, "")
	if err := os.WriteFile(copied, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckFile(copied); err != nil {
		t.Error(err)
	}
	l.want("DELETE", "backups/"+where.ID, "", 200, `"state":"done"`)
	l.want("GET", "backups/"+where.ID+"/file", "", 404, `there is nothing with this id`)
	if err := l.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"GET status", "GET people", "GET who", "POST people/ann/erase", "POST people/ann/retire", "GET devices/export", "POST salvage/seen"} {
		method, path, _ := strings.Cut(path, " ")
		l.want(method, path, "", 500, `"error":"the ledger is closed"`)
	}
	for _, path := range []string{"backups", "verifications"} {
		l.worked(path, "", `"state":"failed",.*"code":"internal","error":"(backup: )?the ledger is closed"`)
	}
	l.want("POST", "give", `{"device":"ipad","person":"ann"}`, 500, `"error":"the ledger is closed"`)
	l.want("POST", "people/import", "id,name\nzoe,Zoe\n", 500, `"error":"the ledger is closed"`)
}

// TestSync: an event that can't be delivered, and what an admin does about it.
func TestSync(t *testing.T) {
	l := newLab(t, "[[webhook]]\nname = \"hook\"\nurl = \"http://127.0.0.1:1/hook\"\n")
	l.want("POST", "give", `{"device":"ipad","person":"ann"}`, 200, ``)
	l.until("sync", `"name":"hook".*"reason":"127.0.0.1:1 refuses the connection".*"backlog":1,`)
	remedy := `"hint":".stump sync. shows where events are delivered to, and what is stuck, with its id"`
	l.all([]exchange{
		{"GET", "sync", "", 200, `^{"directory":"local register","sinks":\[.*"orphans":\[\]`},
		{"GET", "sync/rows", "", 200, `^{"id":"\d+@hook","state":"queued","event":{.*"device_id":"ipad",.*}\n$`},
		{"GET", "sync/rows?stuck=true", "", 200, `^$`},
		{"GET", "sync/rows?q=toaster", "", 200, `^$`},
		{"GET", "sync/rows?after=eA", "", 400, `give what an answer of this list has as next`},
		{"POST", "sync/retry", `{}`, 404, `is not part of the API`},
		{"POST", "sync/1234@hook/retry", `{}`, 404, `"hint":".stump sync. lists what is stuck, with its id"`},
		{"POST", "sync/x/retry", `{}`, 400, remedy},
		{"POST", "sync/x/accept", `{}`, 400, remedy},
		{"POST", "sync/1234@hook/accept", `{}`, 404, `is stuck, with its id`},
		{"POST", "sync/all@hook/drop", `{"note":"gone"}`, 400, `is in the configuration.*` + remedy},
		{"POST", "sync/all@nohook/drop", `{"note":"gone"}`, 400, `nothing waits for \\"nohook\\"`},
		{"POST", "sync/1234@hook/drop", `{"reason":"gone"}`, 400, `unknown field \\"reason\\"`},
		{"POST", "sync/all/retry", `{}`, 200, `^{"directory":"local register"`},
		{"POST", "pulls", `true`, 400, `can't be read`},
	})
	l.worked("pulls", `{"force":true}`, `"state":"failed",.*"code":"invalid",.*"hint":"docs/directory.md tells which directories have one"`)
}

// view is a part of a scope's view.
type view struct {
	Good uint64           `json:"good"`
	Last *json.RawMessage `json:"last"`
}

// TestScope has the lines while it is leased, and gives them back when that ends.
func TestScope(t *testing.T) {
	l := newLab(t, "")
	l.want("POST", "leases", `{"reader":"gate"}`, 400, `there is no reader \\"gate\\"`)
	l.want("POST", "leases", `{"colour":"red"}`, 400, `unknown field`)
	lease := l.leased()
	l.until("panel", `"Scope: eve      ","no loans now    "`)
	l.want("POST", "leases", `{}`, 409, `"code":"busy","error":"\w+ has begun a scope","hint":"wait until it ends, or end it: with Ctrl-C where it runs, or as an admin"`)
	l.want("POST", "selftest", `{}`, 409, `"code":"busy"`)
	l.want("GET", "leases", "", 200, `^{"id":"[^"]*","state":"running","by":"eve",.*"reader":"stump","for":"scope"}\n$`)
	l.want("GET", lease+"/scope?colour=red", "", 400, `is not a parameter`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, err := l.send(ctx, "GET", lease+"/scope", "")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	dec := json.NewDecoder(resp.Body)
	var v view
	if err := dec.Decode(&v); err != nil || v.Good != 0 || resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%+v, %v, %v", v, err, resp.Header)
	}
	l.want("GET", lease+"/scope", "", 409, `"code":"busy"`) // one watches already
	l.Lines.Present(bits(t, "H10301:17:31001"))
	for v.Good == 0 {
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
	}
	if n := l.Readers[0].Stats().Reads; n != 0 {
		t.Errorf("a card at the scope was read %d times as a tap", n)
	}
	l.want("POST", lease+"/renew", "", 200, `"state":"running"`)
	l.want("DELETE", lease, "", 200, `"state":"cancelled"`)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("who watches is cut off with %v", err)
	}
	l.want("POST", lease+"/renew", "", 409, `"code":"too-late","error":"the lease has ended"`)
	l.want("GET", lease+"/scope", "", 409, `"code":"too-late"`)
	l.want("GET", "leases", "", 200, `^$`)
	l.until("panel", `"rows":\["[^S]`)
	l.want("POST", "sim/tap", `{"card":"ben"}`, 200, `Hello Ben`)

	// A daemon that stops does not wait for who watches.
	if resp, err = l.send(t.Context(), "GET", l.leased()+"/scope", ""); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	start := time.Now()
	l.stop()
	_, _ = io.Copy(io.Discard, resp.Body)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the answer of a stopped daemon ends after %v", took)
	}
}

// leased takes the lines, and returns the path of the lease.
func (l *lab) leased() string {
	l.Helper()
	var lease wire.Lease
	if err := json.Unmarshal([]byte(l.want("POST", "leases", `{}`, 201, `"reader":"stump"`)), &lease); err != nil {
		l.Fatal(err)
	}
	return "leases/" + lease.ID
}

func TestSelfTest(t *testing.T) {
	l := newLab(t, "")
	l.want("POST", "selftest", `{"reader":"gate"}`, 400, `there is no reader \\"gate\\"`)
	l.want("POST", "selftest", `{"ask":"maybe"}`, 400, `can't be read`)
	l.worked("selftest", `{"numbers":true}`, `"state":"done",.*"question":null,"results":\[{"check":"board",.*(31001|8101).*"summary":{"summary":true,`)
	if masked := l.worked("selftest", `{}`, `"summary":{`); regexp.MustCompile(`\b(31001|8101)\b`).MatchString(masked) {
		t.Error("a self-test shows the number of a card unasked")
	}
	l.want("POST", "sim/tap", `{"card":"ann"}`, 200, `Hello Ann`) // the lines are back
}

// TestSelfTestEnds: an admin ends it in the middle, and the desk has the lines again.
func TestSelfTestEnds(t *testing.T) {
	l := newLab(t, "")
	var test wire.SelfTest
	if err := json.Unmarshal([]byte(l.want("POST", "selftest", `{}`, 202, `"by":"eve"`)), &test); err != nil {
		t.Fatal(err)
	}
	l.until("panel", `"Self-test: eve  ","no loans now    "`)
	l.want("DELETE", "leases/"+test.ID, "", 200, `"state":"cancelled",.*"problem":null,.*"measured":"the self-test was stopped".*"summary":null}`)
	l.want("POST", "sim/tap", `{"card":"ann"}`, 200, `Hello Ann`)
}

// TestEnrolBusy: one at a time expects a tag at a reader; the next hears who.
func TestEnrolBusy(t *testing.T) {
	l := newLab(t, "")
	ada, tess := identity.Principal{Name: "Ada", Role: identity.Admin, ID: "session:1"}, identity.Principal{Name: "Tess", Role: identity.Technician, ID: "session:2"}
	status, answer := l.by(ada, "POST", "/v1/enrolments", `{"kind":"person","name":"ann"}`)
	if status != 202 {
		t.Fatal(answer)
	}
	if status, answer := l.by(tess, "POST", "/v1/enrolments", `{"kind":"device","name":"ipad"}`); status != 409 || !strings.Contains(answer, `"code":"busy","error":"Ada has begun an enrolment"`) {
		t.Errorf("%d %s", status, answer)
	}
	l.want("POST", "sim/tap", `{"card":"H10301:17:40000"}`, 200, `Tag now belongs`)
	var e wire.Enrolment
	if err := json.Unmarshal([]byte(answer), &e); err != nil {
		t.Fatal(err)
	}
	if status, answer := l.by(tess, "POST", "/v1/enrolments/"+e.ID+"/undo", ""); status != 404 {
		t.Errorf("somebody else's is undone: %d %s", status, answer)
	}
}

// by asks as somebody, without a network, for a moment.
func (l *lab) by(who identity.Principal, method, path, body string) (status int, answer string) {
	ctx, cancel := context.WithTimeout(identity.With(l.Context(), who), time.Second)
	defer cancel()
	w := httptest.NewRecorder()
	l.API.ServeHTTP(w, httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

// TestMonitor: the console of a monitor shows what the display says and who has what, and is
// clean when the station ends.
func TestMonitor(t *testing.T) {
	far, path := testkit.Pty(t)
	l := newLab(t, fmt.Sprintf("[display]\nkind = \"terminal\"\nport = %q\n[web]\nboard = \"holders\"\n", path))
	var seen bytes.Buffer
	shows := func(want string) {
		t.Helper()
		buf := make([]byte, 1<<16)
		_ = far.SetReadDeadline(time.Now().Add(20 * time.Second))
		for !strings.Contains(seen.String(), want) {
			n, err := far.Read(buf)
			if err != nil {
				t.Fatalf("%q is not in %q: %v", want, seen.String(), err)
			}
			seen.Write(buf[:n])
		}
	}
	shows("Lab open")
	l.want("POST", "give", `{"device":"ipad","person":"ann"}`, 200, `checkout`)
	shows("iPad Pro 13  Ann Okafor")
	seen.Reset()
	l.stop()
	shows("\x1b[2J\x1b[H\x1b[?25h")
}
