package main

import (
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"stump/directory/directorytest"
)

// snipes is the key of a script's server.
const snipes = "snipe"

// snipe begins Snipe-IT with Ann Okafor (11), Ben Okri (12), an iPad (41) and a Pixel
// (42), and writes its address into configurations: snipe FILE…. Then an admin puts an
// asset somewhere at its page, or one waits until it is there: snipe put|holds ASSET
// [user|location ID].
func snipe(ts *testscript.TestScript, neg bool, args []string) {
	if args[0] != "put" && args[0] != "holds" {
		s := &directorytest.Snipe{
			Users:  []directorytest.SnipeUser{{ID: 11, Name: "Ann Okafor", Num: "1001"}, {ID: 12, Name: "Ben Okri", Num: "1002"}},
			Assets: []*directorytest.SnipeAsset{{ID: 41, Name: "iPad", Tag: "2001"}, {ID: 42, Name: "Pixel", Tag: "2002"}},
		}
		srv := httptest.NewServer(s)
		ts.Defer(srv.Close)
		for _, file := range args {
			cfg := strings.NewReplacer("@URL@", srv.URL, "@DIR@", ts.MkAbs(".")).Replace(ts.ReadFile(file))
			ts.Check(os.WriteFile(ts.MkAbs(file), []byte(cfg), 0o600))
		}
		*ts.Value(snipes).(**directorytest.Snipe) = s
		return
	}
	s := *ts.Value(snipes).(**directorytest.Snipe)
	asset, err := strconv.Atoi(args[1])
	ts.Check(err)
	to, holder, want := "", 0, "nobody"
	if len(args) > 2 {
		to = args[2]
		holder, err = strconv.Atoi(args[3])
		ts.Check(err)
		want = to + " " + args[3]
	}
	if args[0] == "put" {
		s.Put(asset, to, holder)
		return
	}
	for end := time.Now().Add(15 * time.Second); s.Where(asset) != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("Snipe-IT has %d with %s, want %s", asset, s.Where(asset), want)
		}
	}
}
