package keyboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say which keyboards are read, and how.
type Options struct {
	// Layout is one of [Layouts]; "" is us.
	Layout string
	// Device is the one keyboard to read, such as
	// "/dev/input/by-id/usb-…-event-kbd"; "" reads every one there is.
	Device string
	// Except are devices that are never read: card readers that type.
	Except []string
	// Reader takes a device that has no letters, too, as a reader of cards may.
	Reader bool
	// Changed is called when a device came or went; may be nil.
	Changed func()
	// Logger gets keyboards that come and go, and never what is typed; nil is
	// silent.
	Logger *slog.Logger
}

// Stroke is a key that was pressed.
type Stroke struct {
	// Rune is its letter, '\n' for Enter, '\t' for Tab, 0 for other keys.
	Rune rune
	// Code is the kernel's code of the key, and Level what was held: 1 Shift, 2
	// AltGr. Another layout may have another letter there: [Letter].
	Code  uint16
	Level int
	// Lost says that keys before this one were lost: the kernel keeps 64 events.
	// Code is then 0, and this itself is no key.
	Lost bool

	press press
}

// Keys are input devices that type, found as they are plugged in. It is a task.
type Keys struct {
	o      Options
	take   func(Stroke)
	log    *slog.Logger
	system system
	ready  chan struct{}

	mu      sync.Mutex
	plugged map[string]device // by path
	err     error             // why the newest device can't be read
}

// NewKeys checks the options. Run looks for devices, and calls take with each
// key that is pressed, for each device in a goroutine of its own.
func NewKeys(o Options, take func(Stroke)) (*Keys, error) {
	o.Layout = cmp.Or(o.Layout, "us")
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if _, ok := layouts[o.Layout]; !ok {
		return nil, fmt.Errorf("keyboard layout %q: use one of %s", o.Layout, strings.Join(Layouts(), ", "))
	}
	return &Keys{
		o: o, take: take, log: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)), system: linux{dir: inputDir, reader: o.Reader},
		ready: make(chan struct{}), plugged: map[string]device{},
	}, nil
}

// Ready is closed after the first look for devices; there may be none.
func (k *Keys) Ready() <-chan struct{} { return k.ready }

// Plugged returns the names of the devices that are read now, sorted.
func (k *Keys) Plugged() (names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range k.plugged {
		names = append(names, d.name())
	}
	slices.Sort(names)
	return names
}

// Err is why no device is read, nil while one is.
func (k *Keys) Err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case len(k.plugged) > 0:
		return nil
	case k.err != nil:
		return k.err
	case k.o.Device != "":
		return fmt.Errorf("%s is not plugged in", k.o.Device)
	}
	return errNoKeyboard
}

// what is read, for the log.
func (k *Keys) what() string {
	if k.o.Reader {
		return "reader"
	}
	return "keyboard"
}

func (k *Keys) note(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// matches is whether the device at path is to be read.
func (k *Keys) matches(path string) bool {
	return k.o.Device == "" && !k.excepted(path) || k.o.Device != "" && k.system.resolve(k.o.Device) == path
}

func (k *Keys) excepted(path string) bool {
	return slices.ContainsFunc(k.o.Except, func(e string) bool { return k.system.resolve(e) == path })
}

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
func (k *Keys) Run(ctx context.Context) error {
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
	k.scan(ctx, &wg, failed, false)
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
			k.log.Warn(k.what()+"s that are plugged in are noticed late", "err", err)
			next, rest = unwatched, unwatched
			timer.Reset(unwatched)
			continue
		case <-changed:
			next = later
			timer.Reset(soon)
			continue
		case <-timer.C:
		}
		k.scan(ctx, &wg, failed, next != later)
		if next > 0 {
			timer.Reset(next)
		}
		next = rest
	}
}

// scan opens the keyboards that are new. failed is the errors already logged, by
// path. What was just plugged in may be a reader that has no link yet: until udev
// has settled, nobody takes it while a reader is missing.
func (k *Keys) scan(ctx context.Context, wg *sync.WaitGroup, failed map[string]string, settled bool) {
	paths := k.system.paths()
	maps.DeleteFunc(failed, func(path, _ string) bool { return !slices.Contains(paths, path) })
	missing := slices.ContainsFunc(k.o.Except, func(e string) bool { return !slices.Contains(paths, k.system.resolve(e)) })
	k.note(nil)
	for _, path := range paths {
		k.mu.Lock()
		open := k.plugged[path]
		k.mu.Unlock()
		switch {
		case open != nil && !k.matches(path):
			open.close() // it turned out to be a reader
			continue
		case open != nil, !k.matches(path), missing && !settled && k.o.Device == "":
			continue
		}
		d, err := k.system.open(path)
		switch {
		case errors.Is(err, errNotKeyboard), errors.Is(err, fs.ErrNotExist):
		case err != nil:
			k.note(fmt.Errorf("%s: %w", path, err))
			if failed[path] != err.Error() {
				k.log.Warn(k.what()+" can't be read", "device", path, "err", err)
			}
			failed[path] = err.Error()
		default:
			delete(failed, path)
			k.mu.Lock()
			k.plugged[path] = d
			k.mu.Unlock()
			k.o.Changed()
			k.log.Info(k.what()+" plugged in", "device", path, "name", d.name())
			wg.Go(func() { k.read(ctx, path, d) })
		}
	}
}

// read reads one keyboard until it is unplugged.
func (k *Keys) read(ctx context.Context, path string, d device) {
	stop := context.AfterFunc(ctx, func() { d.close() })
	defer func() {
		if stop() {
			d.close()
		}
		k.mu.Lock()
		delete(k.plugged, path)
		k.mu.Unlock()
		k.o.Changed()
	}()
	t := newTypist(layouts[k.o.Layout])
	for {
		code, value, lost, err := d.next()
		if err != nil {
			if ctx.Err() == nil {
				k.log.Info(k.what()+" unplugged", "device", path, "err", err)
			}
			return
		}
		if lost {
			t.lost()
			k.take(Stroke{Lost: true, press: nothing})
		}
		level := t.level()
		if p, ok := t.key(code, value); ok {
			k.take(Stroke{Rune: p.letter(), Code: code, Level: level, press: p})
		}
	}
}
