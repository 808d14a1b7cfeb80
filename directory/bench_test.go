package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"stump/checkout"
)

// fillLedger makes a ledger with n loans' events waiting for the sinks.
func fillLedger(b testing.TB, n, devices int, sinks ...string) Ledger {
	b.Helper()
	l, err := checkout.Create(filepath.Join(b.TempDir(), "ledger.db"), checkout.Options{
		Station: "lab", SiteKey: checkout.NewKey(), Sinks: sinks, SealTags: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	a := Ledger{l}
	recs := []Record{{Kind: Person, Name: "Ann", Ref: "1", Tag: annBadge}}
	for i := range devices {
		recs = append(recs, Record{Kind: Device, Name: fmt.Sprint("Device ", i), Ref: fmt.Sprint(i + 11), Tag: checkout.TagFromUint64(uint64(8200000+i), 26)})
	}
	if _, err := a.Apply(recs, Asker{}); err != nil {
		b.Fatal(err)
	}
	person, _ := l.Subject(annBadge)
	var subjects []checkout.Subject
	for i := range devices {
		s, _ := l.Subject(checkout.TagFromUint64(uint64(8200000+i), 26))
		subjects = append(subjects, s)
	}
	for i := range n {
		if _, err := l.Complete(checkout.Completion{Person: person, Device: subjects[i%devices]}); err != nil {
			b.Fatal(err)
		}
	}
	return a
}

// BenchmarkDrainWebhook drains a backlog of 10,000 events of 50 devices from a
// ledger on disk to a server on loopback that checks the order of each device.
func BenchmarkDrainWebhook(b *testing.B) {
	const events = 10_000
	for b.Loop() {
		b.StopTimer()
		l := fillLedger(b, events, 50, "hook")
		var mu sync.Mutex
		last, got := map[string]uint64{}, 0
		done := make(chan struct{})
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			var ev CloudEvent
			if err := json.Unmarshal(body, &ev); err != nil {
				b.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if ev.Data.Seq <= last[ev.Subject] {
				b.Errorf("%s: %d after %d", ev.Subject, ev.Data.Seq, last[ev.Subject])
			}
			last[ev.Subject] = ev.Data.Seq
			if got++; got == events {
				close(done)
			}
		}))
		hook, err := NewWebhook(WebhookConfig{Name: "hook", URL: srv.URL}, "lab")
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		begin := time.Now()
		_, stop := run(Options{Outbox: l, Register: l, Webhooks: map[string]Deliverer{"hook": hook}})
		<-done
		b.ReportMetric(events/time.Since(begin).Seconds(), "events/s")
		b.StopTimer()
		stop()
		srv.Close()
		b.StartTimer()
	}
}

// BenchmarkDrainEndpoints is the same with the original's toggle: two commits
// and a new connection for each event.
func BenchmarkDrainEndpoints(b *testing.B) {
	const events = 500
	for b.Loop() {
		b.StopTimer()
		l := fillLedger(b, events, 50, Main)
		s := newOriginal()
		for i := range 50 {
			s.devices[fmt.Sprint(8200000+i)] = fmt.Sprint("Device ", i)
		}
		srv := httptest.NewServer(s)
		d, err := Open(endpointsConfig(srv.URL))
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		begin := time.Now()
		_, stop := run(Options{Outbox: l, Register: l, Directory: d})
		for len(s.toggles()) < events {
			time.Sleep(time.Millisecond)
		}
		b.ReportMetric(events/time.Since(begin).Seconds(), "events/s")
		b.StopTimer()
		stop()
		srv.Close()
		b.StartTimer()
	}
}

func run(o Options) (*Worker, func()) {
	w := NewWorker(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return w, func() { cancel(); <-done }
}

// BenchmarkPull reads 20,000 people and 5,000 devices from the Snipe-IT double
// into an empty ledger on disk, while somebody goes on tapping; it reports the
// longest of these taps too.
func BenchmarkPull(b *testing.B) {
	s := newSnipeDouble()
	s.users, s.assets = nil, nil
	for i := range int64(20_000) {
		s.users = append(s.users, &doubleUser{id: i + 1, first: "Person", last: fmt.Sprint(i), num: fmt.Sprint(i + 1)})
	}
	for i := range int64(5_000) {
		s.assets = append(s.assets, &doubleAsset{id: i + 1, name: fmt.Sprint("Device ", i), tag: fmt.Sprint(8_000_000 + i), status: "deployable"})
	}
	srv := httptest.NewServer(s)
	defer srv.Close()
	for b.Loop() {
		b.StopTimer()
		cfg := Config{Kind: "snipeit", URL: srv.URL, TokenFile: tokenFile(b, "secret-token")}
		d, err := Open(cfg)
		if err != nil {
			b.Fatal(err)
		}
		l := fillLedger(b, 0, 1, Main)
		w := NewWorker(Options{Directory: d, Outbox: l, Register: l})
		stop, taps := make(chan struct{}), make(chan []time.Duration)
		go func() { taps <- tapOn(b, l, stop) }()
		b.StartTimer()
		begin := time.Now()
		plan, err := w.Pull(b.Context(), false)
		took := time.Since(begin)
		b.StopTimer()
		close(stop)
		waits := <-taps
		if err != nil || len(plan.Changes) < 24_000 {
			b.Fatal(len(plan.Changes), err)
		}
		b.ReportMetric(took.Seconds(), "s/pull")
		b.ReportMetric(slices.Max(waits).Seconds()*1000, "ms/longest-tap")
		b.ReportMetric(float64(len(waits)), "taps")
		b.StartTimer()
	}
}

// tapOn taps until stop and returns how long each took.
func tapOn(b testing.TB, l Ledger, stop chan struct{}) (waits []time.Duration) {
	for {
		begin := time.Now()
		bump(b, l, annBadge, checkout.TagFromUint64(8200000, 26))
		waits = append(waits, time.Since(begin))
		select {
		case <-stop:
			return waits
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// BenchmarkTapWithDeadDirectory taps in turn at a station whose directory answers
// and at one whose directory is dead, and reports both 99th percentiles of a
// tap's commit and their ratio.
func BenchmarkTapWithDeadDirectory(b *testing.B) {
	for _, x := range []fault{hangAtOnce, resetAtOnce, status500} {
		b.Run(string(x), func(b *testing.B) {
			well, ill := tapStation(b, healthy), tapStation(b, x)
			var waits [2][]time.Duration
			for b.Loop() {
				for i, l := range []Ledger{well, ill} {
					b.StopTimer()
					time.Sleep(5 * time.Millisecond) // people are not a benchmark
					b.StartTimer()
					begin := time.Now()
					bump(b, l, annBadge, checkout.TagFromUint64(8200000, 26))
					waits[i] = append(waits[i], time.Since(begin))
				}
			}
			var p99 [2]time.Duration
			for i, w := range waits {
				slices.Sort(w)
				p99[i] = w[len(w)*99/100]
			}
			b.ReportMetric(float64(p99[0].Microseconds()), "µs/p99-healthy")
			b.ReportMetric(float64(p99[1].Microseconds()), "µs/p99-dead")
			b.ReportMetric(float64(p99[1])/float64(p99[0]), "p99-ratio")
		})
	}
}

func tapStation(b *testing.B, x fault) Ledger {
	s := newOriginal()
	s.devices["8200000"] = "Device 0"
	f := newFaultServer(s)
	srv := f.serve(b)
	f.set(x)
	d, err := Open(endpointsConfig(srv.URL))
	if err != nil {
		b.Fatal(err)
	}
	l := fillLedger(b, 0, 1, Main)
	_, stop := run(Options{Directory: d, Outbox: l, Register: l})
	b.Cleanup(stop)
	return l
}

// endless is an outbox of a million rows, made as they are read.
type endless struct {
	*Memory
	rows uint64
	mu   sync.Mutex
	done uint64
}

func (e *endless) Rows(_ string, from uint64, limit int) (rows []Row, _ error) {
	for seq := max(from, 1); seq <= e.rows && len(rows) < limit; seq++ {
		rows = append(rows, Row{Seq: seq, Event: event(int(seq), fmt.Sprint("d", seq%500)), RowState: RowState{State: Queued}})
	}
	return rows, nil
}

func (e *endless) Delivered(_ string, seqs []uint64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done += uint64(len(seqs))
	return nil
}

func (e *endless) Open(_ string, r Row, _ bool) (Delivery, error) {
	return Delivery{Event: r.Event}, nil
}

// BenchmarkMillionRows drains a million rows, one device of 500 held back by a
// parked event, and reports the most heap that was in use.
func BenchmarkMillionRows(b *testing.B) {
	for b.Loop() {
		out := &endless{Memory: NewMemory("hook"), rows: 1_000_000}
		hook := &countingHook{}
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, stop := run(Options{Outbox: out, Webhooks: map[string]Deliverer{"hook": hook}})
		var most uint64
		for {
			out.mu.Lock()
			done := out.done
			out.mu.Unlock()
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
			if done >= out.rows-out.rows/500 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		stop()
		b.ReportMetric(float64(int64(most)-int64(before.HeapAlloc))/1024, "KiB-heap")
	}
}

// countingHook refuses the first event of device d7.
type countingHook struct{}

func (countingHook) Deliver(_ context.Context, d Delivery) Outcome {
	if d.Event.Seq == 7 {
		return Outcome{Verdict: Refused, Reason: "no"}
	}
	return Outcome{}
}
func (countingHook) Capabilities() Capabilities {
	return Capabilities{Deliver: true, Repeatable: true, Parallel: 8}
}
func (countingHook) String() string { return "hook" }

// BenchmarkTapBehindBacklog taps in turn at two stations whose directory is down,
// one with few events waiting and one with many, and reports the medians of a
// tap's commit.
func BenchmarkTapBehindBacklog(b *testing.B) {
	var stations []Ledger
	for _, n := range []int{1_000, 20_000} {
		l := fillLedger(b, n, 100, Main)
		down := &stage{caps: everything, alive: func() Outcome { return Outcome{Verdict: Down, Reason: "away"} }}
		_, stop := run(Options{Directory: down, Outbox: l, Register: l})
		defer stop()
		stations = append(stations, l)
	}
	waits := make([][]time.Duration, len(stations))
	for b.Loop() {
		for i, l := range stations {
			begin := time.Now()
			bump(b, l, annBadge, checkout.TagFromUint64(8200000, 26))
			waits[i] = append(waits[i], time.Since(begin))
		}
	}
	for i, name := range []string{"µs/p50-few", "µs/p50-many"} {
		slices.Sort(waits[i])
		b.ReportMetric(float64(waits[i][len(waits[i])/2].Microseconds()), name)
	}
}
