package keyboard

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"
)

// After something changed in /dev/input the keyboards are looked for twice:
// when udev has usually set the permissions, and when it has made its links.
const (
	soon  = 100 * time.Millisecond
	later = 2 * time.Second
)

// unwatched is how often keyboards are looked for where the kernel can't say
// that something changed.
const unwatched = 30 * time.Second

// system is the part of the machine that has keyboards. The kernel's is in
// linux.go, a test's in the tests.
type system interface {
	// paths returns every input device.
	paths() []string
	// open opens and grabs an input device; errNotKeyboard if it is something
	// else.
	open(path string) (device, error)
	// resolve follows links.
	resolve(path string) string
	// watch calls changed after anything came, went, or changed its
	// permissions, until ctx is done. It returns an error if it can't.
	watch(ctx context.Context, changed func()) error
}

// device is an open keyboard.
type device interface {
	name() string
	// next waits for a key event. lost is that events were dropped before it.
	next() (code uint16, value int32, lost bool, err error)
	// close makes next return.
	close() error
}

var errNotKeyboard = errors.New("not a keyboard")

// Run reads keyboards, as they come and go, until ctx is done.
func (k *Keyboard) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	changed := make(chan struct{}, 1)
	watching := make(chan error, 1)
	wg.Go(func() {
		watching <- k.system.watch(ctx, func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	})
	seen := &seen{failed: map[string]string{}}
	k.scan(ctx, &wg, seen)
	close(k.ready)
	timer := time.NewTimer(later)
	defer timer.Stop()
	next := []time.Duration{} // further looks
	blind := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watching:
			if ctx.Err() != nil {
				return nil
			}
			k.log.Warn("keyboards that are plugged in are noticed late", "err", err)
			blind = true
			timer.Reset(unwatched)
			continue
		case <-changed:
			timer.Reset(soon)
			next = []time.Duration{later}
			continue
		case <-timer.C:
		}
		k.scan(ctx, &wg, seen)
		switch {
		case len(next) > 0:
			timer.Reset(next[0])
			next = next[1:]
		case blind:
			timer.Reset(unwatched)
		}
	}
}

// seen is what was already said of devices that can't be read.
type seen struct{ failed map[string]string }

// scan opens the keyboards that are new.
func (k *Keyboard) scan(ctx context.Context, wg *sync.WaitGroup, s *seen) {
	there := map[string]bool{}
	for _, path := range k.system.paths() {
		there[path] = true
		k.mu.Lock()
		_, open := k.plugged[path]
		k.mu.Unlock()
		if open || !k.matches(path) {
			continue
		}
		d, err := k.system.open(path)
		switch {
		case errors.Is(err, errNotKeyboard), errors.Is(err, fs.ErrNotExist):
		case err != nil:
			if s.failed[path] != err.Error() {
				k.log.Warn("keyboard can't be read", "device", path, "err", err)
			}
			s.failed[path] = err.Error()
		default:
			delete(s.failed, path)
			k.mu.Lock()
			k.plugged[path] = d.name()
			k.mu.Unlock()
			k.log.Info("keyboard is here", "device", path, "name", d.name())
			wg.Go(func() { k.read(ctx, path, d) })
		}
	}
	for path := range s.failed {
		if !there[path] {
			delete(s.failed, path)
		}
	}
}

// read hands on what is pressed on one keyboard until it goes.
func (k *Keyboard) read(ctx context.Context, path string, d device) {
	stop := context.AfterFunc(ctx, func() { d.close() })
	defer func() {
		if stop() {
			d.close()
		}
		k.mu.Lock()
		delete(k.plugged, path)
		k.mu.Unlock()
	}()
	t := &typist{layout: k.layout}
	for {
		code, value, lost, err := d.next()
		if err != nil {
			if ctx.Err() == nil {
				k.log.Info("keyboard is gone", "device", path, "err", err)
			}
			return
		}
		if lost {
			t.lost()
		}
		if p, ok := t.key(code, value); ok {
			k.pressed(p)
		}
	}
}
