package monitor

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger"
	"stump/internal/api/wire"
	"stump/internal/histogram"
	"stump/internal/sitekey"
	"stump/internal/station"
)

// TestTimes is a histogram in the text form.
func TestTimes(t *testing.T) {
	var took histogram.Times
	took.Add(3 * time.Millisecond)
	took.Add(150 * time.Millisecond)
	took.Add(time.Minute)
	p := &page{}
	p.times("stump_t_seconds", "T.", took, "reader", "a")
	p.times("stump_t_seconds", "T.", histogram.Times{}, "reader", "b")
	got := p.b.String()
	want := `# HELP stump_t_seconds T.
# TYPE stump_t_seconds histogram
stump_t_seconds_bucket{reader="a",le="0.005"} 1
stump_t_seconds_bucket{reader="a",le="0.02"} 1
stump_t_seconds_bucket{reader="a",le="0.05"} 1
stump_t_seconds_bucket{reader="a",le="0.1"} 1
stump_t_seconds_bucket{reader="a",le="0.2"} 2
stump_t_seconds_bucket{reader="a",le="0.5"} 2
stump_t_seconds_bucket{reader="a",le="1"} 2
stump_t_seconds_bucket{reader="a",le="2"} 2
stump_t_seconds_bucket{reader="a",le="5"} 2
stump_t_seconds_bucket{reader="a",le="+Inf"} 3
stump_t_seconds_sum{reader="a"} 60.153
stump_t_seconds_count{reader="a"} 3
stump_t_seconds_bucket{reader="b",le="0.005"} 0
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestBoard: what a simulated station can't have.
func TestBoard(t *testing.T) {
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)
	low := true
	for _, tc := range []struct {
		machine station.Machine
		want    []string
		lacks   string
	}{
		{station.Machine{}, []string{"\nstump_clock_trusted 0\n"}, "stump_under_voltage"},
		{station.Machine{ClockTrusted: true, LowVoltage: &low}, []string{"\nstump_under_voltage 1\n", "\nstump_clock_trusted 1\n"}, "stump_sessions"},
		{station.Machine{LowVoltage: new(bool)}, []string{"\nstump_under_voltage 0\n", "\nstump_backup_timestamp_seconds{folder=\"/b\"} 1.7960328e+09\n"}, "folder=\"/none\""},
	} {
		w := httptest.NewRecorder()
		d := Desk{Ledger: l, Now: time.Now, Lab: func() *wire.Lab { return nil }, Machine: func() station.Machine { return tc.machine },
			Backups: func() []wire.Backup { return []wire.Backup{{Folder: "/none"}, {Folder: "/b", At: &at}} }}
		if err := d.Metrics(w, nil); err != nil {
			t.Fatal(err)
		}
		for _, want := range tc.want {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%+v: no %q in\n%s", tc.machine, want, w.Body)
			}
		}
		if strings.Contains(w.Body.String(), tc.lacks) {
			t.Errorf("%+v: %s in\n%s", tc.machine, tc.lacks, w.Body)
		}
	}
}
