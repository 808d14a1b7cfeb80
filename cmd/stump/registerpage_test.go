//go:build services

package main

import (
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// registers is what an admin changes about people and devices: by keyboard alone, and
// too late.
func (p *person) registers(s *site, late *person) {
	p.Helper()
	p.addsByKeyboard(s)
	p.badges(s)
	p.tooLate(s, late)
}

// presses presses keys, one after the other.
func presses(all ...string) chromedp.Action { return chromedp.KeyEvent(strings.Join(all, "")) }

// follows presses Enter on a link. A keyboard's Enter is one event less than that of
// presses, whose last would reach the field to which the link leads, and send its form.
func follows() chromedp.Action {
	enter := input.DispatchKeyEvent(input.KeyRawDown).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13)
	up := *enter
	up.Type = input.KeyUp
	return chromedp.Tasks{enter, &up}
}

// focus waits until the focus is on an element, which it gets after the page is painted.
func (p *person) focus(want string) {
	p.Helper()
	p.does("waits for the focus on "+want, holds(fmt.Sprintf(`[document.activeElement.id, document.activeElement.getAttribute("role")].includes(%q)`, want)))
}

// addsByKeyboard adds a phone with the keyboard alone: a mistake leads to the head of the
// page, and from there to the field.
func (p *person) addsByKeyboard(s *site) {
	p.Helper()
	p.does("opens the form", chromedp.Navigate(p.station+"/devices"), chromedp.Focus(`a[href="/add/device"]`), presses(kb.Enter), chromedp.WaitVisible(`#new-name`),
		chromedp.Focus(`#main`))
	p.does("types", presses(kb.Tab, kb.Tab, "Fairphone 6", kb.Tab, "phone", kb.Tab, "S/N 7", kb.Tab, "Shelf 9", kb.Tab, kb.Tab, kb.Tab, kb.Tab, kb.Tab, "seventeen", kb.Enter), chromedp.WaitVisible(`[role=alert]`))
	p.focus("alert")
	p.sees("Nothing was saved. Correct this:")
	p.shoots("form-wrong")
	p.does("goes to the field", presses(kb.Tab), follows(), holds(`document.activeElement.id === "new-tag"`))
	p.does("types it anew", chromedp.SetValue(`#new-tag`, "H10301:200:784"), submits(`#new-tag`), chromedp.WaitVisible(`.done`))
	p.sees("Fairphone 6")
	if list := s.run("devices", "show", "fairphone-6"); !strings.Contains(list, "Shelf 9") || !strings.Contains(list, "…784") {
		p.Errorf("the register has %s", list)
	}
}

// badges gives somebody a badge, and reports the other as lost.
func (p *person) badges(s *site) {
	p.Helper()
	press := func(form string) {
		p.Helper()
		p.does("presses "+form, chromedp.Navigate(p.station+"/people/fay/edit"), chromedp.WaitVisible(`#`+form), submits(`#`+form+` button`), chromedp.WaitVisible(`.done`))
	}
	p.does("adds a badge", chromedp.Navigate(p.station+"/people/fay"), chromedp.Click(`a[href="/people/fay/edit"]`), chromedp.WaitVisible(`#add-badge-add_badge`),
		chromedp.SendKeys(`#add-badge-add_badge`, "H10301:17:985"+kb.Enter), chromedp.WaitVisible(`.done`))
	p.sees("…985")
	press("badge-1")
	p.sees("lost")
	press("suspended")
	p.sees("suspended")
	press("active")
	if list := s.run("people", "show", "fay"); !strings.Contains(list, "…985") || !strings.Contains(list, "lost") || !strings.Contains(list, "active") {
		p.Errorf("the register has %s", list)
	}
}

// tooLate saves a form of a page from before: what was typed stays, beside what is there now.
func (p *person) tooLate(s *site, late *person) {
	p.Helper()
	const path = "/devices/nexus/edit"
	s.run("devices", "add", "--id", "nexus", "Nexus 5", "--kind", "phone")
	late.does("looks", chromedp.Navigate(late.station+path), chromedp.WaitVisible(`#facts-name`), chromedp.SetValue(`#facts-name`, "Nexus 5X"), chromedp.SetValue(`#facts-place`, "Drawer"))
	p.does("is faster", chromedp.Navigate(p.station+path), chromedp.WaitVisible(`#facts-name`), chromedp.SetValue(`#facts-name`, "Nexus Five"), chromedp.SetValue(`#facts-note`, "no charger"),
		submits(`#facts button`), chromedp.WaitVisible(`.done`))
	late.does("is too late", submits(`#facts button`), chromedp.WaitVisible(`[role=alert]`))
	late.focus("alert")
	late.sees("It has changed meanwhile")
	late.sees("Somebody else has changed it to: Nexus Five")
	late.shoots("form-late")
	late.does("decides anew", submits(`#facts button`), chromedp.WaitVisible(`.done`))
	if is := s.run("devices", "show", "nexus"); !strings.Contains(is, "Nexus 5X") || !strings.Contains(is, "Drawer") || !strings.Contains(is, "no charger") {
		p.Errorf("it is %s", is)
	}
}
