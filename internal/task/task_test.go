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
	ready *Signal
	after time.Duration
	run   func(ctx context.Context) error
}

func (f *fake) Ready() <-chan struct{} { return f.ready.C() }
func (f *fake) String() string         { return f.name }
func (f *fake) Run(ctx context.Context) error {
	time.Sleep(f.after)
	f.ready.Give()
	return f.run(ctx)
}

func untilDone(ctx context.Context) error { <-ctx.Done(); return nil }

func TestServeIsReadyWhenAllAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var ready time.Duration
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		err := Serve(ctx, nil, func() { ready = time.Since(start) },
			&fake{"quick", NewSignal(), time.Second, untilDone},
			&fake{"slow", NewSignal(), 5 * time.Second, untilDone})
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
			&fake{"reader", NewSignal(), time.Second, func(context.Context) error { return broken }},
			&fake{"panel", NewSignal(), 0, func(ctx context.Context) error { <-ctx.Done(); stopped = true; return nil }})
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "reader: wire cut") {
			t.Errorf("err = %v", err)
		}
		if !stopped {
			t.Error("the other task was not stopped")
		}
	})
}

func TestServeRefusesATaskThatEnds(t *testing.T) {
	err := Serve(t.Context(), nil, nil, &fake{"clock", NewSignal(), 0, func(context.Context) error { return nil }})
	if err == nil || err.Error() != "clock: ended by itself" {
		t.Errorf("err = %v", err)
	}
}
