// Package once keeps for a day which requests have changed the ledger, and what was
// answered, so that a request that is sent again changes nothing and has the same answer.
//
// Its rows lie in the ledger's meta tree, and are written in the transaction of the
// change. A program that does not know them passes them over.
//
//	once/key/  + the request's key          what was asked, when, the answer
//	once/turn/ + a number of eight bytes    the key; the numbers are in the order of time
package once

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// How long requests are kept, and how many at most.
const (
	Kept = 24 * time.Hour
	Most = 10_000
)

// longest is the length of an answer that is kept, in bytes.
const longest = record.MaxSize / 2

var (
	byKey  = []byte("once/key/")
	byTurn = []byte("once/turn/")
)

// row is a request that was made.
type row struct {
	at              time.Time
	request, answer []byte
}

func rowForm(r *row) []record.Field {
	return []record.Field{record.Of(1, &r.at), record.Of(2, &r.request), record.Of(3, &r.answer)}
}

// Made returns the request that was made with a key; false if none was.
func Made(tx *bolt.Tx, key string) (m books.Made, ok bool, err error) {
	r, ok, err := read(tx, key)
	return books.Made{Request: string(r.request), Answer: r.answer}, ok, err
}

// Note notes a request in the transaction of its change, and forgets those of yesterday.
// now is zero if nobody knows the time: then all that is there may be of today.
func Note(tx *bolt.Tx, key, request string, now time.Time) error {
	turn := newest(tx) + 1
	if err := forget(tx, turn, now); err != nil {
		return err
	}
	if err := write(tx, turnKey(turn), []byte(key)); err != nil {
		return err
	}
	return write(tx, rowKey(key), record.Pack(rowForm(&row{at: now, request: []byte(request)})))
}

// Answered keeps the answer to a request that Note has noted. A long one is not kept.
func Answered(tx *bolt.Tx, key string, answer []byte) error {
	r, ok, err := read(tx, key)
	if err != nil || !ok || len(answer) > longest {
		return err
	}
	r.answer = answer
	return write(tx, rowKey(key), record.Pack(rowForm(&r)))
}

// Erase takes all answers away, since they may name somebody. The requests stay.
func Erase(tx *bolt.Tx) error {
	var keys []string
	c := tx.Bucket(record.TreeMeta.Bucket()).Cursor()
	for k, _ := c.Seek(byKey); bytes.HasPrefix(k, byKey); k, _ = c.Next() {
		keys = append(keys, string(k[len(byKey):]))
	}
	for _, key := range keys {
		if err := Answered(tx, key, nil); err != nil {
			return err
		}
	}
	return nil
}

// newest is the number of the newest request, 0 if there is none.
func newest(tx *bolt.Tx) uint64 {
	c := tx.Bucket(record.TreeMeta.Bucket()).Cursor()
	k, _ := c.Seek(append(slices.Clone(byTurn), bytes.Repeat([]byte{0xff}, 9)...))
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	return turnOf(k)
}

// forget removes the requests before the number next that are too old, or too many. How
// old one is whose time is not known, those after it tell.
func forget(tx *bolt.Tx, next uint64, now time.Time) error {
	b := tx.Bucket(record.TreeMeta.Bucket())
	var old, maybe [][]byte // keys
	c := b.Cursor()
	for k, v := c.Seek(byTurn); turnOf(k) != 0; k, v = c.Next() {
		turn, err := record.Open(v)
		if err != nil {
			return err
		}
		key := string(turn.Body)
		r, _, err := read(tx, key)
		if err != nil {
			return err
		}
		many := turnOf(k)+Most <= next
		if !many && !r.at.IsZero() && now.Sub(r.at) < Kept {
			break
		}
		maybe = append(maybe, rowKey(key), bytes.Clone(k))
		if many || !r.at.IsZero() {
			old = append(old, maybe...)
			maybe = nil
		}
	}
	for _, k := range old {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func rowKey(key string) []byte { return slices.Concat(byKey, []byte(key)) }

func turnKey(n uint64) []byte {
	return binary.BigEndian.AppendUint64(slices.Clone(byTurn), n)
}

// turnOf is the number in the key of a turn, 0 if k is none.
func turnOf(k []byte) uint64 {
	number, ok := bytes.CutPrefix(k, byTurn)
	if !ok || len(number) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(number)
}

func read(tx *bolt.Tx, key string) (r row, ok bool, err error) {
	b := tx.Bucket(record.TreeMeta.Bucket()).Get(rowKey(key))
	if b == nil {
		return r, false, nil
	}
	v, err := record.Open(b)
	if err != nil {
		return r, false, err
	}
	r, err = record.Unpack(rowForm, v.Body)
	return r, err == nil, err
}

func write(tx *bolt.Tx, key, body []byte) error {
	v := record.Envelope{Tree: record.TreeMeta, Rev: uint64(tx.ID()), Key: key, Body: body}
	return tx.Bucket(record.TreeMeta.Bucket()).Put(key, v.Seal())
}
