package directory

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/checkout/ledger"
	"stump/directory/call"
	"stump/directory/webhook"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

// The backlog of months: a million events of 500 devices for a webhook.
const (
	backlogRows    = 1_000_000
	backlogDevices = 500
	backlogDrained = 100_000 // of them; the rest would be the same
)

// BenchmarkBacklog opens a ledger on disk with a million rows for a dead webhook,
// taps at it and at one with a thousand rows in turn, brings the server back and
// delivers some of the rows while taps go on. Making the ledger takes minutes and
// 1 GB. Run it with -benchtime 1x.
func BenchmarkBacklog(b *testing.B) {
	path, key := backlogFile(b)
	for b.Loop() {
		benchBacklog(b, path, key)
	}
}

func benchBacklog(b *testing.B, path string, key []byte) {
	few := fillLedger(b, 1_000, backlogDevices, "hook")
	s := newOrderedHook(b)
	addr := strings.TrimPrefix(s.srv.URL, "http://")
	s.srv.Close()
	hook, err := webhook.New(webhook.Config{Name: "hook", URL: "http://" + addr, HTTP: call.HTTP{Proxy: "none"}})
	if err != nil {
		b.Fatal(err)
	}
	nobody, err := webhook.New(webhook.Config{Name: "hook", URL: "http://127.0.0.1:1", HTTP: call.HTTP{Proxy: "none"}})
	if err != nil {
		b.Fatal(err)
	}
	dead := drawing(defaultBackoff.random)
	dead.first, dead.early, dead.hurried = time.Millisecond, 100*time.Millisecond, time.Millisecond
	anon := func() int64 {
		runtime.GC()
		return testkit.RSSAnon(b, os.Getpid())
	}
	before := anon()

	begin := time.Now()
	l, err := ledger.Open(path, ledger.Options{Station: "lab", SiteKey: key, Sinks: []string{"hook", "late"}})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	many := &box{l, b}
	late := &stage{caps: everything}
	w, stop := run(Options{Ledger: many, Webhooks: map[string]Deliverer{"hook": hook, "late": late}, backoff: dead})
	_, stopFew := run(Options{Ledger: few, Webhooks: map[string]Deliverer{"hook": nobody}, backoff: dead})
	for !w.Behind() {
		time.Sleep(100 * time.Microsecond)
	}
	b.ReportMetric(time.Since(begin).Seconds()*1000, "ms/open-to-first-probe")
	time.Sleep(3 * time.Second) // tens of probes
	probing := anon()

	b.ReportMetric(ms(p50(benchStatus(b, w, backlogRows))), "ms/status")
	waits := tapInTurn(b, 500, few, many)
	b.ReportMetric(us(p50(waits[0])), "µs/tap-p50-few")
	b.ReportMetric(us(p50(waits[1])), "µs/tap-p50-million")
	b.ReportMetric(us(p99(waits[0])), "µs/tap-p99-few")
	b.ReportMetric(us(p99(waits[1])), "µs/tap-p99-million")
	probing = max(probing, anon())

	restartAt(b, addr, s)
	begin = time.Now()
	stopTaps, taps := make(chan struct{}), make(chan []time.Duration)
	go func() { taps <- tapOn(b, many, stopTaps) }()
	draining := int64(0)
	for n := backlogRows; n > backlogRows-backlogDrained; time.Sleep(250 * time.Millisecond) {
		if n, err = many.Backlog("hook"); err != nil {
			b.Fatal(err)
		}
		draining = max(draining, anon())
	}
	b.ReportMetric(backlogDrained/time.Since(begin).Seconds(), "events/s-drained")
	close(stopTaps)
	b.ReportMetric(us(p99(<-taps)), "µs/tap-p99-draining")
	waits = tapInTurn(b, 500, few, many)
	b.ReportMetric(us(p50(waits[0])), "µs/tap-p50-few-draining")
	b.ReportMetric(us(p50(waits[1])), "µs/tap-p50-million-draining")
	stop()
	stopFew()
	b.ReportMetric(float64(before), "KiB-RssAnon-before")
	b.ReportMetric(float64(probing), "KiB-RssAnon-probing")
	b.ReportMetric(float64(draining), "KiB-RssAnon-draining")
}

// benchStatus asks for the status, which must show the whole backlog.
func benchStatus(b *testing.B, w *Worker, rows int) (took []time.Duration) {
	for range 100 {
		begin := time.Now()
		st, err := w.Status()
		took = append(took, time.Since(begin))
		i := slices.IndexFunc(st.Sinks, func(s SinkStatus) bool { return s.Name == "hook" })
		if err != nil || st.Sinks[i].Backlog < rows || st.Sinks[i].Oldest == nil {
			b.Fatalf("%+v, %v", st.Sinks, err)
		}
	}
	return took
}

// tapInTurn taps n times at each ledger, in changing order. It pauses before each
// tap, so that no tap waits for what a worker writes about the previous one. It
// returns how long each commit took.
func tapInTurn(b *testing.B, n int, ledgers ...*box) [][]time.Duration {
	waits := make([][]time.Duration, len(ledgers))
	for turn := range n {
		for i := range ledgers {
			i = (i + turn) % len(ledgers)
			time.Sleep(10 * time.Millisecond) // people are slower
			begin := time.Now()
			ledgers[i].bump(annBadge, oracleTag(0))
			waits[i] = append(waits[i], time.Since(begin))
		}
	}
	return waits
}

// backlogFile makes the ledger in memory, where commits are fast, and copies it to
// disk.
func backlogFile(b *testing.B) (path string, key []byte) {
	dir, err := os.MkdirTemp("/dev/shm", "stump-bench-")
	if err != nil {
		dir = b.TempDir()
	}
	defer os.RemoveAll(dir)
	key = sitekey.New()
	made := filepath.Join(dir, "ledger.db")
	begin := time.Now()
	fillFile(b, made, key, backlogRows, backlogDevices, "hook").Close()
	path = filepath.Join(b.TempDir(), "ledger.db")
	from, err := os.Open(made)
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	size, err := io.Copy(to, from)
	if err := cmp.Or(err, to.Sync(), to.Close()); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d rows in %d MiB, made in %s", backlogRows, size>>20, time.Since(begin).Round(time.Second))
	return path, key
}

// orderedHook is a receiver that checks the order of each device.
type orderedHook struct {
	b   testing.TB
	srv *httptest.Server

	mu   sync.Mutex
	last map[string]uint64
	got  int
}

func newOrderedHook(b testing.TB) *orderedHook {
	h := &orderedHook{b: b, last: map[string]uint64{}}
	h.srv = httptest.NewServer(h)
	b.Cleanup(h.srv.Close)
	return h
}

func (h *orderedHook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var ev webhook.CloudEvent
	if err := json.Unmarshal(body, &ev); err != nil {
		h.b.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if ev.Data.Seq <= h.last[ev.Subject] {
		h.b.Errorf("%s: %d after %d", ev.Subject, ev.Data.Seq, h.last[ev.Subject])
	}
	h.last[ev.Subject] = ev.Data.Seq
	h.got++
}

func (h *orderedHook) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.got
}

func percentile(all []time.Duration, p int) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)*p/100]
}

func p50(all []time.Duration) time.Duration { return percentile(all, 50) }
func p99(all []time.Duration) time.Duration { return percentile(all, 99) }
func us(d time.Duration) float64            { return float64(d.Nanoseconds()) / 1e3 }
func ms(d time.Duration) float64            { return float64(d.Nanoseconds()) / 1e6 }
