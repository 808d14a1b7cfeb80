package ledger

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/entry"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Moment is what the directory had been told when it was asked who has what. Of a device
// that moved since, or with an event that was still on its way, its answer says nothing.
type Moment struct {
	newest record.Ref      // event
	from   record.Ref      // of what came before, this directory was told nothing
	busy   map[string]bool // devices with outbox rows
}

// Same reports whether nothing has happened between two moments, and nothing was told.
func (m Moment) Same(o Moment) bool { return m.newest == o.newest && maps.Equal(m.busy, o.busy) }

// Moment is called before the directory is asked. place names it: events from before a
// sink led to this place count as untold.
func (l *Ledger) Moment(sink, place string) (m Moment, err error) {
	moved := false
	look := func(t *txn) {
		c := t.sink(sink)
		seq, _ := t.head(l.own)
		m = Moment{newest: record.At(l.own, seq), from: c.From, busy: map[string]bool{}}
		if moved = c.Index != 0 && c.Place != place; moved {
			return
		}
		t.eachOutbox(c, func(o record.OutboxRow) { m.busy[o.Device] = true })
	}
	if err = l.view(look); err != nil || !moved {
		return m, err
	}
	err = l.update(func(t *txn) {
		c := t.sink(sink)
		if c.Place != "" || c.Queued == 0 { // else it is a file from before this was kept
			c.From = m.newest
		}
		c.Place = place
		t.putSink(sink, c)
	})
	if err != nil {
		return m, err
	}
	return m, l.view(look)
}

// sink returns the row of a sink; its Index is 0 if there is none.
func (t *txn) sink(name string) (c record.Sink) {
	b := t.get(record.TreeMeta, record.MetaSink(name))
	if b == nil {
		return c
	}
	c, err := record.Unpack(record.SinkForm, b)
	t.must(err)
	return c
}

// eachOutbox calls f with every row of a sink, the newest first, and reads no further:
// another sink may have rows of weeks.
func (t *txn) eachOutbox(sink record.Sink, f func(record.OutboxRow)) {
	c, left := t.bucket(record.TreeOutbox).Cursor(), sink.Queued-sink.Done
	for k, b := c.Last(); k != nil && left > 0; k, b = c.Prev() {
		if _, i, ok := record.ParseOutboxKey(k); ok && i == sink.Index {
			f(t.openOutbox(k, b))
			left--
		}
	}
}

// TakeOver compares who has what by the directory's word with the loans, and commits
// what is news as events of the actor, which the directory does not get. Each device is
// checked and changed in one transaction, some devices in each. believe, if not nil, is
// asked whether so many returns of so many loans can be true. In the end tell gets each
// word that doesn't agree, those that were taken too, in no order.
func (l *Ledger) TakeOver(m Moment, seen []books.Seen, actor string, believe func(returns, loans int) bool, tell func(books.Word)) error {
	var words []word
	err := l.view(func(t *txn) { words = t.compare(m, seen, believe) })
	if err != nil {
		return err
	}
	sort.SliceStable(words, func(i, j int) bool { return words[i].order() < words[j].order() })
	from := func(order int) int {
		at, _ := slices.BinarySearchFunc(words, order, func(w word, order int) int { return cmp.Compare(w.order(), order) })
		return at
	}
	rest, done := from(nothing), 0
	for err == nil && done < rest {
		end := done
		l.writing.MakeRoom()
		err = l.updateMany(func(t *txn) {
			t.settled(&m)
			for end = done; end < min(done+takeAtOnce, rest) && (end == done || !l.waits()); end++ {
				w := &words[end]
				w.became = t.take(m, seen[w.at], w, by(actor, checkout.SourceSync))
			}
		})
		if err == nil {
			done = end
		}
	}
	for i, w := range words {
		if w.became != books.Agreed && (i < done || i >= rest) {
			tell(books.Word{Seen: seen[w.at], DeviceID: w.device, DeviceName: w.name, HolderName: w.had, Why: w.became})
		}
	}
	return err
}

// takeAtOnce is of how many devices words are taken in one transaction, unless a tap waits.
const takeAtOnce = 250

// word is a Word that is being weighed; there may be as many as the directory has devices.
type word struct {
	at                        int32 // among what was seen
	why, became               books.Why
	quiet                     bool   // who has it is no news
	device, name, had, holder string // as in Word; holder is the register's id of who has it there
}

// What is to be done with a word.
const (
	move = iota
	note
	nothing
)

func (w word) order() int {
	switch {
	case w.why != books.Taken:
		return nothing
	case w.quiet:
		return note
	}
	return move
}

// compare returns the words that don't agree, or may be news: those are Taken.
func (t *txn) compare(m Moment, seen []books.Seen, believe func(returns, loans int) bool) []word {
	t.settled(&m)
	words, returns, loans := t.differing(m, seen)
	held := believe != nil && returns > 0 && !believe(returns, loans)
	holders := t.holdersThere(seen, words)
	for i := range words {
		w := &words[i]
		s := seen[w.at]
		w.holder = holders[s.Ref]
		switch {
		case w.order() != move:
		case s.Free && w.had != "" && held:
			w.why = books.Many
		case !s.Free && w.holder == "":
			w.why = books.Stranger
		}
		w.became = w.why
	}
	return words
}

// differing returns the words that don't agree, how many devices are back by them, and
// how many are lent here.
func (t *txn) differing(m Moment, seen []books.Seen) (words []word, returns, loans int) {
	at := make(map[string]int32, len(seen))
	for i, s := range seen {
		at[s.Device] = int32(i)
	}
	t.eachRow(record.TreeDevices, func(id string, r *record.Row) {
		lent := r.Loan.Holder != ""
		if lent {
			loans++
		}
		i, said := at[r.Ref]
		if !said || r.Ref == "" {
			return
		}
		s := seen[i]
		w := word{at: i, device: id, name: r.Name, had: t.holderName(r.Loan.Holder), why: t.heed(m, s, party{record.TreeDevices, id, r})}
		if w.why == books.Agreed {
			return
		}
		w.quiet = w.why == books.Taken && t.same(s, r.Loan)
		if w.why == books.Taken && s.Free && lent {
			returns++
		}
		words = append(words, w)
	})
	return words, returns, loans
}

// holdersThere are the people to whom devices move by the directory's words, by its keys.
func (t *txn) holdersThere(seen []books.Seen, words []word) map[string]string {
	refs := map[string]string{}
	for _, w := range words {
		if ref := seen[w.at].Ref; ref != "" && w.order() == move {
			refs[ref] = ""
		}
	}
	if len(refs) == 0 {
		return nil
	}
	t.eachRow(record.TreePeople, func(id string, r *record.Row) {
		for _, key := range append(entry.Former(r), r.Ref) {
			if _, wanted := refs[key]; wanted {
				refs[key] = id
			}
		}
	})
	return refs
}

// settled adds to the busy devices those that pending ones turned out to be.
func (t *txn) settled(m *Moment) {
	for id := range m.busy {
		if checkout.IsPendingID(id) {
			if r := t.row(record.TreeDevices, id); r != nil && r.Resolved != "" {
				m.busy[r.Resolved] = true
			}
		}
	}
}

// heed says what the directory's word about a device means; Taken: it may be news.
func (t *txn) heed(m Moment, s books.Seen, d party) books.Why {
	loan := d.row.Loan
	moved := loan.Since.Chain == m.newest.Chain && loan.Since.Compare(m.newest) > 0
	switch same := t.same(s, loan); {
	case m.busy[d.id], moved, t.elsewhere(loan):
		return books.Busy
	case s.Elsewhere != "":
		return books.Elsewhere
	case same && (!s.Free || s.Home == d.row.Home) && (s.Rev == "" || s.Rev == d.row.Rev):
		return books.Agreed
	case same:
		return books.Taken // only the place or the revision is new
	case loan.Mark == checkout.MarkUntold, loan.Holder != "" && m.untold(loan.Since):
		return books.Untold
	case d.row.Status == checkout.Retired:
		return books.Retired
	}
	return books.Taken
}

// tellsElsewhere is how long another station of the lab may take to tell the directory of its
// events, which only its own outbox shows.
const tellsElsewhere = time.Hour

// elsewhere reports whether another station has moved a device so lately that it may still
// be about to tell the directory.
func (t *txn) elsewhere(loan record.Loan) bool {
	now := t.l.o.Stamp()
	return loan.Since.Chain >= record.ForeignChain && (!now.Trusted || now.Wall.Sub(loan.At.Wall) < tellsElsewhere)
}

// same reports whether a device is with whom the directory says.
func (t *txn) same(s books.Seen, loan record.Loan) bool {
	h := t.row(record.TreePeople, loan.Holder)
	if s.Free || h == nil {
		return s.Free && h == nil
	}
	return h.Ref == s.Ref || slices.Contains(entry.Former(h), s.Ref)
}

// untold reports whether the event of a loan is from before the directory was told of
// any.
func (m Moment) untold(since record.Ref) bool {
	return m.from.Seq > 0 && since.Seq > 0 && (since.Chain != m.from.Chain || since.Compare(m.from) <= 0)
}

// take commits news, if it still is, with an event like ev.
func (t *txn) take(m Moment, s books.Seen, w *word, ev *record.Event) books.Why {
	d := t.known(record.TreeDevices, w.device)
	if d == nobody {
		return books.Agreed
	}
	if why := t.heed(m, s, d); why != books.Taken {
		return why
	}
	if s.Free {
		d.row.Home = s.Home
	}
	d.row.Rev = cmp.Or(s.Rev, d.row.Rev)
	t.save(d)
	if t.same(s, d.row.Loan) {
		return books.Agreed
	}
	if !s.Free {
		p := t.known(record.TreePeople, w.holder)
		if p == nobody || p.row.Status == checkout.Retired {
			return books.Retired
		}
		ev.Loan = t.lent(s.Due)
	}
	ev.Note, ev.Mark = "by the directory", d.row.Loan.Mark // nobody was asked about a doubt
	t.moveTo(ev, d, w.holder, d.row.Loan.Since)
	return books.Taken
}

// lent is the length of a loan from now until due, at least a second; 0 without a due
// time, or while the time is not known.
func (t *txn) lent(due time.Time) time.Duration {
	now := t.l.o.Stamp()
	if due.IsZero() || !now.Trusted {
		return 0
	}
	return max(due.Sub(now.Wall), time.Second)
}
