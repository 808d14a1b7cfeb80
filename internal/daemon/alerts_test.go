package daemon

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"stump/directory/call"
	"stump/internal/config"
	"stump/internal/station"
)

// TestFaults: an admin is told of what status says is wrong: of a reader by its name, and once
// of what all share.
func TestFaults(t *testing.T) {
	d := newSim(t, twoReaders+"[[webhook]]\nname = \"hook\"\nurl = \"http://127.0.0.1:1/\"\n")
	run(t, d)
	wants := func(names ...string) {
		t.Helper()
		var got []string
		for _, f := range d.faults() {
			got = append(got, f.Name)
			if f.What == "" || f.Remedy == "" {
				t.Errorf("%+v says too little", f)
			}
			if reader, _, of := strings.Cut(f.Name, "/"); of && !strings.HasPrefix(f.What, reader+": ") {
				t.Errorf("%+v does not name its reader", f)
			}
		}
		if slices.Sort(got); !slices.Equal(got, names) {
			t.Errorf("the faults are %q, want %q", got, names)
		}
	}
	wants()
	if err := d.Lines.SetFault("d0-low"); err != nil {
		t.Fatal(err)
	}
	d.upkeep.backups.places[0].failed = errors.New("no disk")
	lease, err := d.Readers[1].Lease(station.Holder{Name: "Ann", For: station.ForTest})
	if err != nil {
		t.Fatal(err)
	}
	wants("door/line-low", "no-backup", "window/testing")
	if err := errors.Join(lease.Close(), d.Lines.SetFault("off")); err != nil {
		t.Fatal(err)
	}
	wants("no-backup")
	d.upkeep.backups.places[0].failed = nil
	if err := d.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	wants("ledger", "places") // nobody can look: that is a fault, too
}

// TestOpenAlerts: what is wrong with the webhook is said by its key, and who is told of nothing
// costs nothing.
func TestOpenAlerts(t *testing.T) {
	for _, tc := range []struct{ toml, wants string }{
		{"[alerts]\nurl = \"chat.example\"\n", "stump.toml:2: alerts.url: "},
		{"[alerts]\nurl = \"https://chat.example\"\nca_file = \"/none.pem\"\n", "ca_file"},
		{"[alerts]\nurl = \"https://chat.example/x\"\nformat = \"slack\"\n", ""},
	} {
		cfg, err := config.Parse("stump.toml", tc.toml)
		if err == nil {
			err = CheckPlaces(cfg)
		}
		if (err == nil) != (tc.wants == "") || err != nil && !strings.Contains(err.Error(), tc.wants) {
			t.Errorf("%s: %v", tc.toml, err)
		}
	}
	if a := newSim(t, "[mail]\nserver = \"127.0.0.1:1\"\nfrom = \"lab@lab.example\"\n").newAlerts(); a != nil {
		t.Error("without [alerts] there is a task")
	}
	both := newSim(t, "[mail]\nserver = \"127.0.0.1:1\"\nfrom = \"lab@lab.example\"\n[alerts]\nmail = \"root@lab.example\"\nurl = \"https://chat.example/x\"\n").newAlerts()
	if both == nil || len(both.Places) != 2 {
		t.Errorf("%+v", both)
	}
}

// TestAlertArrives: a webhook hears of a fault that lasts, and that it is over.
func TestAlertArrives(t *testing.T) {
	type event struct {
		Type, Source string
		Data         map[string][]call.Fault
	}
	events := make(chan event, 9)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var ev event
		if err := json.NewDecoder(r.Body).Decode(&ev); err != nil {
			t.Error(err)
		}
		events <- ev
	}))
	defer hook.Close()
	d := newSim(t, twoReaders+"[alerts]\nafter = \"1s\"\nurl = \""+hook.URL+"\"\n")
	run(t, d)
	if err := d.Lines.SetFault("d1-low"); err != nil {
		t.Fatal(err)
	}
	wants := func(key, other string) {
		t.Helper()
		ev := <-events
		if f := ev.Data[key]; ev.Type != "stump.alert" || len(f) != 1 || f[0].Name != "door/line-low" || f[0].What != "door: DATA1 stays low, which should rest high" || len(ev.Data[other]) != 0 {
			t.Errorf("%+v, want it %s", ev, key)
		}
	}
	wants("began", "over")
	if err := d.Lines.SetFault("off"); err != nil {
		t.Fatal(err)
	}
	wants("over", "began")
}
