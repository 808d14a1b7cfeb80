package endpoints

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"stump/checkout"
	"stump/directory/call"
)

func TestEndpointsDirectionWords(t *testing.T) {
	e := &Endpoints{cfg: Config{WordsIn: []string{"zurück"}, WordsOut: []string{"geliehen"}}}
	ev := checkout.Event{PersonName: "Ann", DeviceName: "zurück in die Zukunft"}
	for _, tc := range []struct {
		text       string
		out, clear bool
	}{
		{"Ann hat iPad GELIEHEN", true, true},
		{"Ann gibt iPad Zurück", false, true},
		{"Ann hat Zurück in die Zukunft geliehen", true, true}, // the name does not count
		{"iPad: ok", false, false},
		{"geliehen, zurück", true, false},
	} {
		if out, clear := e.direction(tc.text, ev); clear != tc.clear || clear && out != tc.out {
			t.Errorf("direction(%q) = %v, %v", tc.text, out, clear)
		}
	}
}

func TestFillEscapes(t *testing.T) {
	got := fill("https://host/{who}/a?who={who}&tag={tag}", "{who}", "C & B/ü", "{tag}", "1")
	if want := "https://host/C%20%26%20B%2F%C3%BC/a?who=C%20%26%20B%2F%C3%BC&tag=1"; got != want {
		t.Errorf("fill = %s, want %s", got, want)
	}
}

func TestEndpointTemplatesAreChecked(t *testing.T) {
	for _, tc := range []struct{ key, checkinout, want string }{
		{"missing", "", "needs {staff}"},
		{"hole", "https://h/?a={staff}", "needs {asset}"},
		{"scheme", "ftp://h/?a={staff}&b={asset}", "not an http"},
		{"host", "/x?a={staff}&b={asset}", "not an http"},
	} {
		c := Config{CheckInOut: tc.checkinout, WhatIs: "https://host/?tag={tag}"}
		if _, err := New(c, call.HTTP{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.key, err, tc.want)
		}
	}
}

// FuzzAnswers: whatever a server sends, an empty answer is not a success, and no
// wait is negative.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"response":"Corey checked out iPod"}`, `{"error":"Unknown Device"}`, `{"type":"human","name":"C Benninger"}`, "", "null", "[]", `"x"`,
		"<!DOCTYPE html>", "\xef\xbb\xbf{}", `{"response":"\u0000\u202e"}`,
	} {
		f.Add(200, "", []byte(s))
	}
	f.Add(429, "Wed, 21 Oct 2015 07:28:00 GMT", []byte("{}"))
	f.Add(503, "99999999999999999999", []byte("{}"))
	f.Fuzz(func(t *testing.T, status int, after string, body []byte) {
		r := call.Reply{Status: status, Header: http.Header{"Retry-After": {after}}, Body: body, URL: &url.URL{Host: "host"}}
		a, o := readAnswer(r)
		if o.Verdict == call.OK && a == (answer{}) {
			t.Error("an empty answer counts")
		}
		if o.After < 0 {
			t.Errorf("wait %v", o.After)
		}
		for _, s := range []string{a.Response, a.Error, a.Name} {
			for _, c := range call.Plain(s) {
				if c < ' ' || c == 0x7f || c == 0x202e {
					t.Errorf("%q keeps %U", call.Plain(s), c)
				}
			}
		}
	})
}
