package directory

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory/call"
	"stump/directory/directorytest"
	"stump/directory/webhook"
	"stump/internal/books"
	"stump/internal/sitekey"
	"stump/internal/task"
	"stump/internal/testkit"
)

// fillLedger makes a ledger on disk with n loans' events waiting for the sinks.
func fillLedger(b testing.TB, n, devices int, sinks ...string) *box {
	b.Helper()
	l := fillFile(b, filepath.Join(b.TempDir(), "ledger.db"), sitekey.New(), n, devices, sinks...)
	b.Cleanup(func() { l.Close() })
	return l
}

func fillFile(b testing.TB, path string, key []byte, n, devices int, sinks ...string) *box {
	b.Helper()
	l, err := ledger.Create(path, ledger.Options{Station: "lab", SiteKey: key, Sinks: sinks, SealTags: true})
	if err != nil {
		b.Fatal(err)
	}
	x := &box{l, b}
	rows := []books.SyncRow{{Kind: checkout.KindPerson, Name: "Ann", Ref: "1", Tag: annBadge}}
	for i := range devices {
		rows = append(rows, books.SyncRow{Kind: checkout.KindDevice, Name: fmt.Sprint("Device ", i), Ref: fmt.Sprint(i + 11), Tag: oracleTag(i)})
	}
	x.sync(rows...)
	person := x.subject(checkout.KindPerson, annBadge)
	var subjects []checkout.Subject
	for i := range devices {
		subjects = append(subjects, x.subject(checkout.KindDevice, oracleTag(i)))
	}
	for i := range n {
		x.complete(person, subjects[i%devices])
	}
	return x
}

// BenchmarkDrainWebhook drains a backlog of 10,000 events of 50 devices from a
// ledger on disk to a server on loopback that checks the order of each device.
func BenchmarkDrainWebhook(b *testing.B) {
	const events = 10_000
	for b.Loop() {
		b.StopTimer()
		l := fillLedger(b, events, 50, "hook")
		s := newOrderedHook(b)
		hook, err := webhook.New(webhook.Config{Name: "hook", URL: s.srv.URL})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		begin := time.Now()
		_, stop := run(Options{Ledger: l, Webhooks: map[string]Deliverer{"hook": hook}})
		for s.count() < events {
			time.Sleep(time.Millisecond)
		}
		b.ReportMetric(events/time.Since(begin).Seconds(), "events/s")
		b.StopTimer()
		stop()
		s.srv.Close()
		b.StartTimer()
	}
}

// BenchmarkDrainEndpoints does the same with the original's toggle: two commits and
// a new connection for each event.
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
		d, err := endpointsAt(srv.URL).open()
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		begin := time.Now()
		_, stop := run(Options{Ledger: l, Directory: d})
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
	w := newWorker(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return w, func() { cancel(); <-done }
}

// BenchmarkPull reads 20,000 people and 5,000 devices that are all out from Snipe-IT
// into an empty ledger on disk, and then again, when nothing is new. The server is a
// process of its own, with the lowest priority, as if it had its own machine. It also
// reports taps before and meanwhile, and the anonymous memory above that of an idle process.
func BenchmarkPull(b *testing.B) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	at := free.Addr().String()
	free.Close()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), bigSnipeAt+"="+at)
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	for {
		if conn, err := net.Dial("tcp", at); err == nil {
			conn.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for b.Loop() {
		b.StopTimer()
		d, err := openSnipe("http://"+at, tokenFile(b, "secret-token"), call.HTTP{}, 0)
		if err != nil {
			b.Fatal(err)
		}
		alone := NewWorker(Options{Directory: d, Ledger: fillLedger(b, 0, 1, Main)})
		begin := time.Now()
		if err := alone.Pull(b.Context(), false); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s/pull-alone")
		l := fillLedger(b, 0, 1, Main)
		w := NewWorker(Options{Directory: d, Ledger: l})
		stop, taps := make(chan struct{}), make(chan []time.Duration)
		tap := func() { taps <- tapOn(b, l, stop) }
		go tap()
		time.Sleep(5 * time.Second)
		close(stop)
		before := <-taps
		stop = make(chan struct{})
		go tap()
		debug.FreeOSMemory()
		idle := testkit.RSSAnon(b, os.Getpid())
		b.StartTimer()
		begin = time.Now()
		most := peak(b, func() { err = w.Pull(b.Context(), false) })
		took := time.Since(begin)
		b.StopTimer()
		close(stop)
		waits := <-taps
		if held := len(l.holders()); held < 4_999 {
			b.Fatalf("%d of 5,000 loans were taken over", held)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(took.Seconds(), "s/pull-meanwhile")
		b.ReportMetric(slices.Max(waits).Seconds()*1000, "ms/longest-tap")
		b.ReportMetric(us(p99(before)), "µs/tap-before-p99")
		b.ReportMetric(us(p99(waits)), "µs/tap-meanwhile-p99")
		b.ReportMetric(float64(len(waits)), "taps")
		b.ReportMetric(float64(most-idle)/1024, "MB/above-idle")
		stop = make(chan struct{})
		go tap()
		begin = time.Now()
		if err := w.Pull(b.Context(), false); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s/pull-again")
		close(stop)
		b.ReportMetric(us(p99(<-taps)), "µs/tap-again-p99")
		b.StartTimer()
	}
}

// bigSnipeAt is set in the environment of the process that is BenchmarkPull's server.
const bigSnipeAt = "STUMP_TEST_BIG_SNIPE"

func serveBigSnipe(at string) {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19)
	s := &directorytest.Snipe{}
	for i := range 20_000 {
		s.Users = append(s.Users, directorytest.SnipeUser{ID: i + 1, Name: fmt.Sprint("Person ", i), Num: fmt.Sprint(i + 1)})
	}
	for i := range 5_000 {
		s.Assets = append(s.Assets, &directorytest.SnipeAsset{ID: i + 1, Name: fmt.Sprint("Device ", i), Tag: fmt.Sprint(8_000_000 + i), Type: "user", Holder: i%20_000 + 1})
	}
	// Who taps meanwhile is in both.
	s.Users[0].Num, s.Assets[10].Tag = annBadge.Decimal(), oracleTag(0).Decimal()
	panic(http.ListenAndServe(at, s))
}

// peak is the most anonymous memory while f runs, in KiB.
func peak(b *testing.B, f func()) (most int64) {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	for {
		most = max(most, testkit.RSSAnon(b, os.Getpid()))
		select {
		case <-done:
			return most
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// tapOn bumps a badge and a device until stop, and returns how long the device's bump took.
// Between them lies 20 ms, which is less than anybody needs.
func tapOn(b testing.TB, l *box, stop chan struct{}) (waits []time.Duration) {
	task.Urgent() // as the attendant is
	for {
		person := l.subject(checkout.KindPerson, annBadge)
		l.Expect()
		time.Sleep(20 * time.Millisecond)
		begin := time.Now()
		l.complete(person, l.subject(checkout.KindDevice, oracleTag(0)))
		waits = append(waits, time.Since(begin))
		select {
		case <-stop:
			return waits
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// BenchmarkTapWithDeadDirectory taps in turn at a station whose directory answers
// and at one whose directory is dead, and reports both 99th percentiles of a
// tap's commit and their ratio. In the first row both answer: it shows the error.
func BenchmarkTapWithDeadDirectory(b *testing.B) {
	for _, x := range []fault{healthy, hangAtOnce, resetAtOnce, status500} {
		b.Run(cmp.Or(string(x), "answers"), func(b *testing.B) {
			well, ill := tapStation(b, healthy), tapStation(b, x)
			waits := tapInTurn(b, b.N, well, ill)
			b.ReportMetric(us(p99(waits[0])), "µs/p99-healthy")
			b.ReportMetric(us(p99(waits[1])), "µs/p99-dead")
			b.ReportMetric(us(p99(waits[1]))/us(p99(waits[0])), "p99-ratio")
		})
	}
}

func tapStation(b *testing.B, x fault) *box {
	s := newOriginal()
	s.devices["8200000"] = "Device 0"
	f := newFaultServer(s)
	srv := f.serve(b)
	f.set(x)
	d, err := endpointsAt(srv.URL).open()
	if err != nil {
		b.Fatal(err)
	}
	l := fillLedger(b, 0, 1, Main)
	_, stop := run(Options{Directory: d, Ledger: l})
	b.Cleanup(stop)
	return l
}
