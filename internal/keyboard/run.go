package keyboard

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"
)

// After a change in /dev/input the keyboards are looked for twice: when udev has
// usually set the permissions, and when it has made its links.
const (
	soon  = 100 * time.Millisecond
	later = 2 * time.Second
)

// unwatched is how often keyboards are looked for if changes can't be watched.
const unwatched = 30 * time.Second

// system is the machine's input devices: the kernel's in linux.go, or a test's.
type system interface {
	// paths returns every input device.
	paths() []string
	// open opens and grabs an input device; errNotKeyboard if it is not one.
	open(path string) (device, error)
	// resolve follows links.
	resolve(path string) string
	// watch calls changed after a device came, went, or changed its permissions,
	// until ctx is done or watching fails.
	watch(ctx context.Context, changed func()) error
}

// device is an open keyboard.
type device interface {
	name() string
	// next waits for a key event. lost is whether events were dropped before it.
	next() (code uint16, value int32, lost bool, err error)
	// close makes next return.
	close() error
}

var errNotKeyboard = errors.New("not a keyboard")

// Run reads keyboards as they come and go, until ctx is done.
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
	failed := map[string]string{}
	k.scan(ctx, &wg, failed)
	close(k.ready)
	timer := time.NewTimer(later)
	defer timer.Stop()
	var next, rest time.Duration // the pause after the next look, and after later ones; 0: none is due
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watching:
			if ctx.Err() != nil {
				return nil
			}
			k.log.Warn("keyboards that are plugged in are noticed late", "err", err)
			next, rest = unwatched, unwatched
			timer.Reset(unwatched)
			continue
		case <-changed:
			next = later
			timer.Reset(soon)
			continue
		case <-timer.C:
		}
		k.scan(ctx, &wg, failed)
		if next > 0 {
			timer.Reset(next)
		}
		next = rest
	}
}

// scan opens the keyboards that are new. failed is the errors already logged, by
// path.
func (k *Keyboard) scan(ctx context.Context, wg *sync.WaitGroup, failed map[string]string) {
	paths := k.system.paths()
	maps.DeleteFunc(failed, func(path, _ string) bool { return !slices.Contains(paths, path) })
	for _, path := range paths {
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
			if failed[path] != err.Error() {
				k.log.Warn("keyboard can't be read", "device", path, "err", err)
			}
			failed[path] = err.Error()
		default:
			delete(failed, path)
			k.mu.Lock()
			k.plugged[path] = d.name()
			k.mu.Unlock()
			k.log.Info("keyboard plugged in", "device", path, "name", d.name())
			wg.Go(func() { k.read(ctx, path, d) })
		}
	}
}

// read reads one keyboard until it is unplugged.
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
	t := newTypist(k.layout)
	for {
		code, value, lost, err := d.next()
		if err != nil {
			if ctx.Err() == nil {
				k.log.Info("keyboard unplugged", "device", path, "err", err)
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
