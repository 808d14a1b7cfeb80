package daemon

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/loan"
	"stump/hw/selftest"
	"stump/internal/books"
	"stump/internal/clock"
	"stump/internal/hint"
	"stump/internal/panel"
	"stump/internal/station"
)

// fault notes that a reader has no lines, or has them again. Staff see it on the
// idle screen.
func (d *Daemon) fault(reader string, noLines bool) {
	if noLines {
		d.noLines.Store(reader, nil)
	} else {
		d.noLines.Delete(reader)
	}
	d.Panel.Poke()
}

// idle is what the display says when nobody is there.
func (d *Daemon) idle() panel.IdleInfo {
	machine := d.machine()
	info := panel.IdleInfo{Behind: d.Worker.Behind() || d.Lab.Status().Stale}
	info.Notice, info.By = d.notice(machine)
	if machine.ClockTrusted {
		info.Clock = time.Now()
	}
	info.Out, info.Overdue = d.out.count(d.Ledger, wallClock(d.o.Config).Trusted(), d.o.Log)
	return info
}

// out counts the loans. It reads them only when that can have changed: the idle screen asks
// each minute, and most minutes nobody comes.
type out struct {
	mu          sync.Mutex
	trusted     bool      // what the count is of: whether the clock was right,
	commits     uint64    // what was saved until then,
	from, until time.Time // and from when until when no loan becomes overdue; zero until is for ever
	out, late   int
}

// lent is what is counted.
type lent interface {
	Health() ledger.Health
	Loans(books.LoanFilter) iter.Seq2[books.Loan, error]
}

func (o *out) count(l lent, trusted bool, log *slog.Logger) (all, overdue int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now, commits := time.Now(), l.Health().Commits
	if commits == o.commits && trusted == o.trusted && !o.from.IsZero() && !now.Before(o.from) && (o.until.IsZero() || !now.After(o.until)) {
		return o.out, o.late
	}
	o.trusted, o.commits, o.from, o.until, o.out, o.late = trusted, commits, now, time.Time{}, 0, 0
	for loan, err := range l.Loans(books.LoanFilter{Now: now}) {
		if err != nil {
			log.Error("the loans can't be counted", "err", err)
			o.from = time.Time{}
			break
		}
		o.out++
		switch {
		case loan.Overdue:
			o.late++
		case loan.Due.After(now) && (o.until.IsZero() || loan.Due.Before(o.until)):
			o.until = loan.Due
		}
	}
	return o.out, o.late
}

// notice is the key of the text about what is wrong, "" if all is well, and who does
// it. The worst comes first.
func (d *Daemon) notice(m station.Machine) (key, by string) {
	var fault, bad bool
	var held station.Holder
	for _, r := range d.Readers {
		_, noLines := d.noLines.Load(r.Name)
		fault = fault || noLines || r.Down() != nil || !r.Leased() && lowLine(r) != ""
		if h, leased := r.Held(); leased {
			held = h
		}
		for _, c := range r.Conditions(m) { // also logs what began or ended
			bad = bad || c.Name == selftest.BadReads
		}
	}
	failure := d.Ledger.Health().Failure
	switch {
	case failure != nil:
		return station.CannotSave(failure), ""
	case d.Ledger.Hurt():
		return "salvaged", ""
	case fault:
		return "reader-fault", ""
	case held.For != "":
		return string(held.For), held.Name
	case bad:
		return "bad-read", ""
	}
	return "", ""
}

// lowLine says which data lines rest low. A pulse is over within microseconds,
// and hum goes up once in 20 ms: a line that is low for 40 ms rests there. It is
// looked at often, since a busy board looks at hum at any time of its period. What
// holds it low, the self-test finds out.
func lowLine(r *station.Reader) string {
	if r.Source == nil {
		return ""
	}
	low := [2]bool{true, true}
	for range 40 {
		levels, err := r.Source.Levels()
		for i := range low {
			low[i] = low[i] && err == nil && !levels[i]
		}
		if low == [2]bool{} {
			return ""
		}
		time.Sleep(time.Millisecond)
	}
	switch {
	case low[0] && low[1]:
		return "DATA0 and DATA1 stay low, which should rest high"
	case low[0]:
		return "DATA0 stays low, which should rest high"
	}
	return "DATA1 stays low, which should rest high"
}

// machine is the state of the board.
func (d *Daemon) machine() station.Machine {
	if d.o.Sim && clock.Simulated == nil {
		return station.Machine{ClockTrusted: true} // the simulated lab does not need the time
	}
	m := station.Machine{ClockTrusted: wallClock(d.o.Config).Trusted()}
	if d.o.Sim {
		return m // this board's supply is not the simulated one's
	}
	if low, known := selftest.UnderVoltage(os.DirFS("/")); known {
		m.LowVoltage = &low
	}
	return m
}

// conditions are what is wrong with each reader and with what all share, for
// the API.
func (d *Daemon) conditions() map[string][]selftest.Condition {
	shared, all := d.sharedConditions(), d.readerConditions()
	for reader := range all {
		all[reader] = append(all[reader], shared...)
	}
	return all
}

// readerConditions are what is wrong with each reader.
func (d *Daemon) readerConditions() map[string][]selftest.Condition {
	machine := d.machine()
	all := map[string][]selftest.Condition{}
	for _, r := range d.Readers {
		list := append([]selftest.Condition{}, r.Conditions(machine)...)
		if h, leased := r.Held(); leased {
			list = append(list, selftest.Condition{
				Name: "testing", Text: fmt.Sprintf("%s has the lines for a %v: cards become no loans", h.Name, h.For), Remedy: (&station.LeasedError{Holder: h}).Hint(),
			})
		} else if err := r.Down(); err != nil {
			list = append(list, selftest.Condition{Name: "no-reader", Text: err.Error(), Remedy: "`stump selftest` says why", Staff: true})
		} else if low := lowLine(r); low != "" {
			list = append(list, selftest.Condition{Name: selftest.LineLow, Text: low, Remedy: "`stump selftest` says why", Staff: true})
		}
		all[r.Name] = list
	}
	return all
}

// sharedConditions are what is wrong with the disk, the files and the backups.
func (d *Daemon) sharedConditions() (list []selftest.Condition) {
	switch disk := d.Ledger.Health(); {
	case disk.Failure != nil:
		list = append(list, selftest.Condition{Name: "not-saved", Text: disk.Failure.Error(), Remedy: boltfile.SaveRemedy(disk.Failure), Staff: true})
	case disk.Waiting > station.Patience:
		list = append(list, selftest.Condition{
			Name: "saving", Text: fmt.Sprintf("the disk has not saved for %v; nobody is told yes meanwhile", disk.Waiting.Round(time.Second)),
			Remedy: "look at `dmesg`; a worn card wants a new one", Staff: true,
		})
	}
	if err := noFiles(); err != nil {
		list = append(list, selftest.Condition{
			Name: "no-files", Text: fmt.Sprintf("no file can be opened: %v", err),
			Remedy: fmt.Sprintf("`ls -l /proc/%d/fd` shows what is open; bumps go on, backups and the directory wait", os.Getpid()),
		})
	}
	if err := d.holidaysFault(); err != nil {
		list = append(list, selftest.Condition{Name: "holidays", Text: err.Error(), Remedy: hint.Of(err)})
	}
	if reason, remedy := d.Worker.Trouble(ledger.MailSink); reason != "" {
		list = append(list, selftest.Condition{Name: "mail", Text: reason, Remedy: remedy})
	}
	list = append(list, d.labConditions()...)
	return append(list, d.upkeep.backups.faults()...)
}

// holidaysFault is what is wrong with the calendar of holidays.
func (d *Daemon) holidaysFault() error {
	if d.holidays == nil {
		return nil
	}
	var today loan.Date
	if now := wallClock(d.o.Config).Now(); now.Trusted {
		today = loan.DateOf(now.Wall.Local())
	}
	return d.holidays.Fault(today)
}

// noFiles is why no more files can be opened; nil if they can.
func noFiles() error {
	fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err == nil {
		return unix.Close(fd)
	}
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		return err
	}
	return nil
}
