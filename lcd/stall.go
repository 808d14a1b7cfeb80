package lcd

import (
	"fmt"
	"io"
	"os"
	"time"
)

// stall is how long a port or terminal may take no bytes before a write fails. A
// screen fits into any driver's buffer, so this happens only if a USB adapter
// hangs or Ctrl-S stopped the terminal.
const stall = 2 * time.Second

// patience writes to files whose writes can't be interrupted, not even by
// closing them. A write that hangs goes on in a goroutine of its own, and until
// it ends further writes fail at once.
type patience struct {
	stuck <-chan struct{} // closed when the write that hung ends; nil: none hung
}

// write writes all of b, or fails after limit. It then calls stalled, which may
// be nil and may make the write that hangs end.
func (p *patience) write(w io.Writer, b []byte, limit time.Duration, stalled func()) error {
	if p.stuck != nil {
		select {
		case <-p.stuck:
		default:
			return fmt.Errorf("still takes no bytes: %w", os.ErrDeadlineExceeded)
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
		p.stuck = done
		if stalled != nil {
			stalled()
		}
		return fmt.Errorf("takes no bytes: %w", os.ErrDeadlineExceeded)
	}
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}
