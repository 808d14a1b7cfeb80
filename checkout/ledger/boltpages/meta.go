package boltpages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// PageSize is the size of a page in bytes. It is fixed, because on a kernel with pages
// of 16 KiB bbolt would write four times as much for each tap.
const PageSize = 4096

// The meta page of bbolt, pages 0 and 1 of the file (internal/common/meta.go
// and page.go there): a page header of 16 bytes, then this, little endian.
const (
	metaAt      = 16
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	metaSize    = 64
)

// NoPage is a Freelist that the file doesn't hold.
const NoPage = 0xffffffffffffffff

// Meta is the part of a meta page that the ledger needs. Root and Freelist are page
// ids, and High is the first page id that was never used.
type Meta struct {
	Root, Freelist, High, Txid uint64
}

// ReadMeta reads and checks the meta page in slot 0 or 1.
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
		return Meta{}, errors.New("the checksum of a meta page does not match")
	}
	return Meta{Root: le.Uint64(b[16:]), Freelist: le.Uint64(b[32:]), High: le.Uint64(b[40:]), Txid: le.Uint64(b[48:])}, nil
}
