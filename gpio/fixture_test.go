//go:build fixture

package gpio_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"stump/gpio"
	"stump/internal/gpiosim"
	"stump/wiegand"
)

// These tests meet a real kernel: run them with scripts/kernel/test.

func TestMain(m *testing.M) {
	gpiosim.Main()
	os.Exit(m.Run())
}

// chip makes a simulated chip for one test.
func chip(t *testing.T, label string) *gpiosim.Chip {
	t.Helper()
	c, err := gpiosim.New(label, 8, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func line(c *gpiosim.Chip, offset int) gpio.Line { return gpio.Line{Chip: c.Path(), Offset: offset} }

func open(t *testing.T, req gpio.Request) *gpio.Lines {
	t.Helper()
	l, err := gpio.Open(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// silence reads until nothing has come for 30 ms.
func silence(t *testing.T, l gpio.Source) []wiegand.Edge {
	t.Helper()
	var all []wiegand.Edge
	buf := make([]wiegand.Edge, 64)
	for {
		n, _, err := l.Read(buf, gpio.Monotonic()+30e6)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return all
		}
		all = append(all, buf[:n]...)
	}
}

// fallen are the lines that fell, in order.
func fallen(edges []wiegand.Edge) string {
	var b strings.Builder
	for _, e := range edges {
		if !e.Rising {
			b.WriteByte('0' + e.Line)
		}
	}
	return b.String()
}

const frame = "10101001011100001111100001"

var usual = gpiosim.Pulses{Width: 40 * time.Microsecond, Interval: 2 * time.Millisecond}

func TestKernelFrame(t *testing.T) {
	c := chip(t, "frame")
	l := open(t, gpio.Request{Data0: line(c, 3), Data1: line(c, 5)})
	wait, err := c.Generate(gpiosim.Job{D0: 3, D1: 5, Frames: []string{frame, frame}, Pulses: usual, Gap: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]wiegand.Edge, 1)
	n, _, err := l.Read(buf, math.MaxInt64)
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
	edges := append(buf[:1:1], silence(t, l)...)
	sent, err := wait()
	if err != nil || len(sent) != 2 {
		t.Fatal(sent, err)
	}
	if got := fallen(edges); got != frame+frame {
		t.Fatalf("got  %s\nwant %s", got, frame+frame)
	}
	for i, e := range edges {
		if e.Seq != uint32(i+1) || e.Time < sent[0].Start || e.Time > sent[1].End || i > 0 && e.Time < edges[i-1].Time {
			t.Errorf("edge %d: %+v, sent from %d to %d", i, e, sent[0].Start, sent[1].End)
		}
	}
}

// TestKernelTwoChips: banks of a BeagleBone. Each has its own numbers.
func TestKernelTwoChips(t *testing.T) {
	c0, c1 := chip(t, "bank0"), chip(t, "bank1")
	l := open(t, gpio.Request{Data0: line(c0, 3), Data1: line(c1, 3)})
	for i, bit := range frame {
		c := c0
		if bit == '1' {
			c = c1
		}
		c.Send(3, 3, "0", usual)
		if i == 12 { // one of its two lines alone: the other has nothing to say
			time.Sleep(8 * time.Millisecond)
		}
	}
	edges := silence(t, l)
	if got := fallen(edges); got != frame {
		t.Errorf("got  %s\nwant %s", got, frame)
	}
	for i, e := range edges {
		if e.Seq != uint32(i+1) {
			t.Errorf("edge %d has number %d", i, e.Seq)
		}
	}
}

// TestKernelBuffer: the buffer is as large as the kernel grants, 1024 events;
// then the oldest are dropped, and the numbers tell.
func TestKernelBuffer(t *testing.T) {
	c := chip(t, "buffer")
	l := open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1)})
	for range 12 {
		c.Send(0, 1, strings.Repeat("0110", 25), gpiosim.Pulses{Width: 20 * time.Microsecond, Interval: 200 * time.Microsecond})
	}
	if edges := silence(t, l); len(edges) != 1024 || edges[0].Seq != 177 {
		t.Errorf("%d edges, the first numbered %d", len(edges), edges[0].Seq)
	}
}

func TestKernelBothEdges(t *testing.T) {
	c := chip(t, "both")
	l := open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1)})
	if err := l.SetBothEdges(true); err != nil {
		t.Fatal(err)
	}
	c.Send(0, 1, frame, usual)
	edges := silence(t, l)
	if len(edges) != 2*len(frame) || fallen(edges) != frame {
		t.Fatalf("%d edges, %s fell", len(edges), fallen(edges))
	}
	for i := 0; i < len(edges); i += 2 {
		fall, rise := edges[i], edges[i+1]
		if fall.Rising || !rise.Rising || fall.Line != rise.Line || rise.Time <= fall.Time {
			t.Errorf("pulse %d: %+v %+v", i/2, fall, rise)
		}
	}
	if err := l.SetBothEdges(false); err != nil {
		t.Fatal(err)
	}
	c.Send(0, 1, frame, usual)
	if edges := silence(t, l); len(edges) != len(frame) || edges[0].Seq != uint32(2*len(frame)+1) {
		t.Errorf("back to falling edges: %d", len(edges))
	}
}

// TestKernelBiasAndLevels: gpio-sim follows the bias as a wire that nobody
// drives does, which is the float test.
func TestKernelBiasAndLevels(t *testing.T) {
	c := chip(t, "bias")
	l := open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1), Bias: gpio.BiasPullUp})
	for _, step := range []struct {
		bias gpio.Bias
		want [2]bool
	}{{gpio.BiasPullUp, [2]bool{true, true}}, {gpio.BiasPullDown, [2]bool{}}, {gpio.BiasPullUp, [2]bool{true, true}}} {
		if err := l.SetBias(step.bias); err != nil {
			t.Fatal(err)
		}
		if got, err := l.Levels(); err != nil || got != step.want {
			t.Errorf("%s: levels %v %v", step.bias, got, err)
		}
	}
	c.Set(1, false)
	if got, err := l.Levels(); err != nil || got != [2]bool{true, false} {
		t.Errorf("DATA1 low: levels %v %v", got, err)
	}
	c.Send(0, 1, "0", usual)
	if edges := silence(t, l); fallen(edges)[len(fallen(edges))-1] != '0' {
		t.Errorf("edges after a change of bias: %+v", edges)
	}
}

// TestKernelActiveLow: behind an inverting stage the lines idle low.
func TestKernelActiveLow(t *testing.T) {
	c := chip(t, "inverted")
	c.Set(0, false)
	c.Set(1, false)
	l := open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1), ActiveLow: true})
	if got, err := l.Levels(); err != nil || got != [2]bool{true, true} {
		t.Errorf("levels %v %v", got, err)
	}
	for _, on := range []int{1, 0, 1} {
		c.Set(on, true)
		c.Set(on, false)
		time.Sleep(time.Millisecond)
	}
	if got := fallen(silence(t, l)); got != "101" {
		t.Errorf("fell: %s", got)
	}
}

func TestKernelClose(t *testing.T) {
	c := chip(t, "close")
	l := open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1)})
	done := make(chan error)
	go func() {
		_, _, err := l.Read(make([]wiegand.Edge, 1), math.MaxInt64)
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		if err != gpio.ErrClosed {
			t.Error(err)
		}
	case <-time.After(time.Second):
		t.Fatal("Read is still blocked")
	}
	open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1)}) // they are free
}

// TestKernelIdleSleeps: the process sleeps while no card is shown.
func TestKernelIdleSleeps(t *testing.T) {
	c := chip(t, "idle")
	l := open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1)})
	var before, after syscall.Rusage
	tid := make(chan int, 1)
	go func() {
		tid <- syscall.Gettid()
		l.Read(make([]wiegand.Edge, 1), math.MaxInt64)
	}()
	<-tid
	time.Sleep(200 * time.Millisecond)
	debug.FreeOSMemory() // or Go does it bit by bit, in the background
	woke := int64(math.MaxInt64)
	for tries := 0; woke > 10 && tries < 3; tries++ {
		syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		time.Sleep(3 * time.Second)
		syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		woke = int64(after.Nvcsw - before.Nvcsw)
	}
	if woke > 10 {
		t.Errorf("this process woke %d times in three idle seconds", woke)
	}
}

// TestKernelErrors are the messages that a technician meets.
func TestKernelErrors(t *testing.T) {
	c := chip(t, "errors")
	inUse := open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1), Consumer: "stump-lab2"})
	for _, e := range []struct {
		name  string
		req   gpio.Request
		errno syscall.Errno
		text  string
		hint  string
	}{
		{"busy", gpio.Request{Data0: line(c, 2), Data1: line(c, 1)}, syscall.EBUSY,
			fmt.Sprintf("gpio: request %s line 1: held by \"stump-lab2\" (process %d, gpio.test): device or resource busy", c.Path(), os.Getpid()),
			"another stump is running"},
		{"no chip", gpio.Request{Data0: gpio.Line{Chip: "/dev/gpiochip99"}, Data1: gpio.Line{Chip: "/dev/gpiochip99", Offset: 1}}, syscall.ENOENT,
			"gpio: open /dev/gpiochip99: no such file or directory", "At boot it may still come"},
		{"not a chip", gpio.Request{Data0: gpio.Line{Chip: "/dev/null"}, Data1: gpio.Line{Chip: "/dev/null", Offset: 1}}, syscall.ENOTTY,
			"gpio: request /dev/null line 0, /dev/null line 1: inappropriate ioctl for device", "not a GPIO chip"},
		{"no line", gpio.Request{Data0: line(c, 2), Data1: line(c, 99)}, syscall.EINVAL,
			fmt.Sprintf("gpio: request %s line 2, %s line 99: invalid argument", c.Path(), c.Path()), "the line must exist"},
		{"one line twice", gpio.Request{Data0: line(c, 2), Data1: line(c, 2)}, 0, "both are the same line", "two wires"},
	} {
		_, err := gpio.Open(e.req)
		if err == nil || !strings.Contains(err.Error(), e.text) || !strings.Contains(gpio.Hint(err), e.hint) {
			t.Errorf("%s\n got %v; %s\nwant %s; %s", e.name, err, gpio.Hint(err), e.text, e.hint)
		}
		if e.errno != 0 && !errors.Is(err, e.errno) {
			t.Errorf("%s: errno of %v is not kept", e.name, err)
		}
	}
	if err := inUse.Close(); err != nil {
		t.Error(err)
	}
	open(t, gpio.Request{Data0: line(c, 2), Data1: line(c, 1)}) // nothing of the failures is left
}

// TestKernelPermission is the open of a user who is not in the group.
func TestKernelPermission(t *testing.T) {
	c := chip(t, "secret")
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestMessageAsNobody$")
	cmd.Env = append(os.Environ(), "GPIO_AS_NOBODY="+c.Path())
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	want := fmt.Sprintf("gpio: open %s: permission denied\nlet this user use /dev/gpiochip*", c.Path())
	if err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%v\n%s\nwant %s", err, out, want)
	}
}

// TestMessageAsNobody is run by TestKernelPermission, as another user.
func TestMessageAsNobody(t *testing.T) {
	path := os.Getenv("GPIO_AS_NOBODY")
	if path == "" {
		return
	}
	_, err := gpio.Open(gpio.Request{Data0: gpio.Line{Chip: path}, Data1: gpio.Line{Chip: path, Offset: 1}})
	fmt.Printf("%v\n%s\n", err, gpio.Hint(err))
}

// TestKernelOutput: what the outside sees of a line, from before it is acquired
// until after it was released.
func TestKernelOutput(t *testing.T) {
	c := chip(t, "outputs")
	high := func(want bool, when string) {
		t.Helper()
		if got, err := c.Level(4); err != nil || got != want {
			t.Errorf("%s: high %v, want %v (%v)", when, got, want, err)
		}
	}
	for _, o := range []struct{ activeLow, drain bool }{{false, false}, {true, false}, {true, true}} {
		out, err := gpio.OpenOutput(gpio.OutputRequest{Line: line(c, 4), ActiveLow: o.activeLow, OpenDrain: o.drain})
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("active low %v, open drain %v", o.activeLow, o.drain)
		// A line that is not driven follows the pull outside.
		outside := func() {
			c.Set(4, !o.drain)
			c.Set(4, o.drain)
		}
		outside()
		high(o.activeLow, name+", acquired")
		if err := out.Set(true); err != nil {
			t.Fatal(err)
		}
		high(!o.activeLow, name+", on")
		outside()
		high(!o.activeLow, name+", on against a pull")
		if err := out.Set(false); err != nil {
			t.Fatal(err)
		}
		outside()
		high(o.activeLow, name+", off")
		out.Set(true)
		if err := out.Close(); err != nil {
			t.Error(err)
		}
		if err := out.Set(true); err != gpio.ErrClosed {
			t.Errorf("set after close: %v", err)
		}
		if err := out.Close(); err != gpio.ErrClosed {
			t.Errorf("closed twice: %v", err)
		}
	}
	open(t, gpio.Request{Data0: line(c, 4), Data1: line(c, 5)})
	if _, err := gpio.OpenOutput(gpio.OutputRequest{Line: line(c, 4)}); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("a line in use: %v", err)
	}
}

// pass hands on what is read until the first error.
func pass(r gpio.Source, edges chan<- wiegand.Edge) error {
	buf := make([]wiegand.Edge, 16)
	for {
		n, _, err := r.Read(buf, math.MaxInt64)
		if err != nil {
			return err
		}
		for _, e := range buf[:n] {
			edges <- e
		}
	}
}

// TestKernelVanish: the chip goes while Read sleeps, and comes back.
func TestKernelVanish(t *testing.T) {
	c := chip(t, "vanish")
	var said atomic.Value
	r := gpio.Dial(
		func() (gpio.Adjustable, error) { return gpio.Open(gpio.Request{Data0: line(c, 0), Data1: line(c, 1)}) },
		func(s gpio.Status) { said.Store(fmt.Sprint(s.Err)) })
	defer r.Close()
	edges := make(chan wiegand.Edge, 100)
	done := make(chan error)
	go func() { done <- pass(r, edges) }()
	expect := func(want string) {
		t.Helper()
		for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			if got, _ := said.Load().(string); strings.Contains(got, want) {
				return
			} else if time.Since(start) > 3*time.Second {
				t.Fatalf("said %q, want %q", got, want)
			}
		}
	}
	expect("<nil>")
	c.Send(0, 1, "0", usual)
	if e := <-edges; e.Seq != 1 {
		t.Errorf("%+v", e)
	}
	if err := c.Unplug(); err != nil {
		t.Fatal(err)
	}
	if e := <-edges; e.Seq != 3 || !e.Rising { // the mark of the loss
		t.Errorf("%+v", e)
	}
	expect("no such file or directory")
	if err := c.Replug(); err != nil {
		t.Fatal(err)
	}
	c.Set(0, true)
	c.Set(1, true)
	expect("<nil>")
	for len(edges) > 0 {
		<-edges // levels that came up with the chip
	}
	c.Send(0, 1, "1", usual)
	if e := <-edges; e.Line != 1 {
		t.Errorf("%+v", e)
	}
	r.Close()
	if err := <-done; err != gpio.ErrClosed {
		t.Error(err)
	}
}

// TestKernelStorm: with edges as fast as possible the kernel keeps what it can,
// every loss is reported, and a card after it is whole.
func TestKernelStorm(t *testing.T) {
	c := chip(t, "storm")
	l := open(t, gpio.Request{Data0: line(c, 0), Data1: line(c, 1)})
	var got, lost atomic.Int64
	done := make(chan uint32)
	go func() {
		buf := make([]wiegand.Edge, 1024)
		last := uint32(0)
		for {
			n, _, err := l.Read(buf, gpio.Monotonic()+300e6)
			if n == 0 || err != nil {
				done <- last
				return
			}
			for _, e := range buf[:n] {
				lost.Add(int64(e.Seq - last - 1))
				last = e.Seq
			}
			got.Add(int64(n))
		}
	}()
	start, sent := time.Now(), int64(0)
	for ; time.Since(start) < 2*time.Second; sent += 2 {
		for line := range 2 {
			c.Set(line, false)
			c.Set(line, true)
		}
	}
	last := <-done
	t.Logf("%d falling edges in 2 s: %d read, %d told as lost", sent, got.Load(), lost.Load())
	if got.Load()+lost.Load() != int64(last) || got.Load() == 0 || int64(last) > sent {
		t.Errorf("the last number is %d", last)
	}
	c.Send(0, 1, frame, usual)
	if edges := silence(t, l); fallen(edges) != frame {
		t.Errorf("after the storm: %s", fallen(edges))
	}
}
