package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/sitekey"
)

// load is what a daemon is busy with.
type load struct {
	name, config string
	ask          []string // commands that are under way
	reads        string   // what a client asks for and never reads
	big          bool     // with a ledger of bigEvents events
	env          string
	damaged      bool // the ledger, which is salvaged at the start
}

// BenchmarkStop is how long the daemon takes from SIGTERM to its end while it is busy with
// what takes longest: ms/stop is the longest of the runs. The loads of a large ledger have
// 100,000 events, or STUMP_BENCH_EVENTS.
func BenchmarkStop(b *testing.B) {
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	b.Cleanup(hangs.CloseClientConnections)
	register := filepath.Join(b.TempDir(), "people.csv")
	if err := os.WriteFile(register, manyPeople(50_000), 0o600); err != nil {
		b.Fatal(err)
	}
	big := sync.OnceValues(func() (string, error) {
		dir, err := bigLedger()
		b.Cleanup(func() { os.RemoveAll(dir) })
		return dir, err
	})
	const retain = "[privacy]\nretain_closed_loans = \"24h\"\n[clock]\ntrust = \"rtc\"\n"
	for _, load := range []load{
		{name: "idle"},
		{name: "import", ask: []string{"people import " + register}},
		{name: "selftest", ask: []string{"selftest"}},
		{name: "slow-reader", reads: "GET /v1/history"},
		{name: "scope", reads: "POST /v1/scope"},
		{name: "webhook-hangs", config: "[[webhook]]\nname = \"h\"\nurl = \"" + hangs.URL + "\"\n", ask: []string{"sim tap ann", "sim tap ipad"}},
		{name: "directory-hangs", config: "[directory]\nkind = \"endpoints\"\ncheckinout = \"" + hangs.URL + "/?s={staff}&a={asset}\"\nwhatis = \"" + hangs.URL +
			"/?r={tag}\"\n[[reader]]\npreset = \"original\"\n", ask: []string{"sim tap ann", "sim tap ipad"}},
		{name: "big/verify", big: true, ask: []string{"verify", "people export", "history --json"}},
		{name: "big/backup", big: true, ask: []string{"backup " + filepath.Join(b.TempDir(), "copy.db")}},
		{name: "big/search", big: true, reads: "GET /v1/history?q=nothing"},
		{name: "big/since", big: true, reads: "GET /v1/history?since=2001-01-01T00:00:00Z&q=nothing"},
		{name: "big/dossier", big: true, ask: []string{"people dossier person-1"}},
		{name: "big/erase", big: true, ask: []string{"people erase nobody-1 --yes"}},
		{name: "big/daily", big: true, env: firstDaily + "=1ms"},
		{name: "big/retention", big: true, env: firstDaily + "=1ms", config: retain},
		{name: "big/salvage", big: true, damaged: true},
	} {
		b.Run(load.name, func(b *testing.B) {
			longest := time.Duration(0)
			for range b.N {
				longest = max(longest, load.stop(b, big))
			}
			b.ReportMetric(float64(longest.Milliseconds()), "ms/stop")
		})
	}
}

// stop starts a daemon, gives it the load, and stops it.
func (load load) stop(b *testing.B, big func() (string, error)) time.Duration {
	dir := b.TempDir()
	file, socket := filepath.Join(dir, "stump.toml"), filepath.Join(dir, "s")
	if err := os.WriteFile(file, []byte("station = \"bench\"\n"+load.config), 0o600); err != nil {
		b.Fatal(err)
	}
	if load.big {
		from, err := big()
		if err == nil {
			err = os.CopyFS(dir, os.DirFS(from))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	cmd := exec.Command("stump", "run", "--sim", "--config", file, "--state", dir, "--socket", socket)
	cmd.Env = append(os.Environ(), load.env)
	if load.damaged {
		if err := os.WriteFile(filepath.Join(dir, "ledger.db.suspect"), []byte("a benchmark"), 0o600); err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
	} else {
		d := startProcess(b, cmd, socket)
		d.ask("sim/seed", nil, nil)
	}
	for _, command := range load.ask {
		cmd := exec.Command("stump", append([]string{"--socket", socket}, strings.Fields(command)...)...)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		time.Sleep(300 * time.Millisecond)
	}
	if load.reads != "" {
		c, err := net.Dial("unix", socket)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: stump\r\nAccept: application/x-ndjson\r\n\r\n", load.reads)
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.ReadFull(c, make([]byte, 100))
	}
	if load.env != "" || load.damaged {
		time.Sleep(time.Second)
	}
	begin := time.Now()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	return time.Since(begin)
}

// bigLedger makes the state folder of a station with many events, two years old.
func bigLedger() (dir string, err error) {
	events := 100_000
	if n, err := strconv.Atoi(os.Getenv("STUMP_BENCH_EVENTS")); err == nil {
		events = n
	}
	if dir, err = os.MkdirTemp("/dev/shm", "stump-bench-"); err != nil { // a commit is quick there
		dir, err = os.MkdirTemp("", "stump-bench-")
	}
	if err == nil {
		err = fillState(dir, events)
	}
	return dir, err
}

func fillState(dir string, events int) error {
	keys, err := sitekey.LoadOrCreate(filepath.Join(dir, "site.key"))
	if err != nil {
		return err
	}
	at := checkout.Stamp{Wall: time.Now().AddDate(-2, 0, 0), Trusted: true}
	l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{Station: "bench", SiteKey: keys.Current, Stamp: func() checkout.Stamp {
		at.Wall, at.Mono = at.Wall.Add(time.Second), at.Mono+time.Second
		return at
	}})
	if err != nil {
		return err
	}
	defer l.Close()
	const people, devices = 100, 100
	err = l.SetSimulated(true)
	for i := 1; i <= people && err == nil; i++ {
		err = errors.Join(
			l.AddPerson(books.Person{ID: fmt.Sprint("person-", i), Name: fmt.Sprint("Person ", i)}, checkout.Tag{}, "admin", checkout.SourceCLI),
			l.AddDevice(books.Device{ID: fmt.Sprint("device-", i), Name: fmt.Sprint("Device ", i)}, checkout.Tag{}, "admin", checkout.SourceCLI))
	}
	err = errors.Join(err, l.AddPerson(books.Person{ID: "nobody-1", Name: "Nobody"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	for i := 0; i < events && err == nil; i++ {
		_, err = l.Complete(checkout.Completion{
			Person: checkout.Subject{Kind: checkout.KindPerson, ID: fmt.Sprint("person-", i/2%people+1)},
			Device: checkout.Subject{Kind: checkout.KindDevice, ID: fmt.Sprint("device-", i/2*7%devices+1)}, Reader: "stump",
		})
	}
	return err
}

func manyPeople(n int) []byte {
	var b strings.Builder
	b.WriteString("id,name,badge\n")
	for i := range n {
		fmt.Fprintf(&b, "p%d,Person %d,raw34:%d\n", i, i, 10_000_000+i)
	}
	return []byte(b.String())
}
