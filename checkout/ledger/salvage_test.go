package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// pagesOf returns the pages of a file that hold rows of a tree, where want says so.
func pagesOf(t testing.TB, path string, tr record.Tree, want func(key string) bool) map[int64]bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var newest boltpages.Meta
	for slot := range int64(2) {
		if m, err := boltpages.ReadMeta(f, slot); err == nil && m.Txid > newest.Txid {
			newest = m
		}
	}
	p, pages := &boltpages.File{R: f, High: newest.High}, map[int64]bool{}
	for _, b := range p.Buckets(newest.Root) {
		if b.Name == tr.String() {
			b.Content(func(g boltpages.Found) {
				if want(string(g.Key)) {
					pages[g.Off/boltpages.PageSize] = true
				}
			})
		}
	}
	return pages
}

func anyKey(string) bool { return true }

// zero clears pages of a file.
func zero(t testing.TB, path string, pages map[int64]bool) {
	t.Helper()
	if len(pages) == 0 {
		t.Fatal("no such page")
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for page := range pages {
		if _, err := f.WriteAt(make([]byte, boltpages.PageSize), page*boltpages.PageSize); err != nil {
			t.Fatal(err)
		}
	}
}

// suspected has the next start salvage, whatever it sees.
func (x *tester) suspected() {
	x.t.Helper()
	x.ok(os.WriteFile(beside.SuspectPath(x.path), []byte("a test\n"), 0o600))
}

// salvaged opens a damaged ledger. What was saved verifies and takes a bump.
func (x *tester) salvaged() *Salvaged {
	x.t.Helper()
	x.suspected()
	l, s, err := OpenOrSalvage(x.path, x.o)
	x.ok(err)
	if s == nil {
		x.t.Fatal("not a word about the damage")
	}
	x.Ledger = l
	x.t.Cleanup(func() { l.Close() })
	x.verify()
	return s
}

// numbersOf lists the numbers of ranges.
func numbersOf(ranges [][2]uint64) (all []uint64) {
	for _, r := range ranges {
		for seq := r[0]; seq <= r[1]; seq++ {
			all = append(all, seq)
		}
	}
	return all
}

// TestSalvageEachTree loses all leaves of one tree: the report says what is lost, and
// only that.
func TestSalvageEachTree(t *testing.T) {
	for tr, check := range map[record.Tree]func(*testing.T, *tester, *Salvaged, *truth){
		record.TreePeople: func(t *testing.T, x *tester, s *Salvaged, tr *truth) {
			want(t, "people made", s.Made, 44) // with the pending badge
			want(t, "without a badge", s.Tagless, 0)
			want(t, "partial", s.Partial, true)
			want(t, "badge 105", x.subject(105).ID, tr.tags[105])
			p, err := x.FindPerson("p05")
			x.ok(err)
			want(t, "name", p.Name, "Person 5")
		},
		record.TreeDevices: func(t *testing.T, x *tester, s *Salvaged, tr *truth) {
			want(t, "devices made", s.Made, 43)
			want(t, "without a tag", s.Tagless, 0)
			want(t, "who", whoOf(t, x.Ledger), tr.who)
		},
		record.TreeTags: func(t *testing.T, x *tester, s *Salvaged, tr *truth) {
			want(t, "made", s.Made, 0)
			want(t, "badge 105", x.subject(105).ID, tr.tags[105])
		},
		record.TreeOutbox: func(t *testing.T, x *tester, s *Salvaged, tr *truth) {
			want(t, "rows lost", s.Rows, len(strings.Fields(tr.outbox)))
			want(t, "rows left", len(rowsFor(t, x.Ledger, "")), 0)
			if !strings.Contains(s.String(), "reached the directory is unknown") {
				t.Error(s)
			}
		},
		record.TreeUnknown: func(t *testing.T, x *tester, s *Salvaged, tr *truth) {
			all, err := x.UnknownTags()
			x.ok(err)
			want(t, "unknown tags", len(all), 0)
			want(t, "partial", s.Partial, false)
		},
		record.TreeMeta: func(t *testing.T, x *tester, s *Salvaged, tr *truth) {
			want(t, "perhaps", s.Perhaps, [2]uint64{uint64(len(tr.hashes)) + 1, 1000})
			want(t, "who", whoOf(t, x.Ledger), tr.who)
		},
	} {
		t.Run(tr.String(), func(t *testing.T) {
			x, was := lived(t, 100)
			zero(t, x.path, pagesOf(t, x.path, tr, anyKey))
			s := x.salvaged()
			want(t, "events", s.Events, uint64(len(was.hashes)))
			want(t, "lost", len(s.Lost), 0)
			if tr != record.TreeOutbox {
				want(t, "rows lost", s.Rows, 0)
			}
			check(t, x, s, was)
		})
	}
}

// TestSalvageWithoutTags loses the people and the tags: nobody has a badge, and the
// report says how many to enrol again.
func TestSalvageWithoutTags(t *testing.T) {
	x, _ := lived(t, 100)
	pages := pagesOf(t, x.path, record.TreePeople, anyKey)
	maps.Copy(pages, pagesOf(t, x.path, record.TreeTags, anyKey))
	zero(t, x.path, pages)
	s := x.salvaged()
	if s.Made != 44 || s.Tagless != 44 || !strings.Contains(s.String(), "44 without a tag: enrol them again") {
		t.Errorf("%d made, %d without a tag: %v", s.Made, s.Tagless, s)
	}
	want(t, "badge 105", x.subject(105).Kind, checkout.Unknown)
	_, err := x.EnrolPerson("p05", tag(105), "admin", checkout.SourceCLI)
	x.ok(err)
	want(t, "badge 105", x.subject(105).ID, "p05")
	want(t, "device 205", x.subject(205).ID, "d05")
	x.verify()
}

// TestSalvageOfEvents loses leaves of events without old copies: each missing number is
// named, no other, and the loans that rows still show have a new event.
func TestSalvageOfEvents(t *testing.T) {
	x, was := lived(t, 100)
	x.ok(os.WriteFile(x.path, scrubbed(t, x), 0o600))
	before := was.who
	pages := pagesOf(t, x.path, record.TreeEvents, func(key string) bool {
		at, _ := record.ParseEventKey([]byte(key))
		return at.Seq == 100 || at.Seq == uint64(len(was.hashes))
	})
	gone := map[uint64]bool{}
	for _, seq := range slices.Sorted(maps.Keys(was.hashes)) {
		key := string(record.EventKey(record.At(1, seq)))
		for page := range pagesOf(t, x.path, record.TreeEvents, func(k string) bool { return k == key }) {
			gone[seq] = pages[page]
		}
	}
	var lost []uint64
	for _, seq := range slices.Sorted(maps.Keys(gone)) {
		if gone[seq] {
			lost = append(lost, seq)
		}
	}
	zero(t, x.path, pages)
	s := x.salvaged()
	if got := numbersOf(s.Lost); len(lost) < 10 || !slices.Equal(got, lost) {
		t.Errorf("lost %v, said is %v", lost, got)
	}
	if s.Restated == 0 {
		t.Error("no loan is restated")
	}
	want(t, "who", whoOf(t, x.Ledger), before)
	want(t, "declared", x.verify().Gaps, uint64(len(lost)))
	info, err := x.Info()
	x.ok(err)
	want(t, "numbers go on", info.Seq, uint64(len(was.hashes))+1+uint64(s.Restated))
}

// scrubbed returns the file with nothing on free pages.
func scrubbed(t *testing.T, x *tester) []byte {
	t.Helper()
	l := reopened(t, x)
	x.ok(l.Scrub(t.Context()))
	x.ok(l.Close())
	b, err := os.ReadFile(x.path)
	x.ok(err)
	return b
}

func reopened(t *testing.T, x *tester) *Ledger {
	t.Helper()
	l, err := Open(x.path, x.o)
	x.ok(err)
	return l
}

// TestSalvageWithoutMetas loses both meta pages: the root is found, and nothing is lost
// but the certainty about deliveries.
func TestSalvageWithoutMetas(t *testing.T) {
	x, was := lived(t, 100)
	zero(t, x.path, map[int64]bool{0: true, 1: true})
	s := x.salvaged()
	want(t, "events", s.Events, uint64(len(was.hashes)))
	want(t, "lost", fmt.Sprint(s.Lost, s.Rows, s.Made, s.Tagless, s.Partial), "[] 0 0 0 false")
	want(t, "who", whoOf(t, x.Ledger), was.who)
	want(t, "outbox", outboxOf(x.Ledger), was.outbox)
	for _, r := range rowsFor(t, x.Ledger, "") {
		if r.State != record.Parked || !strings.Contains(r.Reason, "may have been delivered") {
			t.Fatalf("row %s is %v: %s", r.ID, r.State, r.Reason)
		}
	}
}

// TestSalvageOfRubbish: where nothing can be read, the ledger begins after every number
// that was reserved.
func TestSalvageOfRubbish(t *testing.T) {
	x, _ := lived(t, 20)
	h, err := boltfile.ReadHolder(x.path)
	x.ok(err)
	x.ok(os.WriteFile(x.path, bytes.Repeat([]byte("rubbish!"), 10*boltpages.PageSize), 0o600))
	s := x.salvaged()
	want(t, "events", s.Events, 0)
	want(t, "perhaps", s.Perhaps, [2]uint64{1, h.Ceiling})
	info, err := x.Info()
	x.ok(err)
	want(t, "the first number", info.Seq, h.Ceiling+1)
	_, err = x.Complete(checkout.Completion{Person: checkout.Subject{Kind: checkout.KindPerson, Tag: tag(1), Pending: true},
		Device: checkout.Subject{Kind: checkout.KindDevice, Tag: tag(11), Pending: true}})
	x.ok(err)
	x.verify()
}

// TestSalvageOfClosedChains damages a ledger with chains of earlier names. Holes in a
// closed chain are declared under its name, and the order and the heads stay.
func TestSalvageOfClosedChains(t *testing.T) {
	_, path, o := unpackOld(t, "renamed", "lab-c")
	l, err := Open(path, o)
	x := &tester{Ledger: l, t: t, path: path, o: o, clock: newTestClock()}
	x.ok(err)
	x.ok(l.Scrub(t.Context()))
	before := x.history(books.HistoryFilter{})
	x.ok(l.Close())
	_, middle := record.At(2, 0), 0
	zero(t, path, pagesOf(t, path, record.TreeEvents, func(key string) bool {
		at, _ := record.ParseEventKey([]byte(key))
		if at.Chain == 2 {
			middle++
		}
		return at.Chain == 2 && middle == 20
	}))
	s := x.salvaged()
	lost := numbersOf(s.Others["lab-b"])
	if len(lost) == 0 || len(s.Others) > 2 {
		t.Fatalf("lost of the closed chain: %v", s.Others)
	}
	if !strings.Contains(s.String(), "missing from the time as station lab-b: ") {
		t.Error(s)
	}
	after := x.history(books.HistoryFilter{})
	want(t, "events", len(strings.Fields(after)) < len(strings.Fields(before)), true)
	want(t, "the first event", strings.Fields(after)[0], strings.Fields(before)[0])
	if gaps := x.verify().Gaps; gaps < uint64(len(lost)) {
		t.Errorf("%d numbers are declared, %d are lost", gaps, len(lost))
	}
	chains := 0
	x.ok(x.view(func(t *txn) { chains = len(t.chains()) }))
	want(t, "chains", chains, 3)
}

// TestSalvageWithoutTheTableOfChains loses the rows of the chains, or all that says where
// they are: every event is still in its chain, since it holds the chain's id or the
// station's name, and the same chain is continued.
func TestSalvageWithoutTheTableOfChains(t *testing.T) {
	for what, damage := range map[string]func(t *testing.T, path string){
		"rows": func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(b, []byte("\x08chain/")) {
				t.Fatal("no such row", err)
			}
			if err := os.WriteFile(path, bytes.ReplaceAll(b, []byte("\x08chain/"), []byte("\x08chaim/")), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"trees": func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; at < len(b); at += boltpages.PageSize {
				if !bytes.Contains(b[at:at+boltpages.PageSize], []byte("Ev")) {
					clear(b[at : at+boltpages.PageSize])
				}
				clear(b[at : at+16])
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			_, path, o := unpackOld(t, "renamed", "lab-c")
			l, err := Open(path, o)
			x := &tester{Ledger: l, t: t, path: path, o: o, clock: newTestClock()}
			x.ok(err)
			ids := func() (all []string, own string) {
				x.ok(x.view(func(t *txn) {
					for i, c := range t.chains() {
						all = append(all, fmt.Sprintf("%x %s", c.ID[:4], c.Name))
						if i == t.l.own {
							own = fmt.Sprintf("%x %s", c.ID[:4], c.Name)
						}
					}
				}))
				slices.Sort(all)
				return all, own
			}
			before, own := ids()
			who, events := x.who(), len(strings.Fields(x.history(books.HistoryFilter{})))
			x.ok(l.Close())
			damage(t, path)
			s := x.salvaged()
			want(t, "events", s.Events, uint64(events))
			after, still := ids()
			want(t, "chains", fmt.Sprint(after), fmt.Sprint(before))
			want(t, "the chain that goes on", still, own)
			if what == "rows" {
				want(t, "who", x.who(), who)
			}
		})
	}
}

// TestOldMetaPage makes an old meta page the newest valid one. The salvage takes the root
// that has come farthest, so the newest bumps are there.
func TestOldMetaPage(t *testing.T) {
	x, was := lived(t, 60)
	b, err := os.ReadFile(x.path)
	x.ok(err)
	newest := 0
	var txids [2]uint64
	for slot := range 2 {
		m, err := boltpages.ReadMeta(bytes.NewReader(b), int64(slot))
		x.ok(err)
		txids[slot] = m.Txid
	}
	if txids[1] > txids[0] {
		newest = 1
	}
	b[newest*boltpages.PageSize+20]++ // its checksum no longer matches
	x.ok(os.WriteFile(x.path, b, 0o600))
	s := x.salvaged()
	want(t, "events", s.Events, uint64(len(was.hashes)))
	want(t, "lost", len(s.Lost), 0)
	want(t, "who", whoOf(t, x.Ledger), was.who)
}

// TestErasedStaysErased: the salvage of a file in which free pages still hold what was
// erased does not bring it back.
func TestErasedStaysErased(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(1, 11)
	x.deliverAll()
	x.ok(x.ErasePerson("ann", "admin", checkout.SourceCLI))
	x.ok(x.Close())
	b, err := os.ReadFile(x.path)
	x.ok(err)
	if !bytes.Contains(b, []byte("Ann")) {
		t.Fatal("the test proves nothing: no free page holds the name")
	}
	zero(t, x.path, map[int64]bool{0: true})
	x.salvaged()
	want(t, "nexus", x.people("ipad"), "4en:< 7ch:< 8re:<")
	for e, err := range x.History(books.HistoryFilter{}) {
		x.ok(err)
		if strings.Contains(e.PersonName+e.Actor+e.Note, "Ann") {
			t.Errorf("event %d names Ann", e.Seq)
		}
	}
}

// TestMetaThatLies: a meta page whose checksum matches but whose root doesn't exist is
// damage, and salvaged.
func TestMetaThatLies(t *testing.T) {
	for what, field := range map[string]int{"root": 16, "freelist": 32, "high": 40} {
		t.Run(what, func(t *testing.T) {
			x, was := lived(t, 20)
			b, err := os.ReadFile(x.path)
			x.ok(err)
			for slot := range 2 {
				meta := b[slot*boltpages.PageSize+16:]
				binary.LittleEndian.PutUint64(meta[field:], 1<<30)
				h := fnv.New64a()
				h.Write(meta[:56])
				binary.LittleEndian.PutUint64(meta[56:], h.Sum64())
			}
			x.ok(os.WriteFile(x.path, b, 0o600))
			if _, err := Open(x.path, x.o); err == nil {
				t.Fatal("opened")
			}
			s := x.salvaged()
			want(t, "events", s.Events, uint64(len(was.hashes)))
			want(t, "who", whoOf(t, x.Ledger), was.who)
		})
	}
}

// TestSalvageStrayedEvent: an event under the key of another chain, of which one bit was
// flipped, belongs to the chain that it names itself.
func TestSalvageStrayedEvent(t *testing.T) {
	for _, index := range []uint16{0, 3, 257, record.ForeignChain + 1} {
		x := newLedger(t)
		x.bump(1, 11)
		x.bump(2, 12)
		x.bump(3, 13)
		x.ok(x.update(func(t *txn) {
			b, key := t.bucket(record.TreeEvents), record.EventKey(record.At(t.l.own, 8))
			raw := bytes.Clone(b.Get(key))
			t.must(b.Delete(key))
			t.must(b.Put(record.EventKey(record.At(index, 8)), raw))
		}))
		x.ok(x.Close())
		s := x.salvaged()
		want(t, "lost", len(numbersOf(s.Lost)), 0)
		want(t, "of other chains", len(s.Others), 0)
		want(t, "who has what", x.who(), "ipad=ann nexus=cem pixel=ben")
		x.verify()
	}
}
