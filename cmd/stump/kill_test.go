package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/panel"
	"stump/internal/simlab"
)

// TestKilledAtAnyMoment kills the daemon while people bump, again and again.
// Whatever the display has confirmed is in the ledger afterwards; at most the
// one bump that was not answered yet may be there too.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "st")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var confirmed []string // "ann ipad", as the display said
	extra := 0
	for round := range 8 {
		d := startDaemon(t, dir)
		if round == 0 {
			d.ask("sim/seed", nil, nil)
		}
		kept := d.bumps()
		extra += checkKept(t, round, confirmed, kept)
		confirmed = kept

		after := time.Duration(rand.N(int64(900 * time.Millisecond)))
		time.AfterFunc(after, func() { _ = d.cmd.Process.Kill() })
		for i, p := range simlab.People {
			device := simlab.Devices[(i+round)%len(simlab.Devices)]
			if !d.tap(p.ID) || !d.tap(device.ID) {
				break
			}
			if !strings.Contains(d.last, "Checked out") && !strings.Contains(d.last, "Handed over") {
				t.Fatalf("round %d: the display says %q", round, d.last)
			}
			confirmed = append(confirmed, p.ID+" "+device.ID)
		}
		_ = d.cmd.Wait()
	}
	d := startDaemon(t, dir)
	extra += checkKept(t, 8, confirmed, d.bumps())
	t.Logf("%d bumps were confirmed, %d more were saved unanswered", len(confirmed), extra)
	verified, err := exec.Command("stump", "--socket", d.socket, "verify").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, verified)
	}
	_ = d.cmd.Process.Signal(os.Interrupt)
	if err := d.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// checkKept compares what was confirmed with what is there after a restart,
// and returns how many bumps are there besides.
func checkKept(t *testing.T, round int, confirmed, kept []string) int {
	t.Helper()
	if len(kept) < len(confirmed) || len(kept) > len(confirmed)+1 {
		t.Fatalf("round %d: %d bumps were confirmed, %d are there\n%v\n%v", round, len(confirmed), len(kept), confirmed, kept)
	}
	for i := range confirmed {
		if confirmed[i] != kept[i] {
			t.Fatalf("round %d: bump %d was %q, and is %q", round, i, confirmed[i], kept[i])
		}
	}
	return len(kept) - len(confirmed)
}

// process is a daemon in a process of its own.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	socket string
	client *client.Client
	last   string // what the display said
}

func startDaemon(t *testing.T, dir string) *process {
	t.Helper()
	return startDaemonAt(t, dir, filepath.Join(dir, "s"))
}

func startDaemonAt(t *testing.T, dir, socket string) *process {
	t.Helper()
	return startProcess(t, exec.Command("stump", "run", "--sim", "--state", dir, "--socket", socket), socket)
}

// startProcess starts a daemon and waits until it answers.
func startProcess(t testing.TB, cmd *exec.Cmd, socket string) *process {
	t.Helper()
	d := &process{t: t, cmd: cmd, socket: socket}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if d.dial() == nil {
			return d
		}
	}
	t.Fatal("the daemon does not answer")
	return nil
}

func (d *process) dial() (err error) {
	d.client, err = client.Dial(d.t.Context(), d.socket)
	return err
}

func (d *process) ask(path string, in, out any) bool {
	return d.client.Do(context.Background(), "POST", path, in, out) == nil
}

func (d *process) get(path string, out any) bool {
	return d.client.Do(context.Background(), "GET", path, nil, out) == nil
}

// tap reports whether the display has answered.
func (d *process) tap(card string) bool {
	var s panel.State
	if !d.ask("sim/tap", wire.Tap{Card: card}, &s) {
		return false
	}
	d.last = strings.Join(s.Rows, "\n")
	return true
}

// saved reports whether the display says that a bump is saved.
func saved(said string) bool {
	return strings.Contains(said, "Checked out") || strings.Contains(said, "Handed over")
}

// bumps are the loans that the history tells of, in order.
func (d *process) bumps() []string {
	d.t.Helper()
	body, err := d.client.Stream(context.Background(), "GET", "history", nil, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	defer body.Close()
	var list []string
	dec := json.NewDecoder(body)
	for seq := uint64(1); ; seq++ {
		var e wire.History
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			d.t.Fatal(err)
		}
		if e.Seq != seq {
			d.t.Fatalf("event %d has seq %d", seq, e.Seq)
		}
		if e.Kind == "checkout" || e.Kind == "handover" {
			list = append(list, *e.PersonID+" "+*e.DeviceID)
		}
	}
}
