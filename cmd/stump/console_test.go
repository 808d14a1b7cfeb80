//go:build services

package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var (
	shots = flag.String("shots", "", "the folder for pictures that TestConsole makes of each page")
	bumps = flag.Int("bumps", 2, "how many bumps TestBumpToRow watches")
)

// stationWithLoans is a station with a web address, where people have something.
func stationWithLoans(t *testing.T) (s *site, station string) {
	station = fmt.Sprintf("https://127.0.0.1:%d", freePort(t))
	s = &site{t: t, dir: t.TempDir()}
	config := fmt.Sprintf("station = \"lab-1\"\n[clock]\ntrust = \"rtc\"\n[web]\nlisten = %q\nboard = \"holders\"\n[loans]\nlength = \"14d\"\nkinds = { phone = \"3d\" }\n", strings.TrimPrefix(station, "https://"))
	if err := os.WriteFile(s.path("stump.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.station("")
	s.run("sim", "seed")
	s.run("give", "pixel", "ben", "--at", "10d")
	s.run("give", "quest", "cem")
	s.run("give", "kindle", "dia", "--at", "13d", "--due", "20h")
	s.run("give", "mini", "eve", "--at", "2d")
	return s, station
}

// consoleStation is one with an admin at a browser.
func consoleStation(t *testing.T) (s *site, admin *person) {
	s, station := stationWithLoans(t)
	admin = newPerson(t, startBrowser(t), station)
	admin.does("follows the link", chromedp.Navigate(strings.TrimSpace(s.run("web", "admin-link"))), chromedp.WaitVisible(`form[action="/logout"]`))
	return s, admin
}

// TestConsole is an admin's day at the console, with a real browser and a simulated reader.
func TestConsole(t *testing.T) {
	t.Parallel()
	s, admin := consoleStation(t)
	admin.sees("Pixel 9")
	admin.sees("7 d late")

	// What happens at the reader is seen without a reload.
	row := func(device, who string) string {
		return fmt.Sprintf(`tr[data-device="%s"][data-person="%s"]`, device, who)
	}
	s.run("sim", "tap", "ann")
	s.run("sim", "tap", "ipad")
	admin.does("sees the bump", chromedp.WaitVisible(row("ipad", "ann")))

	admin.pictures()

	// The search narrows the list down while one types, with and without accents.
	admin.does("searches", chromedp.SendKeys(`input[type=search]`, "yildiz"), chromedp.WaitNotPresent(row("ipad", "ann")), chromedp.WaitVisible(row("quest", "cem")),
		chromedp.Navigate(admin.station+"/"), chromedp.WaitVisible(row("ipad", "ann")))

	// Somebody else has looked before, and decides too late.
	late := newPerson(t, admin.ctx, admin.station)
	late.does("looks", chromedp.Navigate(strings.TrimSpace(s.run("web", "admin-link"))), chromedp.WaitVisible(`form[action="/logout"]`),
		chromedp.Navigate(admin.station+"/devices/ipad"), chromedp.WaitVisible(`form[action$="/return"]`))
	admin.does("gives it to Ben", chromedp.Click(row("ipad", "ann")+" a[href^='/devices/']"), chromedp.WaitVisible(`form[action$="/give"]`),
		chromedp.SendKeys(`form[action$="/give"] input[name=person]`, "Ben Lindqvist"), submits(`form[action$="/give"] button`), chromedp.WaitVisible(`.done`))
	admin.sees("with Ben Lindqvist")
	late.does("is too late", chromedp.SendKeys(`form[action$="/return"] input[name=note]`, "found on a desk"), submits(`form[action$="/return"] button`), chromedp.WaitVisible(`[role=alert]`))
	late.sees("It has changed meanwhile")
	late.sees("with Ben Lindqvist")
	var note string
	late.does("has typed for nothing", chromedp.Value(`form[action$="/return"] input[name=note]`, &note))
	if note != "found on a desk" {
		t.Errorf("the note is %q", note)
	}
	late.does("decides anew", chromedp.SetValue(`form[action$="/return"] select`, "damaged"), submits(`form[action$="/return"] button`), chromedp.WaitVisible(`.done`))
	if who := s.run("who"); strings.Contains(who, "iPad Pro 13") {
		t.Errorf("it was returned, and who says %s", who)
	}
	admin.does("gives it to nobody", chromedp.Navigate(admin.station+"/devices/ipad"), chromedp.WaitVisible(`form[action$="/give"]`),
		chromedp.SendKeys(`form[action$="/give"] input[name=person]`, "Zoe"), submits(`form[action$="/give"] button`), chromedp.WaitVisible(`[role=alert]`))
	admin.sees("Zoe")

	admin.imports(s)
	admin.registers(s, late)
	s.run("devices", "add", "--id", "evil", "<script>alert(1)</script> \"quoted\" & long "+strings.Repeat("name ", 20), "--kind", "phone")
	admin.does("looks for a page that is not there", chromedp.Navigate(admin.station+"/nothing"))
	admin.sees("There is no such page")
	s.run("sim", "tap", "H10301:99:903") // waits in the inbox
	testEveryPage(t, admin)
}

// imports moves the devices of another system in: a column is chosen, another left out, a
// bad line is named, and nothing changes before the admin says so.
func (p *person) imports(s *site) {
	p.Helper()
	file := func(name, text string) string {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			p.Fatal(err)
		}
		return s.path(name)
	}
	const head = "Asset Tag;Asset Name;Category;Purchase Cost\n"
	look := func(path string) {
		p.does("chooses a file", chromedp.Navigate(p.station+"/import"), chromedp.WaitVisible(`input[type=file]`),
			chromedp.SetUploadFiles(`input[type=file]`, []string{path}), submits(`input[type=file]`), chromedp.WaitVisible(`.pairs`))
	}
	look(file("bad.csv", head+"a 1;Nokia 3310;phone;9\n;Zeppelin;toy;9\n"))
	p.sees("The id is empty.")
	p.sees("Purchase Cost")
	look(file("good.csv", head+"n1;Nokia 3310;phone;9\nipad;iPad Pro 14;tablet;99\n"))
	p.sees("1 new, 1 changed, 0 as before")
	p.sees("iPad Pro 14")
	if list := s.run("devices", "list"); strings.Contains(list, "Nokia") {
		p.Errorf("it was imported already: %s", list)
	}
	p.shoots("import")
	p.does("imports it", chromedp.Click(`button[value=import]`), chromedp.WaitVisible(`.done`))
	if list := s.run("devices", "list"); !strings.Contains(list, "Nokia 3310") || !strings.Contains(list, "iPad Pro 14") {
		p.Errorf("it was not imported: %s", list)
	}
}

// everyPage are the pages that an admin has.
var everyPage = []string{"/", "/?only=overdue", "/devices", "/devices/ipad", "/devices/pixel", "/devices/evil", "/devices/ipad/edit", "/add/device", "/people", "/people/ben", "/people/ben/edit", "/people/ben/erase", "/add/person", "/reservations", "/inbox", "/enrol", "/import", "/labels", "/stock", "/audit", "/settings", "/reports", "/nothing", "/login"}

// testEveryPage looks at each of them.
func testEveryPage(t *testing.T, p *person) {
	testPages(t, p, everyPage...)
}

// testPages looks at pages in light and dark, on a phone and at a desk, in four languages:
// axe finds nothing, nothing is wider than its place, and nothing moves for whom that is
// too much.
func testPages(t *testing.T, p *person, paths ...string) {
	axe, err := os.ReadFile(filepath.Join(npm(t, "cmd/stump/testdata/axe"), "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		for _, width := range []int64{360, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				var found string
				p.does(path, chromedp.EmulateViewport(width, 800), media("prefers-color-scheme", scheme),
					chromedp.Navigate(p.station+path), chromedp.WaitVisible("main"),
					chromedp.Evaluate(string(axe)+";0", nil),
					chromedp.Evaluate(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => n.target + " " + n.failureSummary)])))`,
						&found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
				if found != "[]" {
					t.Errorf("%s, %d wide, %s: axe finds %s", path, width, scheme, found)
				}
				p.fits(fmt.Sprintf("%s, %d wide", path, width))
				var part int
				if p.does("looks for names that are more", chromedp.Evaluate(`document.querySelectorAll("main script:not([src]), main img[src=x], main u, main i").length`, &part)); part > 0 {
					t.Errorf("%s: a name is a part of the page", path)
				}
				p.shoots(fmt.Sprintf("%s-%d-%s", strings.NewReplacer("/", "_", "?", "_").Replace(path), width, scheme))
			}
		}
		p.does(path+", 200 %", chromedp.EmulateViewport(640, 400, chromedp.EmulateScale(2)))
		p.fits(path + ", at 200 %")
		p.still(path)
		for _, language := range []string{"de", "fr", "es"} {
			p.translated(path, language)
		}
		p.does("speaks English again", speaks("en"))
	}
}

// media has a browser prefer something.
func media(name, value string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: name, Value: value}})
}

// speaks has a browser ask for pages in a language.
func speaks(language string) chromedp.Action {
	return emulation.SetUserAgentOverride("Mozilla/5.0 (Stump's tests)").WithAcceptLanguage(language)
}

// tooWide are the parts of a page that are wider than their place.
const tooWide = `(() => {
	const all = [...document.querySelectorAll("header *, main :is(h1, h2, h3, p, li, dt, dd, th, td, label, summary, button, .button, table, form, fieldset)")];
	const cut = all.filter(e => e.checkVisibility() && getComputedStyle(e).display !== "inline" && !e.closest(".hidden, .labels, svg") && e.scrollWidth > e.clientWidth + 1);
	const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
	return (over ? ["the page, by " + over] : []).concat(cut.map(e => e.outerHTML.slice(0, 200))).join("\n");
})()`

// fits wants that nothing is wider than its place.
func (p *person) fits(what string) {
	p.Helper()
	var wide string
	if p.does(what, chromedp.Evaluate(tooWide, &wide)); wide != "" {
		p.Errorf("%s: this is too wide:\n%s", what, wide)
	}
}

// translated wants a page to fit in a language, too, and its navigation to have one line.
func (p *person) translated(path, language string) {
	p.Helper()
	var got string
	var lines int
	// chromedp does not see all that Chromium has of a French date: only scripts look.
	p.does(path+" in "+language, speaks(language), chromedp.EmulateViewport(1280, 800), chromedp.Navigate(p.station+path),
		chromedp.Evaluate(`document.documentElement.lang`, &got),
		chromedp.Evaluate(`new Set([...document.querySelectorAll("nav > *")].map(e => Math.round(e.getBoundingClientRect().top / 10))).size`, &lines))
	if got != language {
		p.Errorf("%s is in %s, want %s", path, got, language)
	}
	if lines > 1 {
		p.Errorf("%s in %s: the navigation has %d lines", path, language, lines)
	}
	p.shoots(fmt.Sprintf("%s-1280-%s", strings.NewReplacer("/", "_", "?", "_").Replace(path), language))
	p.fits(path + " in " + language + ", 1280 wide")
	for _, width := range []int64{640, 360} {
		p.does(path, chromedp.EmulateViewport(width, 800))
		p.fits(fmt.Sprintf("%s in %s, %d wide", path, language, width))
	}
}

// moving are the parts of a page that would move if all of it were new.
const moving = `(() => {
	const all = [...document.querySelectorAll("*")], is = (e) => getComputedStyle(e);
	const were = all.map((e) => e.className);
	all.forEach((e) => e.classList.add("fresh"));
	const found = all.filter((e) => is(e).animationName !== "none" || is(e).transitionDuration !== "0s" || is(e).scrollBehavior !== "auto").length;
	all.forEach((e, i) => e.setAttribute("class", were[i].baseVal ?? were[i]));
	return found;
})()`

// still wants that nothing moves where somebody asks for that; else what is new does.
func (p *person) still(path string) {
	p.Helper()
	var usual, reduced int
	p.does(path, media("prefers-reduced-motion", "no-preference"), chromedp.Evaluate(moving, &usual), media("prefers-reduced-motion", "reduce"), chromedp.Evaluate(moving, &reduced))
	if usual == 0 || reduced != 0 {
		p.Errorf("%s: %d parts move, and %d where nothing should", path, usual, reduced)
	}
}

// pictures are those of the README: of the board, on a screen and a phone, light and dark.
func (p *person) pictures() {
	if *shots == "" {
		return
	}
	for name, form := range map[string]struct {
		width, height int64
		scheme        string
	}{"board": {1100, 700, "light"}, "board-dark": {1100, 700, "dark"}, "board-phone": {390, 700, "light"}} {
		p.does(name, chromedp.EmulateViewport(form.width, form.height), media("prefers-color-scheme", form.scheme),
			chromedp.Navigate(p.station+"/"), chromedp.WaitVisible("table"))
		p.shoots(name)
	}
}

// shoots keeps a picture of the page.
func (p *person) shoots(name string) {
	if *shots == "" {
		return
	}
	var picture []byte
	p.does("takes a picture", chromedp.CaptureScreenshot(&picture))
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), picture, 0o600); err != nil {
		p.Fatal(err)
	}
}

// TestBumpToRow: a bump is seen in the browser at once. The figure is that of `-v`, over
// -bumps bumps: from the display's answer to the changed row.
func TestBumpToRow(t *testing.T) {
	s, admin := consoleStation(t)
	var waits []time.Duration
	for i := range *bumps {
		person := ""
		if i%2 == 0 {
			person = "ann"
		}
		seen := make(chan float64, 1)
		go func() {
			var at float64
			_ = chromedp.Run(admin.ctx, chromedp.Evaluate(fmt.Sprintf(`new Promise(done => {
				const look = () => document.querySelector('[data-device="ipad"][data-person=%q]') ? done(Date.now()) : requestAnimationFrame(look);
				look();
			})`, person), &at, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
			seen <- at
		}()
		s.run("sim", "tap", "ann")
		s.run("sim", "tap", "ipad")
		answered := time.Now()
		select {
		case at := <-seen:
			waits = append(waits, time.UnixMilli(int64(at)).Sub(answered))
		case <-time.After(10 * time.Second):
			t.Fatal("the bump is not seen")
		}
		time.Sleep(5500 * time.Millisecond) // the same pair undoes nothing before
	}
	slices.Sort(waits)
	t.Logf("%d bumps: median %v, p99 %v", len(waits), waits[len(waits)/2], waits[len(waits)*99/100])
}
