// Package task runs the parts of the daemon side by side. Each part is a Task.
// The daemon is ready when all its tasks are, and stops when one of them fails.
package task

import (
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
	// Ready is closed when the task has begun its work.
	Ready() <-chan struct{}
	// String names the task in the log, e.g. `reader "stump"`.
	String() string
}

// Serve runs all tasks until ctx is done or one of them ends, and waits for all of
// them. ready, which may be nil, is called once, when all are ready. A nil log is
// silent.
func Serve(ctx context.Context, log *slog.Logger, ready func(), tasks ...Task) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
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
			select {
			case <-t.Ready():
			case <-ctx.Done():
				return
			}
		}
		if ready != nil {
			ready()
		}
	})
	wg.Wait()
	return errors.Join(errs...)
}

// Signal is a channel that may be closed more than once.
type Signal struct {
	once sync.Once
	ch   chan struct{}
}

// NewSignal returns a signal whose channel is open.
func NewSignal() *Signal { return &Signal{ch: make(chan struct{})} }

// Give closes the channel.
func (s *Signal) Give() { s.once.Do(func() { close(s.ch) }) }

// C is the channel.
func (s *Signal) C() <-chan struct{} { return s.ch }
