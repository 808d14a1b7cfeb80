package sheet

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// text reads what a spreadsheet writes as UTF-8 with lines that end in \n: UTF-8 with a
// byte order mark or without, UTF-16 with one, or Windows-1252, of which Latin-1 is a
// part; lines that end in \r alone, as old programs for the Mac write them.
func text(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	head, _ := in.Peek(3)
	var decode transform.Transformer = new(guess)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		in.Discard(3)
		decode = transform.Nop
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		decode = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()
	}
	return transform.NewReader(transform.NewReader(in, decode), new(lineEnds))
}

// guess takes a file without a mark for UTF-8 if its first character beyond ASCII is one
// there, else for Windows-1252.
type guess struct{ utf8, latin bool }

func (g *guess) Reset() { *g = guess{} }

func (g *guess) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for ; nSrc < len(src); nSrc++ {
		b := src[nSrc]
		if b >= utf8.RuneSelf && !g.utf8 && !g.latin {
			if !utf8.FullRune(src[nSrc:]) && !atEOF {
				return nDst, nSrc, transform.ErrShortSrc
			}
			r, size := utf8.DecodeRune(src[nSrc:])
			g.latin = r == utf8.RuneError && size == 1
			g.utf8 = !g.latin
		}
		if len(dst)-nDst < utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		if b < utf8.RuneSelf || g.utf8 {
			dst[nDst] = b
			nDst++
		} else {
			nDst += utf8.EncodeRune(dst[nDst:], windows1252(b))
		}
	}
	return nDst, nSrc, nil
}

// c1 is what Windows-1252 has where Latin-1 has control characters, from 0x80 on.
var c1 = []rune("€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ")

// windows1252 is the character of a byte. (The package charmap has it, too, with the
// tables of thirty others, which are 0.1 MB.)
func windows1252(b byte) rune {
	if b >= 0x80 && b < 0xa0 {
		return c1[b-0x80]
	}
	return rune(b)
}

// lineEnds makes \n of \r alone, outside of quotes.
type lineEnds struct{ quoted bool }

func (e *lineEnds) Reset() { *e = lineEnds{} }

func (e *lineEnds) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for ; nSrc < len(src); nSrc++ {
		b := src[nSrc]
		switch {
		case nDst == len(dst):
			return nDst, nSrc, transform.ErrShortDst
		case b == '"':
			e.quoted = !e.quoted
		case b == '\r' && !e.quoted && nSrc+1 == len(src) && !atEOF:
			return nDst, nSrc, transform.ErrShortSrc
		case b == '\r' && !e.quoted && (nSrc+1 == len(src) || src[nSrc+1] != '\n'):
			b = '\n'
		}
		dst[nDst] = b
		nDst++
	}
	return nDst, nSrc, nil
}
