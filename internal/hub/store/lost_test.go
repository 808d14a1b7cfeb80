//go:build services

package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/internal/hub/hubtest"
	"stump/internal/hub/pgtest"
	"stump/internal/lab/wire"
)

// TestLost: a database that was set back to an older state, as by a restore or a failover
// that lost the last seconds, gets from the stations what it lacks, and rows are read again.
// It begins one new epoch for all of them.
func TestLost(t *testing.T) {
	x := newSite(t)
	a, b, c := x.station("north"), x.station("south"), x.station("east")
	took := a.Bump("ipad", "ann", "", none)
	a.send()
	b.Bump("pixel", "ben", "", none)
	b.send()
	old := x.copied()
	a.Heard, b.Heard = time.Now(), time.Now()
	b.Lies = time.Hour
	back := b.Bump("ipad", "", "ann", hubtest.At(took))
	b.send()
	cem := a.Bump("ipad", "cem", "", hubtest.At(back))
	a.send()
	b.Add(checkout.Event{Kind: checkout.Extend, Device: "ipad", Loan: time.Hour, Base: hubtest.At(cem)})
	dia := b.Bump("nexus", "dia", "", none)
	b.send()
	c.Add(checkout.Event{Kind: checkout.Extend, Device: "nexus", Loan: 2 * time.Hour, Base: hubtest.At(dia)})
	c.send()
	before := a.rows()
	epoch := before.Epoch

	y := &site{TB: t, url: old, lab: x.lab}
	y.Store = y.another()
	a2, b2 := &member{y, a.Board, a.from}, &member{y, b.Board, b.from}
	p := a.Next(2, 0)
	p.Epoch = epoch
	_, err := y.Append(t.Context(), a.from, p)
	got := is(t, "beyond what the lab has", err, wire.CodeGap)
	same(t, "what it has of north", got.Wire.Head.Newest, a.After(1))
	if got.Wire.Head.Epoch == epoch {
		t.Fatal("the epoch is the same")
	}
	_, err = y.Append(t.Context(), c.from, c.Next(0, 0))
	y.ok(err)
	p = b.Next(3, 0)
	p.Epoch = epoch
	_, err = y.Append(t.Context(), b.from, p)
	second := is(t, "the other one, too", err, wire.CodeGap)
	same(t, "the epoch for both", second.Wire.Head.Epoch, got.Wire.Head.Epoch)
	late := b.Next(1, 1)
	late.Boot = uuid.New()                               // only its wall clock tells when that was, and it is ahead
	_, err = y.Append(t.Context(), a.from, a.Next(1, 0)) // its base is not there yet
	y.ok(err)
	same(t, "listed without what it is based on", y.listed(), "unseen ipad cem@north")
	_, err = y.Append(t.Context(), b.from, late)
	y.ok(err)
	same(t, "listed with it", y.listed(), "")
	_, err = y.Append(t.Context(), b.from, b.Next(2, 0))
	y.ok(err)
	rows, err := y.Changes(t.Context(), a.from, epoch, before.Ver, time.Minute)
	y.ok(err)
	same(t, "rows, from the beginning", len(rows.Loans), 3)
	after := b2.rows()
	same(t, "rows at both", fmt.Sprint(a2.rows().Loans), fmt.Sprint(after.Loans))
	same(t, "the ipad", a2.holder("ipad"), "cem")
	same(t, "listed", y.listed(), "")
	for _, l := range after.Loans {
		if want := map[string]int64{"ipad": 3600, "nexus": 7200}[l.Device]; l.Length != want {
			t.Errorf("the loan of the %s is for %d s, want %d", l.Device, l.Length, want)
		}
	}
	times := map[string]time.Time{}
	all, err := y.pool.Query(t.Context(), `select encode(chain, 'hex') || ' ' || seq, ht from event`)
	y.ok(err)
	for all.Next() {
		var place string
		var ht time.Time
		y.ok(all.Scan(&place, &ht))
		times[place] = ht
	}
	y.ok(all.Err())
	if base, then := times[fmt.Sprint(b.Chain, 2)], times[fmt.Sprint(a.Chain, 2)]; !then.After(base) {
		t.Errorf("an event is at %v, and its base at %v", then, base)
	}

	// A second loss is noticed again, as is one that only rows show.
	p = a.Next(2, 0)
	p.Epoch = got.Wire.Head.Epoch
	y2 := &site{TB: t, url: old, lab: x.lab}
	y2.Store = y2.another()
	_, err = y2.pool.Exec(t.Context(), `update chain set seq = 1 where genesis = $1`, a.Chain[:])
	y.ok(err)
	_, err = y2.Append(t.Context(), a.from, p)
	third := is(t, "a second loss", err, wire.CodeGap)
	if third.Wire.Head.Epoch <= got.Wire.Head.Epoch {
		t.Error("the epoch is not a new one")
	}
	rows, err = y2.Changes(t.Context(), a.from, third.Wire.Head.Epoch, third.Wire.Head.Ver+1000, 0)
	y.ok(err)
	if rows.Epoch == third.Wire.Head.Epoch || len(rows.Loans) != 3 {
		t.Errorf("who has more rows than there are gets %+v", rows)
	}
}

// copied is a copy of the database as it is now.
func (x *site) copied() string {
	x.Helper()
	x.Store.Close() // nobody may use a database that is copied
	of, _, _ := strings.Cut(strings.TrimPrefix(x.url, "postgres:///"), "?")
	url := pgtest.Shared(x).Copy(x, of)
	x.Store = x.another()
	return url
}
