package lcd

// FrameOf returns a frame with the given rows, cut or filled up with blanks to
// the size. Letters are taken as they are.
func FrameOf(s Size, rows ...string) Frame {
	f := NewFrame(s)
	for i, r := range rows[:min(len(rows), s.Rows)] {
		f.put(i, 0, []rune(r))
	}
	return f
}

// Code returns the display's own code for a letter.
func (c *Charset) Code(r rune) (code byte, ok bool) {
	code, ok = c.codes[r]
	return code, ok
}
