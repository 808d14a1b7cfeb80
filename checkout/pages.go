package checkout

import (
	"encoding/binary"
	"io"
)

// This file reads the pages of a bbolt file that bbolt itself can't be trusted
// to read: every length and place is checked, and a bad page is skipped. The
// layout is that of bbolt's internal/common: a page has a header of 16 bytes
// (id, flags, count, overflow), then elements, then keys and values.

const (
	pageBranch = 0x01
	pageLeaf   = 0x02

	pageHeader  = 16
	branchElem  = 16 // pos, ksize uint32; pgid uint64
	leafElem    = 16 // flags, pos, ksize, vsize uint32
	leafBucket  = 0x01
	bucketValue = 16   // root pgid, sequence uint64; an inline page may follow
	maxOverflow = 4096 // pages; a page of ours never has so many
)

// pageFile is a bbolt file and what was seen of it.
type pageFile struct {
	r    io.ReaderAt
	high uint64          // number of pages
	seen map[uint64]bool // pages of the trees since buckets: none is there twice
}

// found is a key and a value in a leaf; value starts at off in the file.
type found struct {
	key, value []byte
	off        int64
}

// page reads page id with its overflow; nil when it can't be one.
func (p *pageFile) page(id uint64) []byte {
	if id < 2 || id >= p.high || p.seen[id] {
		return nil
	}
	p.seen[id] = true
	var head [pageHeader]byte
	if _, err := p.r.ReadAt(head[:], int64(id)*pageSize); err != nil {
		return nil
	}
	le := binary.LittleEndian
	over := le.Uint32(head[12:])
	if le.Uint64(head[:]) != id || over > maxOverflow || id+uint64(over) >= p.high {
		return nil
	}
	b := make([]byte, (int(over)+1)*pageSize)
	if _, err := p.r.ReadAt(b, int64(id)*pageSize); err != nil {
		return nil
	}
	return b
}

// tree visits every key and value below page id. It returns false when a page
// of the tree could not be read.
func (p *pageFile) tree(id uint64, visit func(found)) bool {
	b := p.page(id)
	if b == nil {
		return false
	}
	return p.walk(b, int64(id)*pageSize, visit)
}

// walk visits what lies below the page b, which starts at off.
func (p *pageFile) walk(b []byte, off int64, visit func(found)) bool {
	le := binary.LittleEndian
	flags, count := le.Uint16(b[8:]), int(le.Uint16(b[10:]))
	if flags != pageBranch && flags != pageLeaf || pageHeader+count*leafElem > len(b) {
		return false
	}
	whole := true
	for i := range count {
		at := pageHeader + i*leafElem
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
		visit(found{key, value, off + int64(start+ksize)})
	}
	return whole
}

// pageBucket is a top-level bucket; content visits its keys and values, and
// returns false when a page could not be read.
type pageBucket struct {
	name    string
	content func(func(found)) bool
}

// buckets returns those of the root page id.
func (p *pageFile) buckets(id uint64) (all []pageBucket) {
	p.seen = map[uint64]bool{}
	p.tree(id, func(f found) {
		if len(f.value) < bucketValue {
			return
		}
		root := binary.LittleEndian.Uint64(f.value)
		all = append(all, pageBucket{string(f.key), func(g func(found)) bool {
			if root != 0 {
				return p.tree(root, g)
			}
			inline := f.value[bucketValue:]
			return len(inline) >= pageHeader && p.walk(inline, f.off+bucketValue, g)
		}})
	})
	return all
}

// scan looks through a whole file, byte by byte, for records: whatever became
// of the pages, a record is known by its magic and its sums. visit gets what
// begins with a magic, and returns the length of the record, 0 if it is none.
func scan(r io.ReaderAt, size int64, visit func(off int64, b []byte) int) {
	const window, overlap = 4 << 20, 2*maxEvent + 256
	buf := make([]byte, min(window+overlap, size))
	skip := 0 // how much of the window the record before has taken
	for base := int64(0); base < size; base += window {
		b := buf[:min(int64(len(buf)), size-base)]
		if n, err := r.ReadAt(b, base); err != nil && n < len(b) {
			readAround(r, b, base) // an unreadable sector: what lies around it counts
		}
		at := skip
		for ; at < min(len(b)-1, window); at++ {
			if b[at] == 'E' && b[at+1] == 'v' || b[at] == 'R' && b[at+1] == 'w' {
				if n := visit(base+int64(at), b[at:]); n > 0 {
					at += n - 1
				}
			}
		}
		skip = max(at-window, 0)
	}
}

// readAround reads page by page and leaves zeros where a page can't be read.
func readAround(r io.ReaderAt, b []byte, base int64) {
	clear(b)
	for at := 0; at < len(b); at += pageSize {
		end := min(at+pageSize, len(b))
		if n, err := r.ReadAt(b[at:end], base+int64(at)); err != nil && err != io.EOF {
			clear(b[at+n : end])
		}
	}
}
