//go:build services

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/hub/hubtest"
	"stump/internal/hub/pgtest"
	"stump/internal/hub/store"
	"stump/internal/lab/wire"
	"stump/internal/testkit"
)

// How much is measured.
const (
	callers  = 256 // stations that send at once
	manyLabs = 300
	waiters  = 10_000
	measured = 6 * time.Second
)

// figures is a hub that is measured, a process of its own, and its PostgreSQL.
type figures struct {
	*testing.B
	pg   *pgtest.Server
	hub  *process
	pin  []byte
	pool *pgxpool.Pool
}

// BenchmarkHub prints a table of what a hub does, beside what the PostgreSQL under it does
// without it. `make bench-hub` runs it.
func BenchmarkHub(b *testing.B) {
	for b.Loop() {
		f := newFigures(b)
		fmt.Printf("%d cores, %s\n\n| what | hub | bare PostgreSQL | of it |\n|---|---|---|---|\n", runtime.NumCPU(), f.server())
		f.ok(f.asks(f.client(), "GET", wire.PathHead, f.stationOf("idle"), nil, &wire.Head{}))
		fmt.Printf("| memory, idle (RssAnon) | %d MB | | |\n", testkit.RSSAnon(b, f.hub.cmd.Process.Pid)>>10)
		f.appends("appends/s in one lab", 1)
		f.appends(fmt.Sprintf("appends/s over %d labs", manyLabs), manyLabs)
		f.latency()
		f.catchUp()
		f.sends()
		f.loans()
		f.history()
		f.wait()
	}
}

func newFigures(b *testing.B) *figures {
	b.Helper()
	f := &figures{B: b, pg: pgtest.Own(b)}
	f.ok(f.pg.Exec("postgres", "create database lab"))
	dir, addr := b.TempDir(), freeAddr(b)
	x := &shell{b, filepath.Join(dir, "hub.toml")}
	f.ok(os.WriteFile(x.file, fmt.Appendf(nil, "[database]\nurl = \"%s&pool_max_conns=40\"\n[web]\nlisten = %q\nurl = \"https://%s\"\n", f.pg.URL("lab"), addr, addr), 0o600))
	f.hub = &process{shell: x, addr: addr}
	x.does("setup")
	f.hub.start()
	b.Cleanup(f.hub.kill)
	f.pin = x.join("first").code.Pin
	var err error
	f.pool, err = pgxpool.New(b.Context(), f.pg.URL("lab")+"&pool_max_conns=40")
	f.ok(err)
	b.Cleanup(f.pool.Close)
	return f
}

func (f *figures) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *figures) server() string {
	var v string
	f.ok(f.pool.QueryRow(f.Context(), `select split_part(version(), ' on ', 1)`).Scan(&v))
	return v
}

// stations makes n stations that are members of labs, and returns their tokens.
func (f *figures) stations(prefix string, n, labs int) (tokens []string, lab func(int) int64) {
	f.Helper()
	s, err := store.Open(store.Options{URL: f.pg.URL("lab")})
	f.ok(err)
	defer s.Close()
	var ids []int64
	for i := range labs {
		id, err := s.Lab(f.Context(), fmt.Sprint(prefix, "-", i), true)
		f.ok(err)
		ids = append(ids, id)
	}
	b := &pgx.Batch{}
	for i := range n {
		token := fmt.Sprintf("%s-%d", prefix, i)
		sum := sha256.Sum256([]byte(token))
		b.Queue(`insert into station (lab, name, token, joined, heard, epoch, since, version, fault) values ($1, $2, $3, now(), now(), 0, 0, '1', '')`, ids[i%labs], token, sum[:])
		tokens = append(tokens, token)
	}
	f.ok(f.pool.SendBatch(f.Context(), b).Close())
	return tokens, func(i int) int64 { return ids[i%labs] }
}

// stationOf is the token of a station in a lab of its own.
func (f *figures) stationOf(prefix string) string {
	tokens, _ := f.stations(prefix, 1, 1)
	return tokens[0]
}

// client is one with a connection of its own.
func (f *figures) client() *http.Client { return pinned(f.pin) }

// asks sends a request, and reads its answer into v.
func (f *figures) asks(c *http.Client, method, path, token string, body, v any) error {
	return f.asksUntil(f.Context(), c, method, path, token, body, v)
}

func (f *figures) asksUntil(ctx context.Context, c *http.Client, method, path, token string, body, v any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+f.hub.addr+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	got, err := c.Do(req)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", got.Status, b)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// atOnce runs a function for each of n callers until the time is over, and returns how often
// it was run in a second.
func (f *figures) atOnce(n int, each func(ctx context.Context, i int) (func() error, error)) float64 {
	f.Helper()
	var (
		wg    sync.WaitGroup
		count atomic.Int64
		fault atomic.Pointer[error]
		ready sync.WaitGroup
		begin = make(chan struct{})
		until time.Time
	)
	for i := range n {
		ready.Add(1)
		wg.Go(func() {
			do, err := each(f.Context(), i)
			if err == nil {
				err = do() // the first makes connections
			}
			ready.Done()
			<-begin
			for err == nil && time.Now().Before(until) {
				if err = do(); err == nil {
					count.Add(1)
				}
			}
			if err != nil {
				fault.Store(&err)
			}
		})
	}
	ready.Wait()
	until = time.Now().Add(measured)
	close(begin)
	wg.Wait()
	if err := fault.Load(); err != nil {
		f.Fatal(*err)
	}
	return float64(count.Load()) / measured.Seconds()
}

// appends measures stations that send an event each, as fast as they are answered, and the
// same rows written by the database's own connections, an event a transaction.
func (f *figures) appends(what string, labs int) {
	prefix := fmt.Sprint("append", labs)
	n := max(callers, labs)
	tokens, lab := f.stations(prefix, n, labs)
	device := func(i int) string { return fmt.Sprint("device-", i) }
	hub := f.atOnce(n, func(_ context.Context, i int) (func() error, error) {
		c, b := f.client(), hubtest.New(tokens[i], time.Now())
		return func() error {
			b.Now = time.Now()
			b.Bump(device(i), "ann", "", checkout.Place{})
			var got []wire.Accepted
			err := f.asks(c, "POST", wire.PathAppend, tokens[i], b.Next(len(b.Records)-1, 0), &got)
			return err
		}, nil
	})
	b := hubtest.New("bare", time.Now())
	b.Bump("ipad", "ann", "", checkout.Place{})
	record := b.Records[0]
	bare := f.atOnce(n, func(ctx context.Context, i int) (func() error, error) {
		chain, seq := sha256.Sum256(fmt.Append(nil, "bare", prefix, i)), int64(0)
		return func() error {
			seq++
			return f.bare(ctx, lab(i), chain, seq, device(i), record)
		}, nil
	})
	fmt.Printf("| %s, %d stations | %.0f | %.0f | %.0f %% |\n", what, n, hub, bare, 100*hub/bare)
}

// bare writes one event as the simplest program would.
func (f *figures) bare(ctx context.Context, lab int64, chain [32]byte, seq int64, device string, record []byte) error {
	return pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		var labSeq, ver int64
		if err := tx.QueryRow(ctx, `select seq, ver from lab where id = $1 for update`, lab).Scan(&labSeq, &ver); err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(`insert into event (lab, chain, seq, lab_seq, ht, kind, device, moves, person, record) values ($1, $2, $3, $4, clock_timestamp(), 'checkout', $5, true, 'ann', $6)`,
			lab, chain[:], seq, labSeq+1, device, record)
		b.Queue(`insert into device_loan (lab, device, ver, chain, seq, ht, person, station, length, lost, kit, doubtful) values ($1, $2, $3, $4, $5, clock_timestamp(), 'ann', 's', 0, false, '', false)
on conflict (lab, device) do update set ver = excluded.ver, chain = excluded.chain, seq = excluded.seq, ht = excluded.ht`, lab, device, ver+1, chain[:], seq)
		b.Queue(`insert into chain (lab, genesis, seq, hash, ht) values ($1, $2, $3, $2, clock_timestamp()) on conflict (lab, genesis) do update set seq = excluded.seq, ht = excluded.ht`, lab, chain[:], seq)
		b.Queue(`update lab set seq = $2, ver = $3 where id = $1`, lab, labSeq+1, ver+1)
		return tx.SendBatch(ctx, b).Close()
	})
}

// latency measures how long after a bump at one station another one has heard of it.
func (f *figures) latency() {
	tokens, _ := f.stations("latency", 2, 1)
	a, b := f.client(), f.client()
	board := hubtest.New(tokens[0], time.Now())
	var all []time.Duration
	var c wire.Changes
	f.ok(f.asks(b, "GET", wire.PathChanges+"?epoch=0&since=0", tokens[1], nil, &c))
	for range 400 {
		heard := make(chan error)
		at := fmt.Sprintf("%s?epoch=%d&since=%d", wire.PathChanges, c.Epoch, c.Ver)
		go func() {
			c = wire.Changes{}
			heard <- f.asks(b, "GET", at, tokens[1], nil, &c)
		}()
		time.Sleep(5 * time.Millisecond)
		board.Now = time.Now()
		board.Bump("ipad", "ann", "", checkout.Place{})
		began := time.Now()
		var got []wire.Accepted
		f.ok(f.asks(a, "POST", wire.PathAppend, tokens[0], board.Next(len(board.Records)-1, 0), &got))
		f.ok(<-heard)
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	fmt.Printf("| a bump at one station until another has heard of it, p50 / p99 | %.1f / %.1f ms | | |\n", ms(all[len(all)/2]), ms(all[len(all)*99/100]))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// catchUp measures a station that gets 12,000 rows.
func (f *figures) catchUp() {
	tokens, lab := f.stations("catchup", 1, 1)
	f.fill(lab(0), 10_000, 2000)
	c := f.client()
	f.ok(f.asks(c, "GET", wire.PathHead, tokens[0], nil, &wire.Head{})) // a connection
	var all wire.Changes
	began, rows := time.Now(), 0
	for more := true; more; {
		var got wire.Changes
		f.ok(f.asks(c, "GET", fmt.Sprintf("%s?epoch=%d&since=%d", wire.PathChanges, all.Epoch, all.Ver), tokens[0], nil, &got))
		rows += len(got.Subjects) + len(got.Loans)
		all, more = got, got.More
	}
	fmt.Printf("| a station that gets %d rows | %.2f s | | |\n", rows, time.Since(began).Seconds())
}

// sends measures a station that was away for long, and sends what has happened there.
func (f *figures) sends() {
	const events = 100_000
	token := f.stationOf("sends")
	b, c := hubtest.New(token, time.Now()), f.client()
	for i := range events {
		b.Now = time.Now()
		b.Bump(fmt.Sprint("device-", i%1000), fmt.Sprint("person-", i%300), "", checkout.Place{})
	}
	began := time.Now()
	for at := 0; at < events; at += wire.MaxRecords {
		var got []wire.Accepted
		f.ok(f.asks(c, "POST", wire.PathAppend, token, b.Next(at, wire.MaxRecords), &got))
	}
	fmt.Printf("| a station that sends %d events | %.1f s | | |\n", events, time.Since(began).Seconds())
}

// fill gives a lab people and devices, of which some are lent.
func (f *figures) fill(lab int64, subjects, loans int) {
	f.Helper()
	var had int64
	f.ok(f.pool.QueryRow(f.Context(), `select ver from lab where id = $1`, lab).Scan(&had))
	b := &pgx.Batch{}
	b.Queue(`insert into subject (lab, kind, id, ver, doc, erased) select $1, case when i % 4 = 0 then 'person' else 'device' end, 'subject-' || i, $3 + i,
jsonb_build_object('name', jsonb_build_object('v', 'A name of the usual length ' || i, 'n', i), 'tag/' || md5(i::text), jsonb_build_object('v', 'active|…066|', 'n', i)), false
from generate_series(1, $2::bigint) as i`, lab, subjects, had)
	b.Queue(`insert into device_loan (lab, device, ver, chain, seq, ht, person, station, length, lost, kit, doubtful)
select $1, 'subject-' || i * 4 + 1, $3 + i, decode(md5(i::text) || md5(i::text), 'hex'), i, now(), 'subject-' || 4 * (1 + i % 1000), 'north', 1209600, false, '', false from generate_series(1, $2::bigint) as i`, lab, loans, had+int64(subjects))
	b.Queue(`update lab set ver = $2 where id = $1`, lab, had+int64(subjects+loans))
	f.ok(f.pool.SendBatch(f.Context(), b).Close())
	_, err := f.pool.Exec(f.Context(), `analyze`)
	f.ok(err)
}

// loans measures pages of who has what in a lab with many loans.
func (f *figures) loans() {
	const loans = 36_000
	_, lab := f.stations("loans", 1, 1)
	f.fill(lab(0), 4*loans+4, loans)
	s, err := store.Open(store.Options{URL: f.pg.URL("lab")})
	f.ok(err)
	defer s.Close()
	page := func(after string, limit int) time.Duration {
		best := time.Hour
		for range 5 {
			began := time.Now()
			all, err := s.Who(f.Context(), lab(0), after, limit, time.Now())
			f.ok(err)
			if len(all) != limit {
				f.Fatalf("%d loans, not %d", len(all), limit)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	fmt.Printf("| a page of 200 loans of %d, the first / in the middle | %.1f / %.1f ms | | |\n", loans, ms(page("", 200)), ms(page("subject-5", 200)))
	fmt.Printf("| all %d loans | %.0f ms | | |\n", loans, ms(page("", loans)))
}

// history measures that of one device in a lab with many events.
func (f *figures) history() {
	const events, devices = 1_000_000, 10_000
	_, lab := f.stations("history", 1, 1)
	b := hubtest.New("north", time.Now())
	b.Bump("ipad", "ann", "", checkout.Place{})
	_, err := f.pool.Exec(f.Context(), `insert into event (lab, chain, seq, lab_seq, ht, kind, device, moves, person, record)
select $1, $2, i, i, now() - (1000000 - i) * interval '1 second', 'checkout', 'device-' || i % $3::bigint, true, 'person-' || i % 1000, $4 from generate_series(1, $5::bigint) as i`,
		lab(0), b.Chain[:], devices, b.Records[0], events)
	f.ok(err)
	s, err := store.Open(store.Options{URL: f.pg.URL("lab")})
	f.ok(err)
	defer s.Close()
	best, n := time.Hour, 0
	for range 5 {
		began := time.Now()
		n = 0
		f.ok(s.History(f.Context(), lab(0), store.Past{Device: "device-77"}, func(books.Entry) bool { n++; return true }))
		best = min(best, time.Since(began))
	}
	fmt.Printf("| the history of a device, %d of %d events | %.1f ms | | |\n", n, events, ms(best))
}

// wait measures the memory of a hub at which all stations of a large lab wait, and how long
// it takes until all have heard of an event.
func (f *figures) wait() {
	var most syscall.Rlimit
	f.ok(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &most))
	most.Cur = most.Max
	f.ok(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &most))
	n := min(waiters, int(most.Max)-1000)
	tokens, lab := f.stations("wait", n+1, 1)
	f.fill(lab(0), 100, 10)
	f.hub.kill()
	f.hub.start()
	for end := time.Now().Add(time.Minute); f.asks(f.client(), "GET", wire.PathHead, tokens[0], nil, &wire.Head{}) != nil && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	ctx, stop := context.WithCancel(f.Context())
	defer stop()
	var (
		wg           sync.WaitGroup
		there, heard atomic.Int64
		slots        = make(chan struct{}, 50) // who shakes hands at once
	)
	for _, token := range tokens[:n] {
		wg.Go(func() {
			c := f.client()
			slots <- struct{}{}
			var h wire.Head
			err := f.asks(c, "GET", wire.PathHead, token, nil, &h)
			<-slots
			if err != nil {
				return
			}
			there.Add(1)
			for ver := h.Ver; ctx.Err() == nil; {
				var got wire.Changes
				if f.asksUntil(ctx, c, "GET", fmt.Sprintf("%s?epoch=%d&since=%d", wire.PathChanges, h.Epoch, ver), token, nil, &got) != nil {
					return
				}
				if ver = got.Ver; len(got.Loans) > 0 {
					heard.Add(1)
				}
			}
		})
	}
	for end := time.Now().Add(2 * time.Minute); there.Load() < int64(n) && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(5 * time.Second)
	fmt.Printf("| memory with %d stations that wait, by TLS (RssAnon) | %d MB | | |\n", there.Load(), testkit.RSSAnon(f, f.hub.cmd.Process.Pid)>>10)
	b := hubtest.New(tokens[n], time.Now())
	send := func(i int) {
		b.Bump("ipad", "ann", "", checkout.Place{})
		f.ok(f.asks(f.client(), "POST", wire.PathAppend, tokens[n], b.Next(i, 0), &[]wire.Accepted{}))
	}
	send(0) // its first event changes the list of stations, too
	for end := time.Now().Add(time.Minute); heard.Load() < there.Load() && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(5 * time.Second)
	heard.Store(0)
	began := time.Now()
	send(1)
	for heard.Load() < there.Load() && time.Since(began) < time.Minute {
		time.Sleep(time.Millisecond)
	}
	fmt.Printf("| an event until all %d of its lab have heard of it | %.2f s | | |\n", heard.Load(), time.Since(began).Seconds())
	stop()
	wg.Wait()
}
