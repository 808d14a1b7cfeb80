//go:build services

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// TestTyped: what an admin types into a form is there again after a reload, Back, and a login
// that has ended, until it was saved or the form begun anew. What somebody else has changed
// meanwhile is not undone by it.
func TestTyped(t *testing.T) {
	t.Parallel()
	s, station := stationWithLoans(t)
	// Without the cache that keeps whole pages for Back: a page that is left is lost.
	admin := newPerson(t, startBrowser(t, chromedp.Flag("disable-features", "BackForwardCache")), station)
	admin.does("follows the link", chromedp.Navigate(strings.TrimSpace(s.run("web", "admin-link"))), chromedp.WaitVisible(`form[action="/logout"]`))
	const page, name = "/devices/ipad/edit", `#facts-name`
	admin.does("types", chromedp.Navigate(admin.station+page), chromedp.WaitVisible(name), chromedp.Evaluate(`document.querySelector("#facts-name").select()`, nil), chromedp.SendKeys(name, "iPad of Ann"), chromedp.SendKeys(`#facts-note`, "no charger"))
	admin.does("reloads", chromedp.Reload(), chromedp.WaitVisible(name))
	admin.typed(name, "iPad of Ann")
	admin.typed(`#facts-note`, "no charger")
	admin.does("goes elsewhere, and back", chromedp.Click(`nav a[href="/people"]`), chromedp.WaitVisible(`a[href="/people/ann"]`), chromedp.NavigateBack(), chromedp.WaitVisible(name))
	admin.typed(name, "iPad of Ann")
	s.run("devices", "edit", "ipad", "--name", "iPad Pro 14")
	admin.does("reloads, and saves too late", chromedp.Reload(), chromedp.WaitVisible(name), submits(name), chromedp.WaitVisible("[role=alert]"))
	admin.sees("Somebody else has changed it to: iPad Pro 14")
	admin.typed(name, "iPad of Ann")
	admin.does("decides anew", submits(name), chromedp.WaitVisible(".done"))
	if is := s.run("devices", "show", "ipad"); !strings.Contains(is, "iPad of Ann") || !strings.Contains(is, "no charger") {
		t.Errorf("it is %s", is)
	}
	admin.does("looks again", chromedp.Navigate(admin.station+page), chromedp.WaitVisible(`#tag-tag`), chromedp.SendKeys(`#tag-tag`, "H10301:1:2"), chromedp.SendKeys(name, " and Ben"))
	admin.does("starts over", chromedp.Click(`#facts a[href$="/edit"]`), chromedp.WaitVisible(name), chromedp.Poll(`document.querySelector("#facts-name").value === "iPad of Ann"`, nil))
	admin.typed(`#tag-tag`, "H10301:1:2") // another form

	// Forms of other kinds: what is given to whom, and what is reserved until when.
	admin.does("fills forms", chromedp.Navigate(admin.station+"/devices/ipad"), chromedp.WaitVisible(`form[action$="/give"]`), chromedp.SendKeys(`form[action$="/give"] [name=person]`, "Cem"),
		chromedp.Click(`form[action$="/lost"] [name=note]`), chromedp.SendKeys(`form[action$="/lost"] [name=note]`, "in the train"))
	admin.does("loses the station's page", chromedp.Navigate(admin.station+"/reservations"), chromedp.WaitVisible("#reserve"), chromedp.SetValue("#reserve select", "device:mini"),
		chromedp.SendKeys("#reserve [name=note]", "a talk"), chromedp.Reload(), chromedp.WaitVisible("#reserve"))
	admin.typed("#reserve select", "device:mini")
	admin.typed("#reserve [name=note]", "a talk")

	// The login ends; whoever logs in as somebody else in this tab sees nothing of it.
	admin.does("is logged out", storage.ClearCookies(), chromedp.Reload(), chromedp.WaitVisible("main"))
	_, token, _ := strings.Cut(s.run("token", "add", "guest", "--role", "admin"), "\n")
	admin.does("lends the tab", network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"Authorization": "Bearer " + strings.TrimSpace(token)}),
		chromedp.Navigate(admin.station+"/devices/ipad"), chromedp.WaitVisible(`form[action$="/give"]`))
	admin.typed(`form[action$="/give"] [name=person]`, "")
	admin.does("logs in again", network.SetExtraHTTPHeaders(network.Headers{}), chromedp.Navigate(strings.TrimSpace(s.run("web", "admin-link"))), chromedp.WaitVisible(`form[action="/logout"]`),
		chromedp.Navigate(admin.station+"/devices/ipad"), chromedp.WaitVisible(`form[action$="/give"]`))
	admin.typed(`form[action$="/give"] [name=person]`, "Cem")
	admin.typed(`form[action$="/lost"] [name=note]`, "in the train")
	admin.does("logs out", submits(`form[action="/logout"] button`), chromedp.WaitVisible("main"))
	var kept int
	if admin.does("counts", chromedp.Evaluate(`sessionStorage.length`, &kept)); kept != 0 {
		t.Errorf("the tab keeps %d things", kept)
	}
}

// typed wants that something stands in a field.
func (p *person) typed(field, want string) {
	p.Helper()
	var got string
	if p.does("reads "+field, chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q).value`, field), &got)); got != want {
		p.Errorf("in %s stands %q, want %q", field, got, want)
	}
}
