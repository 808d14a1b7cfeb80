package boltpages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// pageSize is fixed: a kernel with pages of 16 KiB would write four times as
// much a tap.
const PageSize = 4096

// The meta page of bbolt, pages 0 and 1 of the file (internal/common/meta.go
// and page.go there): a page header of 16 bytes, then this, little endian.
const (
	metaAt      = 16
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	metaSize    = 64
	NoPage      = 0xffffffffffffffff
)

// boltMeta is what we need of a meta page.
type Meta struct {
	Root, Freelist, High, Txid uint64 // high: the first page id never used
}

// readMeta reads and checks one of the two meta pages.
func ReadMeta(r io.ReaderAt, slot int64) (Meta, error) {
	var b [metaSize]byte
	if _, err := r.ReadAt(b[:], slot*PageSize+metaAt); err != nil {
		return Meta{}, err
	}
	le := binary.LittleEndian
	h := fnv.New64a()
	h.Write(b[:56])
	switch {
	case le.Uint32(b[0:]) != metaMagic:
		return Meta{}, errors.New("not a meta page")
	case le.Uint32(b[4:]) != metaVersion:
		return Meta{}, fmt.Errorf("bbolt version %d", le.Uint32(b[4:]))
	case le.Uint32(b[8:]) != PageSize:
		return Meta{}, fmt.Errorf("page size %d, not %d", le.Uint32(b[8:]), PageSize)
	case le.Uint64(b[56:]) != h.Sum64():
		return Meta{}, errors.New("the checksum of a meta page does not hold")
	}
	return Meta{Root: le.Uint64(b[16:]), Freelist: le.Uint64(b[32:]), High: le.Uint64(b[40:]), Txid: le.Uint64(b[48:])}, nil
}
