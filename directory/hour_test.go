//go:build services

package directory

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/directory/directorytest"
	"stump/internal/testkit"
)

// The independent server is down for an hour and comes back. The clock is a
// bubble's, the rest is real: the process, its sockets, the ledger. Somebody taps
// every 20 seconds, and no tap takes any time; the place is tried as often as
// promised; then every event is delivered, once and in order.
func TestAnHourAway(t *testing.T) {
	server := directorytest.StartOriginal(t)
	synctest.Test(t, func(t *testing.T) {
		l := newBox(t, Main)
		var mu sync.Mutex
		var tries []time.Time
		cfg := endpointsAt(server.URL())
		cfg.Proxy = "none"
		cfg.TestDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			tries = append(tries, time.Now())
			mu.Unlock()
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		d, err := cfg.open()
		if err != nil {
			t.Fatal(err)
		}
		w, stop := start(t, Options{Directory: d, Ledger: l})
		defer stop()

		corey, ben := testkit.Tag(91234, 26), testkit.Tag(99996, 26)
		ipod, ipad := testkit.Tag(8123456, 26), testkit.Tag(8200001, 26)
		for _, tag := range []checkout.Tag{corey, ipod, ipad} {
			if a, err := w.WhatIs(t.Context(), tag, checkout.Unknown); err != nil || a.Kind == checkout.Unknown {
				t.Fatalf("%+v, %v", a, err)
			}
		}
		if _, err := w.Enrol(t.Context(), EnrolRequest{Kind: checkout.KindPerson, Who: "C Benninger", Tag: ben}); err != nil {
			t.Fatal(err)
		}
		want := map[string][]string{} // by device
		tap := func(person, device checkout.Tag) {
			begin := time.Now()
			ev := l.bump(person, device)
			if took := time.Since(begin); took != 0 {
				t.Errorf("a tap waited %s for the directory", took)
			}
			want[ev.DeviceName] = append(want[ev.DeviceName], toggleWords(ev)...)
		}
		tap(corey, ipod)
		time.Sleep(time.Minute)

		server.Away()
		mu.Lock()
		tries = nil
		mu.Unlock()
		begin := time.Now()
		for i := 0; time.Since(begin) < time.Hour; i++ {
			tap([]checkout.Tag{corey, ben, ben}[i%3], []checkout.Tag{ipod, ipad}[i/2%2])
			time.Sleep(20 * time.Second)
		}
		if n := len(server.Log()); n != 1 {
			t.Fatalf("%d calls were counted by a server that is away", n-1)
		}
		mu.Lock()
		away := slices.Clone(tries)
		mu.Unlock()
		checkTries(t, begin, away)
		n := l.waiting(Main)
		if n != 180 {
			t.Fatalf("%d events wait, want all 180 of the hour", n)
		}

		server.Back()
		back := time.Now()
		for n > 0 && time.Since(back) < 16*time.Minute {
			time.Sleep(time.Second)
			n = l.waiting(Main)
		}
		t.Logf("away for an hour: 180 bumps, %d tries; back: all delivered after %s", len(away), time.Since(back))
		server.CheckCounted(want)
		if st, err := w.Status(); err != nil || st.Sinks[0].State != up || st.Sinks[0].StuckRows != 0 {
			t.Errorf("%+v, %v", st.Sinks, err)
		}
	})
}

// toggleWords are the original server's words for an event.
func toggleWords(ev checkout.Event) []string {
	in, out := ev.PersonName+" checked in "+ev.DeviceName, ev.PersonName+" checked out "+ev.DeviceName
	switch ev.Kind {
	case checkout.Return:
		return []string{in}
	case checkout.Handover:
		return []string{ev.FromName + " checked in " + ev.DeviceName, out}
	}
	return []string{out}
}

// checkTries compares the tries of an outage with what is promised: at most 30 s
// apart in its first ten minutes, and 15 min later. The outage began at begin, and
// was noticed with the first try.
func checkTries(t *testing.T, begin time.Time, tries []time.Time) {
	t.Helper()
	last := begin
	for _, at := range tries {
		most := 30 * time.Second
		if last.Sub(tries[0]) >= 10*time.Minute {
			most = 15 * time.Minute
		}
		if gap := at.Sub(last); gap > most {
			t.Errorf("no try for %s, %s into the outage", gap, last.Sub(begin))
		}
		last = at
	}
	// Full jitter: half the limit on average, 40 tries and then 7.
	if n := len(tries); n < 25 || n > 120 {
		t.Errorf("%d tries in an hour", n)
	}
}
