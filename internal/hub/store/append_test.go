//go:build services

package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/hub/hubtest"
	"stump/internal/lab/wire"
)

// TestAppend: what is taken at one station is brought back at another, and both know.
func TestAppend(t *testing.T) {
	x := newSite(t)
	a, b := x.station("north"), x.station("south")
	took := a.Bump("ipad", "ann", "", none)
	first := a.send()
	same(t, "receipts", len(first), 1)
	same(t, "the first number", first[0].LabSeq, 1)
	if age := time.Since(first[0].HT); age < 0 || age > 10*time.Second {
		t.Errorf("its lab time is %v ago", age)
	}
	rows := b.rows()
	same(t, "loans", len(rows.Loans), 1)
	l := rows.Loans[0]
	same(t, "the loan", l, wire.Loan{Device: "ipad", Ver: l.Ver, Person: "ann", Chain: a.Chain.String(), Seq: 1, At: first[0].HT, Station: "north"})
	same(t, "stations", len(rows.Stations), 2)

	b.Heard = rows.At
	b.Bump("ipad", "", "ann", hubtest.At(took))
	second := b.send()
	same(t, "the second number", second[0].LabSeq, 2)
	if !second[0].HT.After(first[0].HT) {
		t.Errorf("it was at %v, and what it is based on at %v", second[0].HT, first[0].HT)
	}
	same(t, "who has it", a.holder("ipad"), "")
	all, err := x.Conflicts(t.Context(), x.lab)
	x.ok(err)
	same(t, "conflicts", len(all), 0)

	// The receipt was lost.
	again, err := a.Append(t.Context(), a.from, a.Next(0, 0))
	x.ok(err)
	same(t, "the receipt, again", again[0], first[0])
	same(t, "the version", a.rows().Ver, b.rows().Ver)
	h, err := a.Head(t.Context(), a.from)
	x.ok(err)
	same(t, "the head", h.Newest, a.After(1))
	same(t, "the name", h.Name, "north")
}

// TestChains: a chain goes on where it ended, in no other way.
func TestChains(t *testing.T) {
	x := newSite(t)
	a, b := x.station("north"), x.station("south")
	for range 5 {
		a.Bump("ipad", "ann", "", none)
		a.Bump("ipad", "", "ann", hubtest.At(a.Last()))
	}
	b.Bump("pixel", "ben", "", none)
	b.send()
	_, err := a.Append(t.Context(), a.from, a.Next(0, 4))
	x.ok(err)
	before := x.lastSeq()
	turned := bytes.Clone(a.Records[4])
	turned[len(turned)-10] ^= 1
	clone := hubtest.New("north", time.Now())
	clone.Chain, clone.Records, clone.Events = a.Chain, bytesOf(a.Records[:4]), a.Events[:4:4]
	clone.Bump("nexus", "eve", "", none)
	stranger := hubtest.New("east", time.Now())
	stranger.Bump("ipad", "eve", "", none)
	for _, tt := range []struct {
		name   string
		from   Sender
		change func(*wire.Append)
		want   string
	}{
		{"a token of nobody", Sender{Lab: x.lab, Name: "north"}, func(*wire.Append) {}, wire.CodeNotHere},
		{"the token of another station", b.from, func(*wire.Append) {}, wire.CodeForged},
		{"another chain", a.from, func(p *wire.Append) { *p = *stranger.Next(0, 0) }, wire.CodeForged},
		{"one left out", a.from, func(p *wire.Append) { p.Records = append(p.Records[:1:1], p.Records[2:]...) }, wire.CodeForged},
		{"two exchanged", a.from, func(p *wire.Append) { p.Records = [][]byte{p.Records[1], p.Records[0]} }, wire.CodeForged},
		{"one twice", a.from, func(p *wire.Append) { p.Records = [][]byte{p.Records[0], p.Records[0]} }, wire.CodeForged},
		{"a bit turned", a.from, func(p *wire.Append) { p.Records = [][]byte{turned} }, wire.CodeForged},
		{"bytes behind", a.from, func(p *wire.Append) { p.Records = [][]byte{append(bytes.Clone(p.Records[0]), 0)} }, wire.CodeForged},
		{"no event", a.from, func(p *wire.Append) { p.Records = [][]byte{{}} }, wire.CodeForged},
		{"of a later version", a.from, func(p *wire.Append) { p.Records = [][]byte{newer(p.Records[0])} }, wire.CodeNewer},
		{"too many", a.from, func(p *wire.Append) { p.Records = make([][]byte, wire.MaxRecords+1) }, wire.CodeInvalid},
		{"no chain", a.from, func(p *wire.Append) { p.Chain = "north" }, wire.CodeInvalid},
		{"no hash before", a.from, func(p *wire.Append) { p.After.Hash = "" }, wire.CodeInvalid},
		{"beyond", a.from, func(p *wire.Append) { *p = *a.Next(6, 0) }, wire.CodeGap},
		{"a copied card", a.from, func(p *wire.Append) { *p = *clone.Next(4, 0); p.After.Hash = stranger.Chain.String(); p.Records = nil }, wire.CodeForked},
		{"fewer than there were", a.from, func(p *wire.Append) { p.After, p.Records = a.After(2), nil }, wire.CodeGap},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := a.Next(4, 0)
			p.Records = bytesOf(p.Records)
			tt.change(p)
			_, err := x.Append(t.Context(), tt.from, p)
			got := is(t, tt.name, err, tt.want)
			if tt.want == wire.CodeGap {
				same(t, "the head", got.Wire.Head.Newest, a.After(4))
			}
			same(t, "events", x.lastSeq(), before)
		})
	}
	_, err = a.Append(t.Context(), a.from, a.Next(2, 0))
	x.ok(err)
	same(t, "events at the end", x.lastSeq(), before+6)
	_, err = x.Append(t.Context(), a.from, clone.Next(4, 0))
	is(t, "what the copy has made", err, wire.CodeForked)
	_, err = x.Append(t.Context(), a.from, clone.Next(0, 0))
	is(t, "all that it has", err, wire.CodeForked)
}

// TestSegment: after a restore numbers are left out, and the chain goes on.
func TestSegment(t *testing.T) {
	x := newSite(t)
	a := x.station("north")
	for range 4 {
		a.Bump("ipad", "ann", "", none)
	}
	a.send()
	a.Records, a.Events = a.Records[:2], a.Events[:2] // an old copy was put back
	a.Add(checkout.Event{Kind: checkout.Restore, Seq: 9, Gap: &checkout.Gap{Seq: 2, Hash: a.Last().Hash, Lost: [][2]uint64{{3, 8}}}})
	a.Bump("ipad", "", "ann", none)
	got, err := a.Append(t.Context(), a.from, a.Next(2, 0))
	x.ok(err)
	same(t, "receipts", len(got), 2)
	h, err := a.Head(t.Context(), a.from)
	x.ok(err)
	same(t, "the head", h.Newest.Seq, 10)
	again, err := a.Append(t.Context(), a.from, a.Next(2, 0))
	x.ok(err)
	same(t, "again", again[1], got[1])
}

// lastSeq is the number of the lab's newest event, and so how many it has.
func (x *site) lastSeq() int64 {
	x.Helper()
	var seq, count int64
	x.ok(x.pool.QueryRow(x.Context(), `select (select seq from lab where id = $1), (select count(*) from event where lab = $1)`, x.lab).Scan(&seq, &count))
	same(x, "events without a gap", count, seq)
	return seq
}

func bytesOf(all [][]byte) (own [][]byte) {
	for _, b := range all {
		own = append(own, bytes.Clone(b))
	}
	return own
}

// newer makes a record one of a version that nobody knows.
func newer(b []byte) []byte {
	p, _ := record.Split(b)
	core := bytes.Clone(p.Core)
	core[0] = 9
	h := sha256.New()
	h.Write([]byte("stump event 1\x00"))
	h.Write(core)
	out := binary.AppendUvarint([]byte("Ev"), uint64(len(core)))
	out = h.Sum(append(out, core...))
	return append(out, b[len(out):]...)
}

// TestHeldUp: an event whose request was held up in a broken network was when it was, and not
// when it came: who bumped later at another station has the device.
func TestHeldUp(t *testing.T) {
	x := newSite(t)
	now := time.Now()
	x.testOnlyClock = func() time.Time { return now }
	a, b := x.join(hubtest.New("north", now)), x.join(hubtest.New("south", now))
	a.Bump("pixel", "eve", "", none)
	a.send()
	a.Now = now.Add(20 * time.Second)
	bumped := a.Now
	a.Bump("ipad", "ann", "", none) // its request is under way for half a minute
	held := a.Next(a.Sent, 0)

	now = now.Add(30 * time.Second)
	b.Now = now
	b.Bump("ipad", "ben", "", none)
	b.send()

	now = now.Add(20 * time.Second)
	receipts, err := a.Append(t.Context(), a.from, held)
	x.ok(err)
	if late := receipts[len(receipts)-1].HT.Sub(bumped); late > time.Second || late < -time.Second {
		t.Errorf("the lab has it %v after the bump", late)
	}
	same(t, "who has it", a.holder("ipad"), "ben")
}

// TestNameInTheLab: who has a device says where, by the name that the station has in the lab.
func TestNameInTheLab(t *testing.T) {
	x := newSite(t)
	board := hubtest.New("north", time.Now())
	a := x.join(board)
	board.Name = "raspberrypi" // what its configuration says
	a.Bump("ipad", "ann", "", none)
	a.send()
	same(t, "the station", a.rows().Loans[0].Station, "north")
}
