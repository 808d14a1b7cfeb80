package wiring

import "slices"

// Adapt is for drawing a board that the configuration was not written for: a
// data line that its header does not have becomes the board's usual one, an
// output line is left out. It returns what was not there.
func (w *Plan) Adapt() (missing []string) {
	for i := range w.Data {
		if _, err := w.Board.Place(w.line(i)); err != nil {
			missing = append(missing, w.Data[i])
			w.Data[i] = ""
		}
	}
	w.Outputs = slices.DeleteFunc(w.Outputs, func(o Output) bool {
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
