// Package task runs the parts of the daemon side by side. Each part is a Task.
// The daemon is ready when all its tasks are, and stops when one of them ends.
package task

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// Task is one part of the daemon.
type Task interface {
	// Run works until ctx is done and then returns nil. Any other return ends the
	// daemon.
	Run(ctx context.Context) error
	// String names the task in the log, e.g. `reader "stump"`.
	String() string
}

// Starter is a Task that needs a while until it works; any other is ready at once.
type Starter interface {
	Task
	// Ready is closed when the task works.
	Ready() <-chan struct{}
}

// Serve runs all tasks until ctx is done or one of them ends, and waits for all of
// them. ready, which may be nil, is called once, when all are ready. A nil log is
// silent.
func Serve(ctx context.Context, log *slog.Logger, ready func(), tasks ...Task) error {
	log = cmp.Or(log, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, t := range tasks {
		wg.Go(func() {
			defer stop()
			log.Debug("task starts", "task", t.String())
			err := t.Run(ctx)
			if err == nil && ctx.Err() == nil {
				err = errors.New("ended by itself")
			}
			if err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("%s: %w", t, err))
				mu.Unlock()
			}
		})
	}
	wg.Go(func() {
		for _, t := range tasks {
			if s, ok := t.(Starter); ok {
				select {
				case <-s.Ready():
				case <-ctx.Done():
					return
				}
			}
		}
		if ready != nil {
			ready()
		}
	})
	wg.Wait()
	return errors.Join(errs...)
}

// Simulated is whether time is. Then nothing is urgent, and passing from one thread to
// another would be most of the work. Only tests set it, before anything runs.
var Simulated bool
