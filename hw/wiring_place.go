package hw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Place finds a configured line on the board's header.
func (b *Board) Place(name string) (Pin, error) {
	bare := strings.TrimSpace(name)
	if rest, ok := strings.CutPrefix(strings.ToLower(bare), "pin "); ok {
		bare = strings.TrimSpace(rest)
		if p, ok := b.Pin(bare); ok && p.Line() {
			return p, nil
		} else if ok {
			return p, fmt.Errorf("header pin %s carries %s and is no line%s", p.Name, p.Signal, b.meant(bare))
		}
	} else if p, ok := b.BySignal(bare); ok {
		return p, nil
	} else if p, ok := b.Pin(bare); ok && b.family == beagleBone {
		return p, nil
	}
	if _, n, ok := strings.Cut(bare, ":"); ok && b.family == raspberryPi {
		if offset, err := strconv.Atoi(n); err == nil {
			if p, ok := b.at(0, offset); ok {
				return p, nil
			}
		}
	}
	return Pin{}, fmt.Errorf("line %q is not on the header of the %s", name, b.Name)
}

// meant says what else a number may mean: "; GPIO17 is header pin 11".
func (b *Board) meant(number string) string {
	if p, ok := b.BySignal("GPIO" + number); ok {
		return fmt.Sprintf("; %s is header pin %s", p.Signal, p.Name)
	}
	return ""
}

// Adapt is for drawing a board that the configuration was not written for: a
// data line that its header does not have becomes the board's usual one, an
// output line is left out. It returns what was not there.
func (w *Wiring) Adapt() (missing []string) {
	for i := range w.Data {
		if _, err := w.Board.Place(w.line(i)); err != nil {
			missing = append(missing, w.Data[i])
			w.Data[i] = ""
		}
	}
	w.Outputs = slices.DeleteFunc(w.Outputs, func(o OutputWire) bool {
		_, err := w.Board.Place(o.Line)
		if err != nil {
			missing = append(missing, o.Line)
		}
		return err != nil
	})
	w.DisplayLines = slices.DeleteFunc(w.DisplayLines, func(l DisplayLine) bool {
		_, err := w.Board.Place(l.Line)
		if err != nil {
			missing = append(missing, l.Line)
		}
		return err != nil
	})
	return missing
}
