//go:build services

package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/internal/testkit"
)

// startProvider starts the OpenID provider of npm and returns its address.
func startProvider(t *testing.T, redirect, secret string) string {
	t.Helper()
	_, err := exec.LookPath("node")
	testkit.Need(t, err == nil, "node, for the OpenID provider")
	script := exec.Command("../../scripts/npm", "internal/signin/testdata/provider")
	var says strings.Builder
	script.Stderr = &says
	dir, err := script.Output()
	testkit.Need(t, err == nil, "the OpenID provider of npm: "+says.String())
	server := exec.Command("node", filepath.Join(strings.TrimSpace(string(dir)), "server.mjs"), redirect, secret)
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = server.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider says %q, %v", port, err)
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}

// freePort is a port at which nobody listens.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// People log in with their accounts at a provider that others wrote, and get the role of
// their groups; who is in no group gets nothing.
func TestSignInWithProvider(t *testing.T) {
	t.Parallel()
	station := fmt.Sprintf("https://127.0.0.1:%d", freePort(t))
	issuer := startProvider(t, station+"/login/callback", "a secret of 32 letters, or longer")
	s := &site{t: t, dir: t.TempDir()}
	for name, text := range map[string]string{
		"secret": "a secret of 32 letters, or longer\n",
		"stump.toml": fmt.Sprintf(`station = "lab"
[web]
listen = %q
[web.oidc]
issuer = %q
client_id = "stump"
client_secret_file = %q
roles = { admin = "lab-admins", staff = "everybody" }
`, strings.TrimPrefix(station, "https://"), issuer, s.path("secret")),
	} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.station("")
	s.run("people", "add", "Ann", "--email", "Ann@lab.example")
	for _, tt := range []struct {
		who    string
		says   string
		people int
	}{
		{"ann", "You are logged in as ann@lab.example, with the role admin.", 200},
		{"ben", "You are logged in as ben@lab.example, with the role staff.", 403},
		{"eve", `<p role="alert">no group of yours has a role here`, 401},
	} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		page := read(t)(browser.Get(station + "/login/sso"))
		action := regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
		for range 2 { // the provider's login, and its consent
			m := action.FindStringSubmatch(page)
			if m == nil || strings.HasPrefix(m[1], "/") {
				break
			}
			form := url.Values{"prompt": {"consent"}}
			if strings.Contains(page, `name="login"`) {
				form = url.Values{"prompt": {"login"}, "login": {tt.who}, "password": {"x"}}
			}
			page = read(t)(browser.PostForm(html.UnescapeString(m[1]), form))
		}
		if !strings.Contains(page, tt.says) {
			t.Errorf("%s sees\n%s, want %s", tt.who, page, tt.says)
		}
		resp, err := browser.Get(station + "/v1/people")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.people {
			t.Errorf("%s asks for the people: %s", tt.who, resp.Status)
		}
	}
}

// read reads the page of an answer.
func read(t *testing.T) func(*http.Response, error) string {
	return func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
}
