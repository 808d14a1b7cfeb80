package daemon

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/internal/config"
	"stump/internal/credential"
	"stump/internal/simlab"
	"stump/internal/station"
)

func tagOf(t *testing.T, c simlab.Card) checkout.Tag {
	t.Helper()
	bits, err := credential.Parse(c.Credential, nil)
	if err != nil {
		t.Fatal(err)
	}
	return credential.Tag(bits)
}

func names(list []selftest.Condition) (all []string) {
	for _, c := range list {
		all = append(all, c.Name)
	}
	return all
}

// TestWhatIsWrong says the same on the idle screen and to the API, the worst
// first.
func TestWhatIsWrong(t *testing.T) {
	d := newSim(t, twoReaders)
	run(t, d)
	door := d.Readers[0]
	wants := func(notice string, conditions ...string) {
		t.Helper()
		if got := d.idle().Notice; got != notice {
			t.Errorf("the notice is %q, want %q", got, notice)
		}
		all := d.conditions()
		if got := names(all["door"]); !slices.Equal(got, conditions) {
			t.Errorf("the conditions of door are %q, want %q", got, conditions)
		}
		for name, list := range all {
			if list == nil {
				t.Errorf("%s has null for a list", name) // scripts get []
			}
		}
	}
	wants("")

	lease, err := door.Lease(station.Holder{Name: "Ann", For: station.ForTest})
	if err != nil {
		t.Fatal(err)
	}
	wants("testing", "testing")
	if by := d.idle().By; by != "Ann" {
		t.Errorf("the notice names %q", by)
	}
	if window := d.conditions()["window"]; len(window) != 0 {
		t.Errorf("window has %q", names(window))
	}

	if err := d.Lines.SetFault("d0-low"); err != nil {
		t.Fatal(err)
	}
	wants("testing", "testing") // whoever has the lines sees that
	if err := lease.Close(); err != nil {
		t.Fatal(err)
	}
	wants("reader-fault", "line-low")
	if err := d.Lines.SetFault("off"); err != nil {
		t.Fatal(err)
	}
	wants("")

	d.fault("window", true)
	wants("reader-fault")
	d.fault("window", false)
	wants("")

	d.upkeep.backups.places[0].failed = errors.New("no disk")
	wants("", "no-backup")
	d.upkeep.backups.places[0].failed = nil
}

func TestLowLine(t *testing.T) {
	for fault, want := range map[string]string{"off": "", "d0-low": "DATA0 stays low", "d1-low": "DATA1 stays low", "no-power": "DATA0 and DATA1 stay low"} {
		d := newSim(t, "")
		if err := d.Lines.SetFault(fault); err != nil {
			t.Fatal(err)
		}
		if got := lowLine(d.Readers[0]); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", fault, got, want)
		}
	}
}

// TestReaderWithoutLines has a real reader on a machine whose chip is missing:
// the task goes on, and staff see it.
func TestReaderWithoutLines(t *testing.T) {
	d := newSim(t, "")
	d.board = board.Detect()
	source := d.lines(config.Reader{Name: d.Readers[0].Name, Data0: "none-such:1", Data1: "none-such:2"})
	ended := make(chan error, 1)
	go func() {
		_, _, err := source.Read(nil, gpio.Monotonic()+int64(20*time.Millisecond))
		ended <- err
	}()
	if err := <-ended; err != nil {
		t.Errorf("the task would end: %v", err)
	}
	if d.idle().Notice != "reader-fault" {
		t.Error("the idle screen does not tell")
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
}
