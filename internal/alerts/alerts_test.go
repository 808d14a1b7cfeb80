package alerts

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/testkit"
)

// lab is a station whose faults the test makes, and an admin who is told.
type lab struct {
	t    *testing.T
	file string
	log  testkit.Log
	stop func()

	mu     sync.Mutex
	wrong  map[string]string // what is wrong, by name
	says   map[string]call.Outcome
	inbox  map[string][]string
	ids    map[string][]string // of the attempts
	stamps int
}

func newLab(t *testing.T) *lab {
	return &lab{t: t, file: filepath.Join(t.TempDir(), "alerts.json"), wrong: map[string]string{}, says: map[string]call.Outcome{},
		inbox: map[string][]string{}, ids: map[string][]string{}}
}

// start starts the task, as a daemon does that tells these places.
func (l *lab) start(places ...string) {
	o := Options{Station: "lab-1", After: 10 * time.Minute, File: l.file, Log: slog.New(slog.NewTextHandler(&l.log, nil)),
		Stamp: func() checkout.Stamp { l.stamps++; return checkout.Stamp{Wall: time.Now(), Trusted: true} }, Faults: l.faults}
	for _, name := range places {
		o.Places = append(o.Places, Place{name, func(_ context.Context, a call.Alert) call.Outcome { return l.get(name, a) }})
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- New(o).Run(ctx) }()
	l.stop = func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Error(err)
		}
	}
}

func (l *lab) faults() (all []call.Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, what := range l.wrong {
		all = append(all, call.Fault{Name: name, What: what, Remedy: "mend " + name})
	}
	return all
}

// get takes a message, as a place does, or refuses it.
func (l *lab) get(place string, a call.Alert) call.Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids[place] = append(l.ids[place], a.ID.String())
	if o, no := l.says[place]; no {
		return o
	}
	var words []string
	for _, f := range a.Began {
		words = append(words, f.What)
	}
	for _, f := range a.Over {
		words = append(words, "over: "+f.What)
	}
	if a.Station != "lab-1" || !a.At.Trusted {
		l.t.Errorf("%+v", a)
	}
	l.inbox[place] = append(l.inbox[place], strings.Join(words, ", "))
	return call.Outcome{}
}

// then makes this be wrong, name after name, and nothing else, and lets time go by.
func (l *lab) then(d time.Duration, names ...string) {
	l.mu.Lock()
	l.wrong = map[string]string{}
	for _, n := range names {
		l.wrong[n] = n + " is broken"
	}
	l.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
}

// got wants these messages at a place, since it was asked last.
func (l *lab) got(what, place string, want ...string) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := l.inbox[place]; fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		l.t.Errorf("%s: %s got %q, want %q", what, place, got, want)
	}
	l.inbox[place] = nil
}

// TestAlerts: an admin is told once of a fault that lasts, and once when it is over; several
// come in one message, and what comes and goes is no news.
func TestAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.start("mail")
		defer func() { l.stop() }()
		l.then(9*time.Minute, "disk")
		l.got("after nine minutes", "mail")
		l.then(2 * time.Minute)
		l.got("it was short", "mail")
		l.then(9*time.Minute, "disk")
		l.got("it begins anew", "mail")
		l.then(2*time.Minute, "disk", "lines")
		l.got("it lasts", "mail", "disk is broken")
		l.then(12*time.Minute, "disk", "lines")
		l.got("another one", "mail", "lines is broken")
		l.then(100*time.Hour, "disk", "lines")
		l.got("days later", "mail")
		l.then(20*time.Second, "lines")
		l.then(time.Hour, "disk", "lines")
		l.got("it was away for a moment", "mail")
		l.then(2*time.Minute, "disk")
		l.got("one is over", "mail", "over: lines is broken")
		l.then(20 * time.Minute)
		l.got("so is the other", "mail", "over: disk is broken")
		l.then(11*time.Minute, "clock", "mail", "power")
		l.got("three at once", "mail", "clock is broken, mail is broken, power is broken")
		l.then(20*time.Minute, "usb")
		l.got("three are over", "mail", "over: clock is broken, over: mail is broken, over: power is broken", "usb is broken")
	})
}

// TestRestarts: what was told is not told again after a restart, and what ended meanwhile is
// said to be over, but not before the station could have found it again.
func TestRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.start("mail")
		l.then(11*time.Minute, "disk", "lines")
		l.got("both", "mail", "disk is broken, lines is broken")
		l.stop()
		l.start("mail")
		l.then(9 * time.Minute)
		l.got("nothing shows yet", "mail")
		l.then(11*time.Minute, "disk")
		l.got("one came back", "mail", "over: lines is broken")
		l.stop()
		l.start("mail", "webhook")
		l.then(time.Hour, "disk")
		l.got("it knows", "mail")
		l.got("a new place does not", "webhook", "disk is broken")
		l.stop()
		if err := os.WriteFile(l.file, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		l.start("mail")
		l.then(11*time.Minute, "disk")
		l.got("the file is lost", "mail", "disk is broken")
		l.stop()
		if !strings.Contains(l.log.String(), "they are told again") {
			t.Errorf("the log says\n%s", &l.log)
		}
	})
}

// TestPlaceAway: a place that does not answer is asked again, more and more seldom, with the
// same message; others are told meanwhile, and the log has it once.
func TestPlaceAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.says["mail"] = call.Outcome{Verdict: call.Down, Reason: "no route", Remedy: "look"}
		l.start("mail", "webhook")
		defer func() { l.stop() }()
		l.then(24*time.Hour, "disk")
		l.got("one place", "webhook", "disk is broken")
		if n := len(l.ids["mail"]); n < 90 || n > 110 {
			t.Errorf("mail was tried %d times in a day", n)
		}
		for _, id := range l.ids["mail"] {
			if id != l.ids["mail"][0] {
				t.Fatalf("two messages of one fault: %s and %s", id, l.ids["mail"][0])
			}
		}
		if n := l.log.Count("can't be told"); n != 1 {
			t.Errorf("the log has it %d times:\n%s", n, &l.log)
		}
		delete(l.says, "mail")
		l.then(16*time.Minute, "disk")
		l.got("it is back", "mail", "disk is broken")
		l.then(20*time.Minute, "disk", "lines")
		l.got("another one", "mail", "lines is broken")
		l.got("another one", "webhook", "lines is broken")
		l.says["mail"] = call.Outcome{Verdict: call.Down}
		l.then(time.Hour)
		delete(l.says, "mail")
		l.then(20 * time.Minute)
		l.got("over", "mail", "over: disk is broken, over: lines is broken")
	})
}

// TestNeverTold: a fault that is over before a place heard of it is no news there.
func TestNeverTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.says["mail"] = call.Outcome{Verdict: call.Down}
		l.start("mail")
		defer func() { l.stop() }()
		l.then(time.Hour, "disk")
		l.then(time.Hour)
		delete(l.says, "mail")
		l.then(time.Hour)
		l.got("nothing", "mail")
	})
}
