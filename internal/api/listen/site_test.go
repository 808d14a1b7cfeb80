package listen

import (
	"net"
	"os"
	"strings"
	"testing"
)

// TestSiteURL: without url it is the host's name, or the address that was given.
func TestSiteURL(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if host = strings.ToLower(host); !strings.Contains(host, ".") {
		host += ".local"
	}
	for addr, want := range map[string]string{"127.0.0.1:0": "127.0.0.1", "[::1]:0": "[::1]", "localhost:0": "127.0.0.1", ":0": host, "0.0.0.0:0": host} {
		s := &Site{Addr: addr}
		if err := s.Open(); err != nil {
			if strings.HasPrefix(addr, "[") {
				continue // no IPv6 here
			}
			t.Fatal(err)
		}
		if _, port, _ := net.SplitHostPort(s.Listens()); s.URL != "https://"+want+":"+port {
			t.Errorf("%s is reached at %s, want %s", addr, s.URL, want)
		}
		s.Close()
	}
	if err := (&Site{Addr: "192.0.2.1:1"}).Open(); err == nil {
		t.Error("an address elsewhere is listened at")
	}
}
