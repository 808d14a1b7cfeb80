//go:build services

package office

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/books/bookstest"
	"stump/internal/hub"
	"stump/internal/hub/hubtest"
	"stump/internal/hub/pgtest"
	"stump/internal/hub/store"
	labwire "stump/internal/lab/wire"
	"stump/internal/sitekey"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// rooms are a hub with its office.
type rooms struct {
	testing.TB
	cfg    hub.Config
	store  *store.Store
	lab    int64
	office *Office
	keeper books.Keeper
	stop   func()
}

func (r *rooms) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// newRooms opens an office in a lab of its own, whose site key is there.
func newRooms(t testing.TB, database string) *rooms {
	t.Helper()
	r := &rooms{TB: t, stop: func() {}}
	file := filepath.Join(t.TempDir(), "hub.toml")
	r.ok(os.WriteFile(file, fmt.Appendf(nil, "[database]\nurl = %q\n[web]\nurl = \"https://hub.example\"\n", database), 0o600))
	var err error
	r.cfg, err = hub.LoadConfig(file)
	r.ok(err)
	keys := hub.Keys{Dir: r.cfg.Hub.State}
	_, err = keys.SetSite(r.cfg.Hub.Name, sitekey.New())
	r.ok(err)
	r.store, err = store.Open(store.Options{URL: database, Whose: keys.Whose})
	r.ok(err)
	t.Cleanup(r.store.Close)
	_, err = r.store.Migrate(t.Context())
	r.ok(err)
	r.lab, err = r.store.Lab(t.Context(), r.cfg.Hub.Name, true)
	r.ok(err)
	t.Cleanup(func() { r.stop() })
	r.start()
	return r
}

// start opens the office, again if it is open.
func (r *rooms) start() books.Keeper {
	r.Helper()
	r.stop()
	cfg := r.cfg // a configuration is a daemon's own
	station := *r.cfg.Station
	cfg.Station = &station
	server := &hub.Server{Store: r.store, Keys: hub.Keys{Dir: r.cfg.Hub.State}, Log: slog.New(slog.DiscardHandler)}
	url := r.cfg.Web.URL
	r.office = Open(Options{Config: &cfg, Store: r.store, Hub: server.Handler(), Web: func() wire.Web { return wire.Web{URL: &url} }, Version: "test", Log: slog.New(slog.DiscardHandler)})
	if r.office.station == nil {
		r.Fatal(r.office.closed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.office.Run(ctx) }()
	r.stop = func() { cancel(); r.ok(<-done); r.stop = func() {} }
	r.keeper = r.office.books(r.office.station)
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		r.office.mu.Lock()
		closed := r.office.closed
		r.office.mu.Unlock()
		if closed == nil {
			return r.keeper
		}
		if time.Now().After(end) {
			r.Fatal(closed)
		}
	}
}

// keys are the places in a history, or how it ends.
func (r *rooms) keys(f books.HistoryFilter) (all []string, end error) {
	for e, err := range r.keeper.History(f) {
		if err != nil {
			return all, err
		}
		all = append(all, fmt.Sprintf("%s %s %s", e.Station, e.Kind, e.Key()))
	}
	return all, nil
}

// TestBooks: a hub keeps the books as every keeper must.
func TestBooks(t *testing.T) {
	bookstest.Run(t, func(t testing.TB) (books.Keeper, func() books.Keeper) {
		r := newRooms(t, pgtest.Shared(t).Database(t, func(string) error { return nil }))
		return r.keeper, r.start
	})
}

// TestHistoryOfAll: the history is that of all stations, in the order of arrival, page by
// page; what is done here has its place in it. Without the database it is that of the office.
func TestHistoryOfAll(t *testing.T) {
	database := pgtest.Own(t)
	if err := database.Exec("postgres", "create database lab"); err != nil {
		t.Fatal(err)
	}
	r := newRooms(t, database.URL("lab"))
	b := hubtest.New("north", time.Now())
	north := r.join("north")
	tell := func() {
		t.Helper()
		_, err := r.store.Append(t.Context(), north, b.Next(b.Sent, 0))
		r.ok(err)
		b.Sent = len(b.Records)
	}
	r.ok(r.keeper.AddDevice(books.Device{ID: "quest", Name: "Quest"}, checkout.Tag{}, "root", checkout.SourceWeb))
	r.ok(r.keeper.AddPerson(books.Person{ID: "ann", Name: "Ann"}, checkout.Tag{}, "root", checkout.SourceWeb))
	b.Bump("quest", "ann", "", checkout.Place{})
	tell()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		d, err := r.keeper.FindDevice("quest")
		r.ok(err)
		if d.Holder == "ann" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the office has %+v", d)
		}
	}
	watch := r.keeper.(interface{ Appended() <-chan struct{} }).Appended()
	_, err := r.keeper.Return(books.Request{Device: "quest", Actor: "root", Source: checkout.SourceWeb})
	r.ok(err)
	select {
	case <-watch:
	case <-time.After(time.Minute):
		t.Error("nobody is woken")
	}
	_, err = r.keys(books.HistoryFilter{}) // which waits until it is told
	r.ok(err)
	b.Bump("pixel", "ben", "", checkout.Place{})
	tell()
	all, err := r.keys(books.HistoryFilter{})
	r.ok(err)
	if said := strings.Join(all, ", "); len(all) != 3 || !strings.HasPrefix(all[0], "north checkout ") || !strings.HasPrefix(all[1], "hub return ") || !strings.HasPrefix(all[2], "north checkout ") {
		t.Errorf("the history: %s", said)
	}
	newest, err := r.keeper.(interface{ Newest() (string, error) }).Newest()
	r.ok(err)
	if !strings.HasSuffix(all[2], newest) {
		t.Errorf("the newest is %s of %v", newest, all)
	}
	for _, f := range []books.HistoryFilter{{}, {Device: "quest"}, {Person: "ann"}, {Kind: books.AnyKind}} {
		whole, err := r.keys(f)
		r.ok(err)
		var paged []string
		for f.Limit = 1; ; {
			page, err := r.keys(f)
			r.ok(err)
			if len(page) == 0 {
				break
			}
			paged = append(paged, page...)
			f.After = page[0][strings.LastIndex(page[0], " ")+1:]
		}
		if !slices.Equal(paged, whole) || len(whole) < 2 {
			t.Errorf("%+v: %v, and page by page %v", f, whole, paged)
		}
	}
	database.Stop()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		own, err := r.keys(books.HistoryFilter{})
		if err == nil && len(own) == 1 && strings.HasPrefix(own[0], "hub return ") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("without the database: %v, %v", own, err)
		}
	}
	_, err = r.keys(books.HistoryFilter{Page: books.Page{After: newest}})
	if cursor, ok := errors.AsType[*books.CursorError](err); !ok {
		t.Errorf("after an event of another station: %v, %v", cursor, err)
	}
}

// join makes a station a member of the lab.
func (r *rooms) join(name string) store.Sender {
	r.Helper()
	keys := hub.Keys{Dir: r.cfg.Hub.State}
	code, err := keys.NewCode(r.cfg.Web.URL, nil)
	r.ok(err)
	r.ok(r.store.AddCode(r.Context(), r.lab, code))
	shown, err := r.store.Code(r.Context(), code.Bearer())
	r.ok(err)
	joined, err := r.store.Join(r.Context(), shown, &labwire.Join{Name: name, Version: "1"}, func() ([]byte, error) { return nil, nil })
	r.ok(err)
	from, err := r.store.Sender(r.Context(), joined.Token)
	r.ok(err)
	return from
}
