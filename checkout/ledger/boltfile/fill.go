package boltfile

import (
	"encoding/binary"
	"errors"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// What Fill writes at once: at most fillMost pages, of four rows each. Near the end it is a
// page at a time, so that the last one is not found by making the file longer: beside its
// rows a transaction needs some pages for what it changes, fillSpare at most.
const (
	fillRows  = 4
	fillMost  = 64
	fillSpare = 16
)

// FillRows is how many rows are next, while so many pages can be used.
func FillRows(free int) uint64 {
	return uint64(fillRows * min(max(free-fillSpare, 1), fillMost))
}

var (
	fillTree  = []byte("fill")
	fillValue = make([]byte, 980)
)

// Fill overwrites free pages with so many empty rows of a tree of its own. The first is
// number next; number 0 makes the tree anew. Once all are overwritten, Unfill frees them.
func Fill(tx *bolt.Tx, next, rows uint64) error {
	if next == 0 {
		if err := Unfill(tx); err != nil {
			return err
		}
	}
	b, err := tx.CreateBucketIfNotExists(fillTree)
	if err != nil {
		return err
	}
	b.FillPercent = 1
	for i := range rows {
		err = errors.Join(err, b.Put(binary.BigEndian.AppendUint64(nil, next+i), fillValue))
	}
	return err
}

// Unfill removes the tree of Fill, if there is one.
func Unfill(tx *bolt.Tx) error {
	if err := tx.DeleteBucket(fillTree); !errors.Is(err, berrors.ErrBucketNotFound) {
		return err
	}
	return nil
}
