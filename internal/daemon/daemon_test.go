package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/internal/books"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/simlab"
	"stump/internal/task"
	"stump/internal/testkit"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == CheckFileCommand { // CheckInChild runs this program
		if err := ledger.CheckFile(os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func parse(t *testing.T, toml string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("stump.toml", toml)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// simOptions are those of a simulated station in folders of its own.
func simOptions(t *testing.T, toml string) Options {
	t.Helper()
	dir, err := os.MkdirTemp("", "st") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return Options{
		Config: parse(t, toml), StateDir: filepath.Join(dir, "state"), Socket: filepath.Join(dir, "sock"),
		Sim: true, Log: slog.New(slog.NewTextHandler(new(testkit.Log), nil)),
	}
}

// newSim assembles a simulated station that does not run yet.
func newSim(t *testing.T, toml string) *Daemon {
	t.Helper()
	d, err := New(simOptions(t, toml))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Ledger.Close() })
	return d
}

// run runs it until the end of the test, and returns when it is ready.
func run(t *testing.T, d *Daemon) {
	t.Helper()
	ready := make(chan struct{})
	d.o.Ready = func() { close(ready) }
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-ready
}

const twoReaders = `
[[reader]]
name = "door"
[[reader]]
name = "window"
data0 = "GPIO22"
data1 = "GPIO23"
`

func TestTasks(t *testing.T) {
	d := newSim(t, twoReaders)
	var names []string
	for _, task := range d.tasks {
		names = append(names, task.String())
	}
	want := []string{
		"panel no display, 16x2", "directory worker (local register)", "lab", "learned readers", "list of refusals",
		`reader "door"`, `desk "door"`, `reader "window"`, `desk "window"`, "weeks of the readers", fmt.Sprintf("api %q", d.o.Socket), "jobs", "tokens and sessions", "upkeep", "reservations", "reloads", "disk",
	}
	if !slices.Equal(names, want) {
		t.Errorf("tasks\n%q, want\n%q", names, want)
	}
	alone := simOptions(t, "")
	alone.Socket = ""
	d, err := New(alone)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Ledger.Close()
	if slices.ContainsFunc(d.tasks, func(t task.Task) bool { return strings.HasPrefix(t.String(), "api") }) || d.API == nil {
		t.Error("without a socket the API is asked by who has the Daemon, and by nobody else")
	}
	t.Setenv("WATCHDOG_USEC", "30000000")
	d = newSim(t, "")
	if last := d.tasks[len(d.tasks)-1]; last.String() != "watchdog" {
		t.Errorf("systemd wants to be told, and the last task is %v", last)
	}
}

// TestRuns takes a badge and a device through everything that is assembled.
func TestRuns(t *testing.T) {
	d := newSim(t, "")
	addSeed(t, d)
	run(t, d)
	for card := range 2 {
		at := d.Lines.Now()
		d.present(0, card)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := d.Readers[0].Answered(ctx, at); err != nil {
			t.Fatal(err)
		}
	}
	if rows := strings.Join(d.Panel.State().Rows, " "); !strings.Contains(rows, "Checked out") {
		t.Errorf("the display says %q", rows)
	}
	if info := d.idle(); info.Out != 1 || info.Notice != "" || info.Clock.IsZero() {
		t.Errorf("the idle screen has %+v", info)
	}
}

// addSeed registers the badge and the device that d.present shows.
func addSeed(t *testing.T, d *Daemon) {
	t.Helper()
	who, what := simlab.People[0], simlab.Devices[0]
	if err := errors.Join(
		d.Ledger.AddPerson(books.Person{ID: who.ID, Name: who.Name}, tagOf(t, who), "test", checkout.SourceCLI),
		d.Ledger.AddDevice(books.Device{ID: what.ID, Name: what.Name}, tagOf(t, what), "test", checkout.SourceCLI),
	); err != nil {
		t.Fatal(err)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	d := newSim(t, "")
	run(t, d)
	before, err := os.ReadDir(d.o.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(d.o); err == nil {
		t.Fatal("two daemons have one ledger")
	}
	other := d.o
	other.StateDir = filepath.Join(d.o.StateDir, "other")
	if _, err := New(other); err == nil {
		t.Error("two daemons have one socket")
	}
	if after, err := os.ReadDir(d.o.StateDir); err != nil || len(after) != len(before) {
		t.Errorf("the folder has %v, before %v, %v", after, before, err)
	}
}

// TestRightLines keeps real and simulated cards apart where nobody named the
// state folder.
func TestRightLines(t *testing.T) {
	for _, c := range []struct {
		name       string
		was, sim   bool // the ledger was simulated, the lines are
		named, add bool // the folder is named, the ledger has something
		refused    bool
		then       bool // the ledger is simulated
	}{
		{name: "empty", sim: true, then: true},
		{name: "a real station's", sim: true, add: true, refused: true},
		{name: "a copy of a real station's", sim: true, add: true, named: true},
		{name: "a simulated lab's taken over", was: true, add: true},
		{name: "a simulated lab's, named", was: true, add: true, named: true, then: true},
		{name: "the same", was: true, sim: true, add: true, then: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := simOptions(t, "")
			o.Sim, o.StateNamed = c.sim, c.named
			l, err := openOrCreate(o, places{directory: directory.Local{}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if err := l.SetSimulated(c.was); err != nil {
				t.Fatal(err)
			}
			if c.add {
				if err := l.AddPerson(books.Person{ID: "ann", Name: "Ann"}, checkout.Tag{}, "test", checkout.SourceCLI); err != nil {
					t.Fatal(err)
				}
			}
			err = rightLines(o, l)
			if (err != nil) != c.refused || c.refused && hint.Of(err) == "" {
				t.Errorf("%v, hint %q", err, hint.Of(err))
			}
			if info, err := l.Info(); err != nil || info.Simulated != c.then {
				t.Errorf("simulated %v, want %v; %v", info.Simulated, c.then, err)
			}
		})
	}
}
