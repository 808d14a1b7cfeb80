package patience

import (
	"context"
	"net/http"
	"runtime"
)

// Turns lets only so many work at once, of those who make long answers: whoever has been
// waiting for longest comes next. A bump needs no turn, and finds a processor free.
type Turns chan struct{}

// NewTurns leaves one processor to others, if there are several.
func NewTurns() Turns { return make(Turns, max(runtime.GOMAXPROCS(0)-1, 1)) }

// turnBytes are written in a turn. Then it is the next one's, while they are on their way.
const turnBytes = 16 << 10

// Serve makes an answer, turn by turn: nobody has a turn while who reads the answer lets it
// wait. The error is f's, or that of ctx.
func (t Turns) Serve(ctx context.Context, w http.ResponseWriter, f func(http.ResponseWriter) error) error {
	p := &parted{ResponseWriter: w, ctx: ctx, turns: t, part: make([]byte, 0, turnBytes)}
	if err := p.take(); err != nil {
		return err
	}
	defer p.give()
	if err := f(p); err != nil {
		return err // what was not sent is not the answer
	}
	p.give()
	return p.send()
}

// Rest is for who works long on a part of an answer that Serve makes: it is the next one's
// turn. The error is that of the answer's context.
func Rest(w http.ResponseWriter) error {
	p, ok := w.(*parted)
	if !ok {
		return nil
	}
	p.give()
	return p.take()
}

// parted is an answer that is sent in parts.
type parted struct {
	http.ResponseWriter
	ctx   context.Context
	turns Turns
	mine  bool // it is this one's turn
	part  []byte
}

func (p *parted) take() error {
	select {
	case p.turns <- struct{}{}:
		p.mine = true
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

func (p *parted) give() {
	if p.mine {
		<-p.turns
		p.mine = false
	}
}

// Write is http.ResponseWriter's.
func (p *parted) Write(b []byte) (n int, err error) {
	for n < len(b) {
		room := min(len(b)-n, turnBytes-len(p.part))
		p.part = append(p.part, b[n:n+room]...)
		if n += room; len(p.part) < turnBytes {
			break
		}
		p.give()
		if err := p.send(); err != nil {
			return n, err
		}
		if err := p.take(); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (p *parted) send() error {
	if len(p.part) == 0 {
		return nil
	}
	_, err := p.ResponseWriter.Write(p.part)
	p.part = p.part[:0]
	return err
}
