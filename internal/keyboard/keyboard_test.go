package keyboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/testkit"
)

// fakeSystem is a machine whose keyboards a test plugs in.
type fakeSystem struct {
	mu      sync.Mutex
	devices map[string]*fakeDevice
	links   map[string]string
	denied  map[string]bool
	blind   bool
	changed func()
	opens   atomic.Int32
}

type fakeDevice struct {
	title  string
	events chan [2]int
	gone   chan struct{}
	once   sync.Once
}

func newSystem() *fakeSystem {
	return &fakeSystem{devices: map[string]*fakeDevice{}, links: map[string]string{}, denied: map[string]bool{}}
}

func (s *fakeSystem) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var p []string
	for path := range s.devices {
		p = append(p, path)
	}
	return p
}

func (s *fakeSystem) open(path string) (device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opens.Add(1)
	switch d := s.devices[path]; {
	case d == nil:
		return nil, fs.ErrNotExist
	case s.denied[path]:
		return nil, fs.ErrPermission
	case d.title == "Power Button":
		return nil, errNotKeyboard
	default:
		return d, nil
	}
}

func (s *fakeSystem) resolve(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to := s.links[path]; to != "" {
		return to
	}
	return path
}

func (s *fakeSystem) watch(ctx context.Context, changed func()) error {
	if s.blind {
		return errors.New("no inotify")
	}
	s.mu.Lock()
	s.changed = changed
	s.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (s *fakeSystem) plug(path, title string) *fakeDevice {
	d := &fakeDevice{title: title, events: make(chan [2]int, 1000), gone: make(chan struct{})}
	s.mu.Lock()
	s.devices[path] = d
	changed := s.changed
	s.mu.Unlock()
	if changed != nil {
		changed()
	}
	return d
}

func (s *fakeSystem) unplug(path string) {
	s.mu.Lock()
	d := s.devices[path]
	delete(s.devices, path)
	s.mu.Unlock()
	d.close()
}

func (d *fakeDevice) name() string { return d.title }
func (d *fakeDevice) close() error { d.once.Do(func() { close(d.gone) }); return nil }
func (d *fakeDevice) next() (uint16, int32, bool, error) {
	select {
	case e := <-d.events:
		return uint16(e[0]), int32(e[1]), false, nil
	case <-d.gone:
		return 0, 0, false, io.EOF
	}
}

// tap presses keys of a US keyboard, a name for a letter.
func (d *fakeDevice) tap(text string, codes ...int) {
	const row = "qwertyuiop[]\n\x00asdfghjkl;'`\x00\\zxcvbnm,./"
	var all []int
	for _, r := range text {
		code := 57
		if r != ' ' {
			code = 16 + strings.IndexRune(row, r)
		}
		all = append(all, code)
	}
	for _, c := range append(all, codes...) {
		d.events <- [2]int{c, 1}
		d.events <- [2]int{c, 0}
	}
}

type bench struct {
	*Keyboard
	*fakeSystem
	log *testkit.Log
}

func start(t *testing.T, s *fakeSystem, o Options) bench {
	t.Helper()
	lines := new(testkit.Log)
	o.Logger = slog.New(slog.NewTextHandler(lines, nil))
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	k.system = s
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-k.Ready()
	synctest.Wait()
	return bench{k, s, lines}
}

type answered struct {
	name string
	err  error
}

// ask asks in the background; shown gets every view.
func (b bench) ask(ctx context.Context, q Question) (result chan answered, shown *views) {
	shown = &views{}
	q.Show = shown.add
	result = make(chan answered, 1)
	go func() {
		a, err := b.Ask(ctx, q)
		result <- answered{a, err}
	}()
	synctest.Wait()
	return result, shown
}

type views struct {
	mu  sync.Mutex
	all []string
}

func (v *views) add(w View) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.all = append(v.all, w.Typed+"|"+w.Offer)
}

func (v *views) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return strings.Join(v.all, " ")
}

func names() []string { return people }

func TestAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem()
		d := s.plug("/dev/input/event3", "USB Keyboard")
		s.plug("/dev/input/event0", "Power Button")
		b := start(t, s, Options{})
		if got := fmt.Sprint(b.Plugged()); got != "[USB Keyboard]" {
			t.Errorf("plugged: %s", got)
		}
		d.tap("lost", 28) // without a question
		synctest.Wait()
		result, shown := b.ask(t.Context(), Question{Names: names})
		d.tap("be", 28)
		if got := <-result; got.name != "Ben Okri" || got.err != nil {
			t.Errorf("answer: %+v", got)
		}
		if got := shown.String(); got != "| b|Ben Okri be|Ben Okri" {
			t.Errorf("shown: %s", got)
		}
		if strings.Contains(b.log.String(), "Ben") {
			t.Error("what was typed is in the log")
		}
	})
}

func TestAskEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem()
		d := s.plug("/dev/input/event3", "USB Keyboard")
		b := start(t, s, Options{})

		result, _ := b.ask(t.Context(), Question{Names: names})
		d.tap("be", 1)
		if got := <-result; !errors.Is(got.err, ErrCancelled) {
			t.Errorf("Escape: %+v", got)
		}

		begin := time.Now()
		result, _ = b.ask(t.Context(), Question{Names: names})
		time.Sleep(20 * time.Second)
		d.tap("b")
		if got := <-result; !errors.Is(got.err, ErrSilence) || time.Since(begin) != 50*time.Second {
			t.Errorf("silence: %+v after %v", got, time.Since(begin))
		}

		first, _ := b.ask(t.Context(), Question{Names: names})
		second, _ := b.ask(t.Context(), Question{Names: names})
		if got := <-first; !errors.Is(got.err, errReplaced) {
			t.Errorf("the first of two: %+v", got)
		}
		d.tap("gil", 28)
		if got := <-second; got.name != "gil" {
			t.Errorf("the second of two: %+v", got)
		}

		ctx, cancel := context.WithCancel(t.Context())
		result, _ = b.ask(ctx, Question{Names: names})
		cancel()
		if got := <-result; !errors.Is(got.err, context.Canceled) {
			t.Errorf("cancelled: %+v", got)
		}

		wait := make(chan error, 1)
		go func() { wait <- b.WaitEnter(t.Context()) }()
		synctest.Wait()
		d.tap("x", 28)
		if err := <-wait; err != nil {
			t.Errorf("WaitEnter: %v", err)
		}
	})
}

func TestHotPlug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem()
		b := start(t, s, Options{})
		if _, err := b.Ask(t.Context(), Question{Names: names}); !errors.Is(err, errNoKeyboard) {
			t.Errorf("without a keyboard: %v", err)
		}
		// udev sets the permissions a moment after the node is there.
		s.denied["/dev/input/event5"] = true
		d := s.plug("/dev/input/event5", "Late")
		time.Sleep(500 * time.Millisecond)
		s.mu.Lock()
		delete(s.denied, "/dev/input/event5")
		s.mu.Unlock()
		s.changed()
		time.Sleep(time.Second)
		result, _ := b.ask(t.Context(), Question{Names: names})
		d.tap("z")
		synctest.Wait()
		s.unplug("/dev/input/event5") // in the middle of a name
		time.Sleep(time.Second)
		if got := b.Plugged(); len(got) != 0 {
			t.Errorf("plugged: %q", got)
		}
		d = s.plug("/dev/input/event6", "Back")
		time.Sleep(time.Second)
		d.tap("o", 28)
		if got := <-result; got.name != "Zoë Müller" {
			t.Errorf("answer: %+v", got)
		}
		if n := strings.Count(b.log.String(), "can't be read"); n != 1 {
			t.Errorf("said %d times:\n%s", n, b.log)
		}
	})
}

// While nothing changes, no device is opened: there is no polling.
func TestIdleIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem()
		s.plug("/dev/input/event0", "Power Button")
		start(t, s, Options{})
		time.Sleep(10 * time.Second)
		before := s.opens.Load()
		time.Sleep(time.Hour)
		if now := s.opens.Load(); now != before {
			t.Errorf("looked %d times in an idle hour", now-before)
		}
	})
}

// Where changes can't be watched, keyboards are looked for now and then.
func TestWithoutInotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem()
		s.blind = true
		b := start(t, s, Options{})
		time.Sleep(time.Second)
		s.plug("/dev/input/event1", "Late")
		time.Sleep(unwatched + time.Second)
		if got := fmt.Sprint(b.Plugged()); got != "[Late]" {
			t.Errorf("plugged: %s", got)
		}
	})
}

func TestOnlyTheNamedKeyboard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem()
		s.plug("/dev/input/event1", "Barcode Scanner")
		s.plug("/dev/input/event2", "Keyboard")
		s.links["/dev/input/by-id/kbd"] = "/dev/input/event2"
		b := start(t, s, Options{Device: "/dev/input/by-id/kbd"})
		if got := fmt.Sprint(b.Plugged()); got != "[Keyboard]" {
			t.Errorf("plugged: %s", got)
		}
		if b.String() != "keyboard /dev/input/by-id/kbd" {
			t.Errorf("String: %s", b)
		}
	})
}

// What a card reader types is never a name, whatever may be typed.
func TestNumberIsNoName(t *testing.T) {
	for _, free := range []bool{false, true} {
		for typed, want := range map[string]string{
			"0001712142": "", "A4DCCC1D": "", "a4dccc1d": "", "12": "", "Ann 2": "Ann 2", "Deb": "Deb", "A4DCCC1DX": "A4DCCC1DX",
		} {
			l := &line{names: people, free: free}
			name, done := hit(l, typed, enter)
			if name != want || done != (want != "") {
				t.Errorf("%q, free %t: %q, %t", typed, free, name, done)
			}
			if v := l.view(); want == "" && v.Typed != "" {
				t.Errorf("%q, free %t: %q is left in the line", typed, free, v.Typed)
			}
		}
	}
}

// A reader's device is never read for names: not when it is there first, not
// when it is plugged in and udev has not linked it yet, and not when it was
// taken for a keyboard before.
func TestReadersAreNoKeyboards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const link = "/dev/input/by-id/usb-reader-event-kbd"
		s := newSystem()
		s.plug("/dev/input/event1", "Keyboard")
		s.plug("/dev/input/event2", "Reader")
		s.links[link] = "/dev/input/event2"
		b := start(t, s, Options{Except: []string{link}})
		want := func(when, names string) {
			t.Helper()
			synctest.Wait()
			if got := fmt.Sprint(b.Plugged()); got != names {
				t.Errorf("%s: %s are read", when, got)
			}
		}
		want("at the start", "[Keyboard]")
		s.unplug("/dev/input/event2")
		s.mu.Lock()
		delete(s.links, link)
		s.mu.Unlock()
		s.changed()
		time.Sleep(time.Minute)

		s.plug("/dev/input/event3", "Reader")
		time.Sleep(soon + time.Millisecond)
		want("before udev's link", "[Keyboard]")
		s.mu.Lock()
		s.links[link] = "/dev/input/event3"
		s.mu.Unlock()
		time.Sleep(time.Minute)
		want("after udev's link", "[Keyboard]")

		s.unplug("/dev/input/event3")
		s.mu.Lock()
		delete(s.links, link)
		s.mu.Unlock()
		s.plug("/dev/input/event4", "Reader")
		time.Sleep(time.Minute)
		want("without a link for long", "[Keyboard Reader]")
		s.mu.Lock()
		s.links[link] = "/dev/input/event4"
		s.mu.Unlock()
		s.changed()
		time.Sleep(time.Minute)
		want("once there is a link", "[Keyboard]")
	})
}

// TestKey finds the key of each letter, in each layout.
func TestKey(t *testing.T) {
	for _, layout := range Layouts() {
		for _, r := range "0123456789abcdefABCDEF" {
			code, level, ok := Key(layout, r)
			if !ok || Letter(layout, code, level) != r {
				t.Errorf("%s: %q is on key %d, level %d", layout, r, code, level)
			}
		}
		if _, _, ok := Key(layout, '\a'); ok {
			t.Errorf("%s has a bell", layout)
		}
	}
}

// The simulated keyboard types the answer, and only to a question.
func TestSimType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := NewSim()
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- k.Run(ctx) }()
		<-k.Ready()
		if got := fmt.Sprint(k.Plugged()); got != "[simulated keyboard]" {
			t.Errorf("plugged: %s", got)
		}
		if err := k.Type(ctx, "ann"); !errors.Is(err, ErrNotAsked) {
			t.Errorf("without a question: %v", err)
		}
		result := make(chan answered, 1)
		go func() {
			time.Sleep(100 * time.Millisecond) // the question is not open at once
			name, err := k.Ask(ctx, Question{Names: names, Show: func(View) {}})
			result <- answered{name, err}
		}()
		if err := k.Type(ctx, "zoe"); err != nil {
			t.Error(err)
		}
		if got := <-result; got.name != "Zoë Müller" || got.err != nil {
			t.Errorf("%+v", got)
		}
		// Who types on when the question is over is told, and does not wait for a next one.
		go func() { _, _ = k.Ask(ctx, Question{Names: names, Show: func(View) {}}) }()
		began := time.Now()
		if err := k.Type(ctx, "zoe\n"+strings.Repeat("x", 100)); !errors.Is(err, ErrNotAsked) || time.Since(began) > time.Second {
			t.Errorf("after its end: %v, %v", err, time.Since(began))
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// lossy is a device whose first event comes after lost ones.
type lossy struct{ *fakeDevice }

func (d lossy) next() (uint16, int32, bool, error) {
	code, value, _, err := d.fakeDevice.next()
	return code, value, true, err
}

// Whoever takes strokes learns of lost ones, even if no key follows.
func TestLostStrokes(t *testing.T) {
	d := lossy{&fakeDevice{title: "x", events: make(chan [2]int, 4), gone: make(chan struct{})}}
	var got []Stroke
	k, err := NewKeys(Options{}, func(s Stroke) { got = append(got, s) })
	if err != nil {
		t.Fatal(err)
	}
	d.events <- [2]int{30, 0} // a key that is let go of
	go func() {
		for len(d.events) > 0 {
			time.Sleep(time.Millisecond)
		}
		d.close()
	}()
	k.read(t.Context(), "x", d)
	if len(got) != 1 || !got[0].Lost || got[0].Rune != 0 {
		t.Errorf("%+v", got)
	}
}
