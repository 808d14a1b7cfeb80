package directory

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"stump/checkout/ledger/record"
	"stump/directory/call"
	"stump/internal/books"
)

var freeThere = &books.Holding{Free: true}

// The device was out before the station came: what the server says at the first bump
// settles it, nobody has to decide, and nothing is called again.
func TestFirstWordSettles(t *testing.T) {
	for _, honours := range []bool{false, true} {
		s, d := openOriginal(t, func(c *endpointsConfig) {
			if honours {
				c.EventParameter = "event"
			}
		})
		s.mu.Lock()
		s.holder["8123456"] = sentBadge(annBadge)
		s.mu.Unlock()
		l := newBox(t, Main, "hook")
		l.register()
		hook := new(hookStage)
		w, stop := start(t, Options{Directory: d, Ledger: l, Webhooks: map[string]Deliverer{"hook": hook}, backoff: impatient})
		l.bump(annBadge, ipadTag)
		eventually(t, "given back", func() bool { s, _ := l.Subject(ipadTag); return s.Holder == "" })
		eventually(t, "nothing waits", func() bool { n, _ := l.Backlog(Main); return n == 0 })
		if w.Behind() || len(s.toggles()) != 1 {
			t.Errorf("behind %v, toggles %q, want one", w.Behind(), s.toggles())
		}
		l.bump(annBadge, ipadTag)
		eventually(t, "taken", func() bool { return len(s.toggles()) == 2 })
		if got := s.toggles()[1]; got != "Ann checked out iPad Mini G1 (inky)" {
			t.Errorf("then the server said %q", got)
		}
		eventually(t, "the webhook has it too", func() bool { return len(hook.seqs()) == 3 })
		stop()
	}
}

// Where the station saw the device move, or a call before may have been counted, the
// server's word is a conflict for a person.
func TestFirstWordIsNotTheSecond(t *testing.T) {
	says := call.Outcome{Verdict: call.Conflict, Reason: "in", Theirs: freeThere}
	for _, c := range []struct {
		name   string
		before func(*box) // after the first bump
		row    uint64
		want   record.OutboxState
	}{
		{"first", func(*box) {}, 1, record.Queued},
		{"moved before", func(l *box) { l.take("ipad", "ipad"); l.Delivered(Main, keyOf(1), keyOf(2)) }, 3, record.Conflict},
		{"moved since", func(l *box) { l.take("ipad") }, 1, record.Conflict},
		{"forced", func(l *box) { l.save(Main, 1, record.OutboxRow{Force: true}) }, 1, record.Conflict},
		{"a call before is in doubt", func(l *box) { l.save(Main, 1, record.OutboxRow{Touched: true}) }, 1, record.Conflict},
	} {
		synctest.Test(t, func(t *testing.T) {
			out := newBox(t, Main)
			out.take("ipad")
			c.before(out)
			place := &stage{caps: call.Capabilities{Identities: true, FirstWord: true, Parallel: 1}}
			place.answer = func(call.Delivery) call.Outcome { return says }
			_, stop := start(t, Options{Directory: place, Ledger: out})
			defer stop()
			synctest.Wait()
			if r, err := out.row(Main, c.row); (err != nil) != (c.want == record.Queued) || r.State != c.want {
				t.Errorf("%s: %v, %v, want %v", c.name, r.State, err, c.want)
			}
		})
	}
}

// A retry of a call that may have been counted is not the first call.
func TestRetryOfDoubtIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad")
		place := &stage{caps: call.Capabilities{Identities: true, FirstWord: true, Parallel: 1}}
		answers := []call.Outcome{{Verdict: call.InDoubt, Reason: "cut"}, {Verdict: call.Down, Reason: "away"}, {Verdict: call.Conflict, Reason: "in", Theirs: freeThere}}
		place.answer = func(call.Delivery) call.Outcome { return answers[len(place.calls)-1] }
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(time.Hour)
		if err := w.Retry("1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if r, err := out.row(Main, 1); err != nil || r.State != record.Conflict || !r.Touched {
			t.Errorf("%+v, %v, want a conflict", r.OutboxRow, err)
		}
	})
}

// TestOracleFirstWord: the server has devices out that the station never saw. After any
// taps, faults and kills, station and server agree on each device, or its event waits for
// a person.
func TestOracleFirstWord(t *testing.T) {
	t.Parallel()
	for _, honours := range []bool{false, true} {
		t.Run(fmt.Sprintf("honours events %v", honours), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				ops := drawOps(rt)
				out := rapid.SliceOfN(rapid.IntRange(-1, 2), 3, 3).Draw(rt, "out") // who has each device there
				var wrong string
				synctest.Test(t, func(t *testing.T) { wrong = playFirstWord(t, ops, out, honours) })
				if wrong != "" {
					rt.Fatal(wrong)
				}
			})
		})
	}
}

func playFirstWord(t *testing.T, ops []op, out []int, honours bool) string {
	s := newOriginal()
	for i := range 3 {
		s.people[sentBadge(oracleBadges[i])] = oracleNames[i]
		s.devices[fmt.Sprint(8200000+i)] = fmt.Sprint("Device ", i)
		if out[i] >= 0 {
			s.holder[fmt.Sprint(8200000+i)] = sentBadge(oracleBadges[out[i]])
		}
	}
	l := newLab(t, s, func(n *memNet) (Directory, error) {
		cfg := endpointsAt("http://memory")
		cfg.Proxy, cfg.TestDial = "none", n.dial
		if honours {
			cfg.EventParameter = "event"
		}
		return cfg.open()
	})
	server := &http.Server{Handler: l, ErrorLog: quiet}
	go server.Serve(l.ln)
	if err := l.boot(); err != nil {
		return err.Error()
	}
	defer func() {
		l.stop()
		server.Close()
		synctest.Wait()
	}()
	for _, o := range ops {
		var err error
		switch o.what {
		case "tap":
			l.tap(o.person, o.device)
		case "fault":
			l.breakCalls(o)
		case "kill":
			err = l.kill()
		case "stop":
			l.stop()
			err = l.boot()
		case "network":
			l.w.Hurry()
		}
		if err != nil {
			return err.Error()
		}
		time.Sleep(o.wait)
	}
	l.breakCalls(op{})
	time.Sleep(6 * time.Hour)
	synctest.Wait()
	return l.silent(s)
}

// silent says of which device that moved here station and server say different things, while nothing
// tells a person.
func (l *lab) silent(s *original) string {
	waits := map[string]bool{}
	for _, r := range l.rows(Main) {
		if !r.State.Stuck() && !waits[r.Event.Device] {
			return fmt.Sprintf("event %d waits for nobody", r.Event.Seq)
		}
		waits[r.Event.Device] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range 3 {
		d, err := l.Subject(oracleTag(i))
		if err != nil {
			return err.Error()
		}
		here, there := d.HolderName, s.people[s.holder[fmt.Sprint(8200000+i)]]
		if len(l.want[i]) > 0 && here != there && !waits[d.ID] {
			return fmt.Sprintf("device %d is with %q here and %q there, and nobody is told; the server counted %s", i, here, there, strings.Join(s.log, ", "))
		}
	}
	return ""
}
