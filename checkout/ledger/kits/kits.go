// Package kits keeps which devices are parts of a kit, by the kit: a bump must not read all
// devices. What counts is in the rows of the parts; this can be made from them again.
//
// Its rows lie in the ledger's meta tree, and have no body. A program that does not know
// them passes them over, and changes no kit.
//
//	kits                     all parts are in the list
//	kits/ + kit + \0 + part  the ids
package kits

import (
	"bytes"
	"iter"
	"slices"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/record"
)

var (
	made   = []byte("kits")
	prefix = []byte("kits/")
)

func meta(tx *bolt.Tx) *bolt.Bucket { return tx.Bucket(record.TreeMeta.Bucket()) }

// Made reports whether the list was made.
func Made(tx *bolt.Tx) bool { return meta(tx).Get(made) != nil }

// Make makes the list anew, of the parts and their kits.
func Make(tx *bolt.Tx, parts iter.Seq2[string, string]) error {
	var old [][]byte
	for k := range keys(tx, prefix) {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if err := meta(tx).Delete(k); err != nil {
			return err
		}
	}
	for part, kit := range parts {
		if err := Add(tx, kit, part); err != nil {
			return err
		}
	}
	return put(tx, made)
}

// Add adds a part to a kit.
func Add(tx *bolt.Tx, kit, part string) error { return put(tx, key(kit, part)) }

// Remove takes a part out of a kit.
func Remove(tx *bolt.Tx, kit, part string) error { return meta(tx).Delete(key(kit, part)) }

// Parts are the ids of the parts of a kit, sorted.
func Parts(tx *bolt.Tx, kit string) (parts []string) {
	begin := key(kit, "")
	for k := range keys(tx, begin) {
		parts = append(parts, string(k[len(begin):]))
	}
	return parts
}

// All yields each part with its kit.
func All(tx *bolt.Tx) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for k := range keys(tx, prefix) {
			kit, part, _ := bytes.Cut(k[len(prefix):], []byte{0})
			if !yield(string(part), string(kit)) {
				return
			}
		}
	}
}

func key(kit, part string) []byte {
	return slices.Concat(prefix, []byte(kit), []byte{0}, []byte(part))
}

func put(tx *bolt.Tx, key []byte) error {
	v := record.Envelope{Tree: record.TreeMeta, Rev: uint64(tx.ID()), Key: key}
	return meta(tx).Put(key, v.Seal())
}

// keys yields the keys that begin so.
func keys(tx *bolt.Tx, prefix []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c := meta(tx).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix) && yield(k); k, _ = c.Next() {
		}
	}
}
