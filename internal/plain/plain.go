// Package plain makes text safe to show. A name in a file, an answer of a server or a
// line of a configuration may have characters that move a terminal's cursor, change its
// colours or title, or show letters in another order than they stand in. They are shown
// as what they are: \u001b.
package plain

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// safe reports whether a character does nothing but show itself. Line breaks and tabs do
// no harm.
func safe(r rune) bool {
	return r == '\n' || r == '\t' || !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r)
}

// Text returns s with its unsafe characters written out, as JSON does too: \u001b. A byte
// that is not UTF-8 becomes \x9b.
func Text(s string) string {
	b := appendSafe(nil, []byte(s))
	if string(b) == s {
		return s
	}
	return string(b)
}

// Line is Text for a place that has one line: line breaks and tabs become spaces.
func Line(s string) string {
	return Text(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\t' || r == '\r' }), " "))
}

// appendSafe appends p to b, made safe.
func appendSafe(b, p []byte) []byte {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		switch {
		case r == utf8.RuneError && n == 1:
			b = fmt.Appendf(b, `\x%02x`, p[0])
		case safe(r):
			b = append(b, p[:n]...)
		default:
			b = fmt.Appendf(b, `\u%04x`, r) // none is larger than four digits
		}
		p = p[n:]
	}
	return b
}

// Writer makes what is written to it safe. JSON stays JSON of the same meaning.
type Writer struct {
	w    io.Writer
	part []byte // the beginning of a character whose end is still to come
	buf  []byte
}

// NewWriter returns a Writer before w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Unwrap is the writer behind, for who sends a terminal sequences of its own.
func (w *Writer) Unwrap() io.Writer { return w.w }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	all := p
	if len(w.part) > 0 {
		all = append(w.part, p...)
	}
	whole := len(all)
	for back := 1; back < utf8.UTFMax && back <= len(all); back++ {
		if b := all[len(all)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(all[len(all)-back:]) {
				whole -= back
			}
			break
		}
	}
	w.buf = appendSafe(w.buf[:0], all[:whole])
	w.part = append([]byte(nil), all[whole:]...)
	if _, err := w.w.Write(w.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what is left of a character that never ended.
func (w *Writer) Flush() error {
	if len(w.part) == 0 {
		return nil
	}
	_, err := w.w.Write(appendSafe(nil, w.part))
	w.part = nil
	return err
}
