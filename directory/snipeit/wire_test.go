package snipeit

import (
	"net/http"
	"net/url"
	"testing"

	"stump/directory/call"
)

// FuzzAnswers: whatever a server sends is read without a panic.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"status":"error","messages":{"note":["required"]},"payload":null}`, `{"messages":429,"status":"error"}`, "<!DOCTYPE html>",
		`{"total":1,"rows":[{"id":1,"custom_fields":[]}]}`, `{"id":1,"end_date":"(Invalid date)"}`, "null", "[]", `"x"`, "",
	} {
		f.Add(200, []byte(s))
	}
	f.Add(429, []byte("{}"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r := call.Reply{Status: status, Header: http.Header{}, Body: body, URL: &url.URL{Host: "host"}}
		var a asset
		if o := read(r, &a); o.Verdict == call.OK {
			a.custom("RFID")
			a.name()
			new(SnipeIT).place(a)
		} else if o.Reason == "" {
			t.Errorf("%+v says nothing", o)
		}
		read(r, &user{})
	})
}
