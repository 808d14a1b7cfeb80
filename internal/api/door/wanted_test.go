package door

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOwn: no address leads a browser elsewhere, however browsers read it.
func TestOwn(t *testing.T) {
	for _, page := range []string{"/", "/reservations?x=1", "/devices/ipad%20pro%2f13", "/people?q=//host", "/devices/a:b", "/x?to=https://host/", "/è"} {
		if !own(page) {
			t.Errorf("%q is refused", page)
		}
	}
	for _, page := range []string{
		"", "reservations", "?x=1", "#x", "//host", "///host", "//host@own/", `/\host`, `\\host`, `/x\..\host`, "https://host/", "https:/host", "http:host", "HTTPS://host/",
		"javascript:alert(1)", "data:text/html,x", "/%2fhost", "/%2Fhost", "/%5chost", "/%5Chost", "%2f%2fhost", "/\t/host", "/%09/host", "/\r\nSet-Cookie: x", "/%0d%0ax", "/\x00", "/x\x7f",
		" /x", " //host", "/%zz", "/" + strings.Repeat("x", longestWanted),
	} {
		if own(page) {
			t.Errorf("%q is taken for a page of ours", page)
		}
	}
}

// TestWanted: a browser keeps the page for which it asked last, and forgets it at the login; what is
// no page of ours is not kept, nor followed if somebody else has put it there.
func TestWanted(t *testing.T) {
	keeps := func(method, page string, headers ...string) string {
		r := httptest.NewRequest(method, page, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		Want(w, r)
		all := w.Result().Cookies()
		if len(all) == 0 {
			return ""
		}
		c := all[0]
		if len(all) > 1 || c.Name != Wanted || !c.Secure || !c.HttpOnly || c.Path != "/" || c.SameSite != http.SameSiteLaxMode || c.MaxAge != wantedTime {
			t.Errorf("the cookies are %+v", all)
		}
		return c.Value
	}
	follows := func(cookie string) string {
		r, w := httptest.NewRequest("POST", "/login", nil), httptest.NewRecorder()
		if cookie != "" {
			r.Header.Set("Cookie", Wanted+"="+cookie)
		}
		to := wanted(w, r)
		if c := w.Result().Cookies(); cookie != "" && (len(c) != 1 || c[0].MaxAge != -1 || c[0].Value != "") {
			t.Errorf("%q is still wanted: %v", cookie, c)
		}
		return to
	}
	for _, page := range []string{"/people", "/reservations?x=1&q=%22a;b,c", "/devices/%C3%A9"} {
		if to := follows(keeps("GET", page)); to != page {
			t.Errorf("%s is asked for, and the login leads to %s", page, to)
		}
	}
	for name, kept := range map[string]string{"a form": keeps("POST", "/people"), "a part of a page": keeps("GET", "/people", "Stump-Part", "live"), "another host's": keeps("GET", "//host/people")} {
		if kept != "" {
			t.Errorf("%s is kept: %s", name, kept)
		}
	}
	for _, cookie := range []string{"", "x", "%2fpeople", base64.RawURLEncoding.EncodeToString([]byte("//host")), base64.RawURLEncoding.EncodeToString([]byte("https://host/"))} {
		if to := follows(cookie); to != "/" {
			t.Errorf("the cookie %q leads to %s", cookie, to)
		}
	}
}
