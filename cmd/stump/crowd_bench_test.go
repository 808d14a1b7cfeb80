package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/internal/api/wire"
	"stump/internal/testkit"
)

// crowds are loads that others put on a station over the network. Each runs until it is
// killed, in a process of its own with the lowest priority, as if it had its own machine.
var crowds = []struct {
	name string
	ask  func(addr, token string)
}{
	{"nobody", nil},
	{"100-watch", func(addr, token string) {
		for range 100 {
			go forever(func(c *http.Client) { get(c, addr, token, "events") })
		}
		forever(func(*http.Client) { time.Sleep(time.Hour) })
	}},
	{"50-ask-for-everything", func(addr, token string) {
		for i := range 50 {
			paths := []string{"people", "devices", "history", "who", "status", "people/export", "unknown", "panel", "sync"}
			go forever(func(c *http.Client) {
				get(c, addr, token, paths[i%len(paths)])
				i++
			})
		}
		select {}
	}},
	{"3000-slow-or-junk", func(addr, _ string) {
		for i := range 3000 {
			go forever(func(*http.Client) { pester(addr, i%4) })
		}
		select {}
	}},
}

func forever(ask func(*http.Client)) {
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for {
		ask(c)
	}
}

func get(c *http.Client, addr, token, path string) {
	req, _ := http.NewRequest("GET", "https://"+addr+"/v1/"+path, nil)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.Do(req)
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// pester connects and sends nothing, junk, half of a request, or reads no answer.
func pester(addr string, how int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		time.Sleep(100 * time.Millisecond)
		return
	}
	defer conn.Close()
	switch how {
	case 1:
		_, _ = conn.Write(bytes.Repeat([]byte("junk\r\n"), 1000))
	case 2, 3:
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		_, _ = io.WriteString(secure, "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
		if how == 3 {
			_, _ = io.WriteString(secure, strings.Repeat("x", 10<<10))
		}
	}
	_, _ = io.Copy(io.Discard, conn) // until it is cut off
}

// crowd is the process of a load.
func crowd() {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19)
	for _, c := range crowds {
		if c.name == os.Args[1] {
			c.ask(os.Args[2], os.Args[3])
		}
	}
}

// BenchmarkCrowd gives and takes back a device while others ask. It reports the 99th
// percentile of both in turn at a station that is left in peace and at one that isn't,
// and the anonymous memory above that of before, at most and 15 seconds after they have
// gone. What the disk does is left out where /dev/shm is memory.
func BenchmarkCrowd(b *testing.B) {
	peace := newCrowded(b)
	for _, c := range crowds {
		b.Run(c.name, func(b *testing.B) {
			d := newCrowded(b)
			before, leave := testkit.RSSAnon(b, d.cmd.Process.Pid), func() {}
			if c.ask != nil {
				cmd := exec.Command("crowd", c.name, d.addr, d.token)
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				leave = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
				defer leave()
				time.Sleep(3 * time.Second)
			}
			most := int64(0)
			quiet, loud := []time.Duration{}, []time.Duration{}
			for b.Loop() {
				quiet = append(quiet, peace.move(b))
				loud = append(loud, d.move(b))
				most = max(most, testkit.RSSAnon(b, d.cmd.Process.Pid))
			}
			p99 := func(all []time.Duration) float64 {
				slices.Sort(all)
				return float64(all[len(all)*99/100].Microseconds())
			}
			b.ReportMetric(p99(quiet), "µs/p99-in-peace")
			b.ReportMetric(p99(loud), "µs/p99")
			b.ReportMetric(p99(loud)/p99(quiet), "p99-ratio")
			b.ReportMetric(float64(most-before)/1024, "MB-more")
			leave()
			time.Sleep(15 * time.Second)
			b.ReportMetric(float64(testkit.RSSAnon(b, d.cmd.Process.Pid)-before)/1024, "MB-left")
		})
	}
}

// crowded is a station with a web address.
type crowded struct {
	*process
	addr, token string
	out         bool
}

func newCrowded(b *testing.B) *crowded {
	b.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "stump")
	if err != nil {
		dir, err = os.MkdirTemp("", "stump")
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	d := &crowded{addr: free.Addr().String()}
	free.Close()
	file, socket := filepath.Join(dir, "stump.toml"), filepath.Join(dir, "s")
	if err := os.WriteFile(file, fmt.Appendf(nil, "station = \"bench\"\n[web]\nlisten = %q\n", d.addr), 0o600); err != nil {
		b.Fatal(err)
	}
	d.process = startProcess(b, exec.Command("stump", "run", "--sim", "--config", file, "--state", dir, "--socket", socket), socket)
	d.ask("sim/seed", nil, nil)
	body, err := d.client.Stream(b.Context(), "POST", "people/import", nil, bufio.NewReader(bytes.NewReader(manyPeople(2000))))
	if err != nil {
		b.Fatal(err)
	}
	body.Close()
	var made wire.MadeToken
	if !d.ask("tokens", wire.NewToken{Name: "crowd", Role: "admin"}, &made) {
		b.Fatal("no token")
	}
	d.token = made.Secret
	for range 200 {
		d.move(b)
	}
	return d
}

// move gives the device to somebody or takes it back, and returns how long that took.
func (d *crowded) move(b *testing.B) time.Duration {
	time.Sleep(20 * time.Millisecond)
	begin := time.Now()
	ok := false
	if d.out = !d.out; d.out {
		ok = d.ask("give", wire.Give{Device: "ipad", Person: "ann"}, nil)
	} else {
		ok = d.ask("return", wire.Bring{Device: "ipad", Note: "x"}, nil)
	}
	if !ok {
		b.Fatal("refused")
	}
	return time.Since(begin)
}
