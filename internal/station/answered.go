package station

import (
	"context"
	"sync"

	"stump/internal/panel"
)

// answer is what came of a read.
type answer struct {
	shown    uint64 // the panel's number of what it shows
	repeated bool   // nothing: the reader repeats the tag
	asking   bool   // nothing yet: the directory is being asked
}

// answered is the newest read that the desk has answered, for whoever showed
// the card.
type answered struct {
	mu     sync.Mutex
	end    int64 // its last edge
	answer answer
	change chan struct{} // closed at the next answer
}

// note takes the answer to the read that ended at that time.
func (d *answered) note(end int64, a answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if end < d.end {
		return // a question's answer, after that to a newer read
	}
	if a.repeated {
		a.shown = d.answer.shown
	}
	d.end, d.answer = end, a
	close(d.change)
	d.change = make(chan struct{})
}

func (d *answered) newest() answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answer
}

// wait returns when a read that ended after that time was answered and the
// panel shows the answer.
func (d *answered) wait(ctx context.Context, after int64, p *panel.Panel) error {
	for {
		d.mu.Lock()
		end, shown, change := d.end, d.answer.shown, d.change
		d.mu.Unlock()
		if end > after {
			return p.Answered(ctx, shown)
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
