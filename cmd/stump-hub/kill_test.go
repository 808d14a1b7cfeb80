//go:build services

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/internal/hub/hubtest"
	"stump/internal/hub/pgtest"
	"stump/internal/lab/wire"
	"stump/internal/testkit"
)

var kills = flag.Int("kills", 20, "how often TestKill kills a hub or PostgreSQL")

// process is a hub that is killed.
type process struct {
	*shell
	addr string
	cmd  *exec.Cmd
	log  testkit.Log
}

// start starts the hub, or starts it again.
func (p *process) start() {
	p.Helper()
	p.cmd = exec.Command(os.Args[0], "--config", p.file, "run")
	p.cmd.Env = append(os.Environ(), "STUMP_HUB_TEST=1")
	p.cmd.Stderr = &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.ok(p.cmd.Start())
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// pusher is a station that sends events as fast as it can to whichever hub answers.
type pusher struct {
	*hubtest.Board
	hubs     []*process
	client   *http.Client
	token    string
	receipts []wire.Accepted
	failures int
}

// post sends one Append to one of the hubs.
func (p *pusher) post(ctx context.Context, a *wire.Append) ([]wire.Accepted, error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	at := p.hubs[rand.IntN(len(p.hubs))].addr
	req, err := http.NewRequestWithContext(ctx, "POST", "https://"+at+wire.PathAppend, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	got, err := p.client.Do(req)
	if err != nil {
		return nil, errAway
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	var receipts []wire.Accepted
	switch {
	case err != nil || got.StatusCode == http.StatusServiceUnavailable:
		return nil, errAway
	case got.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s", got.Status, b)
	}
	return receipts, json.Unmarshal(b, &receipts)
}

var errAway = fmt.Errorf("no hub answers")

// push makes events and sends them until ctx ends, and then until all have arrived.
func (p *pusher) push(ctx context.Context) error {
	for {
		if ctx.Err() == nil {
			for range 1 + rand.IntN(5) {
				device := fmt.Sprint("device-", rand.IntN(20))
				p.Now = time.Now()
				p.Bump(device, fmt.Sprint("person-", rand.IntN(10)), "", checkout.Place{})
			}
		}
		if len(p.receipts) == len(p.Records) {
			return nil
		}
		p.Now = time.Now()
		a := p.Next(len(p.receipts), 100)
		one, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		got, err := p.post(one, a)
		cancel()
		if err == errAway {
			p.failures++
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s, after %d events: %w", p.Name, len(p.receipts), err)
		}
		if len(got) != len(a.Records) {
			return fmt.Errorf("%d receipts for %d events", len(got), len(a.Records))
		}
		p.receipts = append(p.receipts, got...)
	}
}

// TestKill: hubs and their PostgreSQL are killed under load, again and again. What was
// acknowledged is there, once, as it was sent.
func TestKill(t *testing.T) {
	pg := pgtest.Own(t)
	if err := pg.Exec("postgres", "create database lab"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var hubs []*process
	for i := range 2 {
		addr := freeAddr(t)
		x := &shell{t, filepath.Join(dir, fmt.Sprint("hub", i, ".toml"))}
		x.ok(os.WriteFile(x.file, fmt.Appendf(nil, "[database]\nurl = %q\n[web]\nlisten = %q\nurl = \"https://%s\"\n[hub]\nstate = %q\n", pg.URL("lab"), addr, addr, dir), 0o600))
		hubs = append(hubs, &process{shell: x, addr: addr})
	}
	hubs[0].does("setup")
	for _, h := range hubs {
		h.start()
		defer h.kill()
	}
	var pushers []*pusher
	for i := range 6 {
		c := hubs[0].join(fmt.Sprint("station-", i))
		pushers = append(pushers, &pusher{Board: hubtest.New(fmt.Sprint("station-", i), time.Now()), hubs: hubs, client: pinned(c.code.Pin), token: c.token})
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, len(pushers))
	for _, p := range pushers {
		go func() { ended <- p.push(ctx) }()
	}
	for i := range *kills {
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
		if i%2 == 0 {
			pg.Kill()
			if err := pg.Run(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		h := hubs[rand.IntN(len(hubs))]
		h.kill()
		h.start()
	}
	time.Sleep(time.Second)
	stop()
	for range pushers {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	checkKilled(t, pg.URL("lab"), pushers)
}

// checkKilled compares the database with what the stations have sent.
func checkKilled(t *testing.T, url string, pushers []*pusher) {
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	sent, failures := 0, 0
	newest := map[string]time.Time{}
	for _, p := range pushers {
		rows, err := conn.Query(t.Context(), `select seq, lab_seq, ht, record from event where chain = $1 order by seq`, p.Chain[:])
		if err != nil {
			t.Fatal(err)
		}
		var (
			n, seq, labSeq int64
			ht             time.Time
			record         []byte
		)
		_, err = pgx.ForEachRow(rows, []any{&seq, &labSeq, &ht, &record}, func() error {
			if seq != n+1 || !bytes.Equal(record, p.Records[n]) || uint64(labSeq) != p.receipts[n].LabSeq || !ht.Equal(p.receipts[n].HT) {
				return fmt.Errorf("event %d of %s is not as it was sent and acknowledged", n+1, p.Name)
			}
			if d := p.Events[n].Device; ht.After(newest[d]) {
				newest[d] = ht
			}
			n++
			return nil
		})
		if err != nil || int(n) != len(p.Records) {
			t.Fatalf("%d of %d events of %s: %v", n, len(p.Records), p.Name, err)
		}
		sent, failures = sent+len(p.Records), failures+p.failures
	}
	var count, first, last int64
	if err := conn.QueryRow(t.Context(), `select count(*), min(lab_seq), max(lab_seq) from event`).Scan(&count, &first, &last); err != nil || int(count) != sent || first != 1 || last != count {
		t.Errorf("%d events of %d, from %d to %d: %v", count, sent, first, last, err)
	}
	for device, ht := range newest {
		var at time.Time
		if err := conn.QueryRow(t.Context(), `select ht from device_loan where device = $1`, device).Scan(&at); err != nil || !at.Equal(ht) {
			t.Errorf("the row of %s is of %v, and its newest event of %v: %v", device, at, ht, err)
		}
	}
	t.Logf("%d kills, %d events, %d requests that failed; none lost, none doubled", *kills, sent, failures)
	if sent < 20**kills || failures < *kills/4 {
		t.Errorf("%d events and %d failures: there was no load", sent, failures)
	}
}
