//go:build ignore

// Make writes the ledgers of this folder with a development build of version
// 1.0, whose ledgers have schema 1. Run it inside a checkout of that build,
// with the program built from it:
//
//	go build -o /tmp/stump ./cmd/stump && go run PATH/make.go /tmp/stump PATH [NAME…]
//
// Times, ids and keys differ in each run.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"math/bits"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"stump/checkout"
)

var program, out string

func main() {
	program, out = os.Args[1], os.Args[2]
	os.Setenv("TZ", "UTC")
	os.Setenv("SUDO_USER", "admin") // the actor of commands
	all := map[string]func(*lab){
		"empty": empty, "plain": plain, "renamed": renamed, "renamed-back": renamedBack, "salvaged": salvaged,
		"salvaged-renamed": salvagedRenamed, "restored": restored, "waiting": waiting, "simulated": simulated,
	}
	names := os.Args[3:]
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(all))
	}
	for _, name := range names {
		l := newLab(name)
		all[name](l)
		l.stop()
		l.write()
		os.RemoveAll(l.dir)
	}
}

// must returns v, or ends the program.
func must[T any](v T, err error) T {
	ok(err)
	return v
}

func ok(err error) {
	if err != nil {
		log.Panic(err)
	}
}

// lab is one ledger in the making.
type lab struct {
	name, dir, state, station string
	config                    string // without the station
	names                     int    // that the station has had
	daemon                    *exec.Cmd
	r                         *rand.Rand
}

func newLab(name string) *lab {
	dir := must(os.MkdirTemp("", "schema1-"))
	return &lab{name: name, dir: dir, state: filepath.Join(dir, "state"), station: "lab-1", r: rand.New(rand.NewPCG(1, 2)), config: reader}
}

const reader = `
[[reader]]
name = "door"
data0 = "GPIO17"
data1 = "GPIO18"
badge = { facilities = [17] }
device = { facilities = [200] }
`

// dead is a directory and a webhook that nobody answers for.
const dead = `
[directory]
kind = "endpoints"
checkinout = "http://127.0.0.1:9/checkinout?staff={staff}&asset={asset}"
whatis = "http://127.0.0.1:9/whatis?rfid={tag}"
[[webhook]]
name = "hook"
url = "http://127.0.0.1:9/hook"
`

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }
func (l *lab) db() string              { return filepath.Join(l.state, "ledger.db") }

func (l *lab) command(args ...string) *exec.Cmd {
	file, text := l.path("stump.toml"), "station = \""+l.station+"\"\n"+l.config
	if old, _ := os.ReadFile(file); string(old) != text { // a daemon that starts may be reading it
		ok(os.WriteFile(file, []byte(text), 0o644))
	}
	return exec.Command(program, append(args, "--config", file)...)
}

// try asks the daemon, if it runs, or the ledger.
func (l *lab) try(args ...string) ([]byte, error) {
	c := l.command(args...)
	if l.daemon != nil {
		c.Args = append(c.Args, "--socket", l.path("socket"))
	} else {
		c.Args = append(c.Args, "--state", l.state)
	}
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s: %w: %s", args, err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}

// may is do for what may be refused.
func (l *lab) may(args ...string) {
	if _, err := l.try(args...); err != nil && !strings.Contains(err.Error(), "refused") {
		ok(err)
	}
}

func (l *lab) do(args ...string) []byte { return must(l.try(args...)) }

// start runs the daemon.
func (l *lab) start() {
	l.run(l.command("run", "--sim", "--state", l.state, "--socket", l.path("socket")))
}

func (l *lab) run(c *exec.Cmd) {
	c.Stderr = must(os.OpenFile(l.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644))
	ok(c.Start())
	l.daemon = c
	for range 300 {
		if _, err := l.try("status"); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b, _ := os.ReadFile(l.path("log"))
	log.Panicf("no daemon: %s", b)
}

func (l *lab) stop() {
	if l.daemon == nil {
		return
	}
	ok(l.daemon.Process.Signal(syscall.SIGTERM))
	_ = l.daemon.Wait()
	l.daemon = nil
}

var people = []string{"ada", "bo", "cy", "dee", "eli", "flo", "gus", "hal"}
var devices = []string{"tab-1", "tab-2", "tab-3", "phone-1", "phone-2", "phone-3", "lens-1", "lens-2", "case-1", "case-2", "case-3"}

// seed makes a ledger that is not simulated, with people and devices.
func (l *lab) seed() {
	empty(l)
	p, d := "id,name,email,badge\n", "id,name,tag,kind\n"
	for i, id := range people {
		p += fmt.Sprintf("%s,%s Example,%s@lab.example,H10301:17:%d\n", id, title(id), id, 101+i)
	}
	for i, id := range devices {
		d += fmt.Sprintf("%s,%s,H10301:200:%d,%s\n", id, title(id), 501+i, id[:len(id)-2])
	}
	ok(os.WriteFile(l.path("people.csv"), []byte(p), 0o644))
	ok(os.WriteFile(l.path("devices.csv"), []byte(d), 0o644))
	l.do("people", "import", l.path("people.csv"))
	l.do("devices", "import", l.path("devices.csv"))
}

func title(id string) string { return strings.ToUpper(id[:1]) + id[1:] }

// live has n things happen through the daemon, most by commands, some by taps.
// The cases stay where they are.
func (l *lab) live(n int) {
	for i := range n {
		p, d := people[l.r.IntN(len(people))], l.r.IntN(len(devices)-3)
		switch {
		case i%10 == 9:
			l.tap(17, 101+l.r.IntN(len(people)))
			l.tap(200, 501+d)
		case i%5 > 2:
			l.may("return", devices[d], "--note", fmt.Sprint("round ", i))
		default:
			l.may("give", devices[d], p, "--note", "a loan")
		}
	}
}

func (l *lab) tap(facility, number int) {
	l.do("sim", "tap", fmt.Sprintf("H10301:%d:%d", facility, number))
}

func empty(l *lab) {
	ok(os.MkdirAll(l.state, 0o750))
	keys := must(checkout.LoadOrCreateKey(filepath.Join(l.state, "site.key")))
	ok(must(checkout.Create(l.db(), checkout.Options{Station: l.station, SiteKey: keys.Current})).Close())
}

// as gives the station another name, and has things happen under it. One loan
// under each name stays open.
func (l *lab) as(name string, n int) {
	l.stop()
	l.station = name
	l.start()
	l.live(n)
	l.names++
	l.do("give", fmt.Sprint("case-", l.names), people[l.names], "--note", "a loan")
}

func renamed(l *lab) {
	l.station, l.config = "lab-a", reader+dead
	l.seed()
	l.as("lab-a", 40)
	l.as("lab-b", 40)
	l.as("lab-c", 40)
}

func renamedBack(l *lab) {
	l.station, l.config = "lab-a", reader+dead
	l.seed()
	l.as("lab-a", 30)
	l.as("lab-b", 30)
	l.as("lab-a", 30)
}

// salvage has the daemon find damage and save what can be saved.
func (l *lab) salvage(pages ...func(k []byte) bool) {
	l.stop()
	for _, is := range pages {
		damage(l.db(), leaf, is)
	}
	l.start()
	_, _ = l.try("verify") // finds the damage, and the next start salvages
	l.stop()
	l.start()
}

func salvaged(l *lab) {
	l.config = reader + dead
	l.seed()
	l.as("lab-1", 200)
	l.stop()
	// Rows of the outbox that no branch leads to are parked.
	damage(l.db(), branch, func(k []byte) bool { return len(k) == 12 })
	l.salvage(event(1, 40), event(1, 90))
	l.live(30)
}

func salvagedRenamed(l *lab) {
	l.config = reader + dead
	l.station = "lab-a"
	l.seed()
	l.as("lab-a", 120)
	l.as("lab-b", 120)
	l.salvage(event(1, 50), event(2, 40))
	l.live(30)
}

func restored(l *lab) {
	l.config = reader + dead
	l.seed()
	l.as("lab-1", 80)
	l.do("backup", l.path("backup.db"))
	l.live(40)
	l.stop()
	l.do("restore", l.path("backup.db"), "--yes")
	l.start()
	l.live(30)
}

func simulated(l *lab) {
	env := append(os.Environ(), "XDG_STATE_HOME="+l.dir, "XDG_RUNTIME_DIR="+l.dir)
	l.config = reader
	l.state = l.path("stump") // the default place
	c := l.command("run", "--sim")
	c.Env = env
	ok(os.Symlink("stump.sock", l.path("socket")))
	l.run(c)
	l.do("sim", "seed")
	for _, card := range strings.Fields("ann ipad ben pixel ann ipad cem kindle pixel dia eve watch") {
		l.do("sim", "tap", card)
	}
}

// event finds the page of a station's event.
func event(station uint16, seq uint64) func(k []byte) bool {
	want := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16(nil, station), seq)
	return func(k []byte) bool { return bytes.Equal(k, want) }
}

// Kinds and sizes of bbolt's pages (its package common).
const (
	branch   = 1
	leaf     = 2
	pageSize = 4096
)

// damage overwrites the page in use that has the key, and every free page that
// still has one of its keys.
func damage(path string, kind uint16, is func(k []byte) bool) {
	file := must(os.ReadFile(path))
	db := must(bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true}))
	free := map[int]bool{}
	ok(db.View(func(tx *bolt.Tx) error {
		for i := range len(file) / pageSize {
			p, err := tx.Page(i)
			if err != nil {
				return err
			}
			free[i] = p == nil || p.Type == "free" // nil is beyond the last one used
		}
		return nil
	}))
	ok(db.Close())
	lost := map[string]bool{}
	hit := map[int]bool{}
	for i := range len(file) / pageSize {
		if keys := pageKeys(file[i*pageSize:], kind); !free[i] && slices.ContainsFunc(keys, is) {
			hit[i] = true
			for _, k := range keys {
				lost[string(k)] = true
			}
		}
	}
	if len(hit) != 1 {
		log.Panicf("%s: %d pages have the key", path, len(hit))
	}
	for i := range len(file) / pageSize {
		if free[i] && slices.ContainsFunc(pageKeys(file[i*pageSize:], kind), func(k []byte) bool { return lost[string(k)] }) {
			hit[i] = true
		}
	}
	for i := range hit {
		copy(file[i*pageSize:], bytes.Repeat([]byte("damaged "), pageSize/8))
	}
	ok(os.WriteFile(path, file, 0o640))
}

// pageKeys are the keys of events and rows on a leaf page, or all on a branch.
func pageKeys(page []byte, kind uint16) (keys [][]byte) {
	page = page[:min(len(page), pageSize)]
	if binary.LittleEndian.Uint16(page[8:]) != kind {
		return nil
	}
	for i := range int(binary.LittleEndian.Uint16(page[10:])) {
		e := 16 + 16*i
		if e+16 > len(page) {
			return nil
		}
		at := e
		if kind == leaf {
			at += 4
		}
		from := e + int(binary.LittleEndian.Uint32(page[at:]))
		to := from + int(binary.LittleEndian.Uint32(page[at+4:]))
		if to < from || to+2 > len(page) {
			continue
		}
		if magic := string(page[to : to+2]); kind == branch || magic == "Ev" || magic == "Rw" {
			keys = append(keys, page[from:to])
		}
	}
	return keys
}

// place answers for a directory and a webhook in the ways that break deliveries.
type place struct {
	answer atomic.Value // how the next calls are answered
	calls  atomic.Int64
}

func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.calls.Add(1)
	if strings.HasPrefix(r.URL.Path, "/whatis") {
		fmt.Fprint(w, `{"error":"unknown"}`)
		return
	}
	switch how := p.answer.Load().(string); how {
	case "hangs":
		<-r.Context().Done()
	case "fails":
		http.Error(w, "out of order", 500)
	case "refuses":
		if r.Method == "POST" {
			http.Error(w, "no", 422)
			return
		}
		fmt.Fprint(w, `{"error":"Unknown Device"}`)
	default: // words
		fmt.Fprintf(w, `{"response":"it was %s"}`, how)
	}
}

// waiting has rows of two sinks in every state. The directory's are asked for
// one at a time.
func waiting(l *lab) {
	listen := must(net.Listen("tcp", "127.0.0.1:0"))
	hookListen := must(net.Listen("tcp", "127.0.0.1:0"))
	dir, hook := new(place), new(place)
	servers := []*http.Server{{Handler: dir}, {Handler: hook}}
	go servers[0].Serve(listen)
	go servers[1].Serve(hookListen)
	l.config = reader + strings.NewReplacer("127.0.0.1:9/hook", hookListen.Addr().String()+"/hook", "127.0.0.1:9", listen.Addr().String(),
		`kind = "endpoints"`, "kind = \"endpoints\"\nanswer_timeout = \"1s\"\ntotal_timeout = \"2s\"").Replace(dead)
	dir.answer.Store("checked out")
	hook.answer.Store("fine")
	l.seed()
	l.start()
	// Once through the reader, so that the numbers are known.
	for i := range devices {
		if i >= len(people) {
			break
		}
		l.tap(17, 101+i)
		l.tap(200, 501+i)
	}
	l.settle(dir, hook)
	steps := []struct{ dir, hook, device, person string }{
		{"refuses", "fine", "tab-1", ""},        // parked
		{"fails", "fine", "tab-2", ""},          // in doubt
		{"hangs", "refuses", "tab-3", ""},       // in doubt; parked
		{"checked out", "fine", "phone-1", ""},  // in conflict
		{"checked in", "fine", "phone-2", "bo"}, // a hand-over of which one half is told, the other in conflict
	}
	for _, s := range steps {
		dir.answer.Store(s.dir)
		hook.answer.Store(s.hook)
		if s.person == "" {
			l.do("return", s.device, "--note", "on the shelf")
		} else {
			l.do("give", s.device, s.person, "--note", "a loan")
		}
		l.settle(dir, hook)
	}
	hook.answer.Store("fails") // tried
	l.do("return", "phone-3", "--note", "on the shelf")
	time.Sleep(3 * time.Second)
	for _, s := range servers {
		s.Close()
	}
	l.unheard()
}

// unheard has things happen while directory and webhook refuse connections.
func (l *lab) unheard() {
	l.do("give", "lens-2", "ada", "--note", "a loan")
	l.do("give", "tab-1", "cy", "--note", "a loan") // held back by its device
	l.do("give", "case-1", "dee", "--note", "a loan")
	l.tap(17, 150) // nobody's yet
	l.tap(200, 510)
	l.tap(17, 103)
	l.tap(200, 550) // nobody's yet
	for range 2 {
		_, _ = l.try("sync", "retry", "all")
		time.Sleep(3 * time.Second)
	}
}

// settle waits until no more calls come.
func (l *lab) settle(places ...*place) {
	_, _ = l.try("sync", "retry", "all")
	for quiet, last := 0, int64(-1); quiet < 4; {
		time.Sleep(500 * time.Millisecond)
		n := int64(0)
		for _, p := range places {
			n += p.calls.Load()
		}
		if quiet++; n != last {
			quiet, last = 0, n
		}
	}
}

// clock is an invented one: hours pass between two bumps.
type clock struct {
	now, mono time.Duration
	boot      uuid.UUID
	trusted   bool
}

var begin = time.Date(2025, 3, 3, 8, 0, 0, 0, time.UTC)

func (c *clock) stamp() checkout.Stamp {
	s := checkout.Stamp{Wall: begin.Add(c.now), Mono: c.mono, BootID: c.boot, Trusted: c.trusted}
	if !c.trusted {
		s.Wall = time.Unix(0, 0).Add(c.mono)
	}
	return s
}

func (c *clock) reboot(trusted bool) { c.boot, c.mono, c.trusted = uuid.New(), 20*time.Second, trusted }

func (c *clock) pass(d time.Duration) { c.now, c.mono = c.now+d, c.mono+d }

// card is the tag of a card of the format H10301.
func card(facility, number uint64) checkout.Tag {
	v := facility<<16 | number
	even := uint64(bits.OnesCount64(v>>12) & 1)
	odd := uint64(bits.OnesCount64(v&0xfff)+1) & 1
	return checkout.TagFromUint64(even<<25|v<<1|odd, 26)
}

func mask(t checkout.Tag) string {
	v := binary.BigEndian.Uint64(t.Value[8:]) >> 1
	return fmt.Sprintf("H10301 %d:…%03d", v>>16&0xff, v&0xffff%1000)
}

// days is long enough that no loan of it is ever overdue.
const days = 24 * time.Hour * 40_000

// story is the ledger "plain" in the making.
type story struct {
	*checkout.Ledger
	lab    *lab
	c      *clock
	people int // how many of them come
}

func (s *story) subject(t checkout.Tag, kind checkout.SubjectKind) checkout.Subject {
	sub := must(s.Subject(t))
	if sub.Kind == checkout.Unknown {
		sub.Kind, sub.Pending = kind, true
	}
	return sub
}

func (s *story) bump(person, device uint64) {
	s.c.pass(time.Duration(30+s.lab.r.IntN(600)) * time.Minute)
	policy := []checkout.Policy{checkout.PolicyHandover, checkout.PolicyHandover, checkout.PolicyReturn, checkout.PolicyRefuse}[s.lab.r.IntN(4)]
	_, err := s.Complete(checkout.Completion{Person: s.subject(card(17, person), checkout.KindPerson),
		Device: s.subject(card(200, device), checkout.KindDevice), Policy: policy, Reader: "door"})
	if !errors.Is(err, checkout.ErrRefused) {
		ok(err)
	}
}

// bumps has n bumps and an admin's work among them.
func (s *story) bumps(n int) {
	for i := range n {
		d := uint64(s.lab.r.IntN(len(devices) - 1))
		s.bump(101+uint64(s.lab.r.IntN(s.people)), 501+d)
		req := checkout.Request{Device: devices[d], Person: people[s.lab.r.IntN(s.people)], Actor: "admin", Note: "at the desk"}
		var err error
		switch i % 12 {
		case 3:
			_, err = s.Give(req)
		case 5:
			req.Condition = "scratched"
			_, err = s.Return(req)
		case 7:
			_, err = s.Extend(req, days)
		case 9:
			_, err = s.Lose(req)
			s.c.pass(time.Hour)
			_, ferr := s.Find(req)
			err = errors.Join(err, ferr)
		}
		if !errors.Is(err, checkout.ErrRefused) {
			ok(err)
		}
	}
}

// delivered tells the directory of everything.
func (s *story) delivered() {
	var seqs []uint64
	for from := uint64(1); ; {
		p := must(s.OutboxFrom(checkout.DirectorySink, from, 100))
		for _, r := range p.Rows {
			if !r.Pending {
				seqs = append(seqs, r.Seq)
			}
		}
		if from = p.Next; p.End {
			break
		}
	}
	ok(s.Delivered(checkout.DirectorySink, seqs...))
}

func plain(l *lab) {
	empty(l)
	s := &story{lab: l, c: new(clock), people: 6}
	s.c.reboot(true)
	s.open()
	s.register()
	s.bumps(380)
	for range 6 {
		s.bump(103, 600)
	}
	s.delivered()
	s.clocks()
	s.rotate()
	s.tags()
	s.bumps(150)
	s.leave()
	if n := must(s.Forget(context.Background(), 60*24*time.Hour)); n == 0 {
		log.Panic("nothing was forgotten")
	}
	ok(s.Scrub(context.Background()))
	must(s.Lose(checkout.Request{Device: "tab-3", Actor: "admin", Note: "not on the shelf"}))
	s.bumps(60)
	ok(s.Close())
}

func (s *story) keyFile() string { return filepath.Join(s.lab.state, "site.key") }

func (s *story) open() {
	keys := must(checkout.LoadKeys(s.keyFile()))
	s.Ledger = must(checkout.Open(s.lab.db(), checkout.Options{Station: s.lab.station, SiteKey: keys.Current, OldKeys: keys.Old,
		Sinks: []string{checkout.DirectorySink}, Mask: mask, Stamp: s.c.stamp,
		KindLoan: map[string]time.Duration{"phone": 14 * 24 * time.Hour}}))
}

// register adds people, devices, and a kit of a case and two lenses.
func (s *story) register() {
	for i, id := range people {
		ok(s.AddPerson(checkout.Person{ID: id, Name: title(id) + " Example", Email: id + "@lab.example"}, card(17, 101+uint64(i)), "admin", checkout.SourceCLI))
	}
	for i, id := range devices {
		ok(s.AddDevice(checkout.Device{ID: id, Name: title(id), Kind: id[:len(id)-2]}, card(200, 501+uint64(i)), "admin", checkout.SourceCLI))
	}
	kit := "kit"
	ok(s.AddDevice(checkout.Device{ID: kit, Name: "Camera kit", Kind: "kit"}, card(200, 600), "admin", checkout.SourceCLI))
	for _, id := range []string{"case-2", "lens-1", "lens-2"} {
		ok(s.EditDevice(id, checkout.Edit{Group: &kit}, "admin", checkout.SourceCLI))
	}
}

// clocks has a boot whose clock becomes right after a while, and one whose clock
// never does.
func (s *story) clocks() {
	s.c.reboot(false)
	s.bumps(30)
	s.c.trusted = true
	if !must(s.ResolveClock()) {
		log.Panic("no event of the clock")
	}
	s.bumps(20)
	s.c.reboot(false)
	s.bumps(20)
	s.c.reboot(true)
	s.bumps(100)
}

// rotate changes the site key; tags are found by the old one until they are
// enrolled anew.
func (s *story) rotate() {
	keys := must(checkout.LoadKeys(s.keyFile()))
	ok(s.Close())
	ok(checkout.SaveKeys(s.keyFile(), keys.Rotate(checkout.NewKey())))
	s.open()
}

// tags shows tags that nobody has, or nobody has yet.
func (s *story) tags() {
	for i := range uint64(5) {
		for range i + 1 {
			ok(s.NoteUnknown(card(99, 4000+i)))
		}
	}
	for _, device := range []uint64{501, 502, 503} {
		s.bump(170, device)
	}
	s.bump(102, 570)
	s.bump(171, 511) // never resolved
	s.bump(101, 571) // never resolved
	must(s.EnrolPerson("gus", card(17, 170), "admin", checkout.SourceReader))
	ok(s.AddDevice(checkout.Device{ID: "scope-1", Name: "Scope-1", Kind: "scope"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	must(s.Resolve(card(200, 570), "scope-1"))
	must(s.EnrolDevice("tab-1", card(200, 580), "keyboard", checkout.SourceKeyboard))
	must(s.EnrolDevice("tab-1", card(200, 501), "keyboard", checkout.SourceKeyboard))
}

// leave erases, retires and suspends people, and retires a device.
func (s *story) leave() {
	for loan, err := range s.Loans(checkout.LoanFilter{Person: "flo"}) {
		ok(err)
		must(s.Return(checkout.Request{Device: loan.DeviceID, Actor: "admin"}))
	}
	s.delivered()
	ok(s.ErasePerson("flo", "admin", checkout.SourceCLI))
	s.people = 5
	ok(s.RetirePerson("hal", "admin", checkout.SourceCLI))
	suspended, active, name := checkout.Suspended, checkout.Active, "Ada Sample"
	ok(s.EditPerson("eli", checkout.Edit{Status: &suspended}, "directory", checkout.SourceSync))
	s.bump(105, 505)
	ok(s.EditPerson("eli", checkout.Edit{Status: &active}, "admin", checkout.SourceCLI))
	ok(s.AddDevice(checkout.Device{ID: "old-1", Name: "Old-1"}, card(200, 590), "admin", checkout.SourceWeb))
	ok(s.RetireDevice("old-1", "admin", checkout.SourceWeb))
	ok(s.EditPerson("ada", checkout.Edit{Name: &name}, "admin", checkout.SourceCLI))
}

// outboxRow is a line of outbox.json.
type outboxRow struct {
	Station  string    `json:"station"`
	Seq      uint64    `json:"seq"`
	Sink     string    `json:"sink"`
	ID       uuid.UUID `json:"id"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next"`
	Error    string    `json:"error"`
	Pending  bool      `json:"pending"`
	Memo     string    `json:"memo"`
}

// outbox lists all rows of all names that the station has had.
func (l *lab) outbox() (rows []outboxRow) {
	keys := must(checkout.LoadKeys(filepath.Join(l.state, "site.key")))
	view := func(station string, f func(*checkout.Ledger)) {
		x := must(checkout.OpenReadOnly(l.db(), checkout.Options{Station: station, SiteKey: keys.Current, OldKeys: keys.Old}))
		f(x)
		ok(x.Close())
	}
	names := map[string]bool{l.station: true}
	view(l.station, func(x *checkout.Ledger) {
		for e, err := range x.History(checkout.HistoryFilter{}) {
			ok(err)
			names[e.Station] = true
		}
	})
	for _, name := range slices.Sorted(maps.Keys(names)) {
		view(name, func(x *checkout.Ledger) {
			for _, sink := range slices.Sorted(slices.Values(must(x.Sinks()))) {
				for from, end := uint64(1), false; !end; {
					p := must(x.OutboxFrom(sink, from, 100))
					for _, r := range p.Rows {
						rows = append(rows, outboxRow{r.Station, r.Seq, r.Sink, r.Event.ID, r.State.String(), r.Attempts, r.Next.UTC(), r.LastError, r.Pending, string(r.Memo)})
					}
					from, end = p.Next, p.End
				}
			}
		})
	}
	return rows
}

// write writes the folder of the ledger: the file, its key, and what the program
// prints of it.
func (l *lab) write() {
	dir := filepath.Join(out, l.name)
	ok(os.RemoveAll(dir))
	ok(os.MkdirAll(dir, 0o755))
	save := func(name string, b []byte) { ok(os.WriteFile(filepath.Join(dir, name), b, 0o644)) }
	save("site.key", must(os.ReadFile(filepath.Join(l.state, "site.key"))))
	gz := exec.Command("gzip", "-9n")
	gz.Stdin = must(os.Open(l.db()))
	save("ledger.db.gz", must(gz.Output()))
	save("who.json", l.do("who", "--json"))
	save("history.json", l.do("history", "--json"))
	save("people.csv", l.do("people", "export"))
	save("devices.csv", l.do("devices", "export"))
	verify, err := l.try("verify")
	fmt.Println(l.name, err)
	save("verify.txt", bytes.ReplaceAll(verify, []byte(l.dir), nil))
	var b bytes.Buffer
	rows := l.outbox()
	for _, r := range rows {
		ok(json.NewEncoder(&b).Encode(r))
	}
	save("outbox.json", b.Bytes())
	l.report(rows)
}

// report prints what a ledger holds.
func (l *lab) report(rows []outboxRow) {
	counts := map[string]int{}
	for _, r := range rows {
		var m struct{ State string }
		_ = json.Unmarshal([]byte(r.Memo), &m) // a new row has none
		counts[fmt.Sprintf("%s/%s: %s, tried %v, pending %v, worker says %q", r.Station, r.Sink, r.State, r.Attempts > 0, r.Pending, m.State)]++
	}
	for line := range bytes.Lines(must(os.ReadFile(filepath.Join(out, l.name, "history.json")))) {
		var e struct{ Station, Kind string }
		ok(json.Unmarshal(line, &e))
		counts[e.Station+": "+e.Kind]++
	}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		fmt.Println("   ", counts[k], k)
	}
}
