package daemon

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/gpio"
	"stump/internal/station"
	"stump/internal/task"
)

// TestWatchdog tells systemd that the station lives while each desk answers.
func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := func() int64 { return time.Now().UnixNano() }
		reader := func(name string) *station.Reader {
			return station.NewReader(station.Options{Now: now}, station.ReaderOptions{Name: name, Source: gpio.NewSim(now)})
		}
		readers := []*station.Reader{reader("door"), reader("window")}
		var told atomic.Int32
		w := &watchdog{every: 10 * time.Second, readers: readers, tell: func() { told.Add(1) }}
		ctx, stop := context.WithCancel(context.Background())
		windowCtx, stopWindow := context.WithCancel(ctx)
		ended := make(chan error, 3)
		go func() { ended <- task.Serve(ctx, nil, nil, readers[0].Tasks()...) }()
		go func() { ended <- task.Serve(windowCtx, nil, nil, readers[1].Tasks()...) }()
		go func() { ended <- w.Run(ctx) }()
		time.Sleep(35 * time.Second)
		synctest.Wait()
		if told.Load() != 3 {
			t.Errorf("told %d times in 35 s, want 3", told.Load())
		}
		stopWindow() // its desk answers no more
		time.Sleep(time.Minute)
		synctest.Wait()
		if told.Load() != 3 {
			t.Errorf("told %d times although a desk is stuck", told.Load())
		}
		stop()
		for range 3 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}
