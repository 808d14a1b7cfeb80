package selftest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"stump/internal/reader"
	"stump/internal/wrap"
	"stump/wiegand"
)

// sentScope watches a reader without data lines.
type sentScope struct {
	o       reader.Options
	numbers bool
	decoder *reader.Decoder
	view    View
	chars   []reader.Char // of the number that arrives, or came last
	over    bool          // it is whole
	ended   int64
}

// maxSent is how many characters of a number are shown.
const maxSent = 64

// WatchSent shows what a reader without data lines sends, until the context ends:
// show is called when a number begins or ends, and once a second. It must not keep
// the view. Digits are masked unless numbers is set.
func WatchSent(ctx context.Context, s Sender, o reader.Options, now func() int64, numbers bool, show func(View) error) error {
	if err := s.Up(); err != nil {
		return err
	}
	w := &sentScope{o: o, numbers: numbers, decoder: reader.NewDecoder(o)}
	w.view = View{Sender: s.String(), Kind: o.Kind, Bad: map[string]int{}, Width: newHistogram(nil), Space: newHistogram(nil)}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	changed, shown := true, int64(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case c := <-s.C():
			w.take(c)
			changed = true
			continue
		case <-tick.C:
		}
		at := now()
		if reads := w.decoder.Advance(at); len(reads) > 0 {
			w.note(reads)
			changed = true
		}
		if !changed && at-shown < int64(time.Second) {
			continue
		}
		if w.view.Last != nil {
			w.view.Last.Ago = time.Duration(at - w.ended).Seconds()
		}
		w.view.Sent = w.lines()
		if err := show(w.view); err != nil {
			return err
		}
		changed, shown = false, at
	}
}

func (w *sentScope) take(c reader.Char) {
	if w.over {
		w.chars, w.over = w.chars[:0], false
	}
	if len(w.chars) < maxSent {
		w.chars = append(w.chars, c)
	}
	w.note(w.decoder.Push(c))
}

func (w *sentScope) note(reads []wiegand.Read) {
	for i := range reads {
		r := &reads[i]
		text := ""
		if r.OK() {
			w.view.Good++
			text = describeSent(r, w.numbers)
		} else {
			w.view.Bad[string(r.Fault)]++
			text = "refused: " + sentFault(r.Fault)
		}
		w.view.Last = &FrameView{Text: sentCount(w.chars, w.o.Kind) + ", " + text, OK: r.OK()}
		w.over, w.ended = true, r.End
	}
}

// sentFault is a fault as a person says it.
func sentFault(f wiegand.Fault) string {
	switch f {
	case reader.FaultLayout:
		return "not only digits: the reader types as on another keyboard, or more than a number"
	case reader.FaultChecksum:
		return "the checksum is not that of the digits"
	case wiegand.FaultCount:
		return "not the number of digits that it should have"
	case wiegand.FaultNoise:
		return "no frame of such a reader"
	}
	return faultText[f]
}

// lines are the characters with their times from the first: keys as letters,
// bytes in hexadecimal.
func (w *sentScope) lines() (lines []string) {
	const row = 8
	for part := range slices.Chunk(w.chars, row) {
		text := fmt.Sprintf("%8.1f ms ", float64(part[0].Time-w.chars[0].Time)/1e6)
		for _, c := range part {
			text += " " + w.char(c)
		}
		lines = append(lines, text)
	}
	return lines
}

func (w *sentScope) char(c reader.Char) string {
	digit := strings.ContainsRune("0123456789ABCDEFabcdef", c.Rune) && c.Rune != 0
	switch {
	case w.o.Kind == reader.Serial && digit && !w.numbers:
		return "••"
	case w.o.Kind == reader.Serial:
		return fmt.Sprintf("%02X", c.Rune)
	case c.Rune == '\n':
		return "Enter"
	case c.Rune == '\t':
		return "Tab"
	case c.Rune == 0:
		return fmt.Sprintf("key%d", c.Code)
	case !w.numbers: // in another layout a letter is a digit
		return "•"
	}
	return string(c.Rune)
}

// sentLines draws a view of a reader without data lines.
func (v *View) sentLines(columns int) []string {
	last := "no number yet: show a card"
	if v.Last != nil {
		last = fmt.Sprintf("%s (%.0f s ago)", v.Last.Text, v.Last.Ago)
	}
	lines := wrap.Hang(v.Kind+" reader  ", v.Sender, columns)
	lines = append(append(lines, ""), wrap.Hang("last   ", last, columns)...)
	return append(append(lines, v.readsLine(), ""), v.Sent...)
}
