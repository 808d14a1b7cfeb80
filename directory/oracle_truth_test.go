package directory

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/directory/call"
	"stump/directory/directorytest"
)

// world is a lab with two stations that know of each other only through Snipe-IT, an
// admin at its page, and the truth: who really has which device.
type world struct {
	t        *testing.T
	snipe    *directorytest.Snipe
	ln       *memListener
	token    string
	stations [2]*post
	truth    [2]int // of each device: a person from 1 on, 0 for nobody
	told     [2]bool
	moved    [2]move

	mu    sync.Mutex
	fault fault
	calls int // that have it
	// lost are the devices of check-ins whose answer was lost. Nobody can tell whose
	// a check-in was that somebody else may have made meanwhile.
	lost [2]bool
}

// move is where a device was moved last: at a station, or 2 for the page.
type move struct {
	at    time.Time
	where int
}

// post is a station.
type post struct {
	*box
	net    *memNet
	w      *Worker
	store  *faulty
	cancel context.CancelFunc
	done   chan error
}

// act is a step of a history.
type act struct {
	what                    string
	station, person, device int
	fault                   fault
	calls                   int
	wait                    time.Duration
}

func (a act) String() string {
	switch a.what {
	case "bump":
		return fmt.Sprintf("bump of %d and device %d at %d, then %v", a.person, a.device, a.station, a.wait)
	case "page":
		return fmt.Sprintf("device %d to %d on the page, then %v", a.device, a.person, a.wait)
	case "fault":
		return fmt.Sprintf("%d calls: %s, then %v", a.calls, a.fault, a.wait)
	}
	return fmt.Sprintf("%s at %d, then %v", a.what, a.station, a.wait)
}

func drawActs(rt *rapid.T) []act {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) act {
		a := act{
			what:    rapid.SampledFrom([]string{"bump", "bump", "bump", "bump", "page", "page", "offline", "online", "kill", "fault"}).Draw(rt, "what"),
			station: rapid.IntRange(0, 1).Draw(rt, "station"), device: rapid.IntRange(0, 1).Draw(rt, "device"),
			wait: rapid.SampledFrom([]time.Duration{0, 5 * time.Millisecond, 25 * time.Millisecond, time.Second, 35 * time.Second, 3 * time.Minute}).Draw(rt, "wait"),
		}
		switch a.what {
		case "bump":
			a.person = rapid.IntRange(1, 3).Draw(rt, "person")
		case "page":
			a.person = rapid.IntRange(0, 3).Draw(rt, "person")
		case "fault":
			a.calls = rapid.IntRange(1, 4).Draw(rt, "calls")
			a.fault = rapid.SampledFrom([]fault{resetAtOnce, hangAfterCommit, resetAfterCommit, status500, status500Commit, status429, halfJSON}).Draw(rt, "fault")
		}
		return a
	}), 1, 12).Draw(rt, "acts")
}

func (x *world) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	f := &faultServer{inner: x.snipe, stop: make(chan struct{}), fault: healthy}
	if x.calls > 0 {
		f.fault = x.fault
		x.calls--
		var id int
		if n, _ := fmt.Sscanf(r.URL.Path, "/api/v1/hardware/%d/checkin", &id); n == 1 && r.Method == http.MethodPost && x.fault != status429 {
			x.lost[id-11] = true
		}
	}
	x.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	f.ServeHTTP(w, r)
	time.Sleep(10 * time.Millisecond)
}

func (x *world) boot(p *post) {
	p.net, p.store = &memNet{accept: x.ln.accept}, &faulty{box: p.box}
	d, err := openSnipe("http://memory", x.token, call.HTTP{Proxy: "none", TestDial: p.net.dial}, time.Minute)
	if err != nil {
		x.t.Fatal(err)
	}
	p.w = NewWorker(Options{backoff: drawing(func(n int64) int64 { return n / 2 }), Directory: d, Ledger: p.store, Timing: Timing{LoansEvery: 30 * time.Second}})
	ctx, cancel := context.WithCancel(context.Background())
	w, done := p.w, make(chan error, 1)
	p.cancel, p.done = cancel, done
	go func() { done <- w.Run(ctx) }()
}

// kill is kill -9.
func (x *world) kill(p *post) {
	p.store.fail(errDead)
	p.net.kill()
	p.cancel()
	x.boot(p)
}

func (p *post) offline(is bool) {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	p.net.refuse = is
	for _, c := range p.net.conns {
		if is {
			c.Close()
		}
	}
}

// do does what people do. Whoever has a device brings it back; everybody else takes it.
func (x *world) do(a act) {
	p := x.stations[a.station]
	switch a.what {
	case "bump":
		x.carry(a.device, a.station)
		device, err := p.Subject(oracleTag(a.device))
		if err != nil || device.ID == "" {
			return // the station has never heard of it
		}
		x.told[a.device] = x.told[a.device] || device.Doubtful
		if x.truth[a.device] == a.person {
			x.truth[a.device] = 0
		} else {
			x.truth[a.device] = a.person
		}
		p.bump(oracleBadges[a.person-1], oracleTag(a.device))
	case "page":
		x.carry(a.device, 2)
		to := "user"
		if a.person == 0 {
			to = ""
		}
		if x.snipe.Where(a.device+11) == where(a.person) {
			return // the page offers nothing to do
		}
		x.truth[a.device] = a.person
		x.snipe.Put(a.device+11, to, a.person)
	case "offline":
		x.lose(p)
		p.offline(true)
	case "online":
		p.offline(false)
	case "kill":
		x.lose(p)
		x.kill(p)
	case "fault":
		x.mu.Lock()
		x.fault, x.calls = a.fault, a.calls
		x.mu.Unlock()
	}
}

// carry takes a device from one place to another, which takes a moment.
func (x *world) carry(device, to int) {
	if m := x.moved[device]; m.where != to && time.Since(m.at) < 2*time.Second {
		time.Sleep(2 * time.Second)
	}
	x.moved[device] = move{time.Now(), to}
}

// lose notes the check-ins that are on their way.
func (x *world) lose(p *post) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range p.rows(Main) {
		var device int
		fmt.Sscanf(r.Event.Device, "device-%d", &device)
		x.lost[device] = x.lost[device] || r.State == record.Sending && r.Event.Kind != checkout.Checkout
	}
}

// holder is who has a device by a station's ledger.
func (p *post) holder(device int) int {
	for id, who := range p.holders() {
		if id == fmt.Sprint("device-", device) {
			for i, name := range oracleNames {
				if who == strings.ToLower(name) {
					return i + 1
				}
			}
		}
	}
	return 0
}

// tells reports whether the station has yet to tell of a device: until then it is right
// by chance, if it is.
func (p *post) tells(device int) bool {
	for _, r := range p.rows(Main) {
		if r.Event.Device == fmt.Sprint("device-", device) {
			return true
		}
	}
	return false
}

// says reports whether the station says that something about a device is not as it
// should be.
func (p *post) says(t *testing.T, device int) bool {
	st, err := p.w.Status()
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint("device-", device)
	for _, d := range st.Doubts {
		if d.DeviceID == id {
			return true
		}
	}
	for _, r := range st.Sinks[0].Stuck {
		if r.Event.DeviceID != nil && *r.Event.DeviceID == id {
			return true
		}
	}
	return strings.Contains(strings.Join(st.Pull.Notes, "\n"), fmt.Sprint("Device ", device))
}

// where is who has a device as Snipe-IT says it.
func where(person int) string {
	if person == 0 {
		return "nobody"
	}
	return fmt.Sprint("user ", person)
}

// look notes what people are told.
func (x *world) look() {
	synctest.Wait()
	for d := range x.truth {
		right := x.snipe.Where(d+11) == where(x.truth[d])
		for _, p := range x.stations {
			x.told[d] = x.told[d] || p.says(x.t, d)
			right = right && p.holder(d) == x.truth[d] && !p.tells(d)
		}
		if right {
			x.told[d] = false
			x.mu.Lock()
			x.lost[d] = false
			x.mu.Unlock()
		}
	}
}

// wrong is what is wrong and silent in the end.
func (x *world) wrong() string {
	x.look()
	for d := range x.truth {
		there := x.snipe.Where(d + 11)
		state := fmt.Sprintf("device %d is with %d; Snipe-IT says %s, the stations %d and %d", d, x.truth[d], there, x.stations[0].holder(d), x.stations[1].holder(d))
		for i, p := range x.stations {
			switch {
			case where(p.holder(d)) != there && !p.says(x.t, d):
				return fmt.Sprintf("%s: station %d differs and says nothing", state, i)
			case p.holder(d) != x.truth[d] && !x.told[d] && !x.lost[d]:
				return state + ": nobody was told"
			}
		}
	}
	return ""
}

func playWorld(t *testing.T, acts []act, token string) (wrong string) {
	x := &world{t: t, snipe: &directorytest.Snipe{}, token: token, ln: &memListener{accept: make(chan net.Conn, 64), closed: make(chan struct{})}}
	for i := range 3 {
		x.snipe.Users = append(x.snipe.Users, directorytest.SnipeUser{ID: i + 1, Name: oracleNames[i], Num: oracleBadges[i].Decimal()})
	}
	for i := range x.truth {
		x.snipe.Assets = append(x.snipe.Assets, &directorytest.SnipeAsset{ID: i + 11, Name: fmt.Sprint("Device ", i), Tag: oracleTag(i).Decimal()})
	}
	server := &http.Server{Handler: x, ErrorLog: quiet}
	go server.Serve(x.ln)
	for i := range x.stations {
		x.stations[i] = &post{box: newBox(t, Main)}
		x.boot(x.stations[i])
	}
	defer func() {
		for _, p := range x.stations {
			p.cancel()
			<-p.done
			p.net.kill()
		}
		server.Close()
		time.Sleep(time.Minute) // for what was killed to end
	}()
	time.Sleep(time.Second)
	for _, a := range acts {
		x.do(a)
		time.Sleep(a.wait)
		x.look()
	}
	x.mu.Lock()
	x.calls = 0
	x.mu.Unlock()
	for _, p := range x.stations {
		p.offline(false)
	}
	for range 4 {
		for _, p := range x.stations {
			p.w.Hurry()
		}
		time.Sleep(90 * time.Second)
		x.look()
	}
	return x.wrong()
}

// truthParts play as many histories each as the other oracles: more than 3,000 together.
const truthParts = 5

// TestOracleTruth plays histories of bumps at two stations, an admin at Snipe-IT's page,
// outages and kills. In the end nothing is both wrong and silent: where a station or
// Snipe-IT has a device with somebody who does not have it, people were told that the
// two differ. Only where the answer to a check-in was lost, and somebody else moved the
// same device before that was settled, nobody can know.
func TestOracleTruth(t *testing.T) {
	t.Parallel()
	token := tokenFile(t, "secret-token")
	for part := range truthParts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				acts := drawActs(rt)
				var wrong string
				synctest.Test(t, func(t *testing.T) { wrong = playWorld(t, acts, token) })
				if wrong != "" {
					rt.Fatalf("%s\n%v", wrong, acts)
				}
			})
		})
	}
}
