package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestUserData: what the file for cloud-init starts is what the page says is on the card, and
// the files that the page names are there.
func TestUserData(t *testing.T) {
	t.Parallel()
	data, page := readPage(t, "../../scripts/firstboot/user-data"), readPage(t, "../../docs/first-hour.md")
	for _, want := range []string{"#cloud-config\n", "ExecStart=/bin/sh /boot/firmware/stump-firstboot\n", "ConditionPathExistsGlob=|/boot/firmware/stump.toml\n",
		"ConditionPathExistsGlob=|/boot/firmware/stump_*.deb\n", "  - [systemctl, enable, --now, stump-firstboot]\n"} {
		if !strings.Contains(data, want) {
			t.Errorf("user-data lacks %q", want)
		}
	}
	files := regexp.MustCompile(`\]\((\.\./scripts/[^)]+)\)`).FindAllStringSubmatch(page, -1)
	for _, f := range files {
		if script := readPage(t, filepath.Join("../../docs", f[1])); len(script) < 500 {
			t.Errorf("%s is %d bytes long", f[1], len(script))
		}
	}
	if len(files) != 2 {
		t.Errorf("the page names %d files of scripts", len(files))
	}
}
