package record

import (
	"encoding/binary"
	"time"

	"stump/checkout"
)

// Keys of the meta tree.
var (
	MetaOwn   = []byte("own")   // the index of the chain that is continued
	MetaOrder = []byte("order") // the runs of several chains; absent where there is one
)

// MetaChain returns the key of a chain's row.
func MetaChain(index uint16) []byte { return binary.BigEndian.AppendUint16([]byte("chain/"), index) }

// MetaHead returns the key of the number and hash of a chain's newest event.
func MetaHead(index uint16) []byte { return binary.BigEndian.AppendUint16([]byte("head/"), index) }

// PackHead returns what stands under MetaHead.
func PackHead(seq uint64, hash checkout.Hash) []byte {
	return append(binary.BigEndian.AppendUint64(nil, seq), hash[:]...)
}

// ParseHead is the reverse of PackHead. Nil is the head of a chain without events; ok is
// false if b is not a head.
func ParseHead(b []byte) (seq uint64, hash checkout.Hash, ok bool) {
	if b == nil {
		return 0, hash, true
	}
	if len(b) != 8+HashLen {
		return 0, hash, false
	}
	return binary.BigEndian.Uint64(b), checkout.Hash(b[8:]), true
}

// ForeignChain is the first index of a chain of another station, of which the file has no
// events; see MetaForeign.
const ForeignChain = 1 << 15

// MetaForeign returns the key of the name of another station's chain.
func MetaForeign(index uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte("foreign/"), index)
}

// MetaLab is the key of how far the file knows what is so in the lab.
var MetaLab = []byte("lab")

// MetaGone returns the key of somebody who was erased in the lab, and is to be here; with ""
// the beginning of all.
func MetaGone(id string) []byte { return []byte("gone/" + id) }

// Lab is how far a file knows what is so in the lab.
type Lab struct {
	Epoch int64
	Ver   uint64    // of the newest row
	Heard time.Time // the lab time that was heard last
}

// LabForm is the form of a Lab.
func LabForm(c *Lab) []Field { return []Field{{1, &c.Epoch}, {2, &c.Ver}, {3, &c.Heard}} }

// MetaSink returns the key of a sink's row.
func MetaSink(name string) []byte { return []byte("sink/" + name) }

// MetaStation returns the key of a station's index, in files of schema 1.
func MetaStation(name string) []byte { return []byte("station/" + name) }

// Run is a sequence of events of one chain.
type Run struct {
	Chain       uint16
	First, Last uint64
}

// AppendRuns appends runs as they stand under MetaOrder.
func AppendRuns(b []byte, all []Run) []byte {
	for _, r := range all {
		b = binary.BigEndian.AppendUint16(b, r.Chain)
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, r.First), r.Last)
	}
	return b
}

// ParseRuns is the reverse of AppendRuns. ok is false if there is none, or b is not whole.
func ParseRuns(b []byte) (all []Run, ok bool) {
	for ; len(b) >= 18; b = b[18:] {
		be := binary.BigEndian
		all = append(all, Run{be.Uint16(b), be.Uint64(b[2:]), be.Uint64(b[10:])})
	}
	return all, len(b) == 0 && len(all) > 0
}
