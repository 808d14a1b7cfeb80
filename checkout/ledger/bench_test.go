package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/safefile"
	"stump/internal/testkit"
)

// The ledgers that benchmarks run on, by number of events: made once a
// process, with 12,000 devices, 2,000 people and 10,000 open loans where there
// are that many events.
var benchFiles struct {
	sync.Mutex
	dir  string
	path map[int]string
}

func TestMain(m *testing.M) {
	if run, ok := children[os.Getenv("STUMP_TEST_CHILD")]; ok {
		run()
		return
	}
	code := m.Run()
	if benchFiles.dir != "" {
		os.RemoveAll(benchFiles.dir)
	}
	os.Exit(code)
}

// children are the programs that tests run the test binary as.
var children = map[string]func(){}

func benchOptions() Options {
	return Options{Station: "lab", SiteKey: testKey, Sinks: []string{"dir"}, Stamp: newTestClock().stamp}
}

// benchFile returns a fresh copy of a ledger with n events.
func benchFile(b *testing.B, n int) string {
	b.Helper()
	benchFiles.Lock()
	defer benchFiles.Unlock()
	if benchFiles.path == nil {
		dir, err := os.MkdirTemp("", "stump-bench-")
		if err != nil {
			b.Fatal(err)
		}
		benchFiles.dir, benchFiles.path = dir, map[int]string{}
	}
	if benchFiles.path[n] == "" {
		path := filepath.Join(benchFiles.dir, fmt.Sprint(n, ".db"))
		if err := fillLedger(path, n); err != nil {
			b.Fatal(err)
		}
		benchFiles.path[n] = path
	}
	data, err := os.ReadFile(benchFiles.path[n])
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "ledger.db")
	// Written and synced: or the first tap would wait for all of it.
	if err := safefile.Write(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// fillLedger makes a ledger with n events, nearly all of them bumps, as a lab
// would have after years: the outbox is empty.
func fillLedger(path string, n int) error {
	o := benchOptions()
	o.Sinks = nil
	l, err := Create(path, o)
	if err != nil {
		return err
	}
	defer l.Close()
	people, devices, out := min(2000, n/5+1), min(12000, n/5+1), min(10000, n/10)
	err = l.update(func(t *txn) {
		for i := range people {
			t.putRow(record.TreePeople, benchPerson(i), &record.Row{Name: "Person Number " + strconv.Itoa(i)})
		}
		for i := range devices {
			t.putRow(record.TreeDevices, benchDevice(i), &record.Row{Name: "Device Number " + strconv.Itoa(i), Kind: "phone"})
		}
	})
	for done := 0; done < n && err == nil; done += 1000 {
		err = l.update(func(t *txn) {
			for i := done; i < min(done+1000, n); i++ {
				// The last check-outs stay open.
				d := i / 2 % devices
				if n-i <= out {
					d = (i - n + out) % devices
				}
				t.benchBump(benchPerson(i/2%people), benchDevice(d))
			}
		})
	}
	return err
}

func benchPerson(i int) string { return fmt.Sprintf("p%06d", i) }

func benchDevice(i int) string { return fmt.Sprintf("d%06d", i) }

func (t *txn) benchBump(person, device string) {
	ev := record.Event{Event: checkout.Event{Reader: "stump", Source: checkout.SourceReader, Actor: person}}
	t.move(&ev, t.find(record.TreePeople, person), t.find(record.TreeDevices, device), checkout.PolicyHandover)
}

// written is how many bytes this process has given to write system calls.
func written(b *testing.B) int64 {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		b.Fatal(err)
	}
	_, s, _ := strings.Cut(string(data), "wchar: ")
	s, _, _ = strings.Cut(s, "\n")
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

var benchSizes = []int{1_000, 1_000_000}

// BenchmarkTap is a tap's commit. KiB/tap is what it writes; file-B/event is
// the size of the file before, over its events.
func BenchmarkTap(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := benchFile(b, n)
			l, err := Open(path, benchOptions())
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			st, _ := os.Stat(path)
			var bytes int64
			i := 0
			for b.Loop() {
				i++
				before := written(b)
				_, err := l.Complete(checkout.Completion{
					Person: checkout.Subject{Kind: checkout.KindPerson, ID: benchPerson(i % 200)},
					Device: checkout.Subject{Kind: checkout.KindDevice, ID: benchDevice(i * 7919 % 200)}, Reader: "stump"})
				if err != nil {
					b.Fatal(err)
				}
				bytes += written(b) - before
				b.StopTimer() // the directory takes the rows meanwhile
				if rows := rowsFor(b, l, "dir"); len(rows) > 8 {
					for _, r := range rows {
						if err := l.Delivered("dir", r.Key); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(bytes)/1024/float64(i), "KiB/tap")
			b.ReportMetric(float64(st.Size())/float64(n), "file-B/event")
		})
	}
}

// BenchmarkTapMeanwhile is how long a tap's commit waits for what works on 1,000,000
// events meanwhile: ms/longest is the longest of all, ms/job how long the job takes.
func BenchmarkTapMeanwhile(b *testing.B) {
	ctx := context.Background()
	for _, job := range []struct {
		name string
		run  func(*Ledger) error
	}{
		{"nothing", func(*Ledger) error { time.Sleep(2 * time.Second); return nil }},
		{"verify", func(l *Ledger) error { _, err := l.Verify(ctx, VerifyOptions{}); return err }},
		{"backup", func(l *Ledger) error { return l.BackupTo(context.Background(), filepath.Join(b.TempDir(), "copy.db")) }},
		{"search", func(l *Ledger) (err error) {
			for _, err = range l.History(books.HistoryFilter{Page: books.Page{Find: "nothing"}, Since: time.Unix(1, 0)}) {
			}
			return err
		}},
		{"erase", func(l *Ledger) error { return l.ErasePerson("zed", "admin", checkout.SourceCLI) }},
		{"retention", func(l *Ledger) error { // of 10,000 events
			_, err := l.Anonymise(ctx, newTestClock().stamp().Wall.Add(10*time.Second))
			return err
		}},
		{"scrub", func(l *Ledger) error { return l.Scrub(ctx) }},
	} {
		b.Run(job.name, func(b *testing.B) {
			o := benchOptions()
			o.Sinks = nil
			l, err := Open(benchFile(b, 1_000_000), o)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			if err := l.AddPerson(books.Person{ID: "zed", Name: "Zed"}, checkout.Tag{}, "admin", checkout.SourceCLI); err != nil {
				b.Fatal(err)
			}
			longest, took := time.Duration(0), time.Duration(0)
			for i := range b.N {
				ended := make(chan error, 1)
				begin := time.Now()
				go func() { ended <- job.run(l) }()
				for running := true; running; i++ {
					tap := time.Now()
					_, err := l.Complete(checkout.Completion{Person: checkout.Subject{Kind: checkout.KindPerson, ID: benchPerson(i % 200)},
						Device: checkout.Subject{Kind: checkout.KindDevice, ID: benchDevice(i * 7919 % 200)}, Reader: "stump"})
					if err != nil {
						b.Fatal(err)
					}
					longest = max(longest, time.Since(tap))
					select {
					case err := <-ended:
						if err != nil {
							b.Fatal(err)
						}
						running = false
					case <-time.After(20 * time.Millisecond):
					}
				}
				took += time.Since(begin)
			}
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest")
			b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms/job")
		})
	}
}

// BenchmarkWho lists 10,000 loans out of 1,000,000 events.
func BenchmarkWho(b *testing.B) {
	l, err := Open(benchFile(b, 1_000_000), benchOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	n := 0
	for b.Loop() {
		n = 0
		for _, err := range l.Loans(books.LoanFilter{}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n), "loans")
}

// BenchmarkWhoPage is a page of 200 of 10,000 loans as JSON, in the middle of the list.
func BenchmarkWhoPage(b *testing.B) {
	l, err := Open(benchFile(b, 100_000), benchOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	f := books.LoanFilter{Page: books.Page{After: benchDevice(5000), Limit: 201}}
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	for b.Loop() {
		enc, n := json.NewEncoder(io.Discard), 0
		for loan, err := range l.Loans(f) {
			if err = errors.Join(err, enc.Encode(loan)); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 201 {
			b.Fatal(n, "loans")
		}
	}
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(cpu)/1e6/float64(b.N), "cpu-ms/page")
}

// BenchmarkHistory shows what one device did, out of 1,000,000 events.
func BenchmarkHistory(b *testing.B) {
	l, err := Open(benchFile(b, 1_000_000), benchOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for _, f := range []books.HistoryFilter{{Device: benchDevice(77)}, {Person: benchPerson(77)}} {
		b.Run(map[bool]string{true: "device", false: "person"}[f.Device != ""], func(b *testing.B) {
			n := 0
			for b.Loop() {
				n = 0
				for _, err := range l.History(f) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64(n), "rows")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n)*100/1e6, "ms/100rows")
		})
	}
}

// BenchmarkOpen opens a ledger that is not in the page cache.
func BenchmarkOpen(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := benchFile(b, n)
			for b.Loop() {
				b.StopTimer()
				dropCache(b, path)
				b.StartTimer()
				l, err := Open(path, benchOptions())
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				l.Close()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkVerify checks the whole ledger.
func BenchmarkVerify(b *testing.B) {
	l, err := Open(benchFile(b, 1_000_000), benchOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		r, err := l.Verify(context.Background(), VerifyOptions{})
		if err != nil || len(r.Faults) > 0 {
			b.Fatal(err, r.Faults)
		}
	}
}

// dropCache takes a file out of the page cache.
func dropCache(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDay takes 10,000 taps, a busy day, and tells by how much memory
// that is not the file's has grown since the first 1,000.
func BenchmarkDay(b *testing.B) {
	for b.Loop() {
		path := filepath.Join(memDir(b), "ledger.db")
		if err := fillLedger(path, 100_000); err != nil {
			b.Fatal(err)
		}
		l, err := Open(path, benchOptions())
		if err != nil {
			b.Fatal(err)
		}
		anon := func() int64 {
			runtime.GC()
			return testkit.RSSAnon(b, os.Getpid())
		}
		var early int64
		for i := range 10_000 {
			_, err := l.Complete(checkout.Completion{
				Person: checkout.Subject{Kind: checkout.KindPerson, ID: benchPerson(i % 2000)},
				Device: checkout.Subject{Kind: checkout.KindDevice, ID: benchDevice(i * 7919 % 12000)}, Reader: "stump"})
			if err != nil {
				b.Fatal(err)
			}
			for _, r := range rowsFor(b, l, "dir") {
				if err := l.Delivered("dir", r.Key); err != nil {
					b.Fatal(err)
				}
			}
			if i == 1000 {
				early = anon()
			}
		}
		b.ReportMetric(float64(anon()-early), "KiB-grown")
		b.ReportMetric(float64(early), "KiB-RssAnon")
		l.Close()
	}
}

// BenchmarkKit is the bump of a kit of 50 parts, beside that of one device: x/tap is how many
// times as long it takes, with what the disk needs.
func BenchmarkKit(b *testing.B) {
	l, err := Open(benchFile(b, 1000), benchOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	box, person := benchDevice(0), benchPerson(0)
	for i := range 50 {
		part := books.Device{ID: fmt.Sprint("part", i), Name: fmt.Sprint("Part Number ", i), Kit: box}
		if err := l.AddDevice(part, checkout.Tag{}, "bench", checkout.SourceCLI); err != nil {
			b.Fatal(err)
		}
	}
	bump := func(device string) time.Duration {
		begin := time.Now()
		_, err := l.Complete(checkout.Completion{
			Person: checkout.Subject{Kind: checkout.KindPerson, ID: person}, Device: checkout.Subject{Kind: checkout.KindDevice, ID: device}, Reader: "stump"})
		if err != nil {
			b.Fatal(err)
		}
		took := time.Since(begin)
		for _, r := range rowsFor(b, l, "dir") { // the directory takes the rows meanwhile
			if err := l.Delivered("dir", r.Key); err != nil {
				b.Fatal(err)
			}
		}
		return took
	}
	var kits, taps time.Duration
	for b.Loop() {
		kits += bump(box)
		taps += bump(benchDevice(1))
	}
	b.ReportMetric(float64(kits.Microseconds())/float64(b.N), "µs/kit")
	b.ReportMetric(float64(taps.Microseconds())/float64(b.N), "µs/tap")
	b.ReportMetric(float64(kits)/float64(taps), "x/tap")
}
