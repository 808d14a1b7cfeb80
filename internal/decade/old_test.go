package decade

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
)

// oldLoan is one that the station of schema 1 had, as that printed it.
type oldLoan struct {
	DeviceID *string    `json:"device_id"`
	PersonID *string    `json:"person_id"`
	Due      *time.Time `json:"due"`
	told     bool       // that it is overdue
}

// where is the ledger with which each life begins, and what its station printed.
const where = "../../checkout/ledger/testdata/schema1/plain"

// upgrade puts the ledger of an old station on the first disk: the daemon takes it over, and
// its loans and history stay. What waits for a directory that is no more, an admin drops.
func (w *world) upgrade() {
	w.must(os.Mkdir(w.state(), 0o750))
	f, err := os.Open(filepath.Join(where, "ledger.db.gz"))
	w.must(err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	w.must(err)
	b, err := io.ReadAll(z)
	w.must(err)
	w.must(os.WriteFile(filepath.Join(w.state(), "ledger.db"), b, 0o600))
	key, err := os.ReadFile(filepath.Join(where, "site.key"))
	w.must(err)
	w.must(os.WriteFile(filepath.Join(w.state(), "site.key"), key, 0o600))
	b, err = os.ReadFile(filepath.Join(where, "who.json"))
	w.must(err)
	for line := range strings.Lines(string(b)) {
		var l oldLoan
		w.must(json.Unmarshal([]byte(line), &l))
		w.old = append(w.old, l)
	}
	b, err = os.ReadFile(filepath.Join(where, "history.json"))
	w.must(err)
	w.power()
	time.Sleep(time.Minute)
	n := 0
	for e, err := range w.st.Ledger.History(books.HistoryFilter{Page: books.Page{Limit: 1 << 20}}) {
		w.must(err)
		w.seen = e.Key()
		n++
	}
	if was := strings.Count(string(b), "\n"); n < was {
		w.differ("the history has %d events after the upgrade, and had %d", n, was)
	}
	for _, file := range []string{"people.csv", "devices.csv"} {
		b, err := os.ReadFile(filepath.Join(where, file))
		w.must(err)
		rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		w.must(err)
		for _, row := range rows[1:] {
			if _, err = w.st.Ledger.FindDevice(row[0]); file == "people.csv" {
				_, err = w.st.Ledger.FindPerson(row[0])
			}
			if err != nil {
				w.differ("the old station's %s had %q, and after the upgrade: %v", file, row[0], err)
			}
		}
	}
	for at := (ledger.OutboxPage{}); !at.End; {
		at, err = w.st.Ledger.OutboxFrom(ledger.DirectorySink, at.Next, 100)
		w.must(err)
		var keys []ledger.RowKey
		for _, r := range at.Rows {
			keys = append(keys, r.Key)
		}
		if len(keys) > 0 {
			w.must(w.st.Ledger.Drop(ledger.DirectorySink, keys, "admin", checkout.SourceCLI, "that directory is no more"))
		}
	}
	w.halt()
	time.Sleep(time.Minute)
}

// checkOld holds the loans that are left over to those of the old station.
func (w *world) checkOld(has map[string]string) {
	var got, want []string
	for d, p := range has {
		got = append(got, d+" "+p)
	}
	for _, l := range w.old {
		if l.DeviceID != nil && l.PersonID != nil {
			want = append(want, *l.DeviceID+" "+*l.PersonID)
		}
	}
	for _, l := range want {
		if !slices.Contains(got, l) {
			w.differ("the old station had lent %q, and the books have %q", l, got)
		}
	}
	if len(got) > len(w.old) {
		w.differ("the books have %q besides the lab's loans, and the old station had lent %q", got, want)
	}
}

// jump has a server tell a wrong time for a while.
func (w *world) jump() {
	w.machine.step(w.between(-90*time.Minute, 90*time.Minute))
	now := w.machine.boots()
	time.AfterFunc(w.between(time.Minute, 3*time.Hour), func() {
		if !w.machine.over(now) {
			w.machine.step(0)
		}
	})
	w.figures.jumps++
}
