//go:build services

package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"stump/internal/testkit"
)

// startProvider starts the OpenID provider of npm and returns its address.
func startProvider(t *testing.T, redirect, secret string) string {
	t.Helper()
	_, err := exec.LookPath("node")
	testkit.Need(t, err == nil, "node, for the OpenID provider")
	server := exec.Command("node", filepath.Join(npm(t, "internal/signin/testdata/provider"), "server.mjs"), redirect, secret)
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

// npm is where JavaScript of npm is ready that a test uses.
func npm(t *testing.T, folder string) (dir string) {
	t.Helper()
	script := exec.Command("../../scripts/npm", folder)
	var says strings.Builder
	script.Stderr = &says
	out, err := script.Output()
	testkit.Need(t, err == nil, folder+" of npm: "+says.String())
	return strings.TrimSpace(string(out))
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

// stepTime is how long a step in a browser may take, on the slowest host.
const stepTime = 3 * time.Minute

// startBrowser starts Chromium, for as long as the test goes on.
func startBrowser(t *testing.T, with ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	testkit.Need(t, err == nil, "chromium")
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // it may still be writing there, which is no fault of ours
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(end)
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, // root has none
		chromedp.Flag("ignore-certificate-errors", true), chromedp.WSURLReadTimeout(time.Minute), chromedp.UserDataDir(dir))
	ctx, end = chromedp.NewExecAllocator(ctx, append(o, with...)...)
	t.Cleanup(end)
	silent := func(string, ...any) {} // this protocol is older than Chromium's
	ctx, end = chromedp.NewContext(ctx, chromedp.WithErrorf(silent), chromedp.WithLogf(silent))
	t.Cleanup(end)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// person is somebody at a browser of their own, which knows nobody yet.
type person struct {
	*testing.T
	ctx     context.Context
	station string
}

func newPerson(t *testing.T, browser context.Context, station string) *person {
	t.Helper()
	// Chromium has no window in which chromedp's own WithNewBrowserContext opens a tab.
	control := cdp.WithExecutor(browser, chromedp.FromContext(browser).Browser)
	own, err := target.CreateBrowserContext().Do(control)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := target.CreateTarget("about:blank").WithBrowserContextID(own).WithNewWindow(true).Do(control)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := chromedp.NewContext(browser, chromedp.WithTargetID(tab))
	t.Cleanup(end)
	if err := chromedp.Run(ctx); err != nil { // else the first step's end would be the tab's
		t.Fatal(err)
	}
	return &person{t, ctx, station}
}

func (p *person) does(what string, actions ...chromedp.Action) {
	p.Helper()
	ctx, end := context.WithTimeout(p.ctx, stepTime)
	defer end()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var page string
		ctx, end := context.WithTimeout(p.ctx, 5*time.Second)
		defer end()
		_ = chromedp.Run(ctx, chromedp.OuterHTML("html", &page))
		p.Fatalf("%s: %v\n%s", what, err, page)
	}
}

// holds waits for a condition in JavaScript. A page that is being left has none, so that an
// error is asked again about.
func holds(condition string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		ctx, end := context.WithTimeout(ctx, 30*time.Second)
		defer end()
		for {
			var is bool
			err := chromedp.Evaluate(`!!(`+condition+`)`, &is).Do(ctx)
			if is && err == nil {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s: %w", condition, cmp.Or(err, ctx.Err()))
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
}

// submits sends a form, or that of an element, as who presses Enter there, or the button.
func submits(of string) chromedp.Action {
	return chromedp.Tasks{chromedp.WaitReady(of), chromedp.Evaluate(fmt.Sprintf(`(e => (e.form ?? e).requestSubmit(e.type === "submit" ? e : null))(document.querySelector(%q))`, of), nil)}
}

// sees wants the page to say something.
func (p *person) sees(want string) {
	p.Helper()
	var text string
	p.does("reads the page", chromedp.Text("main", &text, chromedp.NodeVisible))
	if !strings.Contains(text, want) {
		p.Errorf("the page says %q, want %q", text, want)
	}
}

// asks is the status with which the station answers a page that asks for this.
func (p *person) asks(path string, want int) {
	p.Helper()
	var status int
	await := func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }
	if p.does("asks for "+path, chromedp.Evaluate(fmt.Sprintf("fetch(%q).then(r => r.status)", path), &status, await)); status != want {
		p.Errorf("%s is answered by %d, want %d", path, status, want)
	}
}

// toProvider goes to the provider, up to where it asks for a name.
func (p *person) toProvider() {
	p.Helper()
	p.does("goes to the provider", chromedp.Navigate(p.station+"/login"),
		chromedp.Click(`a[href="/login/sso"]`, chromedp.NodeVisible), chromedp.WaitVisible(`input[name="login"]`))
}

// fromProvider gives a name there, agrees to what the station wants to know, and is sent
// back.
func (p *person) fromProvider(name string) {
	p.Helper()
	p.does("gives a name", chromedp.SendKeys(`input[name="login"]`, name), chromedp.SendKeys(`input[name="password"]`, "x"),
		submits(`input[name="login"]`), chromedp.WaitReady(`input[value="consent"]`), submits(`input[value="consent"]`),
		chromedp.WaitVisible(`form[action="/logout"], [role="alert"]`))
}

// keeps replaces a part of what the browser keeps while it is at the provider: 0 is the
// state, 1 the nonce, 2 the verifier.
func (p *person) keeps(part int, other string) {
	p.Helper()
	p.does("keeps another cookie", chromedp.ActionFunc(func(ctx context.Context) error {
		cookies, err := network.GetCookies().WithURLs([]string{p.station}).Do(ctx)
		if err != nil || len(cookies) != 1 {
			return fmt.Errorf("the cookies are %+v: %w", cookies, err)
		}
		parts := strings.Split(cookies[0].Value, ".")
		parts[part] = other
		return network.SetCookie(cookies[0].Name, strings.Join(parts, ".")).WithURL(p.station).WithPath("/").
			WithSecure(true).WithHTTPOnly(true).WithSameSite(network.CookieSameSiteLax).Do(ctx)
	}))
}

// signInStation is a station whose people log in at the provider.
func signInStation(t *testing.T) (s *site, station string) {
	station = fmt.Sprintf("https://127.0.0.1:%d", freePort(t))
	issuer := startProvider(t, station+"/login/callback", "a secret of 32 letters, or longer")
	s = &site{t: t, dir: t.TempDir()}
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
	s.run("sim", "seed")
	return s, station
}

// People log in with a real browser: with their accounts at a provider that others wrote,
// which gives them the role of their groups; at the reader; and with a link.
func TestSignInWithBrowser(t *testing.T) {
	t.Parallel()
	s, station := signInStation(t)
	browser := startBrowser(t)
	in := func(p *person, name, role string) {
		t.Helper()
		p.does("looks who it is", chromedp.Navigate(station+"/login"), chromedp.WaitVisible(`main form[action="/logout"]`))
		p.sees("You are logged in as " + name + ", with the role " + role + ".")
	}

	ann := newPerson(t, browser, station)
	ann.does("asks for a page", chromedp.Navigate(station+"/people?x=1"), chromedp.WaitVisible(`a[href="/login/sso"]`))
	ann.toProvider()
	ann.fromProvider("ann")
	var address string
	if ann.does("is there", chromedp.Location(&address)); address != station+"/people?x=1" {
		t.Errorf("the provider leads to %s", address)
	}
	in(ann, "ann@lab.example", "admin")
	ann.asks("/v1/people", 200)
	ann.asks("/v1/my/loans", 200)
	ann.does("logs out", submits(`form[action="/logout"]`), chromedp.WaitVisible(`a[href="/login/sso"]`))
	ann.asks("/v1/people", 401)

	ben := newPerson(t, browser, station)
	ben.toProvider()
	ben.fromProvider("ben")
	in(ben, "ben@lab.example", "staff")
	ben.asks("/v1/who", 200)
	ben.asks("/v1/people", 403)

	for _, tt := range []struct {
		name, who, says string
		between         func(*person)
	}{
		{"in no group", "eve", "No group of yours has a role here", func(*person) {}},
		{"another state", "ann", "This login was not begun here, or is over", func(p *person) { p.keeps(0, "S") }},
		{"another nonce", "ann", "This login was not begun here, or is over", func(p *person) { p.keeps(1, "N") }},
		{"another verifier", "ann", "The provider of logins can't be used now", func(p *person) { p.keeps(2, strings.Repeat("V", 52)) }},
	} {
		p := newPerson(t, browser, station)
		p.toProvider()
		tt.between(p)
		p.fromProvider(tt.who)
		p.sees(tt.says)
		p.asks("/v1/who", 401)
	}

	// At the reader.
	dia := newPerson(t, browser, station)
	dia.does("begins", chromedp.Navigate(station+"/login"), submits(`form[action="/login/station"]`), chromedp.WaitVisible("#six"))
	dia.sees("Bump your badge at lab, with no device waiting, within")
	digits := regexp.MustCompile(`\d{6}`).FindString(s.run("sim", "tap", "dia"))
	dia.does("types the digits", chromedp.SendKeys("#six", digits), submits("#six"), chromedp.WaitVisible(`form[action="/logout"]`))
	in(dia, "Día Márquez", "staff")

	// With a link, whose secret the page's script takes out of the address.
	admin := newPerson(t, browser, station)
	admin.does("follows the link", chromedp.Navigate(strings.TrimSpace(s.run("web", "admin-link"))),
		chromedp.WaitVisible(`form[action="/logout"]`), chromedp.Location(&address))
	if admin.asks("/v1/tokens", 200); address != station+"/" {
		t.Errorf("the browser is at %s", address)
	}

	// A screen on a wall.
	_, token, _ := strings.Cut(s.run("token", "add", "hall", "--role", "board"), "\n")
	screen := newPerson(t, browser, station)
	screen.does("opens the board", chromedp.Navigate(station+"/kiosk?token="+strings.TrimSpace(token)), chromedp.WaitVisible("li[data-device]"), chromedp.Location(&address))
	if screen.sees("Fairphone 6"); address != station+"/kiosk" {
		t.Errorf("the browser is at %s", address)
	}
}
