package once

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/record"
)

// in runs f in a transaction of an empty file.
func in(t *testing.T, f func(tx *bolt.Tx)) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "x.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket(record.TreeMeta.Bucket())
		if err != nil {
			return err
		}
		f(tx)
		// Rows of others lie before and behind.
		return errors.Join(err, b.Put([]byte("a"), nil), b.Put([]byte("z"), nil))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func note(t *testing.T, tx *bolt.Tx, key string, at time.Time) {
	t.Helper()
	if err := errors.Join(Note(tx, key, "asked "+key, at), Answered(tx, key, []byte("answer "+key))); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, tx *bolt.Tx, key string) bool {
	t.Helper()
	m, ok, err := Made(tx, key)
	if err != nil || ok && (m.Request != "asked "+key || string(m.Answer) != "answer "+key) {
		t.Errorf("%s: %+v, %v", key, m, err)
	}
	return ok
}

// TestDay: a request is kept for a day, whatever comes then.
func TestDay(t *testing.T) {
	for _, between := range []string{"", "z", "a"} { // the meta tree has other rows, or none
		in(t, func(tx *bolt.Tx) {
			if between != "" {
				if err := tx.Bucket(record.TreeMeta.Bucket()).Put([]byte(between), nil); err != nil {
					t.Fatal(err)
				}
			}
			begin := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
			note(t, tx, "one", begin)
			note(t, tx, "two", begin.Add(time.Hour))
			note(t, tx, "three", begin.Add(Kept-time.Second))
			if !has(t, tx, "one") || !has(t, tx, "two") || !has(t, tx, "three") || has(t, tx, "four") {
				t.Error("within a day")
			}
			note(t, tx, "four", begin.Add(Kept))
			if has(t, tx, "one") || !has(t, tx, "two") || !has(t, tx, "four") {
				t.Error("after a day")
			}
			note(t, tx, "five", begin.Add(-time.Hour)) // the clock was put right
			note(t, tx, "six", begin.Add(5*Kept))
			if n := rows(tx); n != 2 {
				t.Errorf("after five days there are %d rows", n)
			}
			note(t, tx, "seven", time.Time{}) // nobody knows the time
			note(t, tx, "eight", begin.Add(5*Kept+time.Hour))
			if !has(t, tx, "six") || !has(t, tx, "seven") {
				t.Error("without a time")
			}
			note(t, tx, "nine", begin.Add(6*Kept))
			if has(t, tx, "six") || !has(t, tx, "seven") || !has(t, tx, "eight") {
				t.Error("what may be of today has gone")
			}
			note(t, tx, "ten", begin.Add(6*Kept+time.Hour))
			if has(t, tx, "seven") || has(t, tx, "eight") || !has(t, tx, "nine") {
				t.Error("what came before something old is there")
			}
		})
	}
}

// TestMost: there are never more than so many.
func TestMost(t *testing.T) {
	in(t, func(tx *bolt.Tx) {
		at := time.Now()
		for i := range Most + 3 {
			note(t, tx, fmt.Sprint(i), at)
		}
		if has(t, tx, "2") || !has(t, tx, "3") || rows(tx) != 2*Most {
			t.Errorf("%d rows", rows(tx))
		}
	})
}

// TestErase: an answer that may name somebody goes, and the request stays.
func TestErase(t *testing.T) {
	in(t, func(tx *bolt.Tx) {
		note(t, tx, "one", time.Now())
		if err := Erase(tx); err != nil {
			t.Fatal(err)
		}
		if m, ok, err := Made(tx, "one"); !ok || err != nil || m.Answer != nil || m.Request != "asked one" {
			t.Errorf("%+v, %v, %v", m, ok, err)
		}
		if err := errors.Join(Answered(tx, "two", []byte("x")), Answered(tx, "one", make([]byte, longest+1))); err != nil {
			t.Error(err)
		}
		if m, ok, _ := Made(tx, "one"); !ok || m.Answer != nil {
			t.Error("an answer of any length is kept")
		}
	})
}

func rows(tx *bolt.Tx) (n int) {
	_ = tx.Bucket(record.TreeMeta.Bucket()).ForEach(func(k, _ []byte) error {
		if len(k) > 1 {
			n++
		}
		return nil
	})
	return n
}
