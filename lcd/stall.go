package lcd

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// stall is after what time a port or terminal that takes no bytes is given up.
// A screen fits into any driver's buffer, so nothing ever waits that long
// unless a USB adapter hangs, or somebody pressed Ctrl-S.
const stall = 2 * time.Second

// patience writes to what can't be interrupted, not even by closing it. A
// write that hangs is left behind; as long as it does, further writes fail at
// once rather than hang as well.
type patience struct {
	mu    sync.Mutex
	stuck <-chan struct{} // closed when the write that hung has ended; nil: none
}

// write writes all of b, or fails after limit. stalled, which may be nil, is
// called then and may help the write to an end.
func (p *patience) write(w io.Writer, b []byte, limit time.Duration, stalled func()) error {
	p.mu.Lock()
	stuck := p.stuck
	p.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		default:
			return fmt.Errorf("it still takes no bytes: %w", os.ErrDeadlineExceeded)
		}
	}
	done := make(chan struct{})
	var n int
	var err error
	go func() {
		defer close(done)
		n, err = w.Write(b)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		p.mu.Lock()
		p.stuck = done
		p.mu.Unlock()
		if stalled != nil {
			stalled()
		}
		return fmt.Errorf("it takes no bytes: %w", os.ErrDeadlineExceeded)
	}
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}
