package ledger

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/testkit"
)

// manyRows are people with badges, as they come from a file.
func manyRows(n int) func(yield func(books.ImportRow, error) bool) {
	return func(yield func(books.ImportRow, error) bool) {
		for i := range n {
			if !yield(books.ImportRow{ID: fmt.Sprint("import", i), Name: fmt.Sprint("Person Number ", i), Email: fmt.Sprintf("p%d@lab.example", i), HasDetail: true,
				Tag: testkit.Tag(uint64(50_000_000+i*7919), 34), Line: i + 2}, nil) {
				return
			}
		}
	}
}

// cpuTime is how long this process has had a processor.
func cpuTime() time.Duration {
	var used unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkImport imports 100,000 people with badges while taps come, at random instants,
// ten a second: how long that takes, on the clock and of processors, by how much memory that is not the file's grows at
// most, and the 50th and 99th percentile of a tap's commit before and meanwhile.
func BenchmarkImport(b *testing.B) {
	path := benchFile(b, 100_000)
	l, err := Open(path, benchOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	n := 0
	tap := func() time.Duration {
		time.Sleep(rand.N(200 * time.Millisecond))
		n++
		begin := time.Now()
		_, err := l.Complete(checkout.Completion{
			Person: checkout.Subject{Kind: checkout.KindPerson, ID: benchPerson(n % 200)},
			Device: checkout.Subject{Kind: checkout.KindDevice, ID: benchDevice(n * 7919 % 200)}, Reader: "stump"})
		if err != nil {
			b.Error(err)
		}
		return time.Since(begin)
	}
	var quiet, busy []time.Duration
	var took, cpu time.Duration
	var grown int64
	for b.Loop() {
		for range 100 {
			quiet = append(quiet, tap())
		}
		before, done := testkit.RSSAnon(b, os.Getpid()), make(chan error, 1)
		begin, used := time.Now(), cpuTime()
		go func() {
			_, err := l.Import(b.Context(), checkout.KindPerson, manyRows(100_000), books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI})
			took, cpu = took+time.Since(begin), cpu+cpuTime()-used
			done <- err
		}()
		for running := true; running; grown = max(grown, testkit.RSSAnon(b, os.Getpid())-before) {
			busy = append(busy, tap())
			select {
			case err := <-done:
				if running = false; err != nil {
					b.Fatal(err)
				}
			default:
			}
		}
	}
	report := func(what string, all []time.Duration) {
		slices.Sort(all)
		for _, percent := range []int{50, 99} {
			b.ReportMetric(float64(all[(len(all)-1)*percent/100].Microseconds())/1e3, fmt.Sprintf("ms/tap-%s-p%d", what, percent))
		}
	}
	report("before", quiet)
	report("meanwhile", busy)
	b.ReportMetric(took.Seconds()/float64(b.N), "s/import")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/import")
	b.ReportMetric(float64(grown)/1024, "MiB-grown")
}

// BenchmarkImportLoans imports 5,000 devices, each with somebody who has it: how long that
// takes, and how much of a processor.
func BenchmarkImportLoans(b *testing.B) {
	const n = 5000
	begin := time.Date(2024, 1, 2, 10, 0, 0, 0, time.UTC)
	for b.Loop() {
		b.StopTimer()
		l, err := Create(filepath.Join(b.TempDir(), "ledger.db"), benchOptions())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := l.Import(b.Context(), checkout.KindPerson, manyRows(300), books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		used := cpuTime()
		got, err := l.Import(b.Context(), checkout.KindDevice, func(yield func(books.ImportRow, error) bool) {
			for i := range n {
				if !yield(books.ImportRow{ID: fmt.Sprint("device", i), Name: fmt.Sprint("Device Number ", i), Kind: "phone", HasDetail: true, Tag: testkit.Tag(uint64(900_000_000+i*7919), 34),
					Holder: fmt.Sprint("person  number ", i%300), Since: begin.Add(time.Duration(i) * time.Hour), Due: begin.AddDate(5, 0, i), Line: i + 2}, nil) {
					return
				}
			}
		}, books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI})
		if err != nil || got.Added != n || got.Late != nil {
			b.Fatal(got, err)
		}
		b.ReportMetric((cpuTime() - used).Seconds(), "cpu-s/import")
		b.StopTimer()
		lent := 0
		for _, err := range l.Loans(books.LoanFilter{}) {
			if err != nil {
				b.Fatal(err)
			}
			lent++
		}
		if lent != n {
			b.Fatalf("%d are lent", lent)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
