//go:build services

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"stump/internal/hub/pgtest"
)

// TestHubPages is an admin's day at the hub: what is bumped at a station is seen there without
// a reload, and what is said there is heard at the station.
func TestHubPages(t *testing.T) {
	t.Parallel()
	hub, asks := startHub(t)
	s := &site{t: t, dir: t.TempDir()}
	if err := os.WriteFile(s.path("stump.toml"), []byte("station = \"north\"\n[clock]\ntrust = \"rtc\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.station("")
	s.run("sim", "seed")
	admin := newPerson(t, startBrowser(t), hub)
	admin.does("follows the link", chromedp.Navigate(asks("web", "admin-link")), chromedp.WaitVisible(`form[action="/logout"]`))
	s.run("join", asks("join-code"))
	row := func(device, who string) string {
		return fmt.Sprintf(`tr[data-device="%s"][data-person="%s"]`, device, who)
	}
	s.run("sim", "tap", "ann")
	s.run("sim", "tap", "ipad")
	admin.does("sees the bump", holds(fmt.Sprintf(`document.querySelector('%s')`, row("ipad", "ann"))))
	admin.does("gives it to Ben", chromedp.Click(row("ipad", "ann")+" a[href^='/devices/']"), chromedp.WaitVisible(`form[action$="/give"]`),
		chromedp.SendKeys(`form[action$="/give"] input[name=person]`, "Ben Lindqvist"), submits(`form[action$="/give"] button`), chromedp.WaitVisible(`.done`))
	admin.sees("with Ben Lindqvist")
	for end := time.Now().Add(time.Minute); !strings.Contains(s.run("who"), "Ben Lindqvist"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the station has not heard of it: %s", s.run("who"))
		}
	}
	admin.does("looks at the board", chromedp.Navigate(hub+"/"), chromedp.WaitVisible(row("ipad", "ben")))
	s.run("sim", "tap", "ipad")
	s.run("sim", "tap", "ben")
	admin.does("sees that it is back", holds(fmt.Sprintf(`!document.querySelector('%s')`, row("ipad", "ben"))))
	testPages(t, admin, "/", "/stations", "/stations/hub", "/kiosk")
}

// startHub runs a hub. asks runs a command of it, and returns the last word that it prints.
func startHub(t *testing.T) (address string, asks func(args ...string) string) {
	t.Helper()
	database := pgtest.Own(t)
	if err := database.Exec("postgres", "create database lab"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program, file := filepath.Join(dir, "stump-hub"), filepath.Join(dir, "hub.toml")
	if out, err := exec.Command("go", "build", "-o", program, "stump/cmd/stump-hub").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	listen := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	address = "https://" + listen
	if err := os.WriteFile(file, fmt.Appendf(nil, "[database]\nurl = %q\n[web]\nlisten = %q\nurl = %q\n", database.URL("lab"), listen, address), 0o600); err != nil {
		t.Fatal(err)
	}
	try := func(args ...string) (string, error) {
		out, err := exec.Command(program, append([]string{"--config", file}, args...)...).Output()
		words := strings.Fields(string(out))
		return strings.Join(words[max(0, len(words)-1):], ""), err
	}
	asks = func(args ...string) (word string) {
		t.Helper()
		var err error
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if word, err = try(args...); err == nil {
				return word
			}
		}
		t.Fatal(args, err)
		return ""
	}
	asks("setup")
	run := exec.Command(program, "--config", file, "run")
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM)
		_ = run.Wait()
	})
	return address, asks
}
