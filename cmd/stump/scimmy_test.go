//go:build services

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"stump/directory/directorytest"
)

// A station whose people come from a SCIM server that others wrote: somebody begins,
// bumps, leaves, and another is deleted.
func TestStationWithSCIMMY(t *testing.T) {
	t.Parallel()
	server := directorytest.StartSCIMMY(t, "../../scripts")
	ann := server.Add("ann@x", "Ann Okafor", "31066", "")
	ben := server.Add("ben@x", "Ben Lindqvist", "31067", "")
	s := &site{t: t, dir: t.TempDir()}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("token", server.Token)
	write("stump.toml", fmt.Sprintf(`station = "lab"
[[reader]]
[directory]
kind = "scim"
url = %q
token_file = %q
badge_form = "H10301:84:{}"
`, server.URL, s.path("token")))
	s.station("2 people, pulled")
	says := func(want string, args ...string) {
		t.Helper()
		if got := s.run(args...); !strings.Contains(got, want) {
			t.Errorf("stump %s says\n%swant %q", strings.Join(args, " "), got, want)
		}
	}
	says("Hello Ben", "sim", "tap", "H10301:84:31067")

	server.SetActive(ann, false)
	server.Delete(ben)
	server.Add("cem@x", "Cem Yıldız", "31068", "")
	s.run("sync", "pull", "--force")
	for name, want := range map[string]string{"Ann Okafor": "suspended", "Ben Lindqvist": "suspended", "Cem Yıldız": "active"} {
		var line string
		for l := range strings.Lines(s.run("people", "list")) {
			if strings.Contains(l, name) {
				line = l
			}
		}
		if !strings.HasSuffix(line, want+"\n") {
			t.Errorf("%s is %q, want %s", name, line, want)
		}
	}
	says("See the desk", "sim", "tap", "H10301:84:31066")
	says("Hello Cem", "sim", "tap", "H10301:84:31068")
}
