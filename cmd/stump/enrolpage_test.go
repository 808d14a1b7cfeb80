//go:build services

package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestEnrolInTheBrowser: an admin enrols two new phones, one after the other, takes the
// second back, and gives a tag of the inbox to a third.
func TestEnrolInTheBrowser(t *testing.T) {
	t.Parallel()
	s, admin := consoleStation(t)
	name := func(path, name string) {
		t.Helper()
		admin.does("types "+name, chromedp.WaitVisible(path+` input[name=name]`), chromedp.SendKeys(path+` input[name=name]`, name), submits(path+` input[name=name]`))
	}
	const form = `form[action="/enrol"]`
	admin.does("goes to the page", chromedp.Navigate(admin.station+"/enrol"))
	for i, phone := range []string{"New phone 1", "New phone 2"} {
		name(form, phone)
		admin.does("is asked for the tag", chromedp.WaitVisible(`[data-state=waiting]`))
		admin.sees("Bump the tag of " + phone + " now")
		s.run("sim", "tap", []string{"H10301:201:901", "H10301:201:902"}[i])
		admin.does("sees the tag without a reload", chromedp.WaitVisible(`[data-state=done]`))
		admin.sees(phone + " has its tag")
	}
	admin.does("takes the last one back", chromedp.Click(`form[action$="/undo"] button`), chromedp.WaitVisible(`[data-state=undone]`))
	if list := s.run("devices", "list"); !strings.Contains(list, "New phone 1") {
		t.Errorf("the first phone is gone: %s", list)
	}
	name(form, "iPad Por 13")
	admin.does("is told of the slip", chromedp.WaitVisible(`[role=alert]`))
	admin.sees("Did you mean iPad Pro 13")

	s.run("sim", "tap", "H10301:99:903")
	admin.does("sees the tag in the inbox", chromedp.Navigate(admin.station+"/inbox"), chromedp.WaitVisible(`form[action="/inbox/assign"]`))
	admin.sees("…903")
	admin.shoots("inbox-tag")
	name(`li:first-child form[action="/inbox/assign"]`, "New phone 3")
	admin.does("has assigned it", chromedp.WaitVisible(`.done`))
	if list := s.run("devices", "list"); !strings.Contains(list, "New phone 3") {
		t.Errorf("no third phone: %s", list)
	}
}
