//go:build services

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/hub/hubtest"
	"stump/internal/lab/wire"
	"stump/internal/testkit"
)

// BenchmarkOffice prints what the console of a hub takes: its memory, and how long after a
// bump at a station the hub's API has it. `make bench-hub` runs it.
func BenchmarkOffice(b *testing.B) {
	for b.Loop() {
		f := newFigures(b)
		words := strings.Fields(f.hub.does("web", "admin-link"))
		jar, err := cookiejar.New(nil)
		f.ok(err)
		admin := pinned(f.pin)
		admin.Jar = jar
		_, secret, _ := strings.Cut(words[len(words)-1], "#")
		page := func(path string) string {
			got, err := admin.Get("https://" + f.hub.addr + path)
			f.ok(err)
			defer got.Body.Close()
			body, err := io.ReadAll(got.Body)
			f.ok(err)
			if got.StatusCode != http.StatusOK {
				f.Fatalf("%s: %d %s", path, got.StatusCode, body)
			}
			return string(body)
		}
		for in := false; !in; time.Sleep(50 * time.Millisecond) { // until the office is open
			got, err := admin.PostForm("https://"+f.hub.addr+"/login", url.Values{"secret": {secret}})
			f.ok(err)
			got.Body.Close()
			in = got.StatusCode == http.StatusOK
		}
		north := (&shell{b, f.hub.file}).join("north")
		fmt.Printf("\n| what | hub |\n|---|---|\n| memory, idle, with an office (RssAnon) | %d MB |\n", testkit.RSSAnon(b, f.hub.cmd.Process.Pid)>>10)
		var all []time.Duration
		board := hubtest.New("north", time.Now())
		patches := []wire.Patch{{Kind: "device", ID: "ipad", Fields: map[string]string{"name": "iPad"}}}
		for i := range 2 {
			patches = append(patches, wire.Patch{Kind: "person", ID: fmt.Sprint("person-", i), Fields: map[string]string{"name": fmt.Sprint("Person ", i)}})
		}
		for i := range 400 {
			board.Now = time.Now()
			board.Bump("ipad", fmt.Sprint("person-", i%2), "", checkout.Place{})
			a := board.Next(len(board.Records)-1, 0)
			a.Patches, patches = patches, nil
			began := time.Now()
			north.asks("POST", wire.PathAppend, a)
			for has := false; !has; {
				has = strings.Contains(page("/v1/who"), fmt.Sprintf(`"person_id":"person-%d"`, i%2))
			}
			all = append(all, time.Since(began))
		}
		slices.Sort(all)
		fmt.Printf("| a bump at a station until the hub's /v1/who has it, p50 / p99 | %.1f / %.1f ms |\n", ms(all[len(all)/2]), ms(all[len(all)*99/100]))
	}
}
