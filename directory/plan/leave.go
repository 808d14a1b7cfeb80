package plan

import (
	"fmt"
	"strings"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/count"
)

// absentFor is how long somebody must be missing from whole lists before that is
// believed. Servers that lose rows mostly find them again within the hour.
const absentFor = time.Hour

// Absences remembers whom whole lists lacked, and since when; the zero value: nobody. It
// is not kept over a restart: then the hour begins anew. It is for one goroutine.
type Absences struct {
	since map[string]time.Time // by kind and the directory's key
	now   time.Time
	due   time.Time // when the first of them is believed
}

func absenceKey(kind checkout.SubjectKind, ref string) string { return kind.String() + " " + ref }

// Begin begins a pull.
func (a *Absences) Begin(now time.Time) {
	if a.since == nil {
		a.since = map[string]time.Time{}
	}
	a.now, a.due = now, time.Time{}
}

// Due is when the first of those whom the lists of this pull lacked is believed to be
// gone; zero if nobody waits for that.
func (a *Absences) Due() time.Time { return a.due }

// back notes that a list has somebody.
func (a *Absences) back(kind checkout.SubjectKind, ref string) {
	if a != nil {
		delete(a.since, absenceKey(kind, ref))
	}
}

// lacks notes that a whole list lacks somebody, and reports whether that is believed
// by now.
func (a *Absences) lacks(kind checkout.SubjectKind, ref string) bool {
	if a == nil {
		return true
	}
	key := absenceKey(kind, ref)
	since, known := a.since[key]
	if !known {
		since = a.now
		a.since[key] = since
	}
	due := since.Add(absentFor)
	if !due.After(a.now) {
		return true
	}
	if a.due.IsZero() || due.Before(a.due) {
		a.due = due
	}
	return false
}

// The guard against a directory that has lost its content.
const (
	guardCount   = 5  // so many may always go at once
	guardPercent = 10 // else at most so much of all
)

// Plausible reports whether so many of so many may really be gone at once, people or
// devices or loans. If not, the directory has rather lost them.
func Plausible(gone, of int) bool {
	return gone <= guardCount || gone*100 <= of*guardPercent
}

// leave deactivates those whom the directory no longer has as active, and those whom
// the list lacks once that is believed, unless they are implausibly many.
func (p *planner) leave(register []Member, pulled int, list call.Listing) {
	missing := p.missing(register, list)
	n, proof := len(missing), pulled > 0 && !list.Broken && (!list.Partial || p.force)
	switch {
	case n == 0, proof, list.Broken:
	case pulled == 0:
		p.held += n
		p.note("the directory lists no %s at all, which is not believed: none is %s", p.kind, p.gonePast())
	default:
		p.held += n
		p.note("%s not in that list (%s): none is %s without: stump sync pull --force", count.Were(n, p.kind.String()), names(missing), p.gonePast())
	}
	if !proof {
		missing = nil
	}
	if n := len(p.leaving) + len(missing); !Plausible(n, p.active) && !p.force {
		p.held += n
		p.note("%s of %d are gone from the directory: none is %s without: stump sync pull --force", count.Of(n, p.kind.String()), p.active, p.gonePast())
		return
	}
	for _, out := range p.leaving {
		p.goes(out)
	}
	p.believe(missing)
}

// missing are those of the register whom the list lacks.
func (p *planner) missing(register []Member, list call.Listing) (missing []*Member) {
	for _, m := range call.Each(register) {
		if m.Kind != p.kind || m.Ref == "" {
			continue
		}
		if _, there := p.now[m.Ref]; there || list.Unread[m.Ref] || m.Inactive || p.taken[m.ID] {
			p.gone.back(m.Kind, m.Ref)
		} else {
			missing = append(missing, m)
		}
	}
	return missing
}

// believe deactivates those whom whole lists lack long enough.
func (p *planner) believe(missing []*Member) {
	wait := missing[:0]
	for _, m := range missing {
		if p.force || p.gone.lacks(m.Kind, m.Ref) {
			p.goes(leaver{row: m.SyncRow, holds: m.Holds, change: -1})
		} else {
			wait = append(wait, m)
		}
	}
	if n := len(wait); n > 0 {
		p.held += n
		p.note("%s no longer in the list (%s): %s when a whole list an hour later lacks them, too, or now with: stump sync pull --force",
			isOrAre(n, p.kind), names(wait), p.gonePast())
	}
}

// leaver is somebody, or something, that goes.
type leaver struct {
	row    books.SyncRow
	holds  int // devices that the person has; 1 for a device that somebody has
	change int // its place among the changes; -1: it has none
}

// goes deactivates one who has nothing that is to be returned.
func (p *planner) goes(out leaver) {
	switch {
	case out.holds > 0 && p.kind == checkout.KindDevice:
		p.note("%s is no longer lent out, but somebody has it: it stays until it is returned", out.row.Name)
	case out.holds > 0:
		p.note("%s left the directory but still has %s: they stay until everything is returned", out.row.Name, count.Of(out.holds, "device"))
	case out.change >= 0:
		p.Changes[out.change].Inactive = true
	default:
		out.row.Inactive = true
		p.Changes = append(p.Changes, out.row)
	}
}

// gonePast is what is done with who is gone.
func (p *planner) gonePast() string {
	if p.kind == checkout.KindDevice {
		return "retired"
	}
	return "suspended"
}

func isOrAre(n int, kind checkout.SubjectKind) string {
	if n == 1 {
		return count.Of(n, kind.String()) + " is"
	}
	return count.Of(n, kind.String()) + " are"
}

// names are the names of some.
func names(all []*Member) string {
	var list []string
	for _, m := range all[:min(len(all), fewNames)] {
		list = append(list, m.Name)
	}
	return few(list) + andMore(len(all))
}

// few lists some names.
func few(list []string) string {
	if len(list) > fewNames {
		return strings.Join(list[:fewNames], ", ") + andMore(len(list))
	}
	return strings.Join(list, ", ")
}

const fewNames = 5

func andMore(n int) string {
	if n > fewNames {
		return fmt.Sprintf(" and %d more", n-fewNames)
	}
	return ""
}
