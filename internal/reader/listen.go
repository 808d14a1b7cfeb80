package reader

import "context"

// Listener is a source in the hands of a self-test, without a station.
type Listener struct {
	Source
	chars  chan Char
	cancel context.CancelFunc
	ended  chan struct{}
}

// Listen runs a source until Close.
func Listen(ctx context.Context, s Source) *Listener {
	ctx, cancel := context.WithCancel(ctx)
	l := &Listener{Source: s, chars: make(chan Char, 1024), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		_ = s.Run(ctx, func(c Char) {
			select {
			case l.chars <- c:
			case <-ctx.Done():
			}
		})
	}()
	return l
}

// C is where the characters come.
func (l *Listener) C() <-chan Char { return l.chars }

// Close ends the source.
func (l *Listener) Close() error {
	l.cancel()
	<-l.ended
	return nil
}
