package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/entry"
	"stump/checkout/ledger/journal"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// bigImports makes every import of more than few rows a big one, applied in
// transactions of at most batch rows.
func bigImports(t testing.TB, few, batch int) {
	f, b := fewRows, batchRows
	fewRows, batchRows = few, batch
	t.Cleanup(func() { fewRows, batchRows = f, b })
}

// settled waits for the end of imports.
func (x *tester) settled() { x.t.Helper(); x.ok(x.Settled(x.t.Context())) }

// register is all that an import may change, row by row: without where the newest events
// are, and with the number of each one's events.
func register(l *Ledger) (string, error) {
	var b strings.Builder
	err := l.view(func(t *txn) {
		events := map[string]int{}
		t.events(record.Ref{}, func(at record.Ref, raw []byte) bool {
			ev, err := t.decode(at, raw)
			t.must(err)
			events[string(ev.Kind)+" "+ev.Person+ev.Device]++
			return true
		})
		for _, tr := range []record.Tree{record.TreePeople, record.TreeDevices} {
			t.eachRow(tr, func(id string, r *record.Row) {
				fmt.Fprintf(&b, "%s %s: %q %q %q %v %q %v %v %q", tr, id, r.Name, r.Email, r.Kind, r.Status, r.Mask, r.Loan.Holder, r.Loan.Lost, r.Resolved)
				if r.Lookup != nil {
					fmt.Fprint(&b, " of ", t.whose(t.ownerByLookup(r.Lookup)).id)
				}
				for _, kind := range []checkout.Kind{checkout.Enrol, checkout.Correct, checkout.Retire, checkout.Lost, checkout.Found, checkout.Resolve} {
					fmt.Fprint(&b, " ", events[string(kind)+" "+id])
				}
				b.WriteByte('\n')
			})
		}
		t.each(record.TreeTags, nil, func(k, v []byte) { fmt.Fprintf(&b, "tag %x %q\n", k, v) })
	})
	return b.String(), err
}

// asBefore imports rows in one transaction, one after the other, as an import of few rows
// would be if nobody looked ahead: the model of what an import does.
func (x *tester) asBefore(kind checkout.SubjectKind, rows []books.ImportRow) (added, changed, unchanged int, err error) {
	var bad books.BadLines
	err = x.update(func(t *txn) {
		gets := map[string]bool{}
		for _, r := range rows {
			gets[r.ID] = !r.Tag.IsZero()
		}
		for _, r := range rows {
			if p := t.known(record.TreeOf(kind), r.ID); p != nobody && p.row.Status == checkout.Retired && r.Status == "retired" {
				continue // they stay what they are, without the tag
			}
			has := t.holding(r.Tag)
			if was := t.whose(has); was.tree == record.TreeOf(kind) && was.id != r.ID && gets[was.id] && !has.dead() {
				t.dropTag(has)
			}
		}
		for _, r := range rows {
			err := t.try(func(t *txn) {
				p, was := t.imported(kind, &r)
				t.save(p)
				did := t.change(p, r.Tag, r.Status, by("admin", checkout.SourceCLI))
				switch {
				case was == nil:
					added++
				case did || entry.Changed(was, p.row):
					changed++
				default:
					unchanged++
				}
			})
			if err != nil {
				bad.Add(&books.RowError{Line: r.Line, Err: err})
			}
		}
		t.must(bad.Err())
	})
	return added, changed, unchanged, err
}

// TestImportModel: imports of any rows do the same in one transaction, in many, and in
// the model; a dry run counts the same, and what is refused is refused with the same words.
func TestImportModel(t *testing.T) {
	bigImports(t, 1<<20, 2)
	rapid.Check(t, func(rt *rapid.T) {
		var all []*tester
		for range 3 {
			all = append(all, newLedgerIn(t, memDir(t)))
		}
		defer func() {
			for _, x := range all {
				x.Close()
			}
		}()
		in := func(f func(x *tester)) {
			for _, x := range all {
				f(x)
			}
		}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"import", "import", "import", "bump", "lose badge", "more badges", "pending"}).Draw(rt, "step") {
			case "import":
				importsAlike(rt, all)
			case "bump":
				p, d := rapid.IntRange(1, 3).Draw(rt, "badge"), rapid.IntRange(11, 13).Draw(rt, "device")
				in(func(x *tester) { _, _ = x.tryBump(p, d) })
			case "lose badge":
				n := rapid.IntRange(1, 8).Draw(rt, "badge")
				id := rapid.SampledFrom([]string{"ann", "ben", "cem"}).Draw(rt, "who")
				in(func(x *tester) {
					_ = x.EditPerson(id, books.Edit{LostBadge: books.BadgeRef{Tag: tag(n)}}, "admin", checkout.SourceCLI)
				})
			case "more badges":
				n := rapid.IntRange(1, 8).Draw(rt, "badge")
				id := rapid.SampledFrom([]string{"ann", "ben", "cem"}).Draw(rt, "who")
				in(func(x *tester) { _, _ = x.EnrolPerson(id, tag(n), "admin", checkout.SourceCLI) })
			case "pending":
				p, d := rapid.IntRange(4, 8).Draw(rt, "badge"), rapid.IntRange(14, 18).Draw(rt, "device")
				in(func(x *tester) {
					_, _ = x.Complete(checkout.Completion{Reader: "door",
						Person: checkout.Subject{Kind: checkout.KindPerson, Tag: tag(p), Pending: true},
						Device: checkout.Subject{Kind: checkout.KindDevice, Tag: tag(d), Pending: true}})
				})
			}
		}
		in(func(x *tester) {
			r, err := x.Verify(context.Background(), VerifyOptions{})
			if err != nil || !r.OK() {
				rt.Fatal(r, err)
			}
		})
	})
}

// tryBump bumps two tags that somebody and something may have.
func (x *tester) tryBump(person, device int) (checkout.Event, error) {
	p, err := x.Subject(tag(person))
	if err != nil {
		return checkout.Event{}, err
	}
	d, err := x.Subject(tag(device))
	if err != nil {
		return checkout.Event{}, err
	}
	return x.Complete(checkout.Completion{Reader: "door", Person: p, Device: d})
}

// importsAlike imports the same rows into the first ledger in one transaction, into the
// second in many, and into the third by the model.
func importsAlike(rt *rapid.T, all []*tester) {
	kind := rapid.SampledFrom([]checkout.SubjectKind{checkout.KindPerson, checkout.KindDevice}).Draw(rt, "kind")
	ids, statuses, first := []string{"ann", "ben", "cem", "dia", "eve"}, []string{"", "", "active", "suspended", "retired"}, 1
	if kind == checkout.KindDevice {
		ids, statuses, first = []string{"ipad", "pixel", "nexus", "moto", "fold"}, []string{"", "", "active", "lost", "retired"}, 11
	}
	ids = rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 5, rapid.ID[string]).Draw(rt, "ids")
	tags := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(rt, "tags")
	var rows []books.ImportRow
	for i, id := range ids {
		r := books.ImportRow{ID: id, Line: i + 2, Name: rapid.SampledFrom([]string{"Ann", "The ipad", id}).Draw(rt, "name"),
			HasDetail: rapid.Bool().Draw(rt, "detail"), Status: rapid.SampledFrom(statuses).Draw(rt, "status")}
		if rapid.IntRange(0, 3).Draw(rt, "tagged") > 0 {
			r.Tag = tag(first + tags[i])
		}
		rows = append(rows, r)
	}
	plan := [3]string{}
	for i, x := range all {
		fewRows = 1 << 20
		if i == 1 {
			fewRows = 0
		}
		if i == 2 {
			added, changed, unchanged, err := x.asBefore(kind, rows)
			plan[i] = outcome(books.Imported{Added: added, Changed: changed, Unchanged: unchanged}, err)
		} else {
			dry, derr := x.Import(context.Background(), kind, seq(rows), books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI, DryRun: true})
			n, err := x.Import(context.Background(), kind, seq(rows), books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI})
			plan[i] = outcome(n, err)
			if d := outcome(dry, derr); d != plan[i] {
				rt.Fatalf("%+v\nin the dry run %s, in earnest %s", rows, d, plan[i])
			}
			if err := x.Settled(context.Background()); err != nil {
				rt.Fatal(err)
			}
		}
		now, err := register(x.Ledger)
		if err != nil {
			rt.Fatal(err)
		}
		plan[i] += "\n" + now
	}
	// The model also finds what is only wrong because an earlier line is, and it calls people
	// by the names that earlier lines give them.
	same := plan[0] == plan[2] || firstLine(plan[0]) != "" && firstLine(plan[0]) == firstLine(plan[2])
	if plan[0] != plan[1] || !same {
		rt.Fatalf("%+v\nin one transaction: %s\nin many: %s\nthe model: %s", rows, plan[0], plan[1], plan[2])
	}
}

func outcome(n books.Imported, err error) string {
	if err != nil {
		return err.Error() + " (" + hint.Of(err) + ")"
	}
	return fmt.Sprint(n.Added, " ", n.Changed, " ", n.Unchanged)
}

// firstLine is the first bad line, "" if none is.
func firstLine(outcome string) string {
	first, _, _ := strings.Cut(outcome, ":")
	if !strings.HasPrefix(first, "line ") {
		return ""
	}
	return first
}

func seq(rows []books.ImportRow) iter.Seq2[books.ImportRow, error] {
	return func(yield func(books.ImportRow, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// mixed are rows that add, change, exchange and retire.
func mixed(n int) []books.ImportRow {
	rows := []books.ImportRow{
		{ID: "ann", Name: "Ann", Tag: tag(2), Line: 2}, {ID: "ben", Name: "Benjamin", Tag: tag(1), Status: "suspended", Line: 3},
		{ID: "cem", Name: "Cem", Status: "retired", Line: 4},
	}
	for i := range n {
		rows = append(rows, books.ImportRow{ID: fmt.Sprint("p", i), Name: fmt.Sprint("Person ", i), Tag: tag(1000 + i), Line: 5 + i})
	}
	return rows
}

// snapshot copies the files of a ledger as a kill would leave them.
func snapshot(t testing.TB, path string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(f)), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, filepath.Base(path))
}

// TestImportKilled: wherever an import is cut off, before and after each of its
// transactions, the next start has the old register or the new one, with each event once.
func TestImportKilled(t *testing.T) {
	bigImports(t, 5, 7)
	x := newLedger(t)
	x.bump(1, 11)
	was, err := register(x.Ledger)
	x.ok(err)
	var cuts []string
	decided := -1
	boltfile.CrashHook = func(point string) {
		if slices.Contains([]string{"import-checked", "import-kept", "before-commit", "after-commit"}, point) {
			if point == "after-commit" && decided < 0 {
				decided = len(cuts)
			}
			cuts = append(cuts, snapshot(t, x.path))
		}
	}
	defer func() { boltfile.CrashHook = nil }()
	n, err := x.importing(checkout.KindPerson, mixed(30))
	boltfile.CrashHook = nil
	x.ok(err)
	want(t, "counts", fmt.Sprint(n.Added, n.Changed, n.Unchanged), "30 3 0")
	is, err := register(x.Ledger)
	x.ok(err)
	x.verify()
	if left, _ := filepath.Glob(x.path + ".import*"); left != nil {
		t.Errorf("afterwards there are %v", left)
	}
	if len(cuts) < 12 {
		t.Fatalf("only %d cuts", len(cuts))
	}
	for i, path := range cuts {
		l, err := Open(path, x.o)
		x.ok(err)
		whole := l.Whole()
		got, err := register(whole)
		x.ok(err)
		if expected := map[bool]string{true: was, false: is}[i < decided]; got != expected {
			t.Errorf("cut %d of %d (decided at %d): %s\nwant %s", i, len(cuts), decided, got, expected)
		}
		r, err := l.Verify(t.Context(), VerifyOptions{})
		if err != nil || !r.OK() {
			t.Errorf("cut %d: %v %v", i, r, err)
		}
		x.ok(l.Close())
		if left, _ := filepath.Glob(path + ".import*"); left != nil {
			t.Errorf("cut %d: afterwards there are %v", i, left)
		}
	}
}

// TestImportCutTwice: an import that was cut off is cut off again while the next start
// carries it out; who only reads the file is told; and the third start ends it.
func TestImportCutTwice(t *testing.T) {
	bigImports(t, 5, 3)
	x := newLedger(t)
	var cut string
	at := func(batch int) func(string) {
		return func(point string) {
			if point == "import-batch" {
				if batch--; batch == 0 {
					cut = snapshot(t, x.path)
				}
			}
		}
	}
	defer func() { boltfile.CrashHook = nil }()
	boltfile.CrashHook = at(2)
	_, err := x.importing(checkout.KindPerson, mixed(30))
	x.ok(err)
	is, err := register(x.Ledger)
	x.ok(err)
	x.path = cut
	boltfile.CrashHook = at(3)
	l, err := Open(cut, x.o)
	x.ok(err)
	x.ok(l.Settled(t.Context()))
	x.ok(l.Close())
	boltfile.CrashHook = nil

	l, err = OpenReadOnly(cut, x.o)
	x.ok(err)
	_, err = register(l.Whole())
	if !errors.Is(err, errInterrupted) {
		t.Errorf("a reader: %v", err)
	}
	if err := l.Backup(io.Discard); !errors.Is(err, errInterrupted) {
		t.Errorf("a backup: %v", err)
	}
	x.ok(l.Close())
	l, err = Open(cut, x.o)
	x.ok(err)
	defer l.Close()
	got, err := register(l.Whole())
	x.ok(err)
	want(t, "at last", got, is)
}

// TestImportStops: before it is decided, the end of the request undoes an import; then it
// goes on, and a ledger that is closed goes on when it is opened again.
func TestImportStops(t *testing.T) {
	bigImports(t, 2, 2)
	x := newLedger(t)
	was, err := register(x.Ledger)
	x.ok(err)
	o := books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI}
	for _, point := range []string{"while it is read", "while it waits for another", "when it is checked"} {
		ctx, cancel := context.WithCancel(t.Context())
		rows, release := seq(mixed(30)), func() {}
		switch point {
		case "while it is read":
			rows = func(yield func(books.ImportRow, error) bool) {
				for i, r := range mixed(30) {
					if i == 20 {
						cancel()
					}
					if !yield(r, nil) {
						return
					}
				}
			}
		case "while it waits for another":
			other, ended := make(chan struct{}), make(chan error, 1)
			boltfile.CrashHook = func(point string) {
				if point == "import-checked" {
					close(other)
					<-ctx.Done()
				}
			}
			go func() {
				_, err := x.Import(t.Context(), checkout.KindPerson, seq([]books.ImportRow{{ID: "ann", Name: "Ann"}, {ID: "ben", Name: "Ben"}, {ID: "cem", Name: "Cem"}}), o)
				ended <- err
			}()
			<-other
			release = func() { x.ok(<-ended); boltfile.CrashHook = nil }
			time.AfterFunc(10*time.Millisecond, cancel)
		default:
			rows = func(yield func(books.ImportRow, error) bool) {
				seq(mixed(30))(yield)
				cancel()
			}
		}
		_, err := x.Import(ctx, checkout.KindPerson, rows, o)
		release()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", point, err)
		}
		x.settled()
		got, err := register(x.Ledger)
		x.ok(err)
		want(t, point, got, was)
		if left, _ := filepath.Glob(x.path + ".import*"); left != nil {
			t.Errorf("%s: %v", point, left)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	hold, closed := make(chan struct{}), make(chan error, 1)
	batches := 0
	boltfile.CrashHook = func(point string) {
		if point == "import-batch" {
			if batches++; batches == 2 {
				cancel()
				<-hold
			}
		}
	}
	defer func() { boltfile.CrashHook = nil }()
	_, err = x.Import(ctx, checkout.KindPerson, seq(mixed(30)), o)
	if !errors.Is(err, journal.ErrDecided) || hint.Of(err) == "" {
		t.Errorf("once it is decided: %v", err)
	}
	go func() { closed <- x.Close() }()
	for {
		if errors.Is(x.view(func(*txn) {}), ErrClosed) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	close(hold)
	x.ok(<-closed)
	want(t, "batches when it is closed", batches, 2)
	boltfile.CrashHook = nil
	l, err := Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	n := 0
	for _, err := range x.Whole().People(books.Page{}) {
		x.ok(err)
		n++
	}
	want(t, "people after the next start", n, 33)
	x.verify()
}

// TestImportMeanwhile: while an import is applied taps go on, who looks at the register
// sees all of it or waits, and who changes it is told to wait.
func TestImportMeanwhile(t *testing.T) {
	bigImports(t, 5, 2)
	x := newLedger(t)
	x.bump(3, 12)
	reached, hold := make(chan struct{}), make(chan struct{})
	var once bool
	boltfile.CrashHook = func(point string) {
		if point == "import-batch" && !once {
			once = true
			close(reached)
			<-hold
		}
	}
	defer func() { boltfile.CrashHook = nil }()
	rows := mixed(30)
	rows[2].Status = "" // cem has a device
	done := make(chan error, 1)
	var n books.Imported
	go func() {
		var err error
		n, err = x.importing(checkout.KindPerson, rows)
		done <- err
	}()
	<-reached
	// The desk: a tap, a badge that the file gives to somebody else, a new person.
	x.bump(3, 13)
	_, err := x.EnrolPerson("cem", tag(1000+20), "stump", checkout.SourceReader)
	x.ok(err)
	x.ok(x.AddPerson(books.Person{ID: "p21", Name: "Typed"}, checkout.Tag{}, "stump", checkout.SourceReader))
	_, err = x.Give(books.Request{Device: "ipad", Person: "ann", Actor: "admin"})
	x.ok(err)
	name := "Annette"
	for what, err := range map[string]error{
		"edit":   x.EditPerson("ann", books.Edit{Name: &name}, "admin", checkout.SourceCLI),
		"erase":  x.ErasePerson("ann", "admin", checkout.SourceCLI),
		"merge":  second(x.MergePeople("ben", "ann", "admin", checkout.SourceCLI)),
		"import": second(x.importing(checkout.KindPerson, mixed(0))),
	} {
		if !errors.Is(err, journal.ErrBusy) || hint.Of(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Settled(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("who waits no longer: %v", err)
	}
	looked, backup := make(chan int, 1), make(chan error, 1)
	go func() {
		n := 0
		for range x.Whole().People(books.Page{}) {
			n++
		}
		looked <- n
	}()
	go func() { backup <- x.Backup(io.Discard) }()
	time.Sleep(20 * time.Millisecond)
	select {
	case n := <-looked:
		t.Errorf("a list was shown in the middle: %d people", n)
	case err := <-backup:
		t.Errorf("a backup was made in the middle: %v", err)
	default:
	}
	close(hold)
	x.ok(<-done)
	want(t, "people who looked have seen", <-looked, 33)
	x.ok(<-backup)
	if len(n.Late) != 1 || !strings.Contains(n.Late[0].Error(), `line 25: the tag …020 can't be given to person "p20": it is that of person "cem"`) {
		t.Errorf("late: %v", n.Late)
	}
	p, err := x.FindPerson("p20")
	x.ok(err)
	want(t, "without the badge", p.Name+fmt.Sprint(p.HasBadge()), "Person 20false")
	p, err = x.FindPerson("p21")
	x.ok(err)
	want(t, "who was typed", p.Name, "Person 21")
	x.verify()
}

func second[T any](_ T, err error) error { return err }

// TestImportRetiresLate: a device that is taken while an import retires it is not retired,
// and that is said.
func TestImportRetiresLate(t *testing.T) {
	bigImports(t, 1, 1)
	x := newLedger(t)
	boltfile.CrashHook = func(point string) {
		if point == "import-kept" {
			x.bump(1, 13)
		}
	}
	defer func() { boltfile.CrashHook = nil }()
	n, err := x.importing(checkout.KindDevice, []books.ImportRow{{ID: "pixel", Name: "Pixel", Line: 2}, {ID: "nexus", Name: "Nexus 5", Status: "retired", Line: 3}})
	x.ok(err)
	if len(n.Late) == 0 || !strings.HasPrefix(n.Late[0].Error(), "line 3: refused: Nexus 5 is with Ann") {
		t.Errorf("late: %v", n.Late)
	}
	d, err := x.FindDevice("nexus")
	x.ok(err)
	want(t, "the device", fmt.Sprint(d.Name, d.Status, d.Holder), "Nexus 5activeann")
	x.verify()
}

// TestImportWithoutJournal: if the rest of an import is lost, the ledger goes on with what
// was applied.
func TestImportWithoutJournal(t *testing.T) {
	bigImports(t, 5, 3)
	x := newLedger(t)
	var cut string
	boltfile.CrashHook = func(point string) {
		if point == "import-batch" && cut == "" {
			cut = snapshot(t, x.path)
		}
	}
	defer func() { boltfile.CrashHook = nil }()
	_, err := x.importing(checkout.KindPerson, mixed(30))
	x.ok(err)
	boltfile.CrashHook = nil
	for name, spoil := range map[string]func(path string) error{
		"missing":       os.Remove,
		"another's":     func(path string) error { return os.WriteFile(path, make([]byte, 100), 0o600) },
		"cut off":       func(path string) error { return os.Truncate(path, 1000) },
		"empty":         func(path string) error { return os.Truncate(path, 0) },
		"a flipped bit": flip,
	} {
		path := snapshot(t, cut)
		x.ok(spoil(path + ".import"))
		l, err := Open(path, x.o)
		x.ok(err)
		n := 0
		for _, err := range l.Whole().People(books.Page{}) {
			x.ok(err)
			n++
		}
		if r, err := l.Verify(t.Context(), VerifyOptions{}); n != 3 || err != nil || !r.OK() {
			t.Errorf("%s: %d people, %v, %v", name, n, r, err)
		}
		x.ok(l.Close())
	}
}

func flip(path string) error {
	data, err := os.ReadFile(path)
	if err == nil {
		data[len(data)/2] ^= 1
		err = os.WriteFile(path, data, 0o600)
	}
	return err
}

// TestImportTooMany: so many rows are refused before anything is done with them.
func TestImportTooMany(t *testing.T) {
	x := newLedger(t)
	_, err := x.Import(t.Context(), checkout.KindPerson, func(yield func(books.ImportRow, error) bool) {
		for i := range journal.Most + 1 {
			if !yield(books.ImportRow{ID: fmt.Sprint(i), Name: "x", Line: i}, nil) {
				return
			}
		}
	}, books.ImportOptions{})
	if err == nil || err.Error() != "more than 300000 rows" || hint.Of(err) == "" {
		t.Errorf("%v (%s)", err, hint.Of(err))
	}
	if left, _ := filepath.Glob(x.path + ".import*"); left != nil {
		t.Errorf("afterwards there are %v", left)
	}
}

func init() { children["import full"] = importFullChild }

// importFullChild imports into a disk that fills up in the middle. Then there is room again.
func importFullChild() {
	fail := func(err error) {
		if err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
	}
	fewRows, batchRows = 5, 10 // before Create, which keeps the second
	l, err := Create(os.Getenv("STUMP_TEST_LEDGER"), childOptions())
	fail(err)
	batches := 0
	boltfile.CrashHook = func(point string) {
		if point == "import-batch" {
			if batches++; batches == 3 {
				fail(limitFiles(4096))
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		n, err := l.Import(ctx, checkout.KindPerson, seq(mixed(200)), books.ImportOptions{Actor: "admin"})
		fmt.Println("added", n.Added)
		done <- err
	}()
	for err == nil || !errors.Is(err, journal.ErrBusy) {
		fail(ctx.Err())
		err = l.Settled(ctx)
	}
	looked := journal.ErrBusy
	for _, looked = range l.Whole().People(books.Page{}) {
	}
	if !errors.Is(err, ErrCannotSave) || !errors.Is(err, syscall.EFBIG) || !errors.Is(looked, ErrCannotSave) {
		fail(fmt.Errorf("while it is full: %w, %w", err, looked))
	}
	fail(limitFiles(unlimited))
	fail(<-done)
	fmt.Println("stopped after", batches, "and went on")
	fail(l.Close())
}

// TestImportDiskFull: an import that the disk stops goes on when there is room again. Until
// then who wants to see the register is told why they can't.
func TestImportDiskFull(t *testing.T) {
	path := filepath.Join(memDir(t), "ledger.db")
	cmd, out := child(t, "import full", "STUMP_TEST_LEDGER="+path)
	var said []string
	for out.Scan() {
		said = append(said, out.Text())
	}
	if err := cmd.Wait(); err != nil || len(said) != 2 || said[0] != "added 203" {
		t.Fatal(err, said)
	}
	l, err := Open(path, childOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := 0
	for _, err := range l.People(books.Page{}) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	want(t, "people", n, 203)
	if r, err := l.Verify(t.Context(), VerifyOptions{}); err != nil || !r.OK() {
		t.Error(r, err)
	}
}

// TestImportSalvaged: a ledger that is damaged while an import is applied is salvaged, and
// then the import goes on.
func TestImportSalvaged(t *testing.T) {
	bigImports(t, 5, 7)
	x := newLedger(t)
	x.bump(1, 11)
	var cut string
	batches := 0
	boltfile.CrashHook = func(point string) {
		if batches++; point == "import-batch" && cut == "" && batches > 3 {
			cut = snapshot(t, x.path)
		}
	}
	defer func() { boltfile.CrashHook = nil }()
	_, err := x.importing(checkout.KindPerson, mixed(30))
	x.ok(err)
	boltfile.CrashHook = nil
	x.ok(beside.NoteSuspect(cut, "a test says so"))
	l, salvaged, err := OpenOrSalvage(cut, x.o)
	if err != nil || salvaged == nil {
		t.Fatal(salvaged, err)
	}
	defer l.Close()
	n := 0
	for _, err := range l.Whole().People(books.Page{}) {
		x.ok(err)
		n++
	}
	want(t, "people", n, 33)
	if r, err := l.Verify(t.Context(), VerifyOptions{}); err != nil || !r.OK() {
		t.Error(r, err)
	}
}

// TestImportLoansLate: a device that the desk lends while a file says that somebody else has
// it stays with whom it is, and that is said; the rest of its line counts.
func TestImportLoansLate(t *testing.T) {
	bigImports(t, 2, 1)
	x := newLedger(t)
	var rows []books.ImportRow
	for i := range 6 {
		id := fmt.Sprint("d", i)
		x.ok(x.AddDevice(books.Device{ID: id, Name: id}, checkout.Tag{}, "admin", checkout.SourceCLI))
		rows = append(rows, books.ImportRow{ID: id, Name: "New " + id, Holder: "Ben", Since: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Line: i + 2, Tag: tag(2000 + i)})
	}
	var once bool
	boltfile.CrashHook = func(point string) {
		if point == "import-batch" && !once {
			once = true
			_, err := x.Give(books.Request{Device: "d5", Person: "ann", Actor: "admin"})
			x.ok(err)
		}
	}
	defer func() { boltfile.CrashHook = nil }()
	n, err := x.importing(checkout.KindDevice, rows)
	x.ok(err)
	if len(n.Late) != 1 || !strings.Contains(n.Late[0].Error(), "line 7: refused: Ann has New d5") {
		t.Errorf("late: %v", n.Late)
	}
	for i := range 6 {
		d, err := x.FindDevice(fmt.Sprint("d", i))
		x.ok(err)
		holder := "ben"
		if i == 5 {
			holder = "ann"
		}
		want(t, d.ID, fmt.Sprint(d.Name, " ", d.Holder, " ", d.HasTag()), fmt.Sprint("New ", d.ID, " ", holder, " true"))
	}
	x.verify()
}

// TestTagOfTheRetired: a line of somebody who is retired and stays so takes no tag, so that
// who had it keeps it as one that was replaced.
func TestTagOfTheRetired(t *testing.T) {
	x := newLedger(t)
	x.ok(x.RetirePerson("ann", "admin", checkout.SourceCLI))
	_, err := x.importing(checkout.KindPerson, []books.ImportRow{
		{ID: "ben", Name: "Ben", Tag: tag(6), Line: 2},
		{ID: "ann", Name: "Ann", Tag: tag(2), Status: "retired", Line: 3},
	})
	x.ok(err)
	want(t, "the new badge", x.subject(6).ID, "ben")
	old := x.subject(2)
	want(t, "whose the old one is", old.ID, "ben")
	want(t, "what it is", old.Status, checkout.OldBadge)
}
