package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/kit"
	"stump/checkout/ledger/kits"
	"stump/internal/books"
)

// newKit is a ledger with a box (tag 14), of which the pixel, the nexus and the cable, which
// has no tag, are parts.
func newKit(t testing.TB) *tester {
	t.Helper()
	x := newLedger(t)
	x.ok(x.AddDevice(books.Device{ID: "box", Name: "Box B"}, tag(14), "admin", checkout.SourceCLI))
	x.ok(x.AddDevice(books.Device{ID: "cable", Name: "Cable", Kit: "box"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	x.join("pixel", "box")
	x.join("nexus", "Box B")
	return x
}

func (x *tester) join(part, box string) {
	x.t.Helper()
	x.ok(x.EditDevice(part, books.Edit{Kit: &box}, "admin", checkout.SourceCLI))
}

// taken is who has what, as "device=person", with a + where it is in its kit, and a - where it
// is missing from it.
func (x *tester) taken() string {
	x.t.Helper()
	var s []string
	for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall}) {
		x.ok(err)
		mark := map[bool]string{true: "-", false: "+"}[l.Missing]
		if l.Kit == "" {
			mark = ""
		}
		s = append(s, l.DeviceID+"="+l.PersonID+mark)
	}
	return strings.Join(s, " ")
}

// check is a bump at a desk that asks for parts.
func (x *tester) check(person, device int) checkout.Event {
	x.t.Helper()
	ev, err := x.Complete(checkout.Completion{Person: x.subject(person), Device: x.subject(device), CheckKits: true, Reader: "door"})
	x.ok(err)
	return ev
}

func asked(ev checkout.Event) (ids []string) {
	for _, p := range ev.Asked {
		ids = append(ids, p.ID+" of "+p.Kit+" "+p.KitName)
	}
	return ids
}

func TestKit(t *testing.T) {
	x := newKit(t)
	ev := x.bump(1, 14)
	want(t, "all of it", x.taken(), "box=ann cable=ann+ nexus=ann+ pixel=ann+")
	want(t, "what the desk says", fmt.Sprint(ev.Device, ev.Along, ev.Without), "box[Cable The nexus The pixel] []")
	x.bump(1, 12)
	want(t, "one comes back by itself", x.taken(), "box=ann cable=ann+ nexus=ann+")
	x.bump(3, 12)
	ev = x.bump(2, 14)
	want(t, "what is in it goes along", x.taken(), "box=ben cable=ben+ nexus=ben+ pixel=cem")
	want(t, "what is not", fmt.Sprint(ev.Kind, ev.Device, ev.Along, ev.Without), "handoverbox[Cable The nexus] [The pixel]")
	ev = x.bump(2, 14)
	want(t, "and comes back", x.taken(), "pixel=cem")
	want(t, "nobody asks for what is known not to be in it", fmt.Sprint(ev.Along, ev.Without, ev.Asked), "[Cable The nexus] [] []")
	want(t, "ben's events", x.history(books.HistoryFilter{Person: "ben"}), "2:enrol 16:handover 17:handover 18:handover 19:return 20:return 21:return")
	for e, err := range x.History(books.HistoryFilter{Device: "nexus", Kind: checkout.Handover}) {
		x.ok(err)
		want(t, "an event of a part", fmt.Sprint(e.Kit, " ", e.From, " ", e.Actor, " ", *e.JSON().Note), "box ann ben kit: box")
	}
	ev = x.bump(2, 14)
	want(t, "it goes out without", fmt.Sprint(ev.Along, ev.Without), "[Cable The nexus] [The pixel]")
	x.verify()
	x.reopen()
	want(t, "over a restart", x.taken(), "box=ben cable=ben+ nexus=ben+ pixel=cem")
}

// TestKitPolicies: held_by_other decides about the box, and its parts follow.
func TestKitPolicies(t *testing.T) {
	x := newKit(t)
	x.bump(1, 14)
	with := func(p checkout.Policy) (checkout.Event, error) {
		return x.Complete(checkout.Completion{Person: x.subject(2), Device: x.subject(14), Policy: p, CheckKits: true})
	}
	_, err := with(checkout.PolicyRefuse)
	if !errors.Is(err, checkout.ErrRefused) {
		t.Error(err)
	}
	want(t, "refused", x.taken(), "box=ann cable=ann+ nexus=ann+ pixel=ann+")
	ev, err := with(checkout.PolicyReturn)
	x.ok(err)
	want(t, "ben brings it for ann", fmt.Sprint(ev.Kind, ev.Person, ev.From, asked(ev)), "returnbenann[nexus of box Box B pixel of box Box B]")
	want(t, "what has a tag is asked for", x.taken(), "nexus=ann- pixel=ann-")
	for _, tt := range []struct {
		policy checkout.Policy
		want   string
	}{{checkout.PolicyHandover, "refused: Ann has The pixel"}, {checkout.PolicyRefuse, "refused: Ann has The pixel"}, {checkout.PolicyReturn, "<nil>"},
		{checkout.PolicyReturn, "refused: The pixel is not with Ben"}} {
		_, err := x.Complete(checkout.Completion{Person: x.subject(2), Device: x.subject(12), Policy: tt.policy, Back: true})
		want(t, "a part by "+string(tt.policy), fmt.Sprint(err), tt.want)
	}
	want(t, "nobody got anything", x.taken(), "nexus=ann-")
	x.verify()
}

// TestIncomplete: what was not bumped is noted, and stays with whom it is; the last part that
// comes makes the kit complete again.
func TestIncomplete(t *testing.T) {
	x := newKit(t)
	condition := func() string {
		d, err := x.FindDevice("box")
		x.ok(err)
		return d.Condition
	}
	x.check(1, 14)
	ev := x.check(1, 14)
	want(t, "asked", fmt.Sprint(ev.Kind, ev.Along, asked(ev)), "return[Cable] [nexus of box Box B pixel of box Box B]")
	ev, err := x.Incomplete("box", []string{"nexus", "pixel", "cable", "ipad"}, "door")
	x.ok(err)
	want(t, "the event", fmt.Sprint(ev.Kind, ev.Device, ev.Person, ev.Missing, ev.Condition, ev.Reader), "incompletebox[The nexus The pixel]incompletedoor")
	want(t, "in words", *books.Entry{Event: ev}.JSON().Note, "condition: incomplete, missing: The nexus, The pixel")
	want(t, "the box", condition(), "incomplete")
	var due []string
	for _, sink := range []string{"dir", "hook"} {
		for _, r := range rowsFor(t, x.Ledger, sink) {
			if r.Event.Kind == checkout.Incomplete {
				due = append(due, sink)
			}
		}
	}
	want(t, "who is told", fmt.Sprint(due), "[dir hook]")
	x.bump(1, 12)
	want(t, "one came", condition(), "incomplete")
	x.bump(2, 14)
	want(t, "the box goes out without it", x.taken(), "box=ben cable=ben+ nexus=ann- pixel=ben+")
	x.bump(1, 13)
	want(t, "the last came", condition(), "")
	ev, err = x.Incomplete("box", []string{"nexus"}, "door")
	x.ok(err)
	want(t, "nothing is missing", ev.Seq, 0)
	x.verify()
	x.ok(x.Close())
	x.salvaged()
	want(t, "after a salvage", x.taken(), "box=ben cable=ben+ pixel=ben+")
	want(t, "the same parts", x.partsOf("box"), "cable nexus pixel")
	x.verify()
}

func (x *tester) partsOf(box string) string {
	x.t.Helper()
	all, err := x.Parts(box)
	x.ok(err)
	var ids []string
	for _, p := range all {
		ids = append(ids, p.ID)
	}
	return strings.Join(ids, " ")
}

// TestMissingIsNotInTheNextLoan: whoever did not bring a part, and takes the box again, has
// not brought the part with it.
func TestMissingIsNotInTheNextLoan(t *testing.T) {
	x := newKit(t)
	x.bump(1, 14)
	_, err := x.Return(books.Request{Device: "box", Actor: "root", Missing: []string{"pixel"}})
	x.ok(err)
	ev := x.bump(1, 14)
	want(t, "ann takes it again", fmt.Sprint(x.taken(), ev.Without), "box=ann cable=ann+ nexus=ann+ pixel=ann-[The pixel]")
	x.bump(1, 14)
	want(t, "and brings it", x.taken(), "pixel=ann-")
	x.bump(2, 12)
	want(t, "ben takes it over", x.taken(), "pixel=ben")
}

// TestKitLoans: a kit is lent until one day, extended as one, and overdue as one.
func TestKitLoans(t *testing.T) {
	x := newKit(t)
	x.o.Loans.Length, x.o.Loans.Kinds, x.o.Loans.Extensions = 48*time.Hour, map[string]time.Duration{"phone": time.Hour}, 1
	x.reopen()
	dues := func() string {
		due := map[string]string{}
		for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall}) {
			x.ok(err)
			due[l.DeviceID] = l.Due.Format("02T15:04:05")
		}
		all := slices.Sorted(maps.Values(due))
		return fmt.Sprint(len(due), slices.Compact(all))
	}
	x.clock.wall = x.clock.wall.Truncate(time.Second).Add(time.Second - 2*time.Millisecond) // a second ends between two events
	x.bump(1, 14)
	want(t, "one due date", dues(), "4 [23T10:00:00]")
	_, err := x.Extend(books.Request{Device: "box", Actor: "ann", Own: "ann"})
	x.ok(err)
	want(t, "extended as one", dues(), "4 [25T10:00:00]")
	x.clock.add(200 * time.Hour)
	ev, err := x.take(1, 11, checkout.OverdueWarn, "")
	x.ok(err)
	want(t, "what is overdue is the box", ev.Overdue, "Box B")
	x.bump(1, 11)
	x.check(1, 14)
	ev, err = x.take(1, 11, checkout.OverdueWarn, "")
	x.ok(err)
	if ev.Overdue != "The nexus" && ev.Overdue != "The pixel" {
		t.Errorf("what is missing is overdue by itself: %q", ev.Overdue)
	}
	x.verify()
}

// TestLostKit: what is in a box is lost with it, and found.
func TestLostKit(t *testing.T) {
	x := newKit(t)
	lost := func() (ids string) {
		for d, err := range x.Devices(books.Page{}) {
			x.ok(err)
			if d.Lost {
				ids += d.ID + " "
			}
		}
		return ids
	}
	for _, tt := range []struct {
		name string
		do   func()
		lost string
		with string
	}{
		{"in the lab", func() {}, "box cable nexus pixel ", ""},
		{"with ann, who has given one to ben", func() { x.bump(1, 14); x.bump(2, 12) }, "box cable nexus ", "pixel=ben"},
	} {
		tt.do()
		_, err := x.Lose(books.Request{Device: "box", Actor: "root"})
		x.ok(err)
		want(t, tt.name, lost(), tt.lost)
		want(t, tt.name, x.taken(), tt.with)
		_, err = x.Find(books.Request{Device: "cable", Actor: "root"})
		x.ok(err)
		_, err = x.Lose(books.Request{Device: "cable", Actor: "root"})
		x.ok(err)
		_, err = x.Find(books.Request{Device: "box", Actor: "root"})
		x.ok(err)
		want(t, "what was lost by itself", lost(), "cable ")
		_, err = x.Find(books.Request{Device: "cable", Actor: "root"})
		x.ok(err)
	}
	x.verify()
}

// TestKitAndPeople: who has a part that is missing has it, whoever they are now.
func TestKitAndPeople(t *testing.T) {
	x := newKit(t)
	x.bump(1, 14)
	_, err := x.MergePeople("ann", "ben", "root", checkout.SourceCLI)
	x.ok(err)
	want(t, "with ben now", x.taken(), "box=ben cable=ben+ nexus=ben+ pixel=ben+")
	x.check(2, 14)
	err = x.ErasePerson("ben", "root", checkout.SourceCLI)
	if err == nil || !strings.Contains(err.Error(), "Ben still has The nexus, The pixel") {
		t.Error(err)
	}
	x.bump(2, 12)
	x.bump(2, 13)
	x.deliverAll()
	x.ok(x.ErasePerson("ben", "root", checkout.SourceCLI))
	x.ok(x.RetireDevice("box", "root", checkout.SourceCLI))
	x.bump(3, 12)
	want(t, "parts of a retired box", x.taken(), "pixel=cem")
	x.verify()
}

// TestListOfKits: a ledger from before there was a list gets one; a wrong one is found and
// made anew.
func TestListOfKits(t *testing.T) {
	x := newKit(t)
	x.ok(x.update(func(t *txn) {
		t.must(kits.Remove(t.tx, "box", "pixel"))
		t.must(kits.Add(t.tx, "box", "ipad"))
	}))
	r, err := x.Verify(t.Context(), VerifyOptions{})
	x.ok(err)
	want(t, "faults", fmt.Sprint(r.Faults), `[{kits "pixel" is a part of "box", where it is not found} {kits "ipad" is found in "box", and is no part of it}]`)
	x.ok(x.update(func(t *txn) {
		for k := range map[string]bool{"kits": true, "kits/box\x00ipad": true, "kits/box\x00cable": true, "kits/box\x00nexus": true} {
			t.delete('m', []byte(k))
		}
	}))
	x.ok(x.Close())
	l, err := OpenReadOnly(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	want(t, "without a list", x.partsOf("box"), "cable nexus pixel")
	x.reopen()
	want(t, "with one", x.partsOf("box"), "cable nexus pixel")
	x.verify()
}

// kitModel is what people at the lab would say of a box and its parts: who has each, and what
// lies in the box while somebody has it.
type kitModel struct {
	has    map[string]string
	in     map[string]bool // it is in the box that somebody has
	gone   map[string]bool // somebody took it with the box, and has it still; the box has moved since
	lost   map[string]bool
	buried map[string]bool // lost in the box
	member map[string]bool
}

// left: the box moves, and these stay where they are.
func (m *kitModel) left(d string) { m.in[d], m.gone[d] = false, m.has[d] != "" }

// alone: a device moves by itself.
func (m *kitModel) alone(d, to string) {
	m.in[d], m.gone[d], m.has[d], m.lost[d], m.buried[d] = false, false, to, false, false
}

// box moves the box to somebody, "" for back; except stay behind.
func (m *kitModel) box(to string, except map[string]bool) {
	from := m.has["box"]
	m.alone("box", to)
	for d := range m.member {
		switch {
		case m.in[d] && m.member[d] && !except[d]:
			m.has[d], m.in[d] = to, to != ""
		case m.in[d]:
			m.left(d)
		case from == "" && to != "" && m.member[d] && m.has[d] == "" && !m.lost[d]:
			m.has[d], m.in[d] = to, true
		}
	}
}

func (m *kitModel) loseBox() {
	free := m.has["box"] == ""
	m.alone("box", "")
	m.lost["box"] = true
	for d := range m.member {
		switch {
		case m.member[d] && (m.in[d] || free && m.has[d] == "" && !m.lost[d]):
			m.alone(d, "")
			m.lost[d], m.buried[d] = true, true
		case m.in[d]:
			m.left(d)
		}
	}
}

func (m *kitModel) findBox() {
	m.alone("box", "")
	for d := range m.member {
		if m.member[d] && m.buried[d] {
			m.alone(d, "")
		}
	}
}

func (m *kitModel) said() string {
	var s []string
	for _, d := range slices.Sorted(maps.Keys(m.has)) {
		if m.has[d] == "" {
			continue
		}
		mark := ""
		switch {
		case m.member[d] && m.in[d]:
			mark = "+"
		case m.member[d] && m.gone[d]:
			mark = "-"
		}
		s = append(s, d+"="+m.has[d]+mark)
	}
	return strings.Join(s, " ")
}

// TestKitsAgainstModel plays bumps, an admin's words and changes of the box against a model
// that knows where each thing is.
func TestKitsAgainstModel(t *testing.T) {
	names := []string{"", "ann", "ben", "cem"}
	devices := map[int]string{12: "pixel", 13: "nexus", 14: "box"}
	rapid.Check(t, func(rt *rapid.T) {
		x := newKit(t)
		m := &kitModel{map[string]string{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{"pixel": true, "nexus": true, "cable": true}}
		var did []string
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			what := rapid.SampledFrom([]string{"bump", "bump", "bump", "box", "box", "box", "return", "lose", "find", "join", "reopen", "note", "cable"}).Draw(rt, "what")
			did = append(did, what)
			switch what {
			case "bump", "box":
				n, person := 14, rapid.IntRange(1, 3).Draw(rt, "person")
				if what == "bump" {
					n = rapid.IntRange(12, 13).Draw(rt, "device")
				}
				policy := rapid.SampledFrom([]checkout.Policy{checkout.PolicyHandover, checkout.PolicyReturn, checkout.PolicyRefuse}).Draw(rt, "policy")
				check, d, who := rapid.Bool().Draw(rt, "check"), devices[n], names[person]
				kind, ok := checkout.Decide(policy, who, m.has[d])
				ev, err := x.Complete(checkout.Completion{Person: x.subject(person), Device: x.subject(n), Policy: policy, CheckKits: check})
				did = append(did, fmt.Sprint(who, d, policy, check))
				if ok != (err == nil) || ok && ev.Kind != kind {
					rt.Fatalf("%v: %s, %v", did, ev.Kind, err)
				}
				to, except := who, map[string]bool{}
				if kind == checkout.Return {
					to, except = "", map[string]bool{"pixel": check, "nexus": check}
				}
				switch {
				case !ok:
				case n == 14:
					expected := 0
					for d := range except {
						if except[d] && m.in[d] && m.member[d] {
							expected++
						}
					}
					m.box(to, except)
					if len(ev.Asked) != expected {
						rt.Fatalf("%v: asked for %v, want %d", did, ev.Asked, expected)
					}
				default:
					m.alone(d, to)
				}
			case "return":
				var missing []string
				may := m.has["box"] != ""
				for _, d := range []string{"pixel", "cable"} {
					if rapid.IntRange(0, 4).Draw(rt, "missing") == 0 {
						missing = append(missing, d)
						may = may && m.in[d] && m.member[d]
					}
				}
				_, err := x.Return(books.Request{Device: "box", Actor: "root", Missing: missing})
				if may != (err == nil) {
					rt.Fatalf("%v %v: %v", did, missing, err)
				}
				if may {
					m.box("", map[string]bool{"pixel": slices.Contains(missing, "pixel"), "cable": slices.Contains(missing, "cable")})
				}
			case "lose":
				if _, err := x.Lose(books.Request{Device: "box", Actor: "root"}); m.lost["box"] != (err != nil) {
					rt.Fatalf("%v: %v", did, err)
				} else if err == nil {
					m.loseBox()
				}
			case "find":
				if _, err := x.Find(books.Request{Device: "box", Actor: "root"}); m.lost["box"] != (err == nil) {
					rt.Fatalf("%v: %v", did, err)
				} else if err == nil {
					m.findBox()
				}
			case "cable":
				who := names[rapid.IntRange(1, 3).Draw(rt, "person")]
				if _, err := x.Give(books.Request{Device: "cable", Person: who, Actor: "root"}); (m.has["cable"] == who) != (err != nil) {
					rt.Fatalf("%v: %v", did, err)
				} else if err == nil {
					m.alone("cable", who)
				}
			case "join":
				d := rapid.SampledFrom([]string{"pixel", "nexus", "cable"}).Draw(rt, "part")
				m.member[d] = !m.member[d]
				x.join(d, map[bool]string{true: "box", false: ""}[m.member[d]])
				did = append(did, d)
			case "note":
				_, err := x.Incomplete("box", []string{"pixel", "nexus"}, "door")
				x.ok(err)
			case "reopen":
				x.reopen()
			}
			if got := x.taken(); got != m.said() {
				rt.Fatalf("%v:\n got %s\nwant %s", did, got, m.said())
			}
		}
		x.verify()
	})
}

// TestKitFates: what the rules call a part is what its row says.
func TestKitFates(t *testing.T) {
	x := newKit(t)
	x.bump(1, 12)
	x.ok(x.RetireDevice("nexus", "root", checkout.SourceCLI))
	x.ok(x.view(func(tx *txn) {
		got := map[string]kit.Part{}
		for _, p := range tx.parts("box") {
			got[p.id] = p.ofKit(false)
		}
		want(t, "parts", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", map[string]kit.Part{
			"pixel": {Held: true, Tagged: true}, "nexus": {Retired: true, Tagged: true}, "cable": {}}))
	}))
}

// TestImportKits: a file says which devices are parts of which, in any order of its rows and
// in one piece or several. It is refused as a whole if a kit were in a kit, in itself, or in
// nothing that is known, by how it would be in the end.
func TestImportKits(t *testing.T) {
	few, batch := fewRows, batchRows
	bigImports(t, few, batch) // what it was comes back
	ids := []string{"ipad", "pixel", "nexus", "new", "newer"}
	refused := 0
	rapid.Check(t, func(rt *rapid.T) {
		fewRows, batchRows = few, batch
		if rapid.Bool().Draw(rt, "in pieces") {
			fewRows, batchRows = 0, 1
		}
		x := newLedger(t)
		kits := map[string]string{"ipad": "", "pixel": "", "nexus": ""}
		for range rapid.IntRange(1, 4).Draw(rt, "files") {
			end := maps.Clone(kits)
			var file []books.ImportRow
			for _, id := range rapid.Permutation(ids).Draw(rt, "ids")[:rapid.IntRange(1, 5).Draw(rt, "rows")] {
				r := books.ImportRow{ID: id, Name: "The " + id, Kind: "phone", HasDetail: true, Has: books.HasKit, Kit: rapid.SampledFrom(append(ids, "", "", "", "toaster")).Draw(rt, "kit")}
				end[id] = r.Kit
				file = append(file, r)
			}
			bad := false
			for id, box := range end {
				of, known := end[box]
				bad = bad || box != "" && (!known || of != "" || box == id)
			}
			_, err := x.Import(t.Context(), checkout.KindDevice, seq(file), books.ImportOptions{Actor: "root"})
			if bad != (err != nil) {
				rt.Fatalf("%v becomes %v: %v", kits, end, err)
			}
			if bad {
				refused++
			} else {
				kits = end
			}
			for id, box := range kits {
				d, err := x.FindDevice(id)
				if err != nil || d.Kit != box {
					rt.Fatalf("%s is a part of %q, want %q: %v", id, d.Kit, box, err)
				}
			}
		}
		x.verify()
		x.ok(x.Close())
	})
	if refused == 0 {
		t.Error("no file was refused")
	}
}

// TestKitRules: what the rules keep from somebody, they don't get in a box, either; the refusal
// names the part. What a box has in it counts by its kind, and the box as one of all.
func TestKitRules(t *testing.T) {
	phone, drone := "phone", "drone"
	for _, tt := range []struct {
		name  string
		needs map[string][]string
		limit map[string]int
		takes []int // before the box
		want  string
	}{
		{"no rules", nil, nil, nil, "handover"},
		{"a part that needs a group", map[string][]string{"drone": {"trained"}}, nil, nil, "nexus: Ben does not get The nexus: not in the group trained"},
		{"a group for the box", map[string][]string{"": {"trained"}}, nil, nil, "box: Ben does not get Box B: not in the group trained"},
		{"another kind", map[string][]string{"laser": {"trained"}}, nil, nil, "handover"},
		{"a phone too many", nil, map[string]int{"phone": 1}, []int{11}, "pixel: Ben does not get The pixel: the limit is 1 phone"},
		{"as many as may be", nil, map[string]int{"phone": 2}, []int{11}, "handover"},
		{"of all kinds it is one", nil, map[string]int{"*": 1}, nil, "handover"},
		{"and one too many", nil, map[string]int{"*": 1}, []int{11}, "box: Ben does not get Box B: the limit is 1"},
	} {
		x := newKit(t)
		x.ok(x.EditDevice("ipad", books.Edit{Kind: &phone}, "admin", checkout.SourceCLI))
		x.ok(x.EditDevice("pixel", books.Edit{Kind: &phone}, "admin", checkout.SourceCLI))
		x.ok(x.EditDevice("nexus", books.Edit{Kind: &drone}, "admin", checkout.SourceCLI))
		x.bump(1, 14)
		for _, device := range tt.takes {
			x.bump(2, device)
		}
		x.o.Loans.Needs, x.o.Loans.Limit = tt.needs, tt.limit
		x.reopen()
		before := x.taken()
		ev, err := x.Complete(checkout.Completion{Person: x.subject(2), Device: x.subject(14)})
		got := string(ev.Kind)
		var no *checkout.RefusedError
		if errors.As(err, &no) {
			got = no.Subject.ID + ": " + strings.TrimPrefix(no.Error(), "refused: ")
			want(t, tt.name+", refused", x.taken(), before)
			given, err := x.Give(books.Request{Device: "box", Person: "ben", Actor: "admin"})
			x.ok(err)
			if about, _, _ := strings.Cut(got, ":"); about == "box" != !strings.HasPrefix(given.Against, "The ") || given.Against == "" {
				t.Errorf("%s: an admin reads %q", tt.name, given.Against)
			}
		} else {
			x.ok(err)
		}
		want(t, tt.name, got, tt.want)
		x.verify()
	}
	// What lies elsewhere is not taken, and so is not asked of anybody.
	x := newKit(t)
	x.ok(x.EditDevice("nexus", books.Edit{Kind: &drone}, "admin", checkout.SourceCLI))
	x.bump(3, 13)
	x.o.Loans.Needs = map[string][]string{"drone": {"trained"}}
	x.reopen()
	want(t, "the part is elsewhere", fmt.Sprint(x.bump(2, 14).Without), "[The nexus]")
	want(t, "it comes back", string(x.bump(2, 14).Kind), "return")

	// What is in a box counts for who takes another of the kind.
	x = newKit(t)
	x.ok(x.EditDevice("ipad", books.Edit{Kind: &phone}, "admin", checkout.SourceCLI))
	x.ok(x.EditDevice("pixel", books.Edit{Kind: &phone}, "admin", checkout.SourceCLI))
	x.o.Loans.Limit = map[string]int{"phone": 2}
	x.reopen()
	x.bump(1, 14)
	want(t, "a phone beside the box", x.tryTake(1, 11, ""), "Ann: the limit is 2 phone")
}
