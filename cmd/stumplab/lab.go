package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/panel"
)

// lab is a daemon on simulated hardware, and a client of its API.
type lab struct {
	daemon *daemon.Daemon
	client *client.Client
	socket string
	ended  chan error

	reader sync.Mutex // one card at a time
}

// openLab starts the daemon, and seeds the register if it is empty.
func openLab(ctx context.Context, state, socket string) (*lab, error) {
	cfg := config.Default()
	cfg.Station = "simlab"
	// The stranger's card is a badge: its owner may type any name.
	cfg.Keyboard.Device, cfg.Enroll.People = "auto", "free"
	cfg.Web.Listen, cfg.Clock.Trust = "127.0.0.1:0", "rtc"
	cfg.Readers = []config.Reader{{
		Badge: &config.Rule{Facilities: []uint64{17, 99}}, Device: config.DeviceKey{Rule: &config.Rule{Facilities: []uint64{200}}},
	}}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	l := &lab{socket: socket, ended: make(chan error, 1)}
	ready := make(chan struct{})
	d, err := daemon.New(daemon.Options{
		Config: cfg, StateDir: state, StateNamed: true, Socket: l.socket, Sim: true,
		Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) },
	})
	if err != nil {
		return nil, err
	}
	l.daemon, l.client = d, client.Local(d.API)
	go func() { l.ended <- d.Run(ctx) }()
	select {
	case <-ready:
	case err := <-l.ended:
		return nil, errors.Join(errors.New("the daemon did not start"), err)
	}
	people, err := rows[wire.Person](ctx, l, "people")
	if err != nil || len(people) > 0 {
		return l, err
	}
	return l, l.client.Do(ctx, "POST", "sim/seed", nil, nil)
}

// page is what to say of the lab's pages: their address logs an admin in, once.
func (l *lab) page(ctx context.Context) string {
	var link wire.Link
	if err := l.client.Do(ctx, "POST", "web/admin-link", nil, &link); err != nil {
		return ""
	}
	return "In a browser: " + link.URL
}

func (l *lab) wait() error { return <-l.ended }

func (l *lab) setFault(ctx context.Context, name string) error {
	return l.client.Do(ctx, "POST", "sim/fault", map[string]string{"fault": name}, nil)
}

// typeName types a name and Enter on the lab's keyboard.
func (l *lab) typeName(ctx context.Context, name string) error {
	return l.client.Do(ctx, "POST", "sim/type", wire.Type{Text: name}, nil)
}

// fault returns the name of the wiring fault, "" for none.
func (l *lab) fault() string {
	return l.daemon.Lines.Fault()
}

// commits returns how many transactions the ledger has committed.
func (l *lab) commits() uint64 { return l.daemon.Ledger.Health().Commits }

// events returns what happened in the lab, oldest first, without the seed.
func (l *lab) events(ctx context.Context) ([]wire.History, error) {
	events, err := rows[wire.History](ctx, l, "history")
	return slices.DeleteFunc(events, func(e wire.History) bool { return or(e.Actor, "") == "sim" }), err
}

func (l *lab) display() panel.State { return l.daemon.Panel.State() }

// rows asks the API for a list.
func rows[T any](ctx context.Context, l *lab, path string) ([]T, error) {
	body, err := l.client.Stream(ctx, "GET", path, nil, nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var list []T
	dec := json.NewDecoder(body)
	for {
		var row T
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
}

// or returns the value, or a word in place of nil.
func or(s *string, unknown string) string {
	if s == nil {
		return unknown
	}
	return *s
}
