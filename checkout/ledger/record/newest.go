package record

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

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
	f := strings.Fields(string(b))
	if len(f) != 5 || len(f[0]) != 2*HashLen || len(f[2]) != 2*HashLen {
		return n, false
	}
	// What is wrong with one of them shows in the line that they make.
	hex.Decode(n.Chain[:], []byte(f[0]))
	hex.Decode(n.Hash[:], []byte(f[2]))
	n.Seq, _ = strconv.ParseUint(f[1], 10, 64)
	n.Clean = f[3] == "c"
	return n, bytes.Equal(n.Line(), b)
}
