package selftest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"

	"stump/gpio"
)

// lamp is a light that remembers, and may fail to go on or off.
type lamp struct {
	set     []bool
	on, off error
}

func (l *lamp) Set(on bool) error {
	l.set = append(l.set, on)
	if on {
		return l.on
	}
	return l.off
}
func (l *lamp) Close() error   { return nil }
func (l *lamp) String() string { return "GPIO22 = header pin 15" }

// check is a case of one check: what to prepare, and what comes of it.
type checkCase struct {
	name    string
	prepare func(*bench)
	want    Verdict
	says    string // in what was measured or the remedy
}

func runCases(t *testing.T, check string, cases []checkCase) {
	t.Helper()
	for _, c := range cases {
		r := onBench(t, c.prepare).result(check)
		if r.Result != c.want || !strings.Contains(r.Measured+" "+r.Remedy, c.says) {
			t.Errorf("%s: %+v, want %s with %q", c.name, r, c.want, c.says)
		}
		wrong := r.Result == Fail || r.Result == Warn
		if want := wrong && !strings.Contains(c.name, "without a remedy"); (r.Remedy != "") != want {
			t.Errorf("%s: a remedy is wanted: %v: %+v", c.name, want, r)
		}
	}
}

func TestOutputsCheck(t *testing.T) {
	green, dead := lamp{}, lamp{on: errors.New("gone")}
	runCases(t, "outputs", []checkCase{
		{"none", nil, Skip, "no lights"},
		{"nobody there", func(b *bench) { b.env.Outputs = []Lamp{{Name: "green light", Out: &green}} }, Skip, "nobody"},
		{"seen", func(b *bench) {
			b.person(nil)
			b.env.Outputs = []Lamp{{Name: "green light", Out: &green}, {Name: "beeper", Out: &lamp{}}}
		}, Pass, "green light, beeper"},
		{"dark", func(b *bench) {
			b.person(map[string]string{"green": "n"})
			b.env.Outputs = []Lamp{{Name: "green light", Out: &lamp{}}}
		}, Fail, "polarity"},
		{"no error, without a remedy", func(b *bench) {
			b.person(nil)
			b.env.Outputs = []Lamp{{Name: "beeper", Out: &dead}}
		}, Fail, "beeper: gone"},
		{"stays on, without a remedy", func(b *bench) {
			b.person(nil)
			b.env.Outputs = []Lamp{{Name: "beeper", Out: &lamp{off: errors.New("stuck")}}}
		}, Fail, "beeper: stuck"},
		{"nobody answers, without a remedy", func(b *bench) {
			b.person(nil)
			b.env.Outputs = []Lamp{{Name: "beeper", Out: &lamp{}}}
			b.env.Ask = func(context.Context, string) (string, error) { return "", errors.New("hung up") }
		}, Fail, "beeper: hung up"},
	})
	if fmt.Sprint(green.set) != "[true false]" || fmt.Sprint(dead.set) != "[true]" {
		t.Errorf("the lights were set %v and %v", green.set, dead.set)
	}
}

func TestDisplayCheck(t *testing.T) {
	shows := func(f DisplayFact, err error, code *string) func(context.Context, string) (DisplayFact, error) {
		return func(_ context.Context, c string) (DisplayFact, error) {
			if code != nil {
				*code = c
			}
			f.Kind = "sparkfun"
			return f, err
		}
	}
	var code string
	look := func(b *bench) {
		b.env.Display = shows(DisplayFact{Answers: true, Look: "Each row is full."}, nil, nil)
	}
	read := func(b *bench) {
		b.person(nil)
		b.env.Display = shows(DisplayFact{}, nil, &code)
		ask := b.env.Ask
		b.env.Ask = func(ctx context.Context, q string) (string, error) {
			if strings.Contains(q, "digits") {
				return " " + code + " ", nil
			}
			return ask(ctx, q)
		}
	}
	answer := func(a string, f DisplayFact) func(*bench) {
		return func(b *bench) { b.person(map[string]string{"digits": a}); b.env.Display = shows(f, nil, nil) }
	}
	runCases(t, "display", []checkCase{
		{"none", nil, Skip, "no display"},
		{"proven", func(b *bench) { b.env.Display = shows(DisplayFact{Proven: true}, nil, nil) }, Pass, "shows what it was sent"},
		{"one-way, nobody there", func(b *bench) { b.env.Display = shows(DisplayFact{}, nil, nil) }, Skip, "nobody"},
		{"answers, nobody there", func(b *bench) { b.env.Display = shows(DisplayFact{Answers: true}, nil, nil) }, Pass, "answers"},
		{"read", read, Pass, "shows the code"},
		{"a pattern, nobody there", look, Pass, "answers"},
		{"not testable here", func(b *bench) {
			b.env.Untested = map[string]string{"display": "only the daemon can: start it"}
		}, Skip, "only the daemon can: start it"},
		{"garbled", answer("99x", DisplayFact{}), Fail, "99x"},
		{"blank but there", answer("", DisplayFact{Answers: true}), Fail, "sparkfun answers but shows nothing Turn the contrast"},
		{"blank", answer("", DisplayFact{}), Fail, "sparkfun shows nothing Turn the contrast"},
		{"nobody answers, without a remedy", func(b *bench) {
			answer("", DisplayFact{Answers: true})(b)
			b.env.Ask = func(context.Context, string) (string, error) { return "", errors.New("hung up") }
		}, Fail, "hung up"},
		{"error, without a remedy", func(b *bench) { b.env.Display = shows(DisplayFact{}, errors.New("no such bus"), nil) }, Fail, "no such bus"},
	})
}

// What a person should look at is said before the question, and after the test
// everything is given back.
func TestLookAtTheDisplay(t *testing.T) {
	closed := 0
	b := onBench(t, func(b *bench) {
		b.env.Display = func(context.Context, string) (DisplayFact, error) {
			return DisplayFact{Kind: "openlcd", Look: "Each row is full."}, nil
		}
		b.env.Close = func() { closed++ }
	})
	if !strings.Contains(strings.Join(b.said, "\n"), "Each row is full.") || closed != 1 {
		t.Errorf("said %q, closed %d times", b.said, closed)
	}
}

// keyboard is plugged in if it has a name; its Enter comes if it is pressed.
type typedOn struct {
	name    string
	pressed bool
}

func (k typedOn) Plugged() (all []string) {
	if k.name != "" {
		all = append(all, k.name)
	}
	return all
}

func (k typedOn) WaitEnter(ctx context.Context) error {
	if !k.pressed {
		<-ctx.Done()
	}
	return ctx.Err()
}

func TestKeyboardCheck(t *testing.T) {
	released := 0
	plug := func(k typedOn, err error) func(context.Context) (Keyboard, func(), error) {
		return func(context.Context) (Keyboard, func(), error) { return k, func() { released++ }, err }
	}
	runCases(t, "keyboard", []checkCase{
		{"none", nil, Skip, "no keyboard"},
		{"missing", func(b *bench) { b.env.Keyboard = plug(typedOn{}, nil) }, Fail, "Plug"},
		{"nobody there", func(b *bench) { b.env.Keyboard = plug(typedOn{"Acme", true}, nil) }, Pass, "Acme is plugged in"},
		{"pressed", func(b *bench) {
			b.person(nil)
			b.env.Keyboard = plug(typedOn{"Acme", true}, nil)
		}, Pass, "Enter came"},
		{"not pressed", func(b *bench) {
			b.person(nil)
			b.env.Keyboard = plug(typedOn{"Acme", false}, nil)
		}, Fail, "no key came"},
		{"can't be read, without a remedy", func(b *bench) { b.env.Keyboard = plug(typedOn{}, errors.New("no layout")) }, Fail, "no layout"},
	})
	if released != 4 {
		t.Errorf("the keyboards were given back %d times", released)
	}
}

func TestClockCheck(t *testing.T) {
	clock := func(f ClockFact, err error) func(*bench) {
		return func(b *bench) { b.env.Clock = func(context.Context) (ClockFact, error) { return f, err } }
	}
	runCases(t, "clock", []checkCase{
		{"trusted", nil, Pass, "timesyncd"},
		{"not set", clock(ClockFact{Why: "no server answered"}, nil), Warn, "time server"},
		{"simulated", func(b *bench) { clock(ClockFact{}, nil)(b); b.env.Simulated = true }, Skip, "simulated"},
		{"error, without a remedy", clock(ClockFact{}, errors.New("adjtimex: denied")), Warn, "adjtimex"},
	})
}

func mounts(lines ...string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(strings.Join(lines, "\n") + "\n")}
}

func TestStorageCheck(t *testing.T) {
	dir := t.TempDir()
	on := func(mountinfo string, more fstest.MapFS) func(*bench) {
		return func(b *bench) {
			root := b.env.root.(fstest.MapFS)
			root["proc/self/mountinfo"] = mounts("21 1 179:2 / / rw,noatime - ext4 /dev/mmcblk0p2 rw", mountinfo)
			for k, v := range more {
				root[k] = v
			}
			b.env.StateDir = dir
			b.env.writeSync = func(d string) (time.Duration, error) { _, err := syncedWrite(d); return 12 * time.Millisecond, err }
		}
	}
	free := func(bytes int64) func(*bench) {
		return func(b *bench) { on("", nil)(b); b.env.freeSpace = func(string) int64 { return bytes } }
	}
	kind := func(fs string) func(*bench) {
		return on("30 21 0:30 / "+strings.ReplaceAll(dir, " ", `\040`)+" rw - "+fs+" "+fs+" rw", nil)
	}
	life := func(s string) func(*bench) {
		return on("", fstest.MapFS{"sys/block/mmcblk0/device/life_time": {Data: []byte(s)}})
	}
	slow := func(d time.Duration, err error) func(*bench) {
		return func(b *bench) {
			on("", nil)(b)
			b.env.writeSync = func(string) (time.Duration, error) { return d, err }
		}
	}
	at := strings.ReplaceAll(dir, " ", `\040`)
	runCases(t, "storage", []checkCase{
		{"none", nil, Skip, "no state"},
		{"not yet", func(b *bench) { b.env.StateDir = filepath.Join(dir, "later") }, Skip, "does not exist yet"},
		{"ext4", on("", nil), Pass, "ext4"},
		{"overlay", kind("overlay"), Warn, "gone after a restart"},
		{"tmpfs", kind("tmpfs"), Warn, "gone after a restart"},
		{"ramfs", kind("ramfs"), Warn, "gone after a restart"},
		{"full soon", free(noSpace - 1), Fail, "soon nothing"},
		{"filling up", free(noSpace), Warn, "Free some space."},
		{"still filling up", free(lowSpace - 1), Warn, "99 MB free"},
		{"enough room", free(lowSpace), Pass, "100 MB free"},
		{"read-only", on("30 21 179:3 / "+at+" ro,noatime - ext4 /dev/mmcblk0p3 ro", nil), Fail, "read-only"},
		{"ext4 errors", on("", fstest.MapFS{"sys/fs/ext4/mmcblk0p2/errors_count": {Data: []byte("3\n")}}), Warn, "3 errors"},
		{"no ext4 errors", on("", fstest.MapFS{"sys/fs/ext4/mmcblk0p2/errors_count": {Data: []byte("0\n")}}), Pass, ""},
		{"old eMMC", life("0x01 0x0a\n"), Warn, "life"},
		{"young eMMC", life("0x01 0x09\n"), Pass, ""},
		{"slow enough to be dead", slow(deadSync+1, nil), Fail, "Replace the memory card"},
		{"very slow", slow(deadSync, nil), Warn, "replace the memory card"},
		{"slow", slow(slowSync+1, nil), Warn, "replace the memory card"},
		{"just fast enough", slow(slowSync, nil), Pass, ""},
		{"slow, but simulated", func(b *bench) { slow(deadSync+1, nil)(b); b.env.Simulated = true }, Pass, ""},
		{"full", slow(0, unix.ENOSPC), Fail, "full"},
		{"turned read-only", slow(0, unix.EROFS), Fail, "is read-only The kernel makes"},
		{"stopped by the kernel", slow(0, unix.EIO), Fail, "input/output error The disk fails, or the kernel has stopped"},
		{"not a folder", func(b *bench) {
			b.env.StateDir = filepath.Join(dir, "file")
			os.WriteFile(b.env.StateDir, nil, 0o600)
		}, Fail, "file"},
	})
	left, _ := filepath.Glob(filepath.Join(dir, ".selftest*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFreeSpace(t *testing.T) {
	var st unix.Statfs_t
	dir := t.TempDir()
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	if got := freeSpace(dir); got == math.MaxInt64 || got > int64(st.Blocks)*int64(st.Bsize) {
		t.Errorf("%d bytes are free", got)
	}
	if got := freeSpace(filepath.Join(dir, "missing")); got != math.MaxInt64 {
		t.Errorf("of what can't be asked %d bytes are free", got)
	}
}

func TestMountOf(t *testing.T) {
	root := fstest.MapFS{"proc/self/mountinfo": mounts(
		"21 1 179:2 / / rw shared:1 - ext4 /dev/root rw",
		"22 21 0:5 / /var rw - tmpfs tmpfs rw",
		`23 22 179:3 / /var/lib/my\040stump ro,nosuid shared:2 master:1 - ext4 /dev/sda1 rw`,
		"24 21 0:6 / /va rw - vfat /dev/sdb rw",
		"broken line",
		"25 21 0:7 / /home rw - ext4",
		"26 21 /home rw - ext4 /dev/sdc",
		"28 21 0:8 / /srv rw - ext4 /dev/sde",
		"27 22 0:5 / /var rw - ext4 /dev/sdd rw",
		"20 1 0:1 / / rw - rootfs rootfs rw",
	)}
	for dir, want := range map[string]mount{
		"/home":               {"/", "rootfs", "rootfs", false},
		"/srv":                {"/srv", "ext4", "/dev/sde", false},
		"/var":                {"/var", "ext4", "/dev/sdd", false},
		"/var/lib/stump":      {"/var", "ext4", "/dev/sdd", false},
		"/var/lib/my stump/x": {"/var/lib/my stump", "ext4", "/dev/sda1", true},
	} {
		if got := mountOf(root, dir); got != want {
			t.Errorf("%s is on %+v, want %+v", dir, got, want)
		}
	}
}

func TestRemoteChecks(t *testing.T) {
	boom := errors.New("connection refused")
	network := func(f NetworkFact, err error) func(*bench) {
		return func(b *bench) { b.env.Network = func(context.Context) (NetworkFact, error) { return f, err } }
	}
	runCases(t, "network", []checkCase{
		{"none", nil, Skip, "does not need"},
		{"local directory", network(NetworkFact{}, nil), Skip, "does not need"},
		{"reached", network(NetworkFact{Host: "host", How: "connected in 3 ms"}, nil), Pass, "host: connected"},
		{"refused", network(NetworkFact{Host: "host"}, boom), Warn, "refused"},
		{"no host, but an error", network(NetworkFact{}, boom), Warn, "refused"},
	})
	directory := func(f DirectoryFact, err error) func(*bench) {
		return func(b *bench) { b.env.Directory = func(context.Context) (DirectoryFact, error) { return f, err } }
	}
	runCases(t, "directory", []checkCase{
		{"none", nil, Skip, "no directory"},
		{"local", directory(DirectoryFact{Kind: "local"}, nil), Pass, "the local register"},
		{"answers", directory(DirectoryFact{Kind: "snipeit", Took: 20 * time.Millisecond}, nil), Pass, "20 ms"},
		{"refuses", directory(DirectoryFact{Kind: "snipeit"}, boom), Warn, "token"},
		{"silent", directory(DirectoryFact{Kind: "snipeit"}, context.DeadlineExceeded), Warn, "firewall"},
	})
	queue := func(f QueueFact, err error) func(*bench) {
		return func(b *bench) { b.env.Queue = func(context.Context) (QueueFact, error) { return f, err } }
	}
	runCases(t, "queue", []checkCase{
		{"none", nil, Skip, ""},
		{"empty", queue(QueueFact{}, nil), Pass, "0 waiting"},
		{"fresh", queue(QueueFact{Waiting: 3, Oldest: time.Minute}, nil), Pass, "3 waiting"},
		{"an hour old", queue(QueueFact{Waiting: 3, Oldest: time.Hour}, nil), Pass, "3 waiting"},
		{"old", queue(QueueFact{Waiting: 3, Oldest: 3 * time.Hour}, nil), Warn, "3h0m0s"},
		{"parked", queue(QueueFact{Parked: 1}, nil), Warn, "stump sync"},
		{"no mail server", queue(QueueFact{Waiting: 1, Away: "mail by smtp:587: refuses the connection"}, nil), Warn, "1 waiting; mail by smtp:587"},
		{"error, without a remedy", queue(QueueFact{}, boom), Fail, "refused"},
	})
	ledger := func(f LedgerFact, err error) func(*bench) {
		return func(b *bench) { b.env.Ledger = func(context.Context) (LedgerFact, error) { return f, err } }
	}
	runCases(t, "ledger", []checkCase{
		{"none", nil, Skip, ""},
		{"good", ledger(LedgerFact{Events: 7}, nil), Pass, "7 events"},
		{"damaged", ledger(LedgerFact{Salvaged: "ledger.db.damaged"}, nil), Fail, "stump restore"},
		{"error", ledger(LedgerFact{}, boom), Fail, "stump verify"},
	})
}

// plain is a source that can't be adjusted.
type plain struct{ gpio.Adjustable }

func (plain) SetBias(gpio.Bias) error { return errors.ErrUnsupported }
func (plain) SetBothEdges(bool) error { return errors.ErrUnsupported }

func TestSourceWithoutPulls(t *testing.T) {
	runCases(t, "float", []checkCase{
		{"no pulls", func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return plain{b.sim}, nil }
		}, Skip, "can't be changed"},
		{"BeagleBone", func(b *bench) { b.env.NoFloat = "the device tree has them" }, Skip, "the device tree"},
	})
	b := onBench(t, func(b *bench) {
		b.fault("wrong-gpio", 1)
		b.env.NoFloat = "no"
		b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return plain{b.sim}, nil }
		b.env.ListenFree = b.sim.ListenFree
	})
	if len(b.sum.Causes) == 0 || b.sum.Causes[0] != "wrong-gpio" {
		t.Errorf("without pulls, with free pins: %v", b.sum.Causes)
	}
	b = onBench(t, func(b *bench) {
		b.fault("wrong-gpio", 1)
		b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return plain{b.sim}, nil }
		b.env.ListenFree = func() (func() ([]gpio.Activity, error), error) { return nil, errors.New("all pins are taken") }
	})
	if !strings.Contains(strings.Join(b.said, "\n"), "all pins are taken") || b.sum.Result != Fail {
		t.Errorf("%v, %+v", b.said, b.sum)
	}
}
