package record

import (
	"bytes"
	"fmt"
	"hash/crc32"

	"stump/checkout"
)

// Newest is a note of the ledger's newest event, in a small file beside it. It shows when
// an old copy of the ledger was put back, by hand or by damage that makes an old meta page
// valid. The note is written after each commit and not synced, so after a power cut it may
// be older than the ledger, but never newer.
type Newest struct {
	Chain, Hash checkout.Hash
	Seq         uint64
	Clean       bool // the ledger was closed after the event, so there is no later one
}

// Line returns the content of the file. Its length is fixed, so that it can be
// overwritten in place.
func (n Newest) Line() []byte {
	end := 'o'
	if n.Clean {
		end = 'c'
	}
	s := fmt.Sprintf("%x %020d %x %c", n.Chain[:], n.Seq, n.Hash[:], end)
	return fmt.Appendf(nil, "%s %08x\n", s, crc32.ChecksumIEEE([]byte(s)))
}

// ParseNewest reads a line; false when it is not whole.
func ParseNewest(b []byte) (n Newest, ok bool) {
	var chain, hash []byte
	var end rune
	if _, err := fmt.Sscanf(string(b), "%x %d %x %c", &chain, &n.Seq, &hash, &end); err != nil || len(chain) != HashLen || len(hash) != HashLen {
		return n, false
	}
	n.Chain, n.Hash, n.Clean = checkout.Hash(chain), checkout.Hash(hash), end == 'c'
	return n, bytes.Equal(n.Line(), b)
}
