// Package stations has the pages of a station's health, its self-test and its scope.
package stations

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/console/ui"
	"stump/internal/signal"
)

// View is a page of a station.
type View struct {
	ui.Frame
	T        *Words
	Name     string // of the station
	Status   wire.Status
	Readers  []Reader
	Places   []Fact
	Facts    []Fact
	Troubles []Trouble
	Frames   []Frame
	Test     *Test
	Scope    string // the reader whose lines are watched
	Members  []Member
}

// Member is another station of the lab.
type Member struct {
	Name, Heard, Version, Lag string
	Fault                     string // empty for none
	URL                       string // of its own pages; empty for none
}

// Lab adds the other stations of the lab.
func (v *View) Lab(all []wire.LabStation, now time.Time) {
	for _, s := range all {
		if v.Status.Lab != nil && v.Status.Lab.Station != nil && *v.Status.Lab.Station == s.Name {
			continue
		}
		m := Member{Name: s.Name, Heard: "–", Version: "–", Lag: strconv.FormatUint(s.Lag, 10), URL: text(s.URL)}
		if s.Heard != nil {
			m.Heard = v.At(s.Heard.In(now.Location()), now)
		}
		if s.Version != nil {
			m.Version = *s.Version
		}
		if s.Office {
			m.Name += " (" + v.T.Office + ")"
		}
		if s.Fault != nil {
			m.Fault = *s.Fault
		}
		v.Members = append(v.Members, m)
	}
}

// Reader is a reader, how it is, and how it was read in each week, the oldest first.
type Reader struct {
	Name, State string
	Weeks       []signal.Week
}

// Fact is how a part of the station is.
type Fact struct {
	What, Is string
	Bad      bool
}

// Trouble is something that is wrong, and what to do.
type Trouble struct{ Where, Text, Remedy string }

// Made makes a page's view of what the station says of itself.
func Made(f ui.Frame, st wire.Status, now time.Time) View {
	v := View{Frame: f, T: wordsIn(f.Words), Name: st.Station, Status: st}
	for _, r := range st.Readers {
		name, state, _ := strings.Cut(r, ":")
		v.Readers = append(v.Readers, Reader{Name: name, State: strings.TrimSpace(state)})
	}
	v.Troubles = troubles(st)
	is := "stump " + st.Version
	if st.Sim {
		is += ", " + v.T.Simulated
	}
	v.Facts = append([]Fact{{What: v.T.Station, Is: is}, v.display(st, now), v.clock(st), v.ledger(st)}, v.backups(st, now)...)
	return v
}

// troubles are what is wrong, each once: what is wrong with the whole station stands at each
// of its readers.
func troubles(st wire.Status) (all []Trouble) {
	for _, text := range []*string{st.Damaged, st.Salvaged} {
		if text != nil {
			all = append(all, Trouble{Text: *text, Remedy: "`stump verify` says more"})
		}
	}
	for _, reader := range slices.Sorted(maps.Keys(st.Conditions)) {
		for _, c := range st.Conditions[reader] {
			i := slices.IndexFunc(all, func(t Trouble) bool { return t.Text == c.Text && t.Remedy == c.Remedy })
			if i < 0 {
				all = append(all, Trouble{reader, c.Text, c.Remedy})
			} else {
				all[i].Where = ""
			}
		}
	}
	return all
}

// condition is what is wrong by this name, at any reader.
func condition(st wire.Status, name string) (is string, wrong bool) {
	for _, list := range st.Conditions {
		if i := slices.IndexFunc(list, func(c selftest.Condition) bool { return c.Name == name }); i >= 0 {
			return list[i].Text, true
		}
	}
	return "", false
}

func (v *View) display(st wire.Status, now time.Time) Fact {
	f := Fact{What: v.T.Display, Is: v.T.Works}
	if st.Display != "up" {
		f.Is, f.Bad = v.Told(st.Display), true
		if since, err := time.Parse(time.RFC3339, text(st.Since)); err == nil {
			f.Is = ui.Fill(v.T.Down, v.At(since.In(now.Location()), now))
			if _, why, ok := strings.Cut(st.Display, ": "); ok {
				f.Is += ": " + v.Told(why)
			}
		}
	}
	return f
}

func (v *View) clock(st wire.Status) Fact {
	is, wrong := condition(st, "clock")
	return Fact{v.T.Clock, cmp.Or(v.Told(is), v.T.Works), wrong}
}

func (v *View) ledger(st wire.Status) Fact {
	return Fact{v.T.Ledger, ui.Fill(v.T.NewestEvent, strconv.FormatUint(st.Events, 10)), st.Damaged != nil}
}

func (v *View) backups(st wire.Status, now time.Time) (all []Fact) {
	for _, b := range st.Backups {
		f := Fact{v.T.Backup + " " + b.Folder, v.T.NoBackup, b.File == nil}
		if b.File != nil {
			f.Is = ui.Fill(v.T.BackupUpTo, strconv.FormatUint(b.Event, 10))
			if b.At != nil {
				f.Is = v.Began(b.At.In(now.Location()), b.ClockTrusted, time.Time{}, now) + ", " + f.Is
			}
		}
		all = append(all, f)
	}
	if len(all) == 0 && st.Ledger != nil { // else they are withheld
		all = append(all, Fact{What: v.T.Backup, Is: v.T.Off})
	}
	return all
}

// Sync adds the directory and the webhooks.
func (v *View) Sync(st directory.Status) {
	for _, s := range st.Sinks {
		is := []string{v.Told(s.State)}
		if s.Backlog > 0 {
			is = append(is, ui.Fill(v.T.Waits, strconv.Itoa(s.Backlog)))
		}
		if s.StuckRows > 0 {
			is = append(is, ui.Fill(v.T.Stuck, strconv.Itoa(s.StuckRows)))
		}
		v.Places = append(v.Places, Fact{s.Place, strings.Join(is, ", "), s.Reason != nil || s.StuckRows > 0})
		if s.Reason != nil {
			v.Troubles = append(v.Troubles, Trouble{s.Place, *s.Reason, text(s.Remedy)})
		}
		for _, note := range s.Notes {
			v.Troubles = append(v.Troubles, Trouble{Where: s.Place, Text: note})
		}
	}
	if p := st.Pull; p != nil && p.Error != nil {
		v.Troubles = append(v.Troubles, Trouble{st.Directory, *p.Error, text(p.Remedy)})
	}
}

// Web adds the certificate.
func (v *View) Web(web wire.Web, now time.Time) {
	if web.Expires == nil {
		return
	}
	is := ui.Fill(v.T.Until, v.At(web.Expires.In(now.Location()), now))
	if web.SelfMade {
		is += ", " + v.T.Own
	}
	v.Facts = append(v.Facts, Fact{v.T.Certificate, is, web.Expires.Before(now)})
}

// Test is a self-test that runs, or ran.
type Test struct {
	wire.SelfTest
	Checks []Check
	YesNo  bool   // the question wants one of these
	Ended  string // why it came to no end; empty for none
}

// Check is what a check found.
type Check struct {
	selftest.Result
	Word, Class, Do string
	Picture         bool // the wiring belongs beside it
}

// about are the checks that the wires have to do with.
var about = []string{"power", "lines", "idle", "float", "outputs", "card", "second-card"}

// Tested adds a self-test. A remedy is said once, and so is the wiring drawn.
func (v *View) Tested(t wire.SelfTest) {
	v.Test = &Test{SelfTest: t}
	pictured, given := false, map[string]string{}
	for _, r := range t.Results {
		c := Check{Result: r, Do: r.Remedy, Class: "is-" + string(r.Result)}
		c.Word = map[selftest.Verdict]string{selftest.Pass: v.T.Passes, selftest.Warn: v.T.Warns, selftest.Fail: v.T.Fails, selftest.Skip: v.T.LeftOut}[r.Result]
		if by, ok := given[r.Remedy]; ok && r.Remedy != "" {
			c.Do = ui.Fill(v.T.AsFor, v.Told(by))
		} else {
			given[r.Remedy] = r.Check
		}
		if r.Result == selftest.Fail && slices.Contains(about, r.Check) && !pictured {
			c.Picture, pictured = true, true
		}
		v.Test.Checks = append(v.Test.Checks, c)
	}
	if q := t.Question; q != nil {
		text, yesNo := strings.CutSuffix(q.Text, " [y/n]")
		v.Test.YesNo = yesNo
		v.Test.Question = &wire.Question{Question: q.Question, Text: text}
	}
	if p := t.Problem; p != nil {
		v.Test.Ended = p.Error + ": " + p.Hint
	}
}

// Running reports whether it is under way.
func (t *Test) Running() bool { return t.State == "running" }

// Events is where a page hears what happens in the self-test.
func (t *Test) Events() string { return "/v1/selftest/" + t.ID + "/events" }

// path is the address of a page of the station.
func (v View) path(more ...string) templ.SafeURL { return Path(v.Name, more...) }

// Path is the address of a page of a station.
func Path(station string, more ...string) templ.SafeURL {
	path := "/stations/" + url.PathEscape(station)
	for _, m := range more {
		path += "/" + url.PathEscape(m)
	}
	return templ.SafeURL(path)
}

func (v View) wiring(reader string) string {
	return string(v.path("wiring.svg")) + "?" + url.Values{"reader": {reader}}.Encode()
}

func (v View) scope(reader string) templ.SafeURL {
	return v.path("scope") + templ.SafeURL("?"+url.Values{"reader": {reader}}.Encode())
}

func (v View) lines() string {
	return string(v.path("lines")) + "?" + url.Values{"reader": {v.Scope}}.Encode()
}

func text(s *string) string { return *cmp.Or(s, new(string)) }
