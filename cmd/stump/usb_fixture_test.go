//go:build linux && amd64 && fixture

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	evdev "github.com/holoplot/go-evdev"

	"stump/internal/keyboard"
)

// typing is an input device with all keys of a keyboard, and its file.
type typing struct {
	t *testing.T
	*evdev.InputDevice
	path string
}

// plugIn makes one. udev, which links it, is the test itself.
func plugIn(t *testing.T, name string) *typing {
	t.Helper()
	keys := map[evdev.EvType][]evdev.EvCode{evdev.EV_KEY: nil}
	for c := evdev.EvCode(1); c < 128; c++ {
		keys[evdev.EV_KEY] = append(keys[evdev.EV_KEY], c)
	}
	d, err := evdev.CreateDevice(name, evdev.InputID{BusType: 3}, keys)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		all, _ := evdev.ListDevicePaths()
		for _, p := range all {
			if p.Name == name {
				return &typing{t, d, p.Path}
			}
		}
	}
	t.Fatalf("%s has no file", name)
	return nil
}

// types types a text as a reader does, 4 ms a key, on a keyboard of this layout.
func (k *typing) types(layout, text string) {
	k.t.Helper()
	send := func(code evdev.EvCode, value int32) {
		for _, e := range []evdev.InputEvent{{Type: evdev.EV_KEY, Code: code, Value: value}, {Type: evdev.EV_SYN}} {
			if err := k.WriteOne(&e); err != nil {
				k.t.Fatal(err)
			}
		}
	}
	for _, r := range text {
		code, level := uint16(evdev.KEY_ENTER), 0
		if r != '\n' {
			code, level, _ = keyboard.Key(layout, r)
		}
		time.Sleep(4 * time.Millisecond)
		if level == 1 {
			send(evdev.KEY_LEFTSHIFT, 1)
		}
		send(evdev.EvCode(code), 1)
		send(evdev.EvCode(code), 0)
		if level == 1 {
			send(evdev.KEY_LEFTSHIFT, 0)
		}
	}
}

// scan shows a tag until the panel answers. A host that takes the processor away
// loses keys, and the number is refused: then the tag is shown again, as a person
// would.
func (s *realStation) scan(reader *typing, number, text string) {
	s.t.Helper()
	for range 10 {
		reader.types("fr", number+"\n")
		// Sooner, the desk would take the same tag for a repetition.
		for end := time.Now().Add(1700 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if s.shows(text)() {
				return
			}
		}
	}
	s.t.Fatalf("after scans of %s the panel never says %q:\n%s", number, text, s.stump("sim", "lcd"))
}

// A USB reader checks a device out. It types on a French keyboard, it is plugged in
// when the station runs already, and a keyboard for names is there too: what the
// reader types is never a name, and what the keyboard types is never a card. It is
// pulled out and put in again.
func TestKernelUSBReader(t *testing.T) {
	const link = "/dev/input/by-id/usb-Acme_Reader-event-kbd"
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		t.Fatal(err)
	}
	kbd := plugIn(t, "Keyboard")
	defer evdev.DestroyDevice(kbd.InputDevice)
	s := newStation(t,
		"data0 = \"GPIO17\"\ndata1 = \"pinctrl-bcm2711:18\"", "kind = \"usb\"\nlayout = \"fr\"",
		"device = { facilities = [200] }", "device = { path = \""+link+"\", facilities = [200] }",
		"device = \"off\"", "device = \"auto\"")
	s.within("the keyboard is found", s.logged("name=Keyboard", 1))
	s.within("the reader is missed", s.shows("Reader fault"))
	plug := func(times int) *typing {
		reader := plugIn(t, "Reader")
		time.Sleep(500 * time.Millisecond) // udev takes its time
		_ = os.Remove(link)
		if err := os.Symlink(reader.path, link); err != nil {
			t.Fatal(err)
		}
		s.within("the reader is found", s.logged("reader plugged in", times))
		return reader
	}
	reader := plug(1)

	s.scan(reader, "0001145113", "Hello Ann")   // H10301:17:31001 is 17 × 65536 + 31001
	s.scan(reader, "0013115301", "Checked out") // 200 × 65536 + 8101
	s.wantHolders(map[string]string{"iPad": "Ann"})

	reader.types("us", "0001145114\n")
	s.within("another layout", s.shows("Bad tag read"))

	s.scan(reader, "0001145114", "Type your name:") // H10301:17:31002, a stranger's
	kbd.types("us", "zo")
	s.within("the line", s.shows("zo_"))
	s.scan(reader, "0013115302", "Pixel") // the other device: a tap, and not a letter more
	kbd.types("us", "0013115301\n")       // no card
	time.Sleep(settle)
	if !s.shows("Pixel")() {
		t.Errorf("what the keyboard typed is shown: %s", s.stump("sim", "lcd"))
	}

	if err := evdev.DestroyDevice(reader.InputDevice); err != nil {
		t.Fatal(err)
	}
	s.within("the reader is missed", s.logged("reader unplugged", 1))
	reader = plug(2)
	defer evdev.DestroyDevice(reader.InputDevice)
	s.scan(reader, "0001145113", "Checked out")
	s.wantHolders(map[string]string{"iPad": "Ann", "Pixel": "Ann"})

	// A device without a tag, by the code of its label.
	s.stump("devices", "add", "Drill")
	s.scan(reader, "0001145113", "Hello Ann")
	s.scan(reader, "https://stump.lab:8443/devices/drill", "Checked out")
	s.wantHolders(map[string]string{"iPad": "Ann", "Pixel": "Ann", "Drill": "Ann"})
}
