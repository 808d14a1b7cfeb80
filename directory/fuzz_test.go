package directory

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// FuzzAnswers feeds the readers of all directories with whatever a server may
// send: no panic, no "done" for what is no answer, no line that a display or a
// log could not take.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"response":"Corey checked out iPod"}`, `{"error":"Unknown Device"}`, `{"type":"human","name":"C Benninger"}`, "", "null", "[]", `"x"`,
		`{"status":"error","messages":{"note":["required"]},"payload":null}`, `{"messages":429,"status":"error"}`, "<!DOCTYPE html>",
		`{"total":1,"rows":[{"id":1,"custom_fields":[]}]}`, `{"totalResults":1,"Resources":[{"id":"1"}]}`, "\xef\xbb\xbf{}", `{"response":"\u0000\u202e"}`,
	} {
		f.Add(200, "", []byte(s))
	}
	f.Add(429, "Wed, 21 Oct 2015 07:28:00 GMT", []byte("{}"))
	f.Add(503, "99999999999999999999", []byte("{}"))
	f.Fuzz(func(t *testing.T, status int, after string, body []byte) {
		u, _ := url.Parse("https://host/path")
		r := reply{Status: status, Header: http.Header{"Retry-After": {after}}, Body: body, URL: u}
		a, o := readAnswer(r)
		if o.Verdict == Done && a == (endpointAnswer{}) {
			t.Error("an empty answer counts")
		}
		if o.After < 0 {
			t.Errorf("wait %v", o.After)
		}
		for _, s := range []string{a.Response, a.Error, a.Name} {
			for _, c := range plain(s) {
				if c < ' ' || c == 0x7f || c == 0x202e {
					t.Errorf("%q keeps %U", plain(s), c)
				}
			}
		}
		var asset snipeAsset
		if err := readSnipe(r, &asset); err == nil {
			asset.custom("RFID")
			asset.name()
			asset.holder()
		}
		var list snipeList[snipeUser]
		readSnipe(r, &list)
		if p, err := parseScimUser(body); err == nil {
			p.record()
		}
	})
}

// FuzzAttributePath: what is taken can be asked for and looked up.
func FuzzAttributePath(f *testing.F) {
	f.Add(scimEmployee)
	f.Add(`urn:a:b[type eq "x"].value`)
	f.Add("[].]")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseAttrPath(s)
		if err != nil {
			return
		}
		if p.name() == "" {
			t.Errorf("%q asks for nothing", s)
		}
		p.find(scimUser{"a": []any{map[string]any{"b": 1.0}}})
	})
}

// A proxy is used where one is configured.
func TestProxy(t *testing.T) {
	s := newOriginal()
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Host // a proxy is asked with the whole address
		s.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	cfg := endpointsConfig("http://far.example")
	cfg.Proxy = proxy.URL
	d, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if o := d.Probe(t.Context()); o.Verdict != Done || asked != "far.example" {
		t.Errorf("%+v through the proxy, asked for %q", o, asked)
	}
	cfg.Proxy = "proxy.example:3128"
	if _, err := Open(cfg); err == nil {
		t.Error("a proxy without a scheme was taken")
	}
}
