package call

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stump/checkout"
	"stump/internal/testkit"
)

func TestPlain(t *testing.T) {
	if got := Plain(" a\x00b\r\n\tc\u202e " + strings.Repeat("x", 200)); !strings.HasPrefix(got, "a b c x") || len([]rune(got)) > 120 {
		t.Errorf("plain = %q", got)
	}
}

// What is not a badge is reported without its number, and "n/a" is nobody's badge 0.
func TestNumbersThatAreNone(t *testing.T) {
	n, err := Badges{Transform: []string{"digits", "strip-zeros"}, Form: "H10301:17:{}"}.Numbers(func(s string) (checkout.Tag, error) {
		if s != "H10301:17:91234" {
			return checkout.Tag{}, errors.New(s + " is larger than any")
		}
		return testkit.Tag(91234, 26), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tag, err := n.read(" 0091-234 "); tag != testkit.Tag(91234, 26) || err != nil {
		t.Errorf("%v, %v", tag, err)
	}
	for value, want := range map[string]string{"N/A": "no digit in it", "991234": `it does not fit badge_form "H10301:17:{}"`} {
		if tag, err := n.read(value); !tag.IsZero() || err == nil || err.Error() != want {
			t.Errorf("%q: %v, %v, want %q", value, tag, err, want)
		}
	}
}

func TestCredentialsFromSystemd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("sesame\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if v, err := Secret("token").Read(); v != "sesame" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "two"), []byte("a\nb\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	for _, name := range []Secret{"two", "missing"} {
		if _, err := name.Read(); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// A proxy is used where one is configured.
func TestProxy(t *testing.T) {
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.String() }))
	defer proxy.Close()
	c, err := New(HTTP{Proxy: proxy.URL}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, o := c.Do(t.Context(), "GET", "http://far.example/x", http.Header{}, nil); o.Verdict != OK || asked != "http://far.example/x" {
		t.Errorf("%+v through the proxy, asked for %q", o, asked)
	}
	for _, h := range []HTTP{{Proxy: "proxy.example:3128"}, {CAFile: "/nonexistent"}, {CAFile: "call_test.go"}} {
		if _, err := New(h, Options{}); err == nil {
			t.Errorf("%+v was accepted", h)
		}
	}
}

// What a server may make us read, and where it may send us.
func TestLimitsAndRedirects(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			w.Write(make([]byte, answerLimit+1))
		case "/moved":
			http.Redirect(w, r, "/here", http.StatusPermanentRedirect)
		case "/turned":
			http.Redirect(w, r, "/here", http.StatusFound)
		case "/away":
			http.Redirect(w, r, "http://login.example/sso", http.StatusPermanentRedirect)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusPermanentRedirect)
		}
	}))
	defer srv.Close()
	for _, tc := range []struct {
		path string
		o    Options
		want string
	}{
		{"/long", Options{}, "HOST: too long"},
		{"/moved", Options{}, "HOST redirects to HOST/here (308 Permanent Redirect)"}, {"/moved", Options{Follow: true}, ""},
		{"/turned", Options{Follow: true}, "HOST redirects to HOST/here (302 Found)"},
		{"/away", Options{Follow: true}, "HOST redirects to login.example/sso (308 Permanent Redirect)"},
		{"/away", Options{Follow: true, Hide: true}, "HOST redirects to http://login.example (308 Permanent Redirect)"},
		{"/circle", Options{Follow: true}, "HOST redirects to HOST/circle (308 Permanent Redirect)"},
	} {
		c, err := New(HTTP{Proxy: "none"}, tc.o)
		if err != nil {
			t.Fatal(err)
		}
		r, o := c.Do(t.Context(), "POST", srv.URL+tc.path, http.Header{}, []byte("x"))
		if o.Verdict == OK {
			o = r.Outcome()
		}
		host := strings.TrimPrefix(srv.URL, "http://")
		got := strings.ReplaceAll(o.Reason, host, "HOST")
		if tc.want == "HOST: too long" {
			tc.want = "the answer of HOST is too long"
		}
		if got != tc.want {
			t.Errorf("%s, %+v: %q, want %q", tc.path, tc.o, got, tc.want)
		}
	}
	c, _ := New(HTTP{}, Options{})
	if _, o := c.Do(t.Context(), "GET", "http://ho st/secret", http.Header{}, nil); o.Verdict != BadConfig || strings.Contains(o.Reason, "secret") {
		t.Errorf("%+v", o)
	}
}

// A service sends its token and JSON, below its root.
func TestService(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Accept"), r.Header.Get("Content-Type"), string(b)}, " "))
	}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{srv.URL, srv.URL + "/api/"} {
		s, err := API{URL: base, TokenFile: file}.Open(HTTP{Proxy: "none"}, "/api", "text/x")
		if err != nil {
			t.Fatal(err)
		}
		s.Call(t.Context(), "GET", "/a", url.Values{"b": {"c"}}, nil)
		s.Call(t.Context(), "POST", "/a", nil, map[string]any{"d": 1})
	}
	want := []string{"GET /api/a?b=c Bearer sesame text/x  ", `POST /api/a Bearer sesame text/x application/json {"d":1}`}
	if want = append(want, want...); !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
	s, err := API{URL: srv.URL}.Open(HTTP{Proxy: "none"}, "", "text/x")
	if err != nil {
		t.Fatal(err)
	}
	if s.Call(t.Context(), "GET", "/", nil, nil); got[4] != "GET /  text/x  " {
		t.Errorf("without a token: %q", got[4])
	}
	s, _ = API{URL: srv.URL, TokenFile: "/nonexistent"}.Open(HTTP{}, "", "text/x")
	if _, o := s.Call(t.Context(), "GET", "/", nil, nil); o.Verdict != BadConfig || len(got) != 5 {
		t.Errorf("%+v, called %q", o, got)
	}
	for _, address := range []string{"snipe.example", "ftp://host", "http://", "http://ho st"} {
		_, err := API{URL: address}.Open(HTTP{}, "", "")
		if bad, ok := errors.AsType[*KeyError](err); !ok || bad.Key != "url" {
			t.Errorf("%q: %v", address, err)
		}
	}
}
