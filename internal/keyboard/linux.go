package keyboard

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	evdev "github.com/holoplot/go-evdev"
	"golang.org/x/sys/unix"
)

// inputDir is where the kernel's input devices are.
const inputDir = "/dev/input"

// linux is the kernel's input devices.
type linux struct {
	dir    string
	reader bool // a reader needs no letters
}

func (l linux) paths() []string {
	paths, _ := filepath.Glob(filepath.Join(l.dir, "event*"))
	return paths
}

func (l linux) resolve(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return path
}

// open opens a keyboard for this process alone.
func (l linux) open(path string) (device, error) {
	d, err := evdev.OpenWithFlags(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	name, err := d.Name()
	if err == nil && !types(d, l.reader) {
		err = errNotKeyboard
	}
	if err == nil {
		if err = d.Grab(); err != nil {
			err = fmt.Errorf("another program has this keyboard: %w", err)
		}
	}
	// The ioctls above make the file blocking. On a blocking file, Close would not
	// end a read.
	if err == nil {
		err = d.NonBlock()
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return &evdevKeyboard{dev: d, title: name}, nil
}

// types is whether a device has the keys for a name, unlike power buttons and
// remote controls; or those for a number.
func types(d *evdev.InputDevice, numbers bool) bool {
	needed := []evdev.EvCode{evdev.KEY_A, evdev.KEY_Z, evdev.KEY_SPACE, evdev.KEY_ENTER, evdev.KEY_BACKSPACE}
	if numbers {
		needed = []evdev.EvCode{evdev.KEY_1, evdev.KEY_9, evdev.KEY_0}
	}
	has := d.CapableEvents(evdev.EV_KEY)
	return !slices.ContainsFunc(needed, func(c evdev.EvCode) bool { return !slices.Contains(has, c) })
}

type evdevKeyboard struct {
	dev   *evdev.InputDevice
	title string
}

func (e *evdevKeyboard) name() string { return e.title }
func (e *evdevKeyboard) close() error { return e.dev.Close() }

func (e *evdevKeyboard) next() (code uint16, value int32, lost bool, err error) {
	for {
		ev, err := e.dev.ReadOne()
		switch {
		case err != nil:
			return 0, 0, false, err
		case ev.Type == evdev.EV_SYN && ev.Code == evdev.SYN_DROPPED:
			lost = true
		case ev.Type == evdev.EV_KEY:
			return uint16(ev.Code), ev.Value, lost, nil
		}
	}
}

// watch waits for changes in the directory of input devices and of its links, and
// for the directories themselves, which may not exist while there is no device.
func (l linux) watch(ctx context.Context, changed func()) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("inotify: %w", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.Close() })()
	const events = unix.IN_CREATE | unix.IN_DELETE | unix.IN_ATTRIB | unix.IN_MOVED_TO
	if _, err := unix.InotifyAddWatch(fd, filepath.Dir(l.dir), unix.IN_CREATE|unix.IN_MOVED_TO); err != nil {
		return fmt.Errorf("watch %s: %w", filepath.Dir(l.dir), err)
	}
	buf := make([]byte, 4096)
	for {
		// Each time, because the directory may be a new one.
		_, err := unix.InotifyAddWatch(fd, l.dir, events)
		if err != nil && err != unix.ENOENT {
			return fmt.Errorf("watch %s: %w", l.dir, err)
		}
		_, _ = unix.InotifyAddWatch(fd, filepath.Join(l.dir, "by-id"), unix.IN_CREATE|unix.IN_MOVED_TO)
		if _, err := f.Read(buf); err != nil {
			return fmt.Errorf("inotify: %w", err)
		}
		changed()
	}
}
