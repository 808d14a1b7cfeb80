package journal

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

func ring(t testing.TB) *sitekey.Ring {
	t.Helper()
	keys, err := sitekey.NewRing(make([]byte, sitekey.Len), nil)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func noTwice(books.ImportRow, books.ImportRow, Twice) {}

// read are all rows of a journal from a place on.
func readAll(j *Journal, from uint64) (all []books.ImportRow, places []uint64, err error) {
	err = j.Each(from, func(r books.ImportRow, at, _ uint64) bool {
		all, places = append(all, r), append(places, at)
		return true
	})
	return all, places, err
}

// TestJournal: rows come back as they were added, from memory, from a file, and from one
// that was kept; they are found by id and by tag, and what is there twice is told.
func TestJournal(t *testing.T) {
	keys := ring(t)
	text := rapid.StringN(0, 8, 40)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "journal")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		ledger := filepath.Join(dir, "ledger.db")
		j := New(ledger, keys, rapid.IntRange(0, 6).Draw(t, "few"))
		var rows []books.ImportRow
		for i := range rapid.IntRange(0, 12).Draw(t, "rows") {
			r := books.ImportRow{ID: rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"}).Draw(t, "id"), Name: text.Draw(t, "name"), Email: text.Draw(t, "email"),
				Kind: text.Draw(t, "kind"), HasDetail: rapid.Bool().Draw(t, "detail"), Status: text.Draw(t, "status"), Line: i * 3}
			if n := rapid.Uint64Range(0, 8).Draw(t, "tag"); n > 0 {
				r.Tag = testkit.Tag(n, 26)
			}
			if err := j.add(r); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, r)
		}
		ids, tags, twice, doubled := map[string]int{}, map[checkout.Tag]int{}, map[string]bool{}, map[int]bool{}
		for i, r := range rows {
			first, again := ids[r.ID]
			if again {
				twice[fmt.Sprint(r.Line, rows[first].Line, SameID)], doubled[i] = true, true
				continue
			}
			ids[r.ID] = i
			if first, again := tags[r.Tag]; again && !r.Tag.IsZero() {
				twice[fmt.Sprint(r.Line, rows[first].Line, SameTag)], doubled[i] = true, true
			} else {
				tags[r.Tag] = i
			}
		}
		check := func(j *Journal) {
			got := map[string]bool{}
			if err := j.Index(func(r, first books.ImportRow, what Twice) { got[fmt.Sprint(r.Line, first.Line, what)] = true }); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, twice) {
				t.Fatalf("twice: %v, want %v", got, twice)
			}
			all, places, err := readAll(j, 0)
			if err != nil || !slices.Equal(all, rows) || j.Len() != len(rows) {
				t.Fatalf("%v, %v", all, err)
			}
			for i, at := range places {
				if j.Doubled(at) != doubled[i] {
					t.Fatalf("row %d: doubled is %v", i, j.Doubled(at))
				}
				if rest, _, err := readAll(j, at); err != nil || !slices.Equal(rest, rows[i:]) {
					t.Fatalf("from row %d: %v, %v", i, rest, err)
				}
			}
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
				r, at, ok, err := j.ByID(id)
				if i, there := ids[id]; err != nil || ok != there || ok && (r != rows[i] || at != places[i]) {
					t.Fatalf("%q: %v %v %v", id, r, ok, err)
				}
			}
			for tag, i := range tags {
				if r, ok, err := j.ByTag(keys.Find(tag, 0)); !tag.IsZero() && (err != nil || !ok || r != rows[i]) {
					t.Fatalf("the tag of row %d: %v %v %v", i, r, ok, err)
				}
			}
		}
		check(j)
		if j.Big() {
			if err := j.Keep(); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			again, err := open(ledger, keys)
			if err != nil || again.ID != j.ID {
				t.Fatal(again, err)
			}
			check(again)
			j = again
			if err := remove(ledger); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Fatalf("left: %v", left)
		}
	})
}

// TestDamaged: a file that is not whole is an error, wherever it is cut off or changed,
// and never another row.
func TestDamaged(t *testing.T) {
	keys, ledger := ring(t), filepath.Join(t.TempDir(), "ledger.db")
	j := New(ledger, keys, 0)
	for i := range 3 {
		if err := j.add(books.ImportRow{ID: fmt.Sprint("p", i), Name: "Person", Tag: testkit.Tag(uint64(i+1), 26)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(j.Keep(), j.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(kept(ledger))
	if err != nil {
		t.Fatal(err)
	}
	fails := func(data []byte) error {
		if err := os.WriteFile(kept(ledger), data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := open(ledger, keys)
		if err != nil {
			return err
		}
		defer j.Close()
		return j.Index(noTwice)
	}
	if err := fails(whole); err != nil {
		t.Fatal(err)
	}
	for i := headLen; i < len(whole); i++ {
		bad := slices.Clone(whole)
		bad[i] ^= 0x10
		if err := fails(bad); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	places := map[int]bool{headLen: true}
	if err := os.WriteFile(kept(ledger), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err = open(ledger, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Each(0, func(_ books.ImportRow, _, next uint64) bool { places[int(next)] = true; return true }); err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if err := fails(whole[:n]); !places[n] && !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes of %d: %v", n, len(whole), err)
		}
	}
}

// TestNoRoom: without a folder to write into, that is the error.
func TestNoRoom(t *testing.T) {
	j := New(filepath.Join(t.TempDir(), "none", "ledger.db"), ring(t), 0)
	if err := j.add(books.ImportRow{ID: "a", Name: "A"}); !errors.Is(err, os.ErrNotExist) || j.Big() {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
