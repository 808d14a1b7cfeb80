//go:build services

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tabs presses Tab until what has the focus is this, and wants each stop on the way to be seen:
// within the window, and with an outline.
func (p *person) tabs(to string) {
	p.Helper()
	for range 200 {
		var at struct {
			Is, Seen bool
			HTML     string
		}
		p.does("presses Tab", chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(fmt.Sprintf(`(() => {
			const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
			return {
				is: e.matches(%q), html: e.outerHTML.slice(0, 200),
				seen: e === document.body || box.width > 0 && box.left >= 0 && box.right <= innerWidth && box.bottom > 0 && box.top < innerHeight && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
			};
		})()`, to), &at))
		if !at.Seen {
			p.Errorf("nobody sees that this has the focus: %s", at.HTML)
		}
		if at.Is {
			return
		}
	}
	p.Fatalf("Tab does not lead to %s", to)
}

// TestConsoleByKeyboard takes a device back with Tab, Enter and letters alone: from the board
// to the device, through the form of its return, and back.
func TestConsoleByKeyboard(t *testing.T) {
	t.Parallel()
	s, admin := consoleStation(t)
	enter := chromedp.KeyEvent(kb.Enter)
	admin.does("opens the board", chromedp.EmulateViewport(1280, 800), chromedp.Navigate(admin.station+"/"), chromedp.WaitVisible("tr[data-device=quest]"))
	admin.tabs("a.skip")
	admin.does("skips to the content", enter)
	admin.tabs(`main input[type=search]`)
	admin.tabs(`a[href="/devices/quest"]`)
	admin.does("opens the device", enter, chromedp.WaitVisible(`form[action$="/return"]`))
	admin.tabs(`form[action$="/return"] select`)
	admin.does("chooses", chromedp.KeyEvent("d"))
	admin.tabs(`form[action$="/return"] input[name=note]`)
	admin.does("types a note", chromedp.KeyEvent("scratched"))
	admin.tabs(`form[action$="/return"] button`)
	admin.does("returns it", enter, chromedp.WaitVisible(".done"))
	if history := s.run("history", "--device", "quest"); !strings.Contains(history, "scratched") || strings.Contains(s.run("who"), "Quest") {
		t.Errorf("it was not returned: %s", history)
	}
	admin.tabs(`nav a[href="/"]`)
	admin.does("goes back to the board", enter, chromedp.WaitNotPresent("tr[data-device=quest]"), chromedp.WaitVisible("li[data-device=quest]"))

	// A link that has the focus keeps it when the page is brought up to date by a bump.
	admin.tabs(`tr[data-device=kindle] a[href="/devices/kindle"]`)
	s.run("sim", "tap", "ann")
	s.run("sim", "tap", "ipad")
	var focus string
	admin.does("sees a bump", chromedp.WaitVisible("tr[data-device=ipad]"), chromedp.Evaluate(`document.activeElement.getAttribute("href")`, &focus))
	if focus != "/devices/kindle" {
		t.Errorf("after a bump the focus is at %q", focus)
	}
}

// TestMenu: the rare pages are folded away, and again after Escape, by Tab, a click elsewhere and a
// choice, also when the page of the choice is left again by Back.
func TestMenu(t *testing.T) {
	t.Parallel()
	_, admin := consoleStation(t)
	const summary, menu = "nav summary", "nav details"
	admin.does("opens the board", chromedp.EmulateViewport(1280, 800), chromedp.Navigate(admin.station+"/"), chromedp.WaitVisible(summary))
	shut := holds(`!document.querySelector("nav details").open`)
	opens := chromedp.Tasks{chromedp.Click(summary), chromedp.WaitVisible(menu + `[open] a[href="/import"]`)}
	at := func(want string) {
		t.Helper()
		var is string
		if admin.does("looks", chromedp.Evaluate(`(e => e.getAttribute("href") ?? e.localName)(document.activeElement)`, &is)); is != want {
			t.Errorf("the focus is at %s, want %s", is, want)
		}
	}

	admin.tabs(summary)
	admin.does("opens the menu", chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(menu+"[open]"))
	admin.tabs(menu + ` a[href="/labels"]`)
	admin.does("presses Escape", chromedp.KeyEvent(kb.Escape), shut)
	at("summary")
	admin.does("opens it again", chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(menu+"[open]"))
	admin.tabs(`header form[action="/logout"] button`)
	admin.does("has gone past it", shut)
	at("button")

	admin.does("clicks elsewhere", opens, chromedp.Click("h1"), shut)
	admin.does("clicks twice", opens, chromedp.Click(summary), shut)
	admin.does("clicks in the menu, beside a choice", opens, chromedp.Evaluate(`document.querySelector("nav details div").click()`, nil), chromedp.WaitVisible(menu+"[open]"))
	admin.does("chooses", chromedp.Click(menu+` a[href="/import"]`), chromedp.WaitVisible(`input[type=file]`), shut)
	admin.does("goes back", chromedp.NavigateBack(), chromedp.WaitVisible("tr[data-device=quest]"), shut)
}
