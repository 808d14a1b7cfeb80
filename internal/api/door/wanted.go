package door

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// Wanted is the cookie of a browser that asked for a page for which a login is needed. It
// survives every way to log in, also that by a provider.
const Wanted = "__Host-stump-wanted"

// wantedTime is how long a page is wanted, in seconds, and longestWanted the longest
// address, in bytes.
const (
	wantedTime    = 600
	longestWanted = 1 << 10
)

// Want has a browser come back to the page that it asks for, once somebody has logged in. A
// page that brings itself up to date is not what anybody wants next.
func Want(w http.ResponseWriter, r *http.Request) {
	if page := r.URL.RequestURI(); r.Method == http.MethodGet && r.Header.Get("Stump-Part") == "" && own(page) {
		SetCookie(w, Wanted, base64.RawURLEncoding.EncodeToString([]byte(page)), wantedTime)
	}
}

// wanted is where a browser goes on after a login; it is not wanted any more then.
func wanted(w http.ResponseWriter, r *http.Request) string {
	kept := Cookie(r, Wanted)
	if kept == "" {
		return "/"
	}
	SetCookie(w, Wanted, "", -1)
	if page, err := base64.RawURLEncoding.DecodeString(kept); err == nil && own(string(page)) {
		return string(page)
	}
	return "/"
}

// own reports whether an address leads to a page of this station, in every browser: some
// take \ for /, leave tabs and line ends out, and // begins the name of a host.
func own(page string) bool {
	u, err := url.Parse(page)
	if err != nil || u.IsAbs() || u.Host != "" || len(page) > longestWanted {
		return false
	}
	for _, path := range []string{page, u.Path} { // as it is sent, and as it is meant
		if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
			return false
		}
	}
	return true
}
