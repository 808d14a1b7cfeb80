package boltfile

import (
	"encoding/binary"
	"errors"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// FillRows is how many rows Fill adds. Four fill a page, and 64 pages are written at once.
const FillRows = 4 * 64

var (
	fillTree  = []byte("fill")
	fillValue = make([]byte, 980)
)

// Fill overwrites free pages with the empty rows of a tree of its own. The first row is
// number next; number 0 makes the tree anew. Once all are overwritten, Unfill frees them.
func Fill(tx *bolt.Tx, next uint64) error {
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
	for i := range uint64(FillRows) {
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
