//go:build services

package hub

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout/ledger"
	"stump/internal/clock"
	"stump/internal/hub/store"
	"stump/internal/lab"
	"stump/internal/sitekey"
)

// turnCode is the variable with the join code of a station that is a process of its own.
const turnCode = "STUMP_TEST_TURN_CODE"

// takeTurns is that station: it says what it does in its turn, and what is refused.
func takeTurns(name string) error {
	dir, err := os.MkdirTemp("", "turn")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{Station: name, SiteKey: sitekey.New(), Stamp: trusted})
	if err != nil {
		return err
	}
	link, err := lab.New(lab.Options{Ledger: l, Dir: dir, Version: "test", Now: clock.Now, Key: l.SiteKey, Stale: time.Minute,
		Rekey: func(key []byte) error { return l.Rekey(key, l.SiteKey()) }})
	if err != nil {
		return err
	}
	turn := link.Turn("remind", nil)
	go func() { _ = link.Run(context.Background()) }()
	if _, err := link.Join(context.Background(), os.Getenv(turnCode), lab.JoinOptions{Name: name}); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if _, err := turn.Claim(context.Background(), []string{fmt.Sprint(name, " ", n)}); err == nil {
			fmt.Println("did", n)
		} else if p := (*lab.Problem)(nil); errors.As(err, &p) {
			fmt.Println(p.Code)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// turner is such a process.
type turner struct {
	cmd  *exec.Cmd
	did  atomic.Int64
	late atomic.Int64 // how often it was refused
}

func startTurner(t *testing.T, name, code string) *turner {
	x := &turner{cmd: exec.Command(os.Args[0], name)}
	x.cmd.Env = append(os.Environ(), turnCode+"="+code)
	x.cmd.Stderr, x.cmd.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := x.cmd.StdoutPipe()
	if err == nil {
		err = x.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "did") {
				x.did.Add(1)
			} else {
				x.late.Add(1)
			}
		}
	}()
	t.Cleanup(func() { x.end(syscall.SIGKILL); _ = x.cmd.Wait() })
	return x
}

func (x *turner) end(s syscall.Signal) { _ = x.cmd.Process.Signal(s) }

// works waits until it does something.
func (x *turner) works(t *testing.T, when string) {
	t.Helper()
	was := x.did.Load()
	for end := time.Now().Add(30 * time.Second); x.did.Load() == was; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: it does nothing", when)
		}
	}
}

// TestTurnsOfProcesses: of two stations one does what is done once for the lab. Where it hangs, and
// where it is killed, the other takes over; what the one that hung sends afterwards is refused.
func TestTurnsOfProcesses(t *testing.T) {
	x := serve(t)
	s, err := store.Open(store.Options{URL: x.url, Whose: x.Keys.Whose, Lease: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hub := httptest.NewServer((&Server{Store: s, Keys: x.Keys, Log: x.Log}).Handler())
	defer hub.Close()
	defer hub.CloseClientConnections()
	code := func() string {
		c, err := x.Keys.NewCode(hub.URL, nil)
		if err == nil {
			err = s.AddCode(t.Context(), x.lab, c)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c.String()
	}
	a := startTurner(t, "lab-a", code())
	a.works(t, "alone")
	b := startTurner(t, "lab-b", code())
	time.Sleep(time.Second) // in which b would begin
	a.works(t, "beside another")
	if n := b.did.Load(); n > 0 {
		t.Errorf("the other has done %d things, too", n)
	}

	a.end(syscall.SIGSTOP)
	b.works(t, "after the first hangs")
	did := a.did.Load()
	a.end(syscall.SIGCONT)
	for end := time.Now().Add(30 * time.Second); a.late.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what the first sends late is not refused")
		}
	}
	b.works(t, "after the first goes on")
	if n := a.did.Load(); n > did+1 { // one may have been on its way
		t.Errorf("the first did %d more things", n-did)
	}

	b.end(syscall.SIGKILL)
	a.works(t, "after the second was killed")
	db, err := pgx.Connect(t.Context(), x.url)
	x.ok(err)
	defer db.Close(context.WithoutCancel(t.Context()))
	rows, err := db.Query(t.Context(), `select station from done order by at`)
	x.ok(err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	x.ok(err)
	if turns := strings.Join(slices.Compact(all), " "); turns != "lab-a lab-b lab-a" {
		t.Errorf("the turns were %s", turns)
	}
}
