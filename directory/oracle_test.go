package directory

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/directorytest"
	"stump/internal/books"
)

// memNet is a network in memory, for bubbles, whose clients can be killed with
// their connections.
type memNet struct {
	accept chan net.Conn

	mu     sync.Mutex
	conns  []net.Conn
	refuse bool
	dead   bool // the client was killed: it can't call any more
}

func (n *memNet) dial(context.Context, string, string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse || n.dead {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	client, server := net.Pipe()
	n.conns = append(n.conns, client)
	n.accept <- server
	return client, nil
}

func (n *memNet) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dead = true
	for _, c := range n.conns {
		c.Close()
	}
}

// memListener accepts from any number of memNets.
type memListener struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *memListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *memListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

var errDead = errors.New("killed")

// op is a step of a sequence.
type op struct {
	what           string // tap, kill, stop, sleep, fault, person, network
	person, device int
	wait           time.Duration
	fault          fault
	calls          int // that have the fault
}

// sequences is how many each test plays if rapid's flag does not say: more than 2,000
// with the three oracles. Under the race detector there are fewer.
var sequences = 700

func TestMain(m *testing.M) {
	if at := os.Getenv(bigSnipeAt); at != "" {
		serveBigSnipe(at)
	}
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		f.Value.Set(fmt.Sprint(sequences))
	}
	os.Exit(m.Run())
}

func drawOps(rt *rapid.T) []op {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) op {
		o := op{what: rapid.SampledFrom([]string{"tap", "tap", "tap", "tap", "kill", "stop", "sleep", "fault", "fault", "person", "network"}).Draw(rt, "what")}
		switch o.what {
		case "tap":
			o.person, o.device = rapid.IntRange(0, 2).Draw(rt, "person"), rapid.IntRange(0, 2).Draw(rt, "device")
		case "fault":
			o.calls = rapid.IntRange(1, 4).Draw(rt, "calls")
			o.fault = rapid.SampledFrom([]fault{resetAtOnce, hangAtOnce, hangAfterCommit, hangInBody, resetAfterCommit, status500,
				status500Commit, status429, status429After, status401, htmlPage, halfJSON, "refuses", "slow"}).Draw(rt, "fault")
		}
		o.wait = rapid.SampledFrom([]time.Duration{0, 5 * time.Millisecond, 15 * time.Millisecond, 25 * time.Millisecond, time.Second, 20 * time.Second, 5 * time.Minute}).Draw(rt, "wait")
		return o
	}), 1, 14).Draw(rt, "ops")
}

// newLab is a site with three people and three devices, which are in the register.
func newLab(t *testing.T, srv http.Handler, open func(*memNet) (Directory, error)) *lab {
	l := &lab{
		box: newBox(t, Main, "hook"), srv: srv, ln: &memListener{accept: make(chan net.Conn, 64), closed: make(chan struct{})},
		want: map[int][]string{}, callsOf: map[uint64]map[int]int{}, open: open, hook: new(hookStage),
	}
	for i := range 3 {
		l.sync(books.SyncRow{Kind: checkout.KindPerson, Ref: fmt.Sprint(i + 1), Name: oracleNames[i], Tag: oracleBadges[i]},
			books.SyncRow{Kind: checkout.KindDevice, Ref: fmt.Sprint(i + 11), Name: fmt.Sprint("Device ", i), Tag: oracleTag(i)})
	}
	return l
}

// hookTrouble makes every third delivery to the webhook fail in one way or
// another.
func hookTrouble(h *hookStage) {
	h.stage.answer = func(call.Delivery) call.Outcome {
		switch n := len(h.stage.calls); {
		case n%3 != 0:
			return call.Outcome{}
		case n%2 == 0:
			return call.Outcome{Verdict: call.Down, Reason: "refuses"}
		default:
			return call.Outcome{Verdict: call.Failing, Reason: "failed"}
		}
	}
}

// TestOracleEndpoints plays random taps, faults, restarts and kills against the
// original's toggle. At no time may it have counted a call twice, out of order, or
// without an event. In the end, when a person has decided what only a person can
// know, it has counted everything.
func TestOracleEndpoints(t *testing.T) {
	t.Parallel()
	for _, honours := range []bool{false, true} {
		t.Run(fmt.Sprintf("honours events %v", honours), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				ops := drawOps(rt)
				var wrong string
				synctest.Test(t, func(t *testing.T) { wrong = playOriginal(t, ops, honours) })
				if wrong != "" {
					rt.Fatal(wrong)
				}
			})
		})
	}
}

func playOriginal(t *testing.T, ops []op, honours bool) string {
	s := newOriginal()
	for i := range 3 {
		s.people[sentBadge(oracleBadges[i])] = oracleNames[i]
		s.devices[fmt.Sprint(8200000+i)] = fmt.Sprint("Device ", i)
	}
	l := newLab(t, s, func(n *memNet) (Directory, error) {
		cfg := endpointsAt("http://memory")
		cfg.Proxy, cfg.TestDial = "none", n.dial
		if honours {
			cfg.EventParameter = "event"
		}
		return cfg.open()
	})
	hookTrouble(l.hook)
	words := strings.NewReplacer("checked ", "", " Device 0", "", " Device 1", "", " Device 2", "")
	return l.play(ops, func(device int) (saw []string) {
		for _, line := range s.toggles() {
			if strings.HasSuffix(line, fmt.Sprint("Device ", device)) {
				saw = append(saw, words.Replace(line))
			}
		}
		return saw
	})
}

// TestOracleSnipeIT does the same with Snipe-IT, where nothing may wait for a
// person.
func TestOracleSnipeIT(t *testing.T) {
	t.Parallel()
	token := tokenFile(t, "secret-token")
	rapid.Check(t, func(rt *rapid.T) {
		ops := drawOps(rt)
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = playSnipe(t, ops, token) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func playSnipe(t *testing.T, ops []op, token string) string {
	s := &directorytest.Snipe{}
	for i := range 3 {
		s.Users = append(s.Users, directorytest.SnipeUser{ID: i + 1, Name: oracleNames[i], Num: oracleBadges[i].Decimal()})
		s.Assets = append(s.Assets, &directorytest.SnipeAsset{ID: i + 11, Name: fmt.Sprint("Device ", i), Tag: oracleTag(i).Decimal()})
	}
	l := newLab(t, s, func(n *memNet) (Directory, error) {
		return openSnipe("http://memory", token, call.HTTP{Proxy: "none", TestDial: n.dial}, time.Minute)
	})
	hookTrouble(l.hook)
	return l.play(ops, func(device int) (saw []string) {
		for _, line := range s.Done() {
			var what string
			var asset, user int
			var dir string
			fmt.Sscanf(line, "%s %d %s %d", &what, &asset, &dir, &user)
			if asset == device+11 {
				saw = append(saw, oracleNames[user-1]+" "+what)
			}
		}
		return saw
	})
}
