//go:build services

package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/internal/lab/wire"
)

// lease asks for a work under a fence.
func (m *member) lease(fence uint64, done ...string) (wire.Leased, error) {
	return m.Lease(m.Context(), m.from, &wire.Lease{Work: "read", Fence: fence, Done: done})
}

// lapse is two minutes in which nobody was heard.
func (x *site) lapse() {
	x.Helper()
	_, err := x.pool.Exec(x.Context(), `update lease set until = until - interval '3 minutes'`)
	x.ok(err)
}

// TestLease: one station has a work until it has not asked for two minutes; then another has it,
// under a higher fence, and what the first sends is refused.
func TestLease(t *testing.T) {
	x := newSite(t)
	north, south := x.station("north"), x.station("south")
	has := func(what string, m *member, fence, want uint64) wire.Leased {
		t.Helper()
		got, err := m.lease(fence)
		x.ok(err)
		same(t, what, got.Fence, want)
		return got
	}
	if got := has("the first", north, 0, 1); got.For != int64(2*time.Minute) {
		t.Errorf("for %v", time.Duration(got.For))
	}
	if got := has("the second", south, 0, 0); got.For <= 0 || got.For > int64(2*time.Minute) {
		t.Errorf("it may ask again in %v", time.Duration(got.For))
	}
	has("the first goes on", north, 1, 1)
	has("the first, started again", north, 0, 2)
	x.lapse()
	has("the first goes on late, while nobody has asked", north, 2, 2)
	x.lapse()
	has("the second takes over", south, 0, 3)
	_, err := north.lease(2)
	is(t, "the first goes on", err, wire.CodeFenced)
	has("the first asks anew", north, 0, 0)
	_, err = south.lease(9)
	is(t, "a fence that was never given", err, wire.CodeFenced)

	other, err := north.Lease(t.Context(), north.from, &wire.Lease{Work: "remind"})
	x.ok(err)
	same(t, "another work", other.Fence, 1)
	x.ok(south.Leave(t.Context(), south.from))
	_, err = south.lease(3)
	is(t, "one that has left", err, wire.CodeNotHere)
	for _, bad := range []wire.Lease{{}, {Work: strings.Repeat("w", 1001)}, {Work: "read", Done: make([]string, 501)}, {Work: "read", Done: []string{strings.Repeat("d", 1001)}}} {
		_, err := north.Lease(t.Context(), north.from, &bad)
		is(t, fmt.Sprintf("%.30v", bad), err, wire.CodeInvalid)
	}
}

// TestLeaseRace: of many that ask at once at several hubs, one has the work.
func TestLeaseRace(t *testing.T) {
	x := newSite(t)
	hubs := []*Store{x.Store, x.another(), x.another()}
	const stations = 12
	var all sync.WaitGroup
	fences := make([]uint64, stations)
	for i := range stations {
		m := x.station(fmt.Sprint("station-", i))
		all.Go(func() {
			got, err := hubs[i%len(hubs)].Lease(t.Context(), m.from, &wire.Lease{Work: "read"})
			if fences[i] = got.Fence; err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var sum uint64
	for _, f := range fences {
		sum += f
	}
	same(t, "the fences together", sum, 1)
}

// TestDoneOnce: what one station has done under a lease, the next does not do again; a station
// that stopped before it could is let do it.
func TestDoneOnce(t *testing.T) {
	x := newSite(t)
	north, south := x.station("north"), x.station("south")
	fresh := func(what string, m *member, fence uint64, want string, done ...string) {
		t.Helper()
		got, err := m.lease(fence, done...)
		x.ok(err)
		same(t, what, strings.Join(got.Fresh, " "), want)
	}
	fresh("at first", north, 0, "ann ben", "ann", "ben")
	fresh("once more", north, 1, "ben", "ben")
	fresh("one that has no lease", south, 0, "", "cem")
	x.lapse()
	fresh("the next", south, 0, "cem", "ann", "ben", "cem")
	_, err := north.lease(1, "dia")
	is(t, "a late one", err, wire.CodeFenced)
	fresh("what was refused is not done", south, 2, "dia", "dia")
	_, err = x.pool.Exec(t.Context(), `update done set at = at - interval '4 years'`)
	x.ok(err)
	x.lapse()
	fresh("years later", north, 0, "ann", "ann")
}

// TestFencedPatches: what a station has read from the directory in a turn that is another's by
// now changes nothing that the lab has, and is listed.
func TestFencedPatches(t *testing.T) {
	x := newSite(t)
	north, south := x.station("north"), x.station("south")
	tell := func(m *member, fence uint64, name string, more ...wire.Patch) {
		t.Helper()
		m.Now = time.Now()
		base := uint64(0)
		for _, s := range m.rows().Subjects {
			base = max(base, s.Ver)
		}
		a := m.Next(m.Sent, 0)
		a.Work, a.Fence = "read", fence
		a.Patches = append(more, wire.Patch{Kind: "person", ID: "ann", Base: base, Fields: map[string]string{"name": name}})
		_, err := m.Append(t.Context(), m.from, a)
		x.ok(err)
	}
	name := func() string {
		for _, s := range south.rows().Subjects {
			if s.ID == "ann" {
				return s.Fields["name"]
			}
		}
		return ""
	}
	_, err := north.lease(0)
	x.ok(err)
	tell(north, 1, "Ann")
	same(t, "in its turn", name(), "Ann")
	x.lapse()
	_, err = south.lease(0)
	x.ok(err)
	before := name()
	tell(north, 1, "Late Ann", wire.Patch{Kind: "person", ID: "ben", Fields: map[string]string{"name": "Ben"}})
	same(t, "after its turn", name(), before)
	all, err := x.Conflicts(t.Context(), x.lab)
	x.ok(err)
	if len(all) != 1 || all[0].Kind != "field" || *all[0].Subject != "ann" || *all[0].Refused != "Late Ann" || all[0].Station != "north" {
		t.Errorf("the conflicts are %+v", all)
	}
	tell(south, 2, "Ann of south")
	same(t, "in the turn of the other", name(), "Ann of south")
	tell(north, 0, "Ann by hand")
	same(t, "by hand", name(), "Ann by hand")
}
