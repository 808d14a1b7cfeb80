package ledger

import (
	"fmt"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/checkout/stock"
	"stump/internal/books"
	"stump/internal/hint"
)

// A stock-taking begins and ends with an event, and each device that is shown first has one,
// which its row remembers. When it ends, the rows keep what was found, until that is put right
// or another stock-taking ends.

// metaStock is where the newest stock-taking stands.
var metaStock = []byte("stock")

func (t *txn) stock() (s record.Stock) {
	if b := t.get(record.TreeMeta, metaStock); b != nil {
		var err error
		if s, err = record.Unpack(record.StockForm, b); err != nil {
			t.damaged("the stock-taking: %v", err)
		}
	}
	return s
}

func (t *txn) setStock(s record.Stock) {
	t.put(record.TreeMeta, metaStock, record.Pack(record.StockForm(&s)))
}

// open returns the stock-taking that is under way, or ends the transaction.
func (t *txn) openStock() record.Stock {
	s := t.stock()
	if !s.Open() {
		t.fail(hint.Errorf("`stump stock start` begins one", "%w: %w", checkout.ErrRefused, books.ErrNoStock))
	}
	return s
}

// finding is what the stock-taking s finds of a device. boxes are the kits that were shown.
func (t *txn) finding(s record.Stock, p party, boxes map[string]bool) stock.Finding {
	r := p.row
	seen := r.Seen.Compare(s.Begin) > 0
	return stock.Device{
		Retired: r.Status != checkout.Active, Lost: r.Loan.Lost, Held: r.Loan.Holder != "", Seen: seen,
		Moved: r.Loan.Since.Compare(s.Begin) > 0 && (!seen || r.Loan.Since.Compare(r.Seen) > 0),
		InBox: r.Kit != "" && r.Lookup == nil && boxes[r.Kit],
	}.Finding()
}

// eachFinding calls do with each device of which something is found: now, while the
// stock-taking is open, and else what was found at its end and has not been put right.
func (t *txn) eachFinding(s record.Stock, do func(party, stock.Finding)) {
	boxes := map[string]bool{}
	t.eachRow(record.TreeDevices, func(id string, r *record.Row) {
		if r.Seen.Compare(s.Begin) > 0 {
			boxes[id] = true
		}
	})
	t.eachRow(record.TreeDevices, func(id string, r *record.Row) {
		p := party{record.TreeDevices, id, r}
		if f := t.finding(s, p, boxes); !r.Pending && f != "" && (s.Open() || r.Found == string(f)) {
			do(p, f)
		}
	})
}

// Stock returns the stock-taking that is under way, or the last one.
func (l *Ledger) Stock() (is books.Stock, err error) {
	err = l.view(func(t *txn) { is = t.stockNow() })
	return is, err
}

func (t *txn) stockNow() books.Stock {
	s := t.stock()
	is := books.Stock{Taken: s.Begin.Seq != 0, Open: s.Open(), Seen: int(s.Seen)}
	if s.Begin.Seq == 0 {
		return is
	}
	clock := t.times()
	when := func(at record.Ref) time.Time {
		wall, known := clock.Wall(t.event(at).At)
		if !known {
			return time.Time{}
		}
		return wall
	}
	if is.Begun = when(s.Begin); !is.Open {
		is.Ended = when(s.End)
	}
	is.Newest = when(s.Newest)
	t.eachFinding(s, func(p party, f stock.Finding) {
		is.Rows = append(is.Rows, books.StockRow{Device: t.device(p), Finding: f})
	})
	return is
}

// StartStock begins a stock-taking, or goes on with the one that is under way.
func (l *Ledger) StartStock(actor string, source checkout.Source) (is books.Stock, err error) {
	err = l.update(func(t *txn) {
		if !t.stock().Open() {
			ev := by(actor, source)
			ev.Kind, ev.Stage = checkout.Stock, checkout.StockBegins
			t.append(ev, nobody, nobody)
			here := record.At(t.l.own, ev.Seq)
			t.setStock(record.Stock{Begin: here, Newest: here})
		}
		is = t.stockNow()
	})
	return is, err
}

// SeenAt is what a stock-taking notes of a device that is shown.
type SeenAt struct {
	Device checkout.Subject
	Again  bool // it was shown before
	Seen   int  // devices so far
}

// Counted records that a device is here, by id or exact name, for the stock-taking that is
// under way.
func (l *Ledger) Counted(ref, reader, actor string, source checkout.Source) (got SeenAt, err error) {
	err = l.update(func(t *txn) {
		s, p := t.openStock(), t.find(record.TreeDevices, ref)
		got = SeenAt{Again: p.row.Seen.Compare(s.Begin) > 0}
		if !got.Again || p.row.Loan.Since.Compare(p.row.Seen) > 0 {
			ev := by(actor, source)
			ev.Kind, ev.Reader = checkout.Seen, reader
			t.append(ev, nobody, p)
			p.row.Seen = record.At(t.l.own, ev.Seq)
			t.save(p)
			if s.Newest = p.row.Seen; !got.Again {
				s.Seen++
			}
			t.setStock(s)
		}
		t.tell(&got.Device, p)
		got.Seen = int(s.Seen)
	})
	return got, err
}

// FinishStock ends the stock-taking that is under way. With correct, what it has found is put
// right in the same transaction, as CorrectStock does.
func (l *Ledger) FinishStock(correct bool, actor string, source checkout.Source) (is books.Stock, err error) {
	err = l.update(func(t *txn) {
		s := t.openStock()
		counts := map[stock.Finding]int{}
		found := map[string]stock.Finding{}
		t.eachFinding(s, func(p party, f stock.Finding) {
			counts[f]++
			found[p.id] = f
		})
		for _, p := range t.rowsWhere(record.TreeDevices, func(id string, r *record.Row) bool { return r.Found != string(found[id]) }) {
			p.row.Found = string(found[p.id])
			t.save(p)
		}
		ev := by(actor, source)
		ev.Kind, ev.Stage, ev.Note = checkout.Stock, checkout.StockEnds, fmt.Sprint("seen: ", s.Seen)
		for _, f := range stock.Findings {
			ev.Note += fmt.Sprintf(", %s: %d", f, counts[f])
		}
		t.append(ev, nobody, nobody)
		s.End = record.At(t.l.own, ev.Seq)
		t.setStock(s)
		if correct {
			t.correctStock(s, actor, source)
		}
		is = t.stockNow()
	})
	return is, err
}

// CorrectStock puts right what the last stock-taking has found: what is missing is lost, what
// should be out is back, and what was lost is found. What has changed since stays as it is.
func (l *Ledger) CorrectStock(actor string, source checkout.Source) (is books.Stock, err error) {
	err = l.update(func(t *txn) {
		s := t.stock()
		if s.Open() || s.Begin.Seq == 0 {
			t.fail(hint.Errorf("end it first: `stump stock finish`", "%w: no stock-taking has ended", checkout.ErrRefused))
		}
		t.correctStock(s, actor, source)
		is = t.stockNow()
	})
	return is, err
}

func (t *txn) correctStock(s record.Stock, actor string, source checkout.Source) {
	var all []party
	var findings []stock.Finding
	t.eachFinding(s, func(p party, f stock.Finding) { all, findings = append(all, p), append(findings, f) })
	for i, p := range all {
		ev := by(actor, source)
		ev.Note = "stock-taking"
		p.row = t.row(record.TreeDevices, p.id)
		switch findings[i] {
		case stock.Missing:
			ev.Kind = checkout.Lost
			t.append(ev, nobody, p)
		case stock.Here:
			ev.Kind = checkout.Return
			t.append(ev, t.holder(p.row.Loan.Holder), p)
			t.tellPeople(ev)
		case stock.Found:
			ev.Kind = checkout.Found
			t.append(ev, nobody, p)
		}
	}
}

// Bring records that a device came back to a reader at which nobody shows a badge, for who has
// it.
func (l *Ledger) Bring(device checkout.Subject, reader string) (checkout.Event, error) {
	return l.commitEvent(func(t *txn, ev *record.Event) {
		ev.Source, ev.Reader = checkout.SourceReader, reader
		p := t.settle(record.TreeDevices, device)
		if p.row.Status != checkout.Active {
			t.refuse(p, "")
		}
		holder := p.row.Loan.Holder
		if holder == "" {
			t.fail(&checkout.RefusedError{Subject: checkout.Subject{Kind: checkout.KindDevice, ID: p.id, Name: p.name()}, NotOut: true})
		}
		ev.Kind = checkout.Return
		t.setFrom(ev, holder)
		parts := t.inside(p)
		t.append(ev, nobody, p)
		t.moveKit(ev, nobody, p, parts, 0)
	})
}
