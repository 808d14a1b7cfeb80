package task

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type fake struct {
	name  string
	ready chan struct{}
	after time.Duration
	run   func(ctx context.Context) error
}

func (f *fake) Ready() <-chan struct{} { return f.ready }
func (f *fake) String() string         { return f.name }
func (f *fake) Run(ctx context.Context) error {
	time.Sleep(f.after)
	close(f.ready)
	return f.run(ctx)
}

// plain is a task that is ready at once.
type plain struct{}

func (plain) String() string                { return "plain" }
func (plain) Run(ctx context.Context) error { return untilDone(ctx) }

func untilDone(ctx context.Context) error { <-ctx.Done(); return nil }

func TestServeIsReadyWhenAllAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var ready time.Duration
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		err := Serve(ctx, nil, func() { ready = time.Since(start) },
			&fake{"quick", make(chan struct{}), time.Second, untilDone},
			&fake{"slow", make(chan struct{}), 5 * time.Second, untilDone}, plain{})
		if err != nil {
			t.Errorf("a clean stop is an error: %v", err)
		}
		if ready != 5*time.Second {
			t.Errorf("ready after %v, want when the slowest is: 5s", ready)
		}
	})
}

func TestServeStopsAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("wire cut")
		stopped := false
		err := Serve(t.Context(), nil, nil,
			&fake{"reader", make(chan struct{}), time.Second, func(context.Context) error { return broken }},
			&fake{"panel", make(chan struct{}), 0, func(ctx context.Context) error { <-ctx.Done(); stopped = true; return nil }})
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "reader: wire cut") {
			t.Errorf("err = %v", err)
		}
		if !stopped {
			t.Error("the other task was not stopped")
		}
	})
}

func TestServeRefusesATaskThatEnds(t *testing.T) {
	err := Serve(t.Context(), nil, nil, &fake{"clock", make(chan struct{}), 0, func(context.Context) error { return nil }})
	if err == nil || err.Error() != "clock: ended by itself" {
		t.Errorf("err = %v", err)
	}
}

// Every failure is reported with its task, also those that come while the
// others are stopped.
func TestServeReportsEveryFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full, torn := errors.New("disk full"), errors.New("torn page")
		err := Serve(t.Context(), nil, nil,
			&fake{"ledger", make(chan struct{}), 0, func(context.Context) error { return full }},
			&fake{"backup", make(chan struct{}), 0, func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Minute); return torn }})
		if !errors.Is(err, full) || !errors.Is(err, torn) || !strings.Contains(err.Error(), "backup: torn page") {
			t.Errorf("err = %v", err)
		}
	})
}

// A daemon that is stopped before it is ready never says that it is.
func TestServeIsNotReadyAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := false
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		slow := &fake{"slow", make(chan struct{}), time.Hour, untilDone}
		err := Serve(ctx, nil, func() { ready = true }, slow, &fake{"quick", make(chan struct{}), 0, untilDone})
		if err != nil || ready {
			t.Errorf("ready %v, err %v", ready, err)
		}
	})
}
