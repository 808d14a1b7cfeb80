// Package boltpages reads a bbolt file that is too damaged for bbolt itself. It checks
// every length and position, and skips bad pages.
package boltpages

import (
	"encoding/binary"
	"io"
)

// The layout of a page, from bbolt's internal/common: a header of 16 bytes (id, flags,
// count, overflow), then elements, then keys and values.

const (
	pageBranch = 0x01
	pageLeaf   = 0x02

	pageHeader  = 16
	element     = 16   // branch: pos, ksize uint32, pgid uint64; leaf: flags, pos, ksize, vsize uint32
	bucketValue = 16   // root pgid, sequence uint64; an inline page may follow
	maxOverflow = 4096 // pages; the ledger's records never need so many
)

// File is a bbolt file.
type File struct {
	R    io.ReaderAt
	High uint64          // number of pages
	seen map[uint64]bool // pages read since Buckets: a page belongs to one tree only
}

// Found is a key and its value in a leaf. The value starts at offset Off of the file.
type Found struct {
	Key, Value []byte
	Off        int64
}

// page reads page id with its overflow pages. It returns nil for what is not a page.
func (p *File) page(id uint64) []byte {
	if id < 2 || id >= p.High || p.seen[id] {
		return nil
	}
	p.seen[id] = true
	var head [pageHeader]byte
	if _, err := p.R.ReadAt(head[:], int64(id)*PageSize); err != nil {
		return nil
	}
	le := binary.LittleEndian
	over := le.Uint32(head[12:])
	if le.Uint64(head[:]) != id || over > maxOverflow || id+uint64(over) >= p.High {
		return nil
	}
	b := make([]byte, (int(over)+1)*PageSize)
	if _, err := p.R.ReadAt(b, int64(id)*PageSize); err != nil {
		return nil
	}
	return b
}

// tree visits every key and value below page id. It returns false when part of the
// tree could not be read.
func (p *File) tree(id uint64, visit func(Found)) bool {
	b := p.page(id)
	if b == nil {
		return false
	}
	return p.walk(b, int64(id)*PageSize, visit)
}

// walk visits every key and value below the page b, which starts at offset off.
func (p *File) walk(b []byte, off int64, visit func(Found)) bool {
	le := binary.LittleEndian
	flags, count := le.Uint16(b[8:]), int(le.Uint16(b[10:]))
	if flags != pageBranch && flags != pageLeaf || pageHeader+count*element > len(b) {
		return false
	}
	whole := true
	for i := range count {
		at := pageHeader + i*element
		e := b[at:]
		if flags == pageBranch {
			whole = p.tree(le.Uint64(e[8:]), visit) && whole
			continue
		}
		pos, ksize, vsize := uint64(le.Uint32(e[4:])), uint64(le.Uint32(e[8:])), uint64(le.Uint32(e[12:]))
		start := uint64(at) + pos
		if start+ksize+vsize > uint64(len(b)) {
			whole = false
			continue
		}
		key, value := b[start:start+ksize], b[start+ksize:start+ksize+vsize]
		visit(Found{key, value, off + int64(start+ksize)})
	}
	return whole
}

// Bucket is a top-level bucket. Content visits its keys and values, and returns false
// when part of it could not be read.
type Bucket struct {
	Name    string
	Content func(func(Found)) bool
}

// Buckets returns the buckets below the root page id.
func (p *File) Buckets(id uint64) (all []Bucket) {
	p.seen = map[uint64]bool{}
	p.tree(id, func(f Found) {
		if len(f.Value) < bucketValue {
			return
		}
		root := binary.LittleEndian.Uint64(f.Value)
		all = append(all, Bucket{string(f.Key), func(g func(Found)) bool {
			if root != 0 {
				return p.tree(root, g)
			}
			inline := f.Value[bucketValue:]
			return len(inline) >= pageHeader && p.walk(inline, f.Off+bucketValue, g)
		}})
	})
	return all
}
