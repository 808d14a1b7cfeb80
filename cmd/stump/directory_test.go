package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// directoryDouble serves a SCIM directory of two people until the script ends, and
// writes NAME.toml, a configuration for it: directory good|bad. The bad one counts
// three people, and the configuration names a field that nobody has.
func directoryDouble(ts *testscript.TestScript, _ bool, args []string) {
	count, field := 2, "nickName"
	if args[0] == "bad" {
		count, field = 3, "badgeNumber"
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("startIndex") != "1" && q.Get("count") != "1" {
			fmt.Fprintf(w, `{"totalResults":%d}`, count)
			return
		}
		fmt.Fprintf(w, `{"totalResults":%d,"Resources":[{"id":"1","userName":"Ann","nickName":"1001"},{"id":"2","userName":"Ben","nickName":"1002"}]}`, count)
	}))
	ts.Defer(srv.Close)
	config := fmt.Sprintf("[[reader]]\nname = \"stump\"\n[directory]\nkind = \"scim\"\nurl = %q\nbadge_field = %q\nbadge_form = \"H10301:17:{}\"\n", srv.URL, field)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".toml"), []byte(config), 0o600))
}
