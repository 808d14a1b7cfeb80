package daemon

import (
	"errors"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/internal/books"
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

// lender is a ledger that says how often its loans were read.
type lender struct {
	loans   []books.Loan
	commits uint64
	read    int
	err     error
}

func (l *lender) Health() ledger.Health { return ledger.Health{Commits: l.commits} }

func (l *lender) Loans(f books.LoanFilter) iter.Seq2[books.Loan, error] {
	l.read++
	return func(yield func(books.Loan, error) bool) {
		for _, loan := range l.loans {
			loan.Overdue = !loan.Due.IsZero() && f.Now.After(loan.Due)
			if !yield(loan, nil) {
				return
			}
		}
		if l.err != nil {
			yield(books.Loan{}, l.err)
		}
	}
}

// TestOut: loans are counted again when something was saved, when one becomes overdue, when
// the clock is set, and after an error, but not each minute.
func TestOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		l, o := &lender{loans: []books.Loan{{}, {Due: now.Add(-time.Hour)}, {Due: now.Add(2 * time.Hour)}, {Due: now.Add(time.Hour)}}}, new(out)
		trusted := true
		wants := func(what string, all, late, read int) {
			t.Helper()
			gotAll, gotLate := o.count(l, trusted, slog.New(slog.DiscardHandler))
			if gotAll != all || gotLate != late || l.read != read {
				t.Errorf("%s: %d out, %d overdue, read %d times; want %d, %d, %d", what, gotAll, gotLate, l.read, all, late, read)
			}
		}
		wants("first", 4, 1, 1)
		time.Sleep(time.Hour)
		wants("an hour later", 4, 1, 1)
		time.Sleep(time.Nanosecond)
		wants("one is overdue now", 4, 2, 2)
		time.Sleep(time.Hour)
		wants("and another", 4, 3, 3)
		time.Sleep(1000 * time.Hour)
		wants("nothing becomes overdue any more", 4, 3, 3)
		l.commits, l.loans = 1, l.loans[1:]
		wants("one came back", 3, 3, 4)
		trusted = false
		wants("the clock is not right", 3, 3, 5)
		wants("the clock is still not right", 3, 3, 5)
		l.commits, l.err = 2, errors.New("damaged")
		wants("an error", 3, 3, 6)
		l.err = nil
		wants("no error any more", 3, 3, 7)
		wants("and so it stays", 3, 3, 7)
	})
}
