package directory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/internal/testkit"
)

// lab is a whole site in a bubble.
type lab struct {
	*box
	srv    http.Handler
	ln     *memListener
	events int
	want   map[int][]string
	// callsOf counts the calls that an event takes, by its number and device.
	callsOf map[uint64]map[int]int
	open    func(*memNet) (Directory, error)
	hook    *hookStage

	net    *memNet
	w      *Worker
	cancel context.CancelFunc
	done   chan error
	store  *faulty // the ledger of the running worker

	faultMu sync.Mutex
	fault   fault
	calls   int
}

// ServeHTTP breaks calls, and takes time, so that a kill finds a call at any of its
// stages.
func (l *lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.faultMu.Lock()
	x := healthy
	if l.calls > 0 {
		x = l.fault
		l.calls--
	}
	l.faultMu.Unlock()
	time.Sleep(10 * time.Millisecond)
	if x == "slow" {
		time.Sleep(40 * time.Second) // counted after the client gave up
		x = healthy
	}
	f := &faultServer{inner: l.srv, stop: make(chan struct{}), fault: x}
	f.ServeHTTP(w, r)
	time.Sleep(10 * time.Millisecond)
}

func (l *lab) boot() error {
	l.net = &memNet{accept: l.ln.accept}
	l.store = &faulty{box: l.box}
	d, err := l.open(l.net)
	if err != nil {
		return err
	}
	l.w = NewWorker(Options{backoff: drawing(func(n int64) int64 { return n / 2 }), Directory: d, Ledger: l.store, Webhooks: map[string]Deliverer{"hook": l.hook}})
	ctx, cancel := context.WithCancel(context.Background())
	w, done := l.w, make(chan error, 1)
	l.cancel, l.done = cancel, done
	go func() { done <- w.Run(ctx) }()
	return nil
}

// kill is kill -9: the old daemon no longer reaches the disk or the network.
func (l *lab) kill() error {
	l.store.fail(errDead)
	l.net.kill()
	l.cancel()
	return l.boot()
}

func (l *lab) stop() {
	l.cancel()
	<-l.done
	l.net.kill()
}

var oracleBadges = []checkout.Tag{annBadge, bobBadge, testkit.Tag(95555, 26)}

func oracleTag(i int) checkout.Tag { return testkit.Tag(uint64(8200000+i), 26) }

var oracleNames = []string{"Ann", "Bob", "Cem"}

// tap commits what two taps mean, and notes the toggles or calls that the server
// must see.
func (l *lab) tap(person, device int) {
	ev := l.bump(oracleBadges[person], oracleTag(device))
	l.events++
	calls := map[checkout.Kind][]string{
		checkout.Checkout: {ev.PersonName + " out"}, checkout.Return: {ev.PersonName + " in"}, checkout.Handover: {ev.FromName + " in", ev.PersonName + " out"},
	}[ev.Kind]
	l.want[device] = append(l.want[device], calls...)
	l.callsOf[ev.Seq] = map[int]int{device: len(calls)}
}

// play runs a sequence to its end, mends everything, and returns what is wrong. saw
// returns what the server counted for a device, in order, such as "Ann out".
func (l *lab) play(ops []op, saw func(device int) []string) (wrong string) {
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
	check := func(when string) bool {
		for d := range 3 {
			got := saw(d)
			if len(got) > len(l.want[d]) || !slices.Equal(got, l.want[d][:len(got)]) {
				wrong = fmt.Sprintf("%s: of device %d the server counted %q, which is no beginning of %q", when, d, got, l.want[d])
				return false
			}
		}
		return true
	}
	for i, o := range ops {
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
		case "person":
			err = l.person(saw)
		case "network":
			l.w.Hurry()
		}
		if err != nil {
			return err.Error()
		}
		time.Sleep(o.wait)
		if !check(fmt.Sprintf("after op %d (%s)", i, o.what)) {
			return wrong
		}
	}
	l.breakCalls(op{})
	for range 20 {
		time.Sleep(20 * time.Minute)
		if l.waiting(Main) == 0 {
			break
		}
		if err := l.person(saw); err != nil {
			return err.Error()
		}
	}
	if !check("at the end") {
		return wrong
	}
	for d := range 3 {
		if got := saw(d); len(got) != len(l.want[d]) {
			st, _ := l.w.Status()
			var b strings.Builder
			st.Write(&b, time.Now())
			return fmt.Sprintf("of device %d the server counted %q, want %q\n%s", d, got, l.want[d], b.String())
		}
	}
	return l.hookHeard()
}

// breakCalls sets what is wrong with the next calls; nothing, for the zero op.
func (l *lab) breakCalls(o op) {
	l.faultMu.Lock()
	l.fault, l.calls = o.fault, o.calls
	l.faultMu.Unlock()
	l.net.mu.Lock()
	l.net.refuse = o.fault == "refuses"
	l.net.mu.Unlock()
}

// hookHeard checks that the webhook has every event, in order per device.
func (l *lab) hookHeard() string {
	if n := l.waiting("hook"); n != 0 {
		return fmt.Sprintf("%d rows left for the webhook", n)
	}
	last, seen := map[string]uint64{}, map[uint64]bool{}
	for _, ev := range l.hook.stage.got {
		if seen[ev.Seq] {
			continue
		}
		seen[ev.Seq] = true
		if ev.Seq < last[ev.Device] {
			return fmt.Sprintf("the webhook heard %d of %s after %d", ev.Seq, ev.Device, last[ev.Device])
		}
		last[ev.Device] = ev.Seq
	}
	if len(seen) != l.events {
		return fmt.Sprintf("the webhook heard %d events of %d", len(seen), l.events)
	}
	return ""
}

// person does what "stump sync" says: looks in the directory, accepts what was
// counted, and retries the rest.
func (l *lab) person(saw func(int) []string) error {
	synctest.Wait()
	st, err := l.w.Status()
	if err != nil {
		return err
	}
	for _, s := range st.Sinks {
		for _, r := range s.Stuck {
			row, err := l.row(s.Name, r.Event.Seq)
			if err != nil {
				continue
			}
			var device int
			fmt.Sscanf(row.Event.Device, "device-%d", &device)
			if row.State == record.InDoubt && len(saw(device)) > l.before(row, device) {
				err = l.w.Accept(r.ID, "admin")
			} else {
				err = l.w.Retry(r.ID)
			}
			_, tooSoon := errors.AsType[*tooSoonError](err)
			if err != nil && !tooSoon && !errors.Is(err, errSending) && !errors.Is(err, ledger.ErrNotQueued) {
				return err
			}
		}
	}
	return nil
}

// before counts the calls that the server must have counted before this row's
// current one.
func (l *lab) before(r ledger.OutboxRow, device int) (n int) {
	for seq := uint64(1); seq < r.Event.Seq; seq++ {
		n += l.callsOf[seq][device]
	}
	if r.Step == "returned" {
		n++
	}
	return n
}
