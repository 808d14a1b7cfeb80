package ledger

import (
	"io"

	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
)

// scan looks through a whole file, byte by byte, for records: whatever became
// of the pages, a record is known by its magic and its sums. visit gets what
// begins with a magic, and returns the length of the record, 0 if it is none.
func scan(r io.ReaderAt, size int64, visit func(off int64, b []byte) int) {
	const window, overlap = 4 << 20, 2*record.MaxSize + 256
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
	for at := 0; at < len(b); at += boltpages.PageSize {
		end := min(at+boltpages.PageSize, len(b))
		if n, err := r.ReadAt(b[at:end], base+int64(at)); err != nil && err != io.EOF {
			clear(b[at+n : end])
		}
	}
}
