// Package office is the hub's own station: without readers, in the hub's process, a member of
// its lab as any other. Admins who open the hub's address in a browser are there. What they do
// is a chain of its own, which is told to the hub as a station's is, and saved meanwhile where
// the database is away.
//
// It joins by itself. A folder that was lost joins in the place of the one before, and gets the
// register back from the lab.
package office

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"stump/internal/api/listen"
	"stump/internal/api/wire"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/hub"
	"stump/internal/hub/store"
	"stump/internal/lab"
	labwire "stump/internal/lab/wire"
	"stump/internal/sitekey"
)

// Options say what an office works with.
type Options struct {
	Config *hub.Config
	Store  *store.Store
	// Hub answers what stations ask.
	Hub http.Handler
	// Web says where browsers reach the hub.
	Web     func() wire.Web
	Version string
	Log     *slog.Logger
}

// Office is a task, and answers what browsers and scripts ask.
type Office struct {
	o       Options
	station *daemon.Daemon
	site    http.Handler

	mu     sync.Mutex
	closed error // why nobody is let in
}

// Dir is the folder of the office in a lab.
func Dir(cfg *hub.Config) string {
	name := cfg.Hub.Name
	if !plain.MatchString(name) {
		name = "x-" + hex.EncodeToString([]byte(name))
	}
	return filepath.Join(cfg.Hub.State, "office", name)
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// Socket is where commands on this machine ask the office.
func Socket(cfg *hub.Config) string { return filepath.Join(Dir(cfg), "hub.sock") }

// Whose is hub.Keys' for the lab of an office: before the lab has a site key, people are erased
// under that of the office, where all of them are.
func Whose(cfg *hub.Config) func(lab string) (func(person string) []byte, error) {
	keys := hub.Keys{Dir: cfg.Hub.State}
	return func(lab string) (func(person string) []byte, error) {
		of, err := keys.Whose(lab)
		if of != nil || err != nil || lab != cfg.Hub.Name {
			return of, err
		}
		own, err := sitekey.Load(filepath.Join(Dir(cfg), "site.key"))
		if err != nil {
			return nil, err
		}
		ring, err := sitekey.NewRing(own.Current, nil)
		if err != nil {
			return nil, err
		}
		return func(person string) []byte { return ring.Whose(person, 0) }, nil
	}
}

// Open opens the office. One that can't be opened says so to whoever asks: stations are
// answered without it.
func Open(o Options) *Office {
	f := &Office{o: o, closed: errNotYet}
	station, err := daemon.New(daemon.Options{
		Config: o.Config.Station, StateDir: Dir(o.Config), StateNamed: true, Socket: Socket(o.Config), Version: o.Version, Log: o.Log,
		Office: &daemon.Office{Hub: hub.Here(o.Hub), Web: o.Web, Books: f.books, Disputes: disputes{f}, Check: func() (string, error) {
			path := o.Config.Station.Path()
			_, err := hub.LoadConfig(path)
			return path + " is right\n", err
		}},
	})
	if err != nil {
		f.close(err)
		return f
	}
	f.station, f.site = station, listen.Guard(o.Config.Web.URL, station.API)
	return f
}

var errNotYet = hint.Errorf("ask again in a few seconds", "the hub's office is being opened")

// close notes why nobody is let in.
func (f *Office) close(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed == nil || f.closed.Error() != err.Error() {
		f.o.Log.Error("the hub's office is closed; stations are answered all the same", "err", err, "remedy", hint.Of(err))
	}
	f.closed = err
}

// ServeHTTP answers browsers and scripts.
func (f *Office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	closed := f.closed
	f.mu.Unlock()
	if closed != nil {
		w.Header().Set("Retry-After", "5")
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			closedPage(w, closed)
			return
		}
		wire.WriteProblem(w, wire.CodeNotReady, closed)
		return
	}
	f.site.ServeHTTP(w, r)
}

// closedPage says to a browser why nobody is let in. It looks again every five seconds.
func closedPage(w http.ResponseWriter, why error) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Refresh", "5")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>The hub's office is closed</title>
<main><h1>The hub's office is closed</h1><p role="alert">%s</p><p>%s</p><p>Stations are answered all the same.</p></main></html>
`, html.EscapeString(why.Error()), html.EscapeString(hint.Of(why)))
}

// String is task.Task's.
func (f *Office) String() string { return "office" }

// Run works until ctx is done.
func (f *Office) Run(ctx context.Context) error {
	if f.station == nil {
		<-ctx.Done()
		return nil
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var enters sync.WaitGroup
	enters.Go(func() { f.enter(ctx) })
	err := f.station.Run(ctx)
	end()
	enters.Wait()
	if err != nil { // stations need the hub all the same
		f.close(err)
		<-ctx.Done()
	}
	return nil
}

// look is how often it is tried again to join, and looked whether the lab has a site key.
const look = 10 * time.Second

// enter joins the lab, and takes over its site key as soon as it has one: that of the first
// station that joins.
func (f *Office) enter(ctx context.Context) {
	again := time.NewTicker(look)
	defer again.Stop()
	for {
		err := f.join(ctx)
		if err == nil {
			err = f.rekey()
		}
		switch {
		case err == nil:
			f.mu.Lock()
			f.closed = nil
			f.mu.Unlock()
		case ctx.Err() == nil:
			f.close(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// rekey takes over the site key of the lab, if it has one.
func (f *Office) rekey() error {
	key, err := f.keys().Site(f.o.Config.Hub.Name)
	if key == nil || err != nil {
		return err
	}
	return f.station.Lab.Rekey(key)
}

func (f *Office) keys() hub.Keys { return hub.Keys{Dir: f.o.Config.Hub.State} }

// gone is how long a station has not been heard that no hub has any more: the office of one
// that runs is heard every minute.
const gone = 2 * time.Minute

// join makes the office a member of the lab, if it is not. One that the lab does not know any
// more, since the database was set back, joins again.
func (f *Office) join(ctx context.Context) error {
	cfg := f.o.Config.Hub
	link := f.station.Lab
	s := link.Status()
	if p, ok := errors.AsType[*lab.Problem](s.Failure); ok && p.Code == labwire.CodeNotHere {
		if _, _, err := link.Leave(ctx); err != nil {
			return err
		}
		s = link.Status()
	}
	if m := s.Member; m != nil {
		if m.Name != cfg.Office || m.Lab != cfg.Name {
			return hint.Errorf(fmt.Sprintf("write office = %q in the table [hub] again, or move the folder away", m.Name), "the folder %s is that of the office %s of the lab %s", Dir(f.o.Config), m.Name, m.Lab)
		}
		return nil
	}
	id, err := f.o.Store.Lab(ctx, cfg.Name, false)
	if err != nil {
		return err
	}
	code, err := f.keys().NewCode(f.o.Config.Web.URL, nil)
	if err == nil {
		err = f.o.Store.AddCode(ctx, id, code)
	}
	if err != nil {
		return err
	}
	o := lab.JoinOptions{Name: cfg.Office, Office: true}
	joined, err := link.Join(ctx, code.String(), o)
	if p, ok := errors.AsType[*lab.Problem](err); ok && p.Code == labwire.CodeTaken {
		if err := f.replaces(ctx, id); err != nil {
			return err
		}
		o.Replace = true
		joined, err = link.Join(ctx, code.String(), o)
	}
	if n := len(joined.Clashes); err == nil && n > 0 {
		c := joined.Clashes[0]
		err = hint.Errorf("move the folder "+Dir(f.o.Config)+" away: the office then begins with what the lab has", "%d people and devices of the office are others in the lab, such as the %s %s", n, c.Kind, c.ID)
	}
	return err
}

// replaces says why the office may not take the place of the one of its name in the lab.
func (f *Office) replaces(ctx context.Context, lab int64) error {
	all, err := f.o.Store.Stations(ctx, lab)
	name := f.o.Config.Hub.Office
	for _, s := range all {
		switch {
		case s.Name != name:
		case !s.Office:
			return hint.Errorf(`give the office another name: office = "office" in the table [hub]`, "a station of the lab is called %s", name)
		case time.Since(s.Heard) < gone:
			return hint.Errorf(fmt.Sprintf(`if another hub runs, give this one a name of its own: office = "%s2" in the table [hub]; if this one's folder was lost, it takes its place again in %v`, name, gone),
				"the office of another hub is called %s, and was heard at %s", name, s.Heard.Local().Format(time.TimeOnly))
		}
	}
	return err
}
