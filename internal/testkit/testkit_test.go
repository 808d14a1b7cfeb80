package testkit

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// Several may write while others read; the race detector watches.
func TestLog(t *testing.T) {
	var l Log
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				fmt.Fprintf(&l, "line of %d\n", i)
				if s := l.String(); !strings.HasPrefix(s, "line of ") || !strings.HasSuffix(s, "\n") {
					t.Errorf("half a write: %q", s)
				}
			}
		})
	}
	wg.Wait()
	if n, seven := l.Count("line"), l.Count("of 7"); n != 400 || seven != 50 {
		t.Errorf("%d lines, %d of the last writer", n, seven)
	}
}

// end is how a test has ended.
type end struct {
	testing.TB
	how string
}

func (e *end) Helper()          {}
func (e *end) Skip(why ...any)  { e.how = fmt.Sprint("skip: ", fmt.Sprint(why...)) }
func (e *end) Fatal(why ...any) { e.how = fmt.Sprint("fail: ", fmt.Sprint(why...)) }

// What is missing is no failure for whoever works on something else, but on CI it is.
func TestNeed(t *testing.T) {
	for _, c := range []struct {
		ci, want string
		ok       bool
	}{
		{"", "", true}, {"true", "", true},
		{"", "skip: needs dpkg", false}, {"false", "skip: needs dpkg", false},
		{"true", "fail: on CI no test is skipped, and this one needs dpkg", false},
	} {
		t.Setenv("CI", c.ci)
		var e end
		if Need(&e, c.ok, "dpkg"); e.how != c.want {
			t.Errorf("CI=%q, there %v: %q, want %q", c.ci, c.ok, e.how, c.want)
		}
	}
}

// The memory that a process has written to is counted, the pages of its
// program are not.
func TestRSSAnon(t *testing.T) {
	before := RSSAnon(t, os.Getpid())
	b := make([]byte, 64<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	after := RSSAnon(t, os.Getpid())
	if grown := after - before; grown < 48<<10 || grown > 256<<10 {
		t.Errorf("64 MiB more are %d KiB", grown)
	}
	if b[4096] != 1 {
		t.Error("the memory is needed until here")
	}
}
