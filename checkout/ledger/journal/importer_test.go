package journal

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// TestYield: a transaction ends when somebody waits, who then goes along; while somebody
// always waits, it goes on row by row.
func TestYield(t *testing.T) {
	for _, tt := range []struct {
		name   string
		waits  func(row int) bool // while so many rows were applied
		begins int
	}{
		{"nobody waits", func(int) bool { return false }, 4},
		{"once", func(row int) bool { return row == 3 }, 5},
		{"always", func(int) bool { return true }, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			err = db.Update(func(tx *bolt.Tx) error {
				_, err := tx.CreateBucket(record.TreeMeta.Bucket())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			j := New(path, ring(t), 0)
			for i := range 20 {
				if err := j.add(books.ImportRow{ID: fmt.Sprint("p", i), Name: "Person", Line: i}); err != nil {
					t.Fatal(err)
				}
			}
			if err := j.Index(noTwice); err != nil {
				t.Fatal(err)
			}
			begins := 0
			var lines []int
			i := NewImporter(Options{
				Path: path, Keys: ring(t), Log: slog.New(slog.DiscardHandler), Batch: 5,
				Update: func(f func(*bolt.Tx) error) error {
					begins++
					return db.Update(f)
				},
				Apply: func(_ *bolt.Tx, _ *Journal, _ *Mark, r books.ImportRow) ([]error, error) {
					lines = append(lines, r.Line)
					return nil, nil
				},
				Alone: func(f func()) { f() },
				Waits: func() bool { return tt.waits(len(lines)) },
			})
			_, err = i.Import(t.Context(), j, Job{Mark: Mark{Kind: checkout.KindPerson}, Check: func() error { return nil }, Decide: func(f func(*bolt.Tx) error) error { return db.Update(f) }})
			if err != nil {
				t.Fatal(err)
			}
			for n, line := range lines {
				if n != line {
					t.Fatalf("applied: %v", lines)
				}
			}
			begins-- // the last one takes the mark away
			if len(lines) != 20 || begins != tt.begins {
				t.Errorf("%d rows in %d transactions, want 20 in %d", len(lines), begins, tt.begins)
			}
		})
	}
}
