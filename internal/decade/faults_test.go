package decade

import (
	"fmt"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"stump/hw/selftest"
)

// wires are the faults of the reader and its cable that a life has, and what the station
// must say of each once enough cards were shown.
var wires = []struct {
	name  string
	says  []string // one of these conditions
	cards int      // after so many
}{
	{"no-power", []string{"line-low"}, 0}, {"d0-low", []string{"line-low"}, 0}, {"d1-low", []string{"line-low"}, 0},
	{"d0-open", []string{"bad-reads", "stray-edges"}, 30}, {"d1-open", []string{"bad-reads", "stray-edges"}, 30},
	{"swapped", []string{"swapped"}, 8}, {"shorted", []string{"bad-reads", "stray-edges"}, 30},
	{"floating", []string{"bad-reads", "stray-edges"}, 60}, {"no-ground", []string{"bad-reads", "stray-edges", "line-low"}, 60}, {"hum", []string{"bad-reads", "stray-edges", "line-low"}, 60},
	{"wrong-gpio", nil, 0}, {"converter-unpowered", nil, 0}, // silence, which a day does not tell from a quiet one
	{"burst", nil, 0}, {"crosstalk", nil, 0}, // harmless for most readers
}

// corrode breaks the cable for some visits.
func (w *world) corrode() {
	f := pick(w, wires)
	w.must(w.st.Lines.SetVariation(f.name, w.dice.Uint64()))
	w.fault = f.name
	time.Sleep(2 * time.Minute)
	for n := range 10 + 2*f.cards {
		if n > 0 && n >= f.cards && w.says(f.says) {
			break
		}
		w.bump(pick(w, w.staff()).badge)
		time.Sleep(w.between(2*time.Second, 8*time.Second))
	}
	if f.says != nil && !w.says(f.says) && !w.readable {
		w.differ("the cable is %s, and the station says %q, want one of %q", f.name, w.conditions(), f.says)
	}
	w.must(w.st.Lines.SetFault("off"))
	time.Sleep(2 * window) // what waits is over
	w.fault, w.readable, w.desk = "", false, desk{}
	w.figures.wires++
	// What stood for a while is over after so many good reads.
	w.excused = time.Now().Add(24 * time.Hour)
	for range 60 {
		w.bump(pick(w, w.staff()).badge)
		time.Sleep(w.between(2*time.Second, 4*time.Second))
	}
	time.Sleep(15 * time.Minute)
	w.excused = time.Time{}
	w.calm()
}

// unread reports whether a bump was not read, as it may be where a wire is broken: the
// display says so, or nothing new.
func (w *world) unread(before []string) bool {
	now := w.rows()
	switch {
	case slices.Equal(now, before), now[0] == "Bad tag read":
		return true
	case strings.HasPrefix(now[0], "Lab open"), strings.HasPrefix(now[0], "Reader fault"), strings.HasPrefix(now[0], "Bad tag read"), now[0] == "Time is up":
		return true
	case now[0] == "Unknown tag", now[0] == "Unknown format", now[0] == "Old badge", now[0] == "Unknown badge", now[0] == "Unknown device":
		w.figures.ghosts++
		w.desk.waits = none
		return true
	}
	w.readable = true
	return false
}

// conditions are what the station says is wrong.
func (w *world) conditions() (names []string) {
	var status struct {
		Conditions map[string][]selftest.Condition
	}
	w.get("/v1/status", &status)
	for _, list := range status.Conditions {
		for _, c := range list {
			names = append(names, c.Name)
		}
	}
	w.figures.alarms++
	return names
}

// says reports whether one of some conditions stands.
func (w *world) says(any []string) bool {
	return slices.ContainsFunc(w.conditions(), func(c string) bool { return slices.Contains(any, c) })
}

// calm holds what the station says is wrong to what is. Every alarm has its reason, and
// every reason its alarm.
func (w *world) calm() {
	unset := time.Duration(0)
	if !w.machine.right() {
		unset = time.Since(w.machine.boots().began)
	}
	got := w.conditions()
	for _, c := range got {
		switch {
		case time.Now().Before(w.excused):
		case c == "slow-storage" && w.worn:
		case c == "clock" && unset > 9*time.Minute:
		case c == "mail" && w.reached() < 6*time.Hour:
		default:
			w.differ("the station says %q for no reason", c)
		}
	}
	if unset > 12*time.Minute && !slices.Contains(got, "clock") {
		w.differ("the clock was not set for %v, and nobody says so", unset)
	}
	w.idle()
}

// idle holds the idle screen to the truth, after what was said last is over.
func (w *world) idle() {
	time.Sleep(2*window + time.Minute)
	w.desk.waits = none
	out, late := 0, 0
	for _, d := range w.devices {
		if d.holder != nil {
			out++
			if end, _, ok := w.ends(d); ok && time.Now().After(end) {
				late++
			}
			if end, off, ok := w.ends(d); !ok || time.Since(end).Abs() <= off {
				return // nobody can tell yet
			}
		}
	}
	for _, l := range w.old {
		if out++; l.Due != nil {
			late++
		}
	}
	open, count := "Lab open", "All devices in"
	if w.machine.right() {
		open = fmt.Sprintf("%-15s%s", open, time.Now().Format("15:04"))
	}
	switch {
	case late > 0:
		count = fmt.Sprintf("%d out, %d overdue", out, late)
	case out > 0:
		count = fmt.Sprintf("%d out", out)
	}
	rows := w.rows()
	if before, marked := strings.CutSuffix(rows[1], "↑"); marked {
		rows[1] = strings.TrimRight(before, " ")
		if w.reached() > 6*time.Hour {
			w.differ("the idle screen says that something waits for the directory, which has been there for %v", w.reached())
		}
	}
	if want := []string{open, count, "Tap badge or device", ""}; !slices.Equal(rows, want) {
		w.differ("the idle screen says %s, want %s", quoted(rows), quoted(want))
	}
	w.figures.displays++
}

// crash is what the disk does at the ledger's points: a commit that takes long, and a power
// cut in the middle of one.
type crash struct {
	slow atomic.Int64 // how long a commit takes
	at   atomic.Value // the point of the power cut, "" for none
	cut  func() error // keeps what is on the disk then
	was  chan error   // gets its result
}

func (c *crash) hook(point string) {
	if d := c.slow.Load(); d > 0 && point == "before-commit" {
		time.Sleep(time.Duration(d))
	}
	if at, _ := c.at.Load().(string); at == point {
		c.at.Store("")
		c.was <- c.cut()
	}
}

// points are where the power goes in a commit, and whether the bump is in the books then.
var points = []struct {
	name  string
	saved bool
}{{"event-written", false}, {"before-commit", false}, {"after-commit", true}}

// dieInCommit cuts the power while a bump is saved.
func (w *world) dieInCommit() {
	p, d := pick(w, w.staff()), pick(w, w.inUse())
	if !w.bump(p.badge) {
		return
	}
	w.pause()
	point := pick(w, points)
	lost := w.state()
	w.disk++
	w.crash.cut = func() error { w.net.cut(w.st.cable); return copyDir(w.state(), lost) }
	w.crash.at.Store(point.name)
	w.must(w.st.Sims[0].Present(w.bits(d.tag)))
	time.Sleep(w.st.Sims[0].Remaining())
	_, act := w.tap(d.tag, time.Now())
	w.must(<-w.crash.was)
	if point.saved {
		act()
	}
	w.figures.bumps++
	w.gone(lost)
	time.Sleep(w.between(5*time.Second, 5*time.Minute))
	w.power()
	time.Sleep(30 * time.Second)
}

// fill makes the disk full for some bumps: nothing is saved, and nobody is told yes.
func (w *world) fill() {
	signal.Ignore(syscall.SIGXFSZ)
	p, d := pick(w, w.staff()), pick(w, w.inUse())
	if !w.bump(p.badge) {
		return
	}
	w.pause()
	limit(2 * 4096) // the file's first pages alone
	w.must(w.st.Sims[0].Present(w.bits(d.tag)))
	time.Sleep(w.st.Sims[0].Remaining())
	time.Sleep(answerTime)
	w.expect("a full disk", []string{"Can't save", "see the desk"})
	if got := w.conditions(); !slices.Contains(got, "not-saved") {
		w.differ("the disk is full, and the station says %q", got)
	}
	time.Sleep(5 * time.Second)
	limit(1 << 62)
	w.figures.bumps += 2
	time.Sleep(w.between(2*time.Second, 20*time.Second))
	w.must(w.st.Sims[0].Present(w.bits(d.tag))) // once more, while the badge still waits
	time.Sleep(w.st.Sims[0].Remaining())
	said, act := w.tap(d.tag, time.Now())
	time.Sleep(answerTime)
	act()
	w.expect("a disk with room again", said)
	w.figures.disks++
}

// limit is how large a file of this process may become: a disk that is full, without one.
func limit(size uint64) {
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: 1 << 62}); err != nil {
		panic(err)
	}
}

// wear makes commits slow for some bumps.
func (w *world) wear() {
	w.crash.slow.Store(int64(3 * time.Second))
	for range 6 {
		p, d := pick(w, w.staff()), pick(w, w.inUse())
		if !w.bump(p.badge) {
			return
		}
		w.pause()
		w.must(w.st.Sims[0].Present(w.bits(d.tag)))
		time.Sleep(w.st.Sims[0].Remaining())
		said, act := w.tap(d.tag, time.Now())
		time.Sleep(2*time.Second + answerTime)
		w.expect("a slow disk", []string{"Not saved yet", "please wait"})
		for n := 0; n < 20 && w.rows()[0] == "Not saved yet"; n++ { // others save, too
			time.Sleep(time.Second)
		}
		act()
		w.expect("a slow disk", said)
		w.figures.bumps++
		time.Sleep(w.between(5*time.Second, 10*time.Second))
	}
	if got := w.conditions(); !slices.Contains(got, "slow-storage") {
		w.differ("saving takes 3 s, and the station says %q", got)
	}
	w.crash.slow.Store(0)
	w.figures.disks++
	w.worn = true
}
