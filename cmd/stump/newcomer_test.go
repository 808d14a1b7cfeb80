//go:build services

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestNewcomer: somebody who has never seen the console, follows its words alone, from page
// to page: who has the iPad, give it to somebody else, a new phone, why the reader is silent.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	s, new := consoleStation(t)
	s.run("give", "ipad", "ann")
	follows := func(text string) {
		t.Helper()
		new.does("follows "+text, chromedp.Click(`//main//a[contains(normalize-space(), "`+text+`")] | //nav//a[contains(normalize-space(), "`+text+`")]`, chromedp.BySearch, chromedp.NodeVisible))
	}
	presses := func(text string) {
		t.Helper()
		new.does("presses "+text, chromedp.Click(`//main//button[normalize-space()="`+text+`"]`, chromedp.BySearch, chromedp.NodeVisible))
	}

	new.does("looks for the iPad", chromedp.EmulateViewport(1280, 800), chromedp.SendKeys(`input[type=search]`, "ipad"), chromedp.WaitNotPresent(`tr[data-device=pixel]`))
	new.sees("iPad Pro 13")
	new.sees("Ann Okafor")
	new.shoots("newcomer-1-who")

	follows("iPad Pro 13")
	new.does("gives it to Ben", chromedp.WaitVisible(`form[action$="/give"]`), chromedp.SendKeys(`form[action$="/give"] input[name=person]`, "Ben Lindqvist"))
	new.shoots("newcomer-2-give")
	presses("Give")
	new.does("sees that it is saved", chromedp.WaitVisible(".done"))
	new.sees("with Ben Lindqvist")
	if who := s.run("who"); !strings.Contains(who, "Ben Lindqvist") {
		t.Errorf("who says\n%s", who)
	}

	follows("Devices")
	follows("New device")
	new.does("describes the phone", chromedp.WaitVisible(`#new-name`), chromedp.SendKeys(`#new-name`, "Fairphone 6"), chromedp.SendKeys(`#new-kind`, "phone"))
	new.shoots("newcomer-3-phone")
	presses("Add")
	new.does("sees that it is there", chromedp.WaitVisible(".done"))
	new.shoots("newcomer-4-added")
	follows("Bump its tag at the reader")
	presses("Wait for the tag")
	new.does("is asked for the tag", chromedp.WaitVisible(`[data-state=waiting]`))
	new.shoots("newcomer-5-bump")
	s.run("sim", "tap", "H10301:200:784")
	new.does("sees the tag", chromedp.WaitVisible(`[data-state=done]`))
	new.sees("Fairphone 6 has its tag")
	s.run("sim", "tap", "eve")
	time.Sleep(1600 * time.Millisecond) // a reader repeats itself for 1.5 s
	if says := s.run("sim", "tap", "H10301:200:784"); !strings.Contains(says, "Fairphone") {
		t.Errorf("the display says %s", says)
	}

	s.run("sim", "fault", "no-power")
	s.run("sim", "tap", "ann")
	new.does("unfolds the rest", chromedp.Click(`nav summary`, chromedp.NodeVisible))
	new.shoots("newcomer-6-more")
	follows("Stations")
	follows("lab-1")
	new.does("looks at the station", chromedp.WaitVisible(`form[action$="/selftest"]`))
	new.shoots("newcomer-7-station")
	presses("Start the self-test")
	new.does("waits for its end", chromedp.WaitVisible(".verdict.is-fail"))
	new.sees("The likeliest cause:")
	new.sees("power")
	new.shoots("newcomer-8-why")
}
