// Command lab is a lab of three stations to play with: a hub with a PostgreSQL of its own,
// and three simulated stations, whose plugs can be pulled.
//
//	a ann ipad    Ann bumps her badge and the iPad at station a
//	pull b        station b has no network
//	plug b        it has one again
//
// Who opens the address that is printed is an admin of the lab.
//
// Everything lies in a temporary folder that is removed at the end.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"stump/internal/hint"
	"stump/internal/hub/pgtest"
	"stump/internal/lab/wire"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := play(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "lab: %v\n%s\n", err, hint.Of(err))
		stop()
		os.Exit(1)
	}
}

// lab is the hub and its stations.
type lab struct {
	dir      string
	stations []*station
	hub      string // its address
	link     string // with which a browser is an admin's there
}

// play opens the lab, and does what is typed.
func play(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	fmt.Fprintln(out, "a hub, its PostgreSQL and three stations are started …")
	l, end, err := open(ctx)
	defer end()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThree stations, one lab. Try:  a ann ipad  ·  b ann ipad  ·  pull b  ·  b ben pixel  ·  plug b  ·  quit\nPeople: ann ben cem dia eve fay. `%s --socket %s who` and other commands work, too.\nIn a browser, as an admin of the whole lab: %s\n\n%s", program, l.stations[0].socket, l.link, l.table(ctx))
	typed := make(chan string)
	go func() {
		defer close(typed)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			typed <- lines.Text()
		}
	}()
	for {
		fmt.Fprint(out, "> ")
		select {
		case <-ctx.Done():
			return nil
		case line, more := <-typed:
			if !more || line == "quit" || line == "exit" {
				return nil
			}
			if err := l.do(ctx, strings.Fields(line)); err != nil {
				fmt.Fprintln(out, err)
			}
			time.Sleep(300 * time.Millisecond) // until the others have heard of it
			fmt.Fprint(out, l.table(ctx))
		}
	}
}

// program is the daemon and its command line, and hub the hub's.
var program, hub = filepath.Join("bin", "stump"), filepath.Join("bin", "stump-hub")

// open starts everything. end stops what was started, and may be called in any case.
func open(ctx context.Context) (l *lab, end func(), err error) {
	var ends []func()
	end = func() {
		for _, f := range slices.Backward(ends) {
			f()
		}
	}
	dir, err := os.MkdirTemp("", "lab-")
	if err != nil {
		return nil, end, err
	}
	l = &lab{dir: dir}
	ends = append(ends, func() { os.RemoveAll(dir) })
	pg, err := pgtest.Start(false)
	if err != nil {
		return nil, end, hint.Wrap(err, "scripts/setup installs it: Debian's package postgresql")
	}
	ends = append(ends, pg.Remove)
	if err := pg.Exec("postgres", "create database lab"); err != nil {
		return nil, end, err
	}
	stop, err := l.startHub(ctx, pg.URL("lab"))
	ends = append(ends, stop)
	if err != nil {
		return nil, end, err
	}
	for _, name := range []string{"a", "b", "c"} {
		s, stop, err := l.start(ctx, name)
		ends = append(ends, stop)
		if err != nil {
			return nil, end, err
		}
		l.stations = append(l.stations, s)
	}
	return l, end, nil
}

// startHub runs the hub, with a database.
func (l *lab) startHub(ctx context.Context, database string) (stop func(), err error) {
	stop = func() {}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return stop, err
	}
	free.Close()
	l.hub = "https://" + free.Addr().String()
	err = os.WriteFile(filepath.Join(l.dir, "hub.toml"), fmt.Appendf(nil, "[database]\nurl = %q\n[web]\nlisten = %q\nurl = %q\n", database, free.Addr(), l.hub), 0o600)
	if err != nil {
		return stop, err
	}
	if _, err := l.asks(ctx, "setup"); err != nil {
		return stop, err
	}
	if stop, err = l.run("hub", hub, "--config", filepath.Join(l.dir, "hub.toml"), "run"); err != nil {
		return stop, err
	}
	err = patiently(func() (err error) {
		l.link, err = l.asks(ctx, "web", "admin-link")
		return err
	})
	return stop, err
}

// asks runs a command of the hub, and returns the last word that it prints.
func (l *lab) asks(ctx context.Context, args ...string) (string, error) {
	out, err := output(exec.CommandContext(ctx, hub, append([]string{"--config", filepath.Join(l.dir, "hub.toml")}, args...)...))
	words := strings.Fields(out)
	return strings.Join(words[max(0, len(words)-1):], ""), err
}

// run starts a program, whose log is a file. stop stops it.
func (l *lab) run(name, program string, args ...string) (stop func(), err error) {
	stop = func() {}
	log, err := os.Create(filepath.Join(l.dir, name+".log"))
	if err != nil {
		return stop, err
	}
	run := exec.Command(program, args...)
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGTERM}
	run.Stderr = log
	stop = func() {
		if run.Process != nil {
			_ = run.Process.Signal(syscall.SIGTERM)
			_ = run.Wait()
		}
		log.Close()
	}
	return stop, hint.Wrap(run.Start(), "`make build` makes it")
}

// patiently does something until it works, or has not for long.
func patiently(do func() error) (err error) {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = do(); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// output runs a command. Its error is what it prints of one.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

// station is a simulated station, with a plug.
type station struct {
	name, socket string
	url          string // of the hub, through the plug

	mu   sync.Mutex
	out  bool // the plug
	open map[net.Conn]bool
}

// start runs a station and lets it join; the first one brings people and devices.
func (l *lab) start(ctx context.Context, name string) (s *station, stop func(), err error) {
	s = &station{name: name, socket: filepath.Join(l.dir, name+".sock"), open: map[net.Conn]bool{}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, func() {}, err
	}
	s.url = "http://" + ln.Addr().String()
	to, err := url.Parse(l.hub)
	if err != nil {
		return nil, func() {}, err
	}
	hub := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	server := &http.Server{Handler: http.HandlerFunc(s.serve(hub)), ErrorLog: hub.ErrorLog, ConnState: s.connection, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(ln) // until it is closed
	config := filepath.Join(l.dir, name+".toml")
	err = os.WriteFile(config, fmt.Appendf(nil, "station = %q\n[[reader]]\nbadge = { facilities = [17] }\ndevice = { facilities = [200] }\n[clock]\ntrust = \"rtc\"\n", name), 0o600)
	if err != nil {
		return nil, func() { server.Close() }, err
	}
	end, err := l.run(name, program, "run", "--sim", "--config", config, "--state", filepath.Join(l.dir, name), "--socket", s.socket)
	stop = func() {
		end()
		server.Close()
	}
	if err != nil {
		return nil, stop, err
	}
	err = patiently(func() error {
		_, err := s.stump(ctx, "status")
		return err
	})
	if err == nil && len(l.stations) == 0 {
		_, err = s.stump(ctx, "sim", "seed")
	}
	if err != nil {
		return nil, stop, err
	}
	word, err := l.asks(ctx, "join-code")
	if err != nil {
		return nil, stop, err
	}
	code, err := wire.ParseCode(word)
	if err != nil {
		return nil, stop, err
	}
	code.URL, code.Pin = s.url, nil
	_, err = s.stump(ctx, "join", code.String())
	return s, stop, err
}

// serve answers as the hub does, unless the plug is out.
func (s *station) serve(hub http.Handler) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		out := s.out
		s.mu.Unlock()
		if out {
			panic(http.ErrAbortHandler)
		}
		hub.ServeHTTP(w, r)
	}
}

// connection keeps those that a pulled plug ends.
func (s *station) connection(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(s.open, c)
	} else {
		s.open[c] = true
	}
}

// pull pulls the plug, or puts it back.
func (s *station) pull(out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out = out; out {
		for c := range s.open {
			c.Close()
		}
	}
}

// stump runs a command at a station.
func (s *station) stump(ctx context.Context, args ...string) (string, error) {
	return output(exec.CommandContext(ctx, program, append([]string{"--socket", s.socket}, args...)...))
}

// do does what was typed.
func (l *lab) do(ctx context.Context, words []string) error {
	if len(words) < 2 {
		return errors.New("type a station and what is bumped there, as in  a ann ipad;  or pull a, plug a, quit")
	}
	name, what := words[0], words[1:]
	if name == "pull" || name == "plug" {
		name, what = words[1], nil
	}
	at := slices.IndexFunc(l.stations, func(s *station) bool { return s.name == name })
	if at < 0 {
		return fmt.Errorf("there is no station %q: there are a, b and c", name)
	}
	s := l.stations[at]
	if what == nil {
		s.pull(words[0] == "pull")
		return s.back(ctx)
	}
	for _, tag := range what {
		if _, err := s.stump(ctx, "sim", "tap", tag); err != nil {
			return err
		}
	}
	return nil
}

// back waits until a station that has its plug speaks with the hub again.
func (s *station) back(ctx context.Context) error {
	for {
		out, err := s.stump(ctx, "status")
		if err != nil || s.out || !strings.Contains(out, "trouble") {
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// column is how wide a station is drawn.
const column = 32

// table draws each station: its plug, its display, and who has what by its word.
func (l *lab) table(ctx context.Context) string {
	var columns [][]string
	rows := 0
	for _, s := range l.stations {
		c := s.column(ctx)
		columns, rows = append(columns, c), max(rows, len(c))
	}
	var b strings.Builder
	for row := range rows {
		for _, c := range columns {
			cell := ""
			if row < len(c) {
				cell = c[row]
			}
			fmt.Fprintf(&b, "%-*s", column, cell)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *station) column(ctx context.Context) []string {
	s.mu.Lock()
	plug := "plugged in"
	if s.out {
		plug = "plug is out"
	}
	s.mu.Unlock()
	all := []string{"station " + s.name + ", " + plug}
	var screen struct {
		Rows []string `json:"rows"`
	}
	out, err := s.stump(ctx, "sim", "lcd", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &screen)
	}
	if err != nil {
		return append(all, err.Error())
	}
	for _, row := range screen.Rows {
		all = append(all, "│"+row+"│")
	}
	out, err = s.stump(ctx, "who", "--json")
	if err != nil {
		return append(all, err.Error())
	}
	for line := range strings.Lines(out) {
		var loan struct{ Device, Person *string }
		if json.Unmarshal([]byte(line), &loan) == nil && loan.Device != nil && loan.Person != nil {
			all = append(all, *loan.Device+": "+*loan.Person)
		}
	}
	return append(all, "")
}
