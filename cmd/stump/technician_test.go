//go:build services

package main

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestTechnician finds out in a browser why the reader is silent: two wires are exchanged.
// An admin, whose browser has a session, watches the lines and gives them back.
func TestTechnician(t *testing.T) {
	t.Parallel()
	s, admin := consoleStation(t)
	tess := newPerson(t, admin.ctx, admin.station)
	_, token, _ := strings.Cut(s.run("token", "add", "tess", "--role", "technician"), "\n")
	tess.does("has a token", network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"Authorization": "Bearer " + strings.TrimSpace(token)}))

	tess.does("looks at the station", chromedp.Navigate(tess.station+"/stations"), chromedp.Click(`main a[href="/stations/lab-1"]`, chromedp.NodeVisible), chromedp.WaitVisible(`form[action$="/selftest"]`))
	tess.sees("All is well.")
	s.run("sim", "fault", "swapped")
	for range 4 {
		s.run("sim", "tap", "ann")
	}
	s.eventually("the fault is known", func() bool { return strings.Contains(s.run("status"), "exchanged") })
	tess.does("looks again", chromedp.Reload(), chromedp.WaitVisible(".troubles"), chromedp.WaitVisible(".wave svg"))
	tess.sees("cards are right only with DATA0 and DATA1 exchanged")
	tess.shoots("station-swapped")

	tess.does("starts the self-test", chromedp.Click(`form[action$="/selftest"] button`), chromedp.WaitVisible("tr.is-pass"))
	tess.shoots("selftest-running")
	tess.does("sees its end", chromedp.WaitVisible(".verdict.is-fail"))
	tess.sees("The likeliest cause: DATA0 and DATA1 exchanged.")
	tess.does("sees the wiring", chromedp.ScrollIntoView("tr.is-fail img.wiring"),
		holds(`document.querySelector("tr.is-fail img.wiring").naturalWidth > 0`))
	tess.shoots("selftest-ended")
	testPages(t, tess, "/stations", "/stations/lab-1", "/stations/lab-1/scope?reader=stump", tess.where())

	s.run("sim", "fault", "off")
	admin.does("watches the lines", chromedp.Navigate(admin.station+"/stations/lab-1"), chromedp.Click(`a[href*="/scope?"]`, chromedp.NodeVisible), chromedp.WaitVisible("#counts:not(:empty)"))
	if status := s.run("status"); !strings.Contains(status, "has the lines for a scope") {
		t.Errorf("nobody has the lines:\n%s", status)
	}
	s.run("sim", "tap", "ann")
	admin.does("sees the card", chromedp.WaitVisible("#said:not(:empty)"))
	admin.sees("26 bits, H10301, parity OK, number …")
	admin.sees("1 good, 0 refused")
	admin.does("sees pulses", holds(`(() => {
		const c = document.getElementById("scope"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		let ink = 0;
		for (let i = 3; i < d.length; i += 4) if (d[i]) ink++;
		return ink > 1000;
	})()`))
	admin.shoots("scope")
	admin.does("pauses", chromedp.Click("#pause"))
	s.run("sim", "tap", "ben")
	admin.does("sees what was", chromedp.WaitVisible("#pause:checked"))
	admin.sees("1 good, 0 refused")
	admin.does("leaves", chromedp.Click(`main a.button`), chromedp.WaitVisible(`form[action$="/selftest"]`))
	s.eventually("the lines are given back", func() bool { return !strings.Contains(s.run("status"), "has the lines") })
	if out := s.run("sim", "tap", "ann"); !strings.Contains(out, "Hello") {
		t.Errorf("the display shows %s", out)
	}
}

// TestKiosk is a screen beside the reader: what the display says is there at once, the
// station may come and go, and a reload is never needed.
func TestKiosk(t *testing.T) {
	t.Parallel()
	s, admin := consoleStation(t)
	screen := newPerson(t, admin.ctx, admin.station)
	_, token, _ := strings.Cut(s.run("token", "add", "hall", "--role", "board"), "\n")
	screen.does("is put up", chromedp.Navigate(screen.station+"/kiosk?token="+strings.TrimSpace(token)), chromedp.WaitVisible(`li[data-device=quest][data-person=cem]`))
	if at := screen.where(); at != "/kiosk" {
		t.Errorf("the screen is at %s", at)
	}
	testPages(t, screen, "/kiosk", "/login")
	screen.does("is there again", chromedp.EmulateViewport(1280, 800), chromedp.Navigate(screen.station+"/kiosk"), chromedp.WaitVisible(".panel"))
	s.run("sim", "tap", "ann")
	screen.does("greets", holds(`document.querySelector(".panel").textContent.includes("Ann")`))
	s.run("sim", "tap", "ipad")
	screen.does("says what was taken", chromedp.WaitVisible(`li[data-device=ipad][data-person=ann]`), holds(`document.querySelector(".panel").textContent.includes("Checked out")`))
	screen.shoots("kiosk")
	_ = s.daemon.cmd.Process.Kill()
	_ = s.daemon.cmd.Wait()
	screen.does("is alone", chromedp.WaitVisible("#away"))
	var says string
	screen.does("says so", chromedp.Text("#away", &says))
	if says != "Screen not connected. Bumps still count." {
		t.Errorf("it says %q", says)
	}
	s.station("")
	screen.does("comes back by itself", chromedp.WaitNotVisible("#away"))
	s.run("sim", "tap", "ben")
	screen.does("goes on", holds(`document.querySelector(".panel").textContent.includes("Ben")`))
}

// where is the path of the page.
func (p *person) where() (path string) {
	p.Helper()
	p.does("looks where it is", chromedp.Evaluate("location.pathname", &path))
	return path
}
