//go:build services

package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestStaff: Dia logs in at the reader, extends what she has, reserves a tablet by keyboard
// alone, and reports a fault. What is not hers she is refused. An admin in a second browser
// sees the reservation at once, and ends it.
func TestStaff(t *testing.T) {
	t.Parallel()
	s, admin := consoleStation(t)
	dia := newPerson(t, admin.ctx, admin.station)
	dia.does("begins", chromedp.Navigate(dia.station+"/login"), submits(`form[action="/login/station"]`), chromedp.WaitVisible("#six"))
	digits := regexp.MustCompile(`\d{6}`).FindString(s.run("sim", "tap", "dia"))
	dia.does("types the digits", chromedp.SendKeys("#six", digits), submits("#six"), chromedp.WaitVisible(`nav a[href="/my"]`))

	const kindle = `tr[data-device=kindle][data-person=dia]`
	dia.does("sees what she has", chromedp.Click(`nav a[href="/my"]`), chromedp.WaitVisible(kindle))
	dia.does("extends it", chromedp.Click(kindle+` form[action$="/extend"] button`), chromedp.WaitVisible(".done"))
	if at := dia.where(); at != "/my" {
		t.Errorf("she is at %s", at)
	}
	dia.does("extends it again", chromedp.Click(kindle+` form[action$="/extend"] button`), chromedp.WaitVisible("[role=alert]"))
	dia.sees("was extended already: 1×")
	dia.does("reports a fault", chromedp.Navigate(dia.station+"/my"), chromedp.Click(kindle+` a[href$="#report"]`, chromedp.NodeVisible), chromedp.WaitVisible("#report"),
		chromedp.SetValue("#report select", "damaged"), chromedp.SendKeys("#report input[name=words]", "a crack"), submits("#report button"), chromedp.WaitVisible(".done"))
	dia.sees("damaged: a crack")
	if list := s.run("devices", "list", "--repair"); !strings.Contains(list, "Kindle") {
		t.Errorf("what needs repair:\n%s", list)
	}

	// The admin's page is open before, and follows.
	admin.does("opens the reservations", chromedp.Navigate(admin.station+"/reservations"), chromedp.WaitVisible("#reserve"))
	admin.sees("Nothing is reserved.")
	from := time.Now().AddDate(0, 0, 2)
	dia.does("goes there, too", chromedp.Navigate(dia.station+"/reservations"), chromedp.WaitVisible("#reserve"))
	dia.tabsTo("#reserve select")
	var chosen string
	dia.does("chooses by typing", chromedp.KeyEvent("iPad"), chromedp.KeyEvent(kb.ArrowDown), chromedp.Value("#reserve select", &chosen))
	if chosen != "device:ipad" { // below the mini
		t.Fatalf("%s is chosen", chosen)
	}
	dia.tabsTo("#reserve input[name=from]")
	dia.types(from, "0900AM", `#reserve input[name=from]`)
	dia.tabsTo("#reserve input[name=to]")
	dia.types(from, "0530PM", `#reserve input[name=to]`)
	dia.tabsTo("#reserve button")
	dia.does("reserves it", chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".done, [role=alert]"))
	dia.sees("Saved.")
	admin.does("sees it without a reload", chromedp.WaitVisible("tr[data-reservation]"))
	for _, who := range []*person{dia, admin} {
		who.sees("iPad Pro 13")
		who.sees("Día Márquez")
		who.sees(from.Format("Mon") + " 09:00")
		who.sees(from.Format("Mon") + " 17:30")
	}
	list := s.run("reservations", "--json")
	for _, want := range []string{`"device_id":"ipad"`, `"person_id":"dia"`, from.Format("2006-01-02") + "T09:00:00"} {
		if !strings.Contains(list, want) {
			t.Errorf("%s lacks %s", list, want)
		}
	}

	// Nobody gets the same; the page says who has it, until when, and what is free.
	times := []chromedp.Action{
		chromedp.SetValue("#reserve select", "device:ipad"), chromedp.SetValue("#reserve input[name=from]", from.Format("2006-01-02")+"T12:00"),
		chromedp.SetValue("#reserve input[name=to]", from.Format("2006-01-02")+"T18:00"), submits("#reserve button"), chromedp.WaitVisible("[role=alert]"),
	}
	admin.does("wants it for Ben", append([]chromedp.Action{chromedp.SendKeys("#reserve input[name=person]", "Ben Lindqvist")}, times...)...)
	admin.sees("iPad Pro 13 is reserved for Día Márquez, " + from.Format("Mon") + " 09:00 to " + from.Format("Mon") + " 17:30.")
	admin.does("sees the form", chromedp.EmulateViewport(1280, 1100))
	admin.shoots("reservations-refused")

	dia.refusedOthers(s)
	s.run("reserve", "phone", "ben", "--from", "30h", "--to", "32h", "--weekly-until", "40d")
	s.run("reserve", "quest", "dia")
	s.run("reserve", "quest", "fay")
	s.run("reserve", "tablet", "dia", "--from", "20d", "--to", "22d", "--weekly-until", "50d")
	testPages(t, dia, "/my", "/reservations", "/devices/kindle")
	testPages(t, admin, "/reservations", "/devices/quest")

	admin.does("opens what repeats", chromedp.EmulateViewport(1280, 1700), chromedp.Navigate(admin.station+"/reservations"), chromedp.Click("details.weeks summary", chromedp.NodeVisible), chromedp.WaitVisible("details.weeks ul"))
	admin.shoots("reservations-weeks")
	var printed string
	admin.does("prints it", emulation.SetEmulatedMedia().WithMedia("print"),
		chromedp.Evaluate(`[...document.querySelectorAll("header, .bar, #reserve, main button")].filter(e => e.checkVisibility()).map(e => e.outerHTML).join()`, &printed))
	admin.shoots("reservations-printed")
	if printed != "" {
		t.Errorf("paper has %s", printed)
	}
	admin.does("is at the screen again", emulation.SetEmulatedMedia())
	dia.does("looks at hers", chromedp.Navigate(dia.station+"/my"), chromedp.WaitVisible("tr[data-reservation]"))
	id := regexp.MustCompile(`"id":"(\d+)","device_id":"ipad"`).FindStringSubmatch(list)
	row := fmt.Sprintf("tr[data-reservation=%q]", id[1])
	admin.does("ends it", chromedp.Navigate(admin.station+"/reservations"), chromedp.Click(row+" form button", chromedp.NodeVisible), chromedp.WaitVisible(".done"), chromedp.WaitNotPresent(row))
	dia.does("sees that it has ended", chromedp.WaitNotPresent(row))
	if list := s.run("reservations", "--json"); strings.Contains(list, `"ipad"`) {
		t.Errorf("it is still reserved: %s", list)
	}
}

// refusedOthers: what staff may not do has no form, and is refused to who asks all the same.
func (p *person) refusedOthers(s *site) {
	p.Helper()
	var forms int
	p.does("looks at another's device", chromedp.Navigate(p.station+"/devices/pixel"), chromedp.WaitVisible("main"),
		chromedp.Evaluate(`document.querySelectorAll('form[action$="/give"], form[action$="/return"], form[action$="/extend"], form[action$="/report"], input[name=person]').length`, &forms))
	if forms != 0 {
		p.Errorf("there are %d forms that are not hers", forms)
	}
	for _, path := range []string{"/people", "/people/ben", "/inbox", "/settings", "/audit", "/import", "/reports", "/v1/people"} {
		p.asks(path, 403)
	}
	p.does("goes to the people", chromedp.Navigate(p.station+"/people"), chromedp.WaitVisible("[role=alert]"))
	p.sees("This needs the role admin")
	who := s.run("who")
	p.posts("/devices/pixel/give", "person=dia", 403)
	p.posts("/devices/pixel/return", "note=x", 403)
	p.posts("/devices/pixel/extend", "", 412)
	p.posts("/devices/pixel/report", "condition=damaged&words=x", 412)
	p.posts("/reservations", "what=device:mini&person=ben&from=2036-12-04T09:00&to=2036-12-04T10:00", 409)
	if now := s.run("who"); now != who {
		p.Errorf("who has what was\n%s\nand is\n%s", who, now)
	}
	if list := s.run("reservations", "--json"); strings.Contains(list, `"ben"`) {
		p.Errorf("she reserved for another: %s", list)
	}
}

// posts is the status with which the station answers a form.
func (p *person) posts(path, form string, want int) {
	p.Helper()
	var status int
	await := func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }
	p.does("posts to "+path, chromedp.Evaluate(fmt.Sprintf(`fetch(%q, {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: %q}).then(r => r.status)`, path, form), &status, await))
	if status != want {
		p.Errorf("%s with %s is answered by %d, want %d", path, form, status, want)
	}
}

// tabsTo presses the tabulator until something has the focus.
func (p *person) tabsTo(selector string) {
	p.Helper()
	for range 80 {
		var there bool
		p.does("tabs", chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(fmt.Sprintf("document.activeElement.matches(%q)", selector), &there))
		if there {
			return
		}
	}
	p.Fatalf("nobody comes to %s by the tabulator", selector)
}

// types types a time into a field as Chromium wants it in English: the month first.
func (p *person) types(day time.Time, clock, field string) {
	p.Helper()
	var got string
	p.does("types a time", chromedp.KeyEvent(day.Format("01022006")), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(clock), chromedp.Value(field, &got))
	want, err := time.Parse("2006-01-02 0304PM", day.Format("2006-01-02 ")+clock)
	if err != nil || got != want.Format("2006-01-02T15:04") {
		p.Errorf("%s has %q, want %v, %v", field, got, want, err)
	}
}
