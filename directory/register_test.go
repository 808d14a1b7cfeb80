package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/internal/books"
	"stump/internal/testkit"
)

// A register of more than a page is there as a whole, once.
func TestMembersOfAFullRegister(t *testing.T) {
	for _, n := range []int{membersAtOnce - 1, membersAtOnce, 2*membersAtOnce + 1} {
		b := newBox(t)
		var rows []books.SyncRow
		for i := range n {
			rows = append(rows, person("", fmt.Sprint(i), "Ann"), books.SyncRow{Kind: checkout.KindDevice, Ref: fmt.Sprint(i), Name: "iPad"})
		}
		b.sync(rows...)
		all, err := members(b, 0)
		seen := map[string]bool{}
		for _, m := range all {
			seen[m.Kind.String()+m.Ref] = true
		}
		if err != nil || len(all) != 2*n || len(seen) != 2*n {
			t.Errorf("%d of each: %d members, %d different, %v", n, len(all), len(seen), err)
		}
	}
}

// TestAmongMembers: who has a tag is found among the members that were read, also who came
// since, and is who the register says.
func TestAmongMembers(t *testing.T) {
	b := newBox(t)
	var rows []books.SyncRow
	for i := range 60 {
		p, d := person("", fmt.Sprint(i), fmt.Sprint("Ann ", i)), books.SyncRow{Kind: checkout.KindDevice, Ref: fmt.Sprint(i), Name: fmt.Sprint("iPad ", i)}
		p.Tag, d.Tag = oracleTag(i), oracleTag(1000+i)
		rows = append(rows, p, d)
	}
	b.sync(rows[:100]...)
	register, err := members(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.sync(rows[100:]...)
	reads := &countingReads{box: b}
	for _, in := range rows {
		m, err := amongMembers(reads, register, in.Tag)
		if err != nil || m.Kind != in.Kind || m.Name != in.Name {
			t.Errorf("%s has tag %v: %+v %v", in.Name, in.Tag, m, err)
		}
	}
	if reads.n != 20 {
		t.Errorf("%d members were read again, not the 20 that came since", reads.n)
	}
	if m, err := amongMembers(reads, register, oracleTag(5000)); err != nil || m.Kind != checkout.Unknown {
		t.Errorf("nobody has it: %+v %v", m, err)
	}
}

// countingReads counts who is read by id.
type countingReads struct {
	*box
	n int
}

func (c *countingReads) FindPerson(id string) (books.Person, error) {
	c.n++
	return c.box.FindPerson(id)
}

func (c *countingReads) FindDevice(id string) (books.Device, error) {
	c.n++
	return c.box.FindDevice(id)
}

// TestMergedInTheLedger: a pull sees one person, and the keys that she had.
func TestMergedInTheLedger(t *testing.T) {
	b := newBox(t)
	rows, err := b.Sync([]books.SyncRow{person("", "11", "Ann Okafor"), person("", "21", "Ann Weber")}, Main, checkout.SourceSync)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.MergePeople(rows[0].ID, rows[1].ID, "admin", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	all, err := members(b, 0)
	if err != nil || len(all) != 1 || all[0].ID != rows[1].ID || !slices.Equal(all[0].Former, []string{"11"}) {
		t.Errorf("%+v %v", all, err)
	}
}

// TestPullWaitsForAnImport: the changes of a pull come after an import that is being
// applied, unless the pull ends first.
func TestPullWaitsForAnImport(t *testing.T) {
	b := newBox(t)
	reached, hold := testkit.HoldAt(t, &boltfile.CrashHook, "import-batch")
	imported := make(chan error, 1)
	go func() {
		_, err := b.Import(t.Context(), checkout.KindPerson, func(yield func(books.ImportRow, error) bool) {
			for i := range 2000 {
				if !yield(books.ImportRow{ID: fmt.Sprint("p", i), Name: "Person"}, nil) {
					return
				}
			}
		}, books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI})
		imported <- err
	}()
	<-reached
	w := newWorker(Options{Ledger: b})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := w.apply(ctx, []books.SyncRow{person("", "11", "Ann")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("in the middle of the import: %v", err)
	}
	close(hold)
	if _, err := w.apply(t.Context(), []books.SyncRow{person("", "11", "Ann")}); err != nil {
		t.Error(err)
	}
	if err := <-imported; err != nil {
		t.Error(err)
	}
	all, err := members(b, 0)
	if err != nil || len(all) != 2001 {
		t.Errorf("%d members, %v", len(all), err)
	}
}

// hasty is a ledger in which a tap always waits.
type hasty struct{ Ledger }

func (h hasty) Sync(rows []books.SyncRow, actor string, source checkout.Source) ([]books.SyncRow, error) {
	return h.Ledger.Sync(rows[:min(len(rows), 2)], actor, source)
}

// TestApplyInPieces: what is not written at once is written next, but for what is refused.
func TestApplyInPieces(t *testing.T) {
	b := newBox(t)
	w := newWorker(Options{Ledger: hasty{b}})
	var rows []books.SyncRow
	for i := range 7 {
		rows = append(rows, person("", fmt.Sprint(i), fmt.Sprint("Person ", i)))
	}
	rows[4].Name = "" // is refused
	notes, err := w.apply(t.Context(), rows)
	if err != nil || len(notes) != 1 {
		t.Errorf("%v, %v", notes, err)
	}
	if all, err := members(b, 0); err != nil || len(all) != 6 {
		t.Errorf("%d people, %v", len(all), err)
	}
}
