//go:build linux && fixture

package keyboard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	evdev "github.com/holoplot/go-evdev"
	"golang.org/x/sys/unix"
)

// plug makes a keyboard with the keys that a USB keyboard has.
func plug(t *testing.T, name string, keys ...evdev.EvCode) *evdev.InputDevice {
	t.Helper()
	if keys == nil {
		for c := evdev.EvCode(1); c < 128; c++ {
			keys = append(keys, c)
		}
	}
	d, err := evdev.CreateDevice(name, evdev.InputID{BusType: 3, Vendor: 1, Product: 2, Version: 1},
		map[evdev.EvType][]evdev.EvCode{evdev.EV_KEY: keys})
	if err != nil {
		t.Fatalf("uinput: %v", err)
	}
	return d
}

// strike presses and lets go of keys, all at once if held.
func strike(t *testing.T, d *evdev.InputDevice, codes ...evdev.EvCode) {
	t.Helper()
	send := func(code evdev.EvCode, value int32) {
		for _, e := range []evdev.InputEvent{{Type: evdev.EV_KEY, Code: code, Value: value}, {Type: evdev.EV_SYN}} {
			if err := d.WriteOne(&e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range codes {
		send(c, 1)
		send(c, 0)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%s: it didn't come", what)
		}
	}
}

// next is what comes through c within a time that no healthy one needs.
func next[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
	}
	return v
}

// TestKernelKeyboard types on keyboards that the kernel makes of uinput: a
// name in a German layout, a keyboard that is pulled out in the middle of a
// name and another that is plugged in, and what others get to see of it.
func TestKernelKeyboard(t *testing.T) {
	first := plug(t, "First")
	power := plug(t, "Power Button", evdev.KEY_POWER)
	defer evdev.DestroyDevice(power)
	k, err := New(Options{Layout: "de"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	until(t, "the first keyboard", func() bool { return slices.Contains(k.Plugged(), "First") })
	if got := fmt.Sprint(k.Plugged()); got != "[First]" {
		t.Errorf("plugged: %s", got)
	}
	wantGrabbed(t, k)

	shown := make(chan View, 100)
	result := make(chan answered, 1)
	go func() {
		a, err := k.Ask(ctx, Question{Names: names, Show: func(v View) { shown <- v }})
		result <- answered{a, err}
	}()
	next(t, shown)
	strike(t, first, evdev.KEY_Y) // z in Germany
	if v := next(t, shown); v.Typed != "z" || v.Offer != "Zoë Müller" {
		t.Errorf("shown: %+v", v)
	}
	if err := evdev.DestroyDevice(first); err != nil {
		t.Fatal(err)
	}
	until(t, "the keyboard's end", func() bool { return len(k.Plugged()) == 0 })
	second := plug(t, "Second")
	defer evdev.DestroyDevice(second)
	until(t, "the second keyboard", func() bool { return len(k.Plugged()) == 1 })
	strike(t, second, evdev.KEY_O, evdev.KEY_ENTER)
	if got := next(t, result); got.name != "Zoë Müller" || got.err != nil {
		t.Errorf("answer: %+v", got)
	}

	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Run hangs on an open keyboard")
	}
}

// wantGrabbed checks that no other program gets the keys.
func wantGrabbed(t *testing.T, k *Keyboard) {
	t.Helper()
	k.Keys.mu.Lock()
	defer k.Keys.mu.Unlock()
	for path := range k.plugged {
		other, err := evdev.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Grab(); err == nil || !strings.Contains(err.Error(), unix.EBUSY.Error()) {
			t.Errorf("%s can be grabbed by others: %v", path, err)
		}
		other.Close()
	}
}
