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
