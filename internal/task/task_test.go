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

// Every failure is reported with its task, also those that come while the
// others are stopped.
func TestServeReportsEveryFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full, torn := errors.New("disk full"), errors.New("torn page")
		err := Serve(t.Context(), nil, nil,
			&fake{"ledger", NewSignal(), 0, func(context.Context) error { return full }},
			&fake{"backup", NewSignal(), 0, func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Minute); return torn }})
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
		slow := &fake{"slow", NewSignal(), time.Hour, untilDone}
		err := Serve(ctx, nil, func() { ready = true }, slow, &fake{"quick", NewSignal(), 0, untilDone})
		if err != nil || ready {
			t.Errorf("ready %v, err %v", ready, err)
		}
	})
}

func TestSignal(t *testing.T) {
	s := NewSignal()
	select {
	case <-s.C():
		t.Error("given from the start")
	default:
	}
	s.Give()
	s.Give()
	<-s.C()
}
