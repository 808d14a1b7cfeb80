package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/internal/books"
)

// labModel is what a lab's people would say that the ledger has to know: written
// without the ledger's own rules of how it is kept.
type labModel struct {
	people  map[string]*modelPerson
	devices map[string]*modelDevice
	tags    map[int]string    // whose, by number: people 1-9, devices 11-19
	lost    map[int]bool      // badges that were reported lost
	became  map[string]string // pending badges, and whose they turned out to be; who was merged, and into whom
}

type modelPerson struct{ status checkout.Status }

type modelDevice struct {
	status checkout.Status
	holder string
	lost   bool
	since  uint64 // the event that said so, with the number of renamings before it
}

func (m *labModel) clone() *labModel {
	c := &labModel{map[string]*modelPerson{}, map[string]*modelDevice{}, maps.Clone(m.tags), maps.Clone(m.lost), maps.Clone(m.became)}
	for id, p := range m.people {
		p := *p
		c.people[id] = &p
	}
	for id, d := range m.devices {
		d := *d
		c.devices[id] = &d
	}
	return c
}

func (m *labModel) holds(person string) bool {
	for _, d := range m.devices {
		if d.holder == person {
			return true
		}
	}
	return false
}

// labMachine plays a lab against a ledger. Every operation says before it is made
// whether it must go through, and after each the ledger's list of loans must be
// the model's, and its chain and links must verify.
type labMachine struct {
	*tester
	m      *labModel
	backup string // newest, and what was true then
	then   *labModel
	names  uint64          // that the station has had
	erased map[string]bool // since the backup
	did    []string
}

func (x *labMachine) person(rt *rapid.T) string { return registered(rt, "person", x.m.people) }

func (x *labMachine) device(rt *rapid.T) string { return registered(rt, "device", x.m.devices) }

// registered draws one that is in the register: of those that are pending an
// admin knows no ID.
func registered[T any](rt *rapid.T, what string, all map[string]T) string {
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), checkout.IsPendingID)
	return rapid.SampledFrom(ids).Draw(rt, what)
}

// happened holds an operation's error against whether it should have gone
// through.
func (x *labMachine) happened(rt *rapid.T, err error, may bool, format string, a ...any) bool {
	what := fmt.Sprintf(format, a...)
	x.did = append(x.did, fmt.Sprintf("%s (%v)", what, err))
	var taken *books.TagTakenError
	switch {
	case may && err != nil:
		x.fail(rt, "it failed")
	case !may && err == nil:
		x.fail(rt, "it was not refused")
	case err != nil && !errors.Is(err, checkout.ErrRefused) && !errors.As(err, &taken) && !errors.Is(err, books.ErrNotFound):
		x.fail(rt, "that is no refusal")
	}
	return err == nil
}

// fail ends the test with all that was done.
func (x *labMachine) fail(rt *rapid.T, format string, a ...any) {
	rt.Helper()
	rt.Fatalf("%s\n%s", fmt.Sprintf(format, a...), strings.Join(x.did, "\n"))
}

func (x *labMachine) Bump(rt *rapid.T) {
	p, d := rapid.IntRange(1, 6).Draw(rt, "badge"), rapid.IntRange(11, 16).Draw(rt, "tag")
	policy := rapid.SampledFrom([]checkout.Policy{checkout.PolicyHandover, checkout.PolicyReturn, checkout.PolicyRefuse}).Draw(rt, "policy")
	subject := func(n int, kind checkout.SubjectKind) checkout.Subject {
		s, err := x.Subject(tag(n))
		if err != nil {
			x.fail(rt, "%v", err)
		}
		if s.Kind == checkout.Unknown {
			return checkout.Subject{Kind: kind, Tag: tag(n), Pending: true}
		}
		return s
	}
	want := x.m.bump(p, d, policy)
	ev, err := x.Complete(checkout.Completion{Person: subject(p, checkout.KindPerson), Device: subject(d, checkout.KindDevice), Policy: policy, Reader: "door"})
	if !x.happened(rt, err, want != "", "bump %d %d %s", p, d, policy) {
		return
	}
	if ev.Kind != want {
		x.fail(rt, "it was a %s, not a %s", ev.Kind, want)
	}
	if x.m.tags[p] == "" {
		x.m.tags[p], x.m.people[ev.Person] = ev.Person, &modelPerson{}
	}
	if x.m.tags[d] == "" {
		x.m.tags[d], x.m.devices[ev.Device] = ev.Device, &modelDevice{}
	}
	dev := x.m.devices[x.m.tags[d]]
	dev.holder, dev.lost, dev.since = x.m.tags[p], false, ev.Seq
	if want == checkout.Return {
		dev.holder = ""
	}
}

// bump is what a pair means, "" for a refusal.
func (m *labModel) bump(badge, device int, policy checkout.Policy) checkout.Kind {
	if p := m.people[m.tags[badge]]; p != nil && p.status != checkout.Active || m.lost[badge] {
		return ""
	}
	d := m.devices[m.tags[device]]
	switch {
	case d == nil:
		return checkout.Checkout
	case d.status != checkout.Active:
		return ""
	case d.holder == "":
		return checkout.Checkout
	case d.holder == m.tags[badge], policy == checkout.PolicyReturn:
		return checkout.Return
	case policy == checkout.PolicyHandover:
		return checkout.Handover
	}
	return ""
}

func (x *labMachine) Admin(rt *rapid.T) {
	d, p := x.device(rt), x.person(rt)
	dev := x.m.devices[d]
	r := books.Request{Device: d, Person: x.called(rt, p), Actor: rapid.SampledFrom([]string{"admin", p}).Draw(rt, "actor")}
	var ev checkout.Event
	var err error
	switch what := rapid.SampledFrom([]string{"give", "return", "lose", "find"}).Draw(rt, "what"); {
	case what == "give":
		ev, err = x.Give(r)
		if x.happened(rt, err, dev.holder != p && dev.status == checkout.Active && x.m.people[p].status == checkout.Active, "give %s to %s", d, p) {
			dev.holder, dev.lost, dev.since = p, false, ev.Seq
		}
	case what == "return":
		ev, err = x.Return(r)
		if x.happened(rt, err, dev.holder != "", "return %s", d) {
			dev.holder, dev.since = "", ev.Seq
		}
	case what == "lose":
		ev, err = x.Lose(r)
		if x.happened(rt, err, !dev.lost && dev.status != checkout.Retired, "lose %s", d) {
			dev.holder, dev.lost, dev.since = "", true, ev.Seq
		}
	case what == "find":
		ev, err = x.Find(r)
		if x.happened(rt, err, dev.lost, "find %s", d) {
			dev.lost, dev.since = false, ev.Seq
		}
	}
}

// called draws an id by which somebody can be called: theirs, or that of one who was
// merged into them.
func (x *labMachine) called(rt *rapid.T, p string) string {
	ids := []string{p}
	for _, was := range slices.Sorted(maps.Keys(x.m.became)) {
		if x.m.became[was] == p && !checkout.IsPendingID(was) {
			ids = append(ids, was)
		}
	}
	return rapid.SampledFrom(ids).Draw(rt, "called")
}

func (x *labMachine) Merge(rt *rapid.T) {
	old, into := x.called(rt, x.person(rt)), x.person(rt)
	may := x.m.people[old] != nil && old != into && x.m.people[into].status != checkout.Retired
	_, err := x.MergePeople(old, x.called(rt, into), "admin", checkout.SourceCLI)
	if !x.happened(rt, err, may, "merge %s into %s", old, into) {
		return
	}
	delete(x.m.people, old)
	x.m.became[old] = into
	for was, of := range x.m.became {
		if of == old {
			x.m.became[was] = into
		}
	}
	for n, of := range x.m.tags {
		if of == old {
			x.m.tags[n] = into
		}
	}
	for _, d := range x.m.devices {
		if d.holder == old {
			d.holder = into
		}
	}
}

func (x *labMachine) PersonStatus(rt *rapid.T) {
	p, s := x.person(rt), rapid.SampledFrom([]checkout.Status{checkout.Active, checkout.Suspended, checkout.Retired}).Draw(rt, "status")
	err := x.EditPerson(p, books.Edit{Status: &s}, "admin", checkout.SourceCLI)
	may := s != checkout.Retired || x.m.people[p].status == checkout.Retired || !x.m.holds(p)
	if x.happened(rt, err, may, "%s %s", p, s) {
		x.m.people[p].status = s
	}
}

func (x *labMachine) DeviceStatus(rt *rapid.T) {
	d, s := x.device(rt), rapid.SampledFrom([]checkout.Status{checkout.Active, checkout.Retired}).Draw(rt, "status")
	dev := x.m.devices[d]
	err := x.EditDevice(d, books.Edit{Status: &s}, "admin", checkout.SourceCLI)
	if !x.happened(rt, err, s == checkout.Active || dev.status == checkout.Retired || dev.holder == "", "%s %s", d, s) {
		return
	}
	dev.status = s
	if s == checkout.Active && dev.lost {
		info, err := x.Info()
		if err != nil {
			rt.Fatal(err)
		}
		dev.lost, dev.since = false, info.Seq
	}
}

func (x *labMachine) EnrolBadge(rt *rapid.T) {
	p, n := x.person(rt), rapid.IntRange(1, 6).Draw(rt, "badge")
	was := x.m.tags[n]
	_, err := x.Ledger.EnrolPerson(p, tag(n), "admin", checkout.SourceCLI)
	may := x.m.people[p].status != checkout.Retired && !x.m.lost[n] && (was == "" || was == p || checkout.IsPendingID(was) || x.m.people[was].status == checkout.Retired)
	if !x.happened(rt, err, may, "enrol %d for %s", n, p) {
		return
	}
	if checkout.IsPendingID(was) {
		delete(x.m.people, was)
		x.m.became[was] = p
		for _, d := range x.m.devices {
			if d.holder == was {
				d.holder = p
			}
		}
	}
	x.m.tags[n] = p // beside those that they have
}

// BadgeLost reports a badge lost, or says that it is there again.
func (x *labMachine) BadgeLost(rt *rapid.T) {
	n := rapid.IntRange(1, 6).Draw(rt, "badge")
	p := x.m.tags[n]
	if p == "" || checkout.IsPendingID(p) {
		return
	}
	e := books.Edit{LostBadge: books.BadgeRef{Tag: tag(n)}}
	if x.m.lost[n] {
		e = books.Edit{FoundBadge: e.LostBadge}
	}
	if x.happened(rt, x.EditPerson(p, e, "admin", checkout.SourceCLI), true, "badge %d of %s lost: %v", n, p, !x.m.lost[n]) {
		x.m.lost[n] = !x.m.lost[n]
	}
}

func (x *labMachine) EnrolTag(rt *rapid.T) {
	d, n := x.device(rt), rapid.IntRange(11, 16).Draw(rt, "tag")
	was := x.m.tags[n]
	_, err := x.Ledger.EnrolDevice(d, tag(n), "admin", checkout.SourceCLI)
	may := x.m.devices[d].status != checkout.Retired && (was == "" || was == d || checkout.IsPendingID(was) || x.m.devices[was].status == checkout.Retired)
	if !x.happened(rt, err, may, "enrol %d for %s", n, d) {
		return
	}
	if checkout.IsPendingID(was) {
		if x.m.devices[was].since > x.m.devices[d].since {
			status := x.m.devices[d].status
			x.m.devices[d] = x.m.devices[was]
			x.m.devices[d].status = status
		}
		delete(x.m.devices, was)
	}
	x.m.enrolled(n, d)
}

func (m *labModel) enrolled(n int, id string) {
	maps.DeleteFunc(m.tags, func(_ int, of string) bool { return of == id })
	m.tags[n] = id
}

func (x *labMachine) Deliver(rt *rapid.T) {
	for _, sink := range x.o.Sinks {
		var keys []RowKey
		for _, r := range rowsFor(x.t, x.Ledger, sink) {
			keys = append(keys, r.Key)
		}
		if err := x.Delivered(sink, keys...); err != nil {
			rt.Fatal(err)
		}
	}
}

func (x *labMachine) Erase(rt *rapid.T) {
	p := x.person(rt)
	x.Deliver(rt)
	if x.happened(rt, x.ErasePerson(p, "admin", checkout.SourceCLI), !x.m.holds(p), "erase %s", p) {
		delete(x.m.people, p)
		maps.DeleteFunc(x.m.lost, func(n int, _ bool) bool { return x.m.tags[n] == p })
		maps.DeleteFunc(x.m.tags, func(_ int, of string) bool { return of == p })
		x.erased[p] = true
		for was, of := range x.m.became {
			if of == p {
				x.erased[was] = true
				delete(x.m.became, was)
			}
		}
		x.hireIfNobody(rt)
	}
}

func (x *labMachine) hireIfNobody(rt *rapid.T) {
	for id := range x.m.people {
		if !checkout.IsPendingID(id) {
			return
		}
	}
	x.Hire(rt)
}

func (x *labMachine) Hire(rt *rapid.T) {
	id := rapid.SampledFrom([]string{"ann", "ben", "cem", "dee"}).Draw(rt, "id")
	err := x.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id)}, checkout.Tag{}, "admin", checkout.SourceCLI)
	var exists *books.ExistsError
	if errors.As(err, &exists) != (x.m.people[id] != nil || x.m.became[id] != "") || err != nil && exists == nil {
		rt.Fatalf("hire %s: %v", id, err)
	}
	if err == nil {
		x.did = append(x.did, "hire "+id)
		x.m.people[id] = &modelPerson{}
	}
}

func (x *labMachine) Upkeep(rt *rapid.T) {
	x.clock.add(time.Hour)
	what := rapid.SampledFrom([]string{"forget", "scrub", "reopen", "salvage"}).Draw(rt, "upkeep")
	x.did = append(x.did, what)
	var err error
	switch what {
	case "forget":
		_, err = x.Anonymise(context.Background(), x.clock.wall)
		x.forget()
	case "scrub":
		err = x.Scrub(context.Background())
	case "reopen":
		x.reopen()
	case "salvage":
		err = x.Close()
		if err == nil {
			err = os.WriteFile(beside.SuspectPath(x.path), []byte("a test says so"), 0o600)
		}
		if err == nil {
			x.Ledger, _, err = OpenOrSalvage(x.path, x.o)
		}
	}
	if err != nil {
		x.fail(rt, "%s: %v", what, err)
	}
}

// forget forgets of the backup's loans those that were closed since: they do not
// come back.
func (x *labMachine) forget() {
	if x.then == nil {
		return
	}
	for _, d := range x.then.devices {
		open := false
		for _, now := range x.m.devices { // under whatever name: a pending tag may have been resolved
			open = open || now.holder != "" && now.since == d.since
		}
		if !open {
			d.holder = ""
		}
	}
}

func (x *labMachine) Rename(rt *rapid.T) {
	x.names++
	x.o.Station = fmt.Sprint("lab", x.names)
	x.did = append(x.did, "the station is "+x.o.Station)
	x.reopen()
}

func (x *labMachine) Backup(rt *rapid.T) {
	x.backup = filepath.Join(filepath.Dir(x.path), fmt.Sprintf("backup-%d", len(x.did)))
	if err := x.BackupTo(context.Background(), x.backup); err != nil {
		rt.Fatal(err)
	}
	x.then, x.erased = x.m.clone(), map[string]bool{}
	x.did = append(x.did, "backup")
}

func (x *labMachine) Restore(rt *rapid.T) {
	if x.backup == "" {
		return
	}
	x.did = append(x.did, "restore")
	err := x.Close()
	if err == nil {
		_, err = restoreFrom(context.Background(), x.path, x.backup, x.o, RestoreOptions{Actor: "admin", Fork: true})
	}
	if err == nil {
		x.Ledger, err = Open(x.path, x.o)
	}
	if err != nil {
		x.fail(rt, "restore: %v", err)
	}
	x.m = x.then.clone()
	for p := range x.erased {
		delete(x.m.people, p)
		delete(x.m.became, p)
		maps.DeleteFunc(x.m.lost, func(n int, _ bool) bool { return x.m.tags[n] == p })
		maps.DeleteFunc(x.m.tags, func(_ int, of string) bool { return of == p })
		for _, d := range x.m.devices {
			if d.holder == p {
				d.holder = "" // they had nothing when they were erased
			}
		}
	}
	x.backup, x.then = "", nil
	x.hireIfNobody(rt)
}

func (x *labMachine) Check(rt *rapid.T) {
	var who []string
	for l, err := range x.Loans(books.LoanFilter{}) {
		if err != nil {
			x.fail(rt, "loans: %v", err)
		}
		who = append(who, l.DeviceID+"="+l.PersonID)
	}
	slices.Sort(who)
	if got, want := strings.Join(who, " "), x.m.who(); got != want {
		x.fail(rt, "who\n got %s\nwant %s", got, want)
	}
	for was, now := range x.m.became {
		if p, err := x.FindPerson(was); !checkout.IsPendingID(was) && (err != nil || p.ID != now) {
			x.fail(rt, "%s is %s now, not %v %v", was, now, p, err)
		}
	}
	r, err := x.Verify(context.Background(), VerifyOptions{})
	if err != nil || !r.OK() {
		x.fail(rt, "verify: %v %v", err, r)
	}
}

// who is what Loans should list; it shows no pending ids.
func (m *labModel) who() string {
	var s []string
	for id, d := range m.devices {
		if d.holder == "" {
			continue
		}
		shown := func(id string) string {
			if checkout.IsPendingID(id) {
				return ""
			}
			return id
		}
		s = append(s, shown(id)+"="+shown(d.holder))
	}
	slices.Sort(s)
	return strings.Join(s, " ")
}

func TestLedgerAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := &labMachine{tester: newLedgerIn(t, memDir(t)), erased: map[string]bool{}}
		defer x.Close()
		x.m = &labModel{map[string]*modelPerson{}, map[string]*modelDevice{}, map[int]string{}, map[int]bool{}, map[string]string{}}
		for i, id := range []string{"ann", "ben", "cem"} {
			x.m.people[id], x.m.tags[1+i] = &modelPerson{}, id
		}
		for i, id := range []string{"ipad", "pixel", "nexus"} {
			x.m.devices[id], x.m.tags[11+i] = &modelDevice{}, id
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": x.Check, "bump": x.Bump, "bump again": x.Bump, "admin": x.Admin, "person's status": x.PersonStatus,
			"device's status": x.DeviceStatus, "badge": x.EnrolBadge, "badge lost": x.BadgeLost, "tag": x.EnrolTag, "deliver": x.Deliver, "erase": x.Erase, "merge": x.Merge, "hire": x.Hire,
			"upkeep": x.Upkeep, "rename": x.Rename, "backup": x.Backup, "restore": x.Restore,
		})
	})
}
