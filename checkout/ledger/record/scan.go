package record

import (
	"io"

	"stump/checkout/ledger/boltpages"
)

// Scan searches a whole file for events, independently of its pages. It calls visit where
// a record may begin; visit returns the length of the record, or 0 if there is none.
func Scan(r io.ReaderAt, size int64, visit func(off int64, b []byte) int) {
	const window, overlap = 4 << 20, 2*MaxSize + 256
	buf := make([]byte, min(window+overlap, size))
	skip := 0 // how much of the window the previous record took
	for base := int64(0); base < size; base += window {
		b := buf[:min(int64(len(buf)), size-base)]
		if n, err := r.ReadAt(b, base); err != nil && n < len(b) {
			readAround(r, b, base) // a sector is unreadable: keep the pages around it
		}
		at := skip
		for ; at < min(len(b)-1, window); at++ {
			if b[at] == 'E' && b[at+1] == 'v' {
				if n := visit(base+int64(at), b[at:]); n > 0 {
					at += n - 1
				}
			}
		}
		skip = max(at-window, 0)
	}
}

// readAround reads page by page, and leaves zeros in place of unreadable pages.
func readAround(r io.ReaderAt, b []byte, base int64) {
	clear(b)
	for at := 0; at < len(b); at += boltpages.PageSize {
		end := min(at+boltpages.PageSize, len(b))
		if n, err := r.ReadAt(b[at:end], base+int64(at)); err != nil && err != io.EOF {
			clear(b[at+n : end])
		}
	}
}
