// Package monitor tells programs how a station is: whether it lives, whether it takes bumps,
// and figures in the text form of Prometheus.
//
// The names of figures begin with stump_ and stay. Times are in seconds, and those of the
// calendar in seconds since 1970.
package monitor

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/histogram"
	"stump/internal/panel"
	"stump/internal/station"
	"stump/wiegand"
)

// Desk answers from the parts of a station. What is nil is left out.
type Desk struct {
	Station, Version string
	Ledger           *ledger.Ledger
	Readers          []*station.Reader
	Worker           *directory.Worker
	Conditions       func() map[string][]selftest.Condition
	Backups          func() []wire.Backup
	Lab              func() *wire.Lab
	// Panel has the display.
	Panel *panel.Panel
	// Machine is how the board is.
	Machine func() station.Machine
	// Sessions is how many browsers are logged in.
	Sessions func() int
	Now      func() time.Time
}

// Alive answers while the process does.
func Alive(w http.ResponseWriter, _ *http.Request) error { return text(w, "ok\n") }

// Ready says whether bumps are taken, and else why not.
func (d Desk) Ready(w http.ResponseWriter, _ *http.Request) error {
	why := d.unready()
	if len(why) == 0 {
		return text(w, "ready\n")
	}
	return &wire.CodedError{Code: wire.CodeNotReady, Err: hint.Errorf("`stump status` says more", "%s", strings.Join(why, "; "))}
}

// unready is why no bump is taken, without what only an admin may read.
func (d Desk) unready() (why []string) {
	if d.Ledger.Health().Failure != nil {
		why = append(why, "the disk does not save")
	}
	if info, err := d.Ledger.Info(); err != nil || info.Damaged != nil {
		why = append(why, "the ledger is damaged")
	}
	down := 0
	for _, r := range d.Readers {
		if r.Down() != nil || r.Leased() {
			down++
		}
	}
	if down == len(d.Readers) {
		why = append(why, "no reader takes cards")
	}
	return why
}

func text(w http.ResponseWriter, body string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := io.WriteString(w, body)
	return err
}

// Metrics are the figures.
func (d Desk) Metrics(w http.ResponseWriter, _ *http.Request) error {
	p := &page{}
	p.gauge("stump_info", "The program and the station, always 1.", 1, "station", d.Station, "version", d.Version)
	p.gauge("stump_ready", "Whether bumps are taken.", flag(len(d.unready()) == 0))
	if err := d.ledger(p); err != nil {
		return err
	}
	d.readers(p)
	if err := d.places(p); err != nil {
		return err
	}
	d.rest(p)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := w.Write(p.b.Bytes())
	return err
}

// ledger tells of events, loans and the disk.
func (d Desk) ledger(p *page) error {
	info, err := d.Ledger.Info()
	if err != nil && info.Damaged == nil {
		return err
	}
	p.counter("stump_events_total", "The number of the newest event.", float64(info.Seq))
	p.gauge("stump_damaged", "Whether the ledger is damaged.", flag(info.Damaged != nil))
	out, overdue := 0, 0
	for loan, err := range d.Ledger.Loans(books.LoanFilter{Now: d.Now()}) {
		if err != nil {
			return err
		}
		if out++; loan.Overdue {
			overdue++
		}
	}
	p.gauge("stump_loans", "Devices that are lent.", float64(out))
	p.gauge("stump_loans_overdue", "Devices that should be back.", float64(overdue))
	disk := d.Ledger.Health()
	p.counter("stump_commits_total", "Changes that were saved since the start.", float64(disk.Commits))
	p.gauge("stump_commit_last_seconds", "How long the newest commit took, with the disk.", disk.LastCommit.Seconds())
	p.gauge("stump_commit_slowest_seconds", "How long the slowest commit took since the start.", disk.SlowestCommit.Seconds())
	p.gauge("stump_commit_waiting_seconds", "How long the running commit has taken so far; 0 for none.", disk.Waiting.Seconds())
	p.gauge("stump_disk_failed", "Whether the newest commit could not be saved.", flag(disk.Failure != nil))
	p.times("stump_commit_seconds", "How long each commit took since the start, with the disk.", disk.Times)
	p.times("stump_disk_write_seconds", "How long the disk took for each commit since the start, to write and to sync it.", disk.Written)
	var fs syscall.Statfs_t
	if syscall.Statfs(filepath.Dir(info.Path), &fs) == nil {
		p.gauge("stump_disk_free_bytes", "Room on the disk of the ledger.", float64(fs.Bavail)*float64(fs.Bsize))
		p.gauge("stump_disk_size_bytes", "Size of the disk of the ledger.", float64(fs.Blocks)*float64(fs.Bsize))
	}
	return nil
}

// readers tells of cards and of what is wrong.
func (d Desk) readers(p *page) {
	for _, r := range d.Readers {
		s := r.Stats()
		p.counter("stump_reads_total", "Good reads since the start.", float64(s.Reads), "reader", r.Name)
	}
	for _, r := range d.Readers {
		s := r.Stats()
		for _, fault := range wiegand.Faults {
			p.counter("stump_bad_reads_total", "Reads that were refused since the start, by fault.", float64(s.Faults[fault]), "reader", r.Name, "fault", string(fault))
		}
	}
	for _, r := range d.Readers {
		p.gauge("stump_reader_up", "Whether the reader is listened to.", flag(r.Down() == nil), "reader", r.Name)
	}
	for _, r := range d.Readers {
		bumps := r.Figures().Bumps
		for _, result := range slices.Sorted(maps.Keys(bumps)) {
			p.counter("stump_bumps_total", "Bumps since the start, by what came of them.", float64(bumps[result]), "reader", r.Name, "result", result)
		}
	}
	for _, r := range d.Readers {
		p.times("stump_bump_seconds", "How long it took from the last edge of a pair's second card until the pair was saved.", r.Figures().Took, "reader", r.Name)
	}
	for _, r := range d.Readers {
		p.gauge("stump_reader_silence_seconds", "How long the reader has read no card, since the start at most.", r.Figures().Silence.Seconds(), "reader", r.Name)
	}
	if d.Conditions == nil {
		return
	}
	all := d.Conditions()
	for _, reader := range slices.Sorted(maps.Keys(all)) {
		seen := map[string]bool{}
		for _, c := range all[reader] {
			if !seen[c.Name] {
				p.gauge("stump_trouble", "What is wrong, by name; `stump status` says more.", 1, "reader", reader, "name", c.Name)
			}
			seen[c.Name] = true
		}
	}
}

// places tells of the directory, webhooks and mail.
func (d Desk) places(p *page) error {
	if d.Worker == nil {
		return nil
	}
	st, err := d.Worker.Status()
	if err != nil {
		return err
	}
	now := d.Now()
	for _, s := range st.Sinks {
		p.gauge("stump_place_up", "Whether the place answers.", flag(s.Failures == 0), "place", s.Name)
	}
	for _, s := range st.Sinks {
		p.gauge("stump_outbox_waiting", "Events that the place has yet to hear of.", float64(s.Backlog), "place", s.Name)
	}
	for _, s := range st.Sinks {
		p.gauge("stump_outbox_stuck", "Events that wait for a person.", float64(s.StuckRows), "place", s.Name)
	}
	for _, s := range st.Sinks {
		age := 0.0
		if s.Oldest != nil {
			age = max(now.Sub(*s.Oldest).Seconds(), 0)
		}
		p.gauge("stump_outbox_oldest_seconds", "How old the oldest event is that waits; 0 for none.", age, "place", s.Name)
	}
	if st.Pull != nil && st.Pull.At != nil {
		p.gauge("stump_pull_timestamp_seconds", "When the directory was read last.", stamp(*st.Pull.At))
	}
	return nil
}

// rest tells of the display, backups and the lab.
func (d Desk) rest(p *page) {
	if d.Panel != nil {
		h := d.Panel.Health()
		p.gauge("stump_display_up", "Whether the display works.", flag(h.Up))
		p.times("stump_display_seconds", "How long it took from each commit of a bump until the display said so.", h.Took)
	}
	if d.Machine != nil {
		m := d.Machine()
		p.gauge("stump_clock_trusted", "Whether the clock is known to be right.", flag(m.ClockTrusted))
		if m.LowVoltage != nil {
			p.gauge("stump_under_voltage", "Whether the board's 5 V is too low.", flag(*m.LowVoltage))
		}
	}
	if d.Sessions != nil {
		p.gauge("stump_sessions", "Browsers that are logged in.", float64(d.Sessions()))
	}
	if d.Backups != nil {
		for _, b := range d.Backups() {
			if b.At != nil {
				p.gauge("stump_backup_timestamp_seconds", "When the newest good backup was made.", stamp(*b.At), "folder", b.Folder)
			}
		}
	}
	l := d.Lab()
	if l == nil {
		return
	}
	p.gauge("stump_lab_stale", "Whether the hub is missed.", flag(l.Stale), "lab", *l.Lab)
	p.gauge("stump_lab_waiting", "Events that the hub has yet to hear of.", float64(l.Waiting), "lab", *l.Lab)
	if l.Heard != nil {
		p.gauge("stump_lab_heard_timestamp_seconds", "When the hub answered last.", stamp(*l.Heard), "lab", *l.Lab)
	}
}

func flag(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func stamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// page is what Prometheus reads. All rows of a name come one after the other.
type page struct {
	b    bytes.Buffer
	name string
}

func (p *page) gauge(name, help string, value float64, labels ...string) {
	p.row(name, help, "gauge", value, labels)
}

func (p *page) counter(name, help string, value float64, labels ...string) {
	p.row(name, help, "counter", value, labels)
}

// times is a histogram.
func (p *page) times(name, help string, t histogram.Times, labels ...string) {
	p.head(name, help, "histogram")
	sum := uint64(0)
	for i, n := range t.Counts {
		le := "+Inf"
		if i < len(histogram.Bounds) {
			le = number(histogram.Bounds[i].Seconds())
		}
		sum += n
		p.line(name+"_bucket", float64(sum), append(labels[:len(labels):len(labels)], "le", le))
	}
	p.line(name+"_sum", t.Sum.Seconds(), labels)
	p.line(name+"_count", float64(sum), labels)
}

// escaped is a label's value as the format has it.
var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (p *page) row(name, help, kind string, value float64, labels []string) {
	p.head(name, help, kind)
	p.line(name, value, labels)
}

// head begins the rows of a name.
func (p *page) head(name, help, kind string) {
	if p.name != name {
		fmt.Fprintf(&p.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		p.name = name
	}
}

func (p *page) line(name string, value float64, labels []string) {
	p.b.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(&p.b, "%s%s=\"%s\"", sep, labels[i], escaped.Replace(labels[i+1]))
	}
	if len(labels) > 0 {
		p.b.WriteByte('}')
	}
	p.b.WriteByte(' ')
	p.b.WriteString(number(value))
	p.b.WriteByte('\n')
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
