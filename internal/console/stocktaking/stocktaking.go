// Package stocktaking is the page on which admins take stock: what is in the lab, what is
// missing, and what nobody knew.
package stocktaking

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"stump/checkout/stock"
	"stump/internal/api/wire"
	"stump/internal/console/ui"
	"stump/internal/sheet"
)

// The states of a stock-taking.
const open, ended = "open", "ended"

// View is the page.
type View struct {
	ui.Frame
	T     *Words
	Now   time.Time
	Stock wire.Stock
	// Typed is what was typed into the form that counts a device.
	Typed string
}

// In makes the page in the language of its frame.
func In(f ui.Frame, s wire.Stock, now time.Time) View {
	return View{Frame: f, T: wordsIn(f.Words), Stock: s, Now: now}
}

// Name is what the menu calls the page.
func Name(w *ui.Words) string { return wordsIn(w).Title }

// said is how far it is.
func (v View) said() string {
	n := strconv.Itoa(v.Stock.Seen)
	switch v.Stock.State {
	case open:
		return ui.Fill(v.T.UnderWay, n)
	case ended:
		at := v.Words.Unknown
		if v.Stock.Ended != nil {
			at = v.Words.At(*v.Stock.Ended, v.Now)
		}
		return ui.Fill(ui.Fill(v.T.Ended, at), n)
	}
	return v.T.Never
}

// wrong reports whether something was found that can be put right.
func (v View) wrong() bool {
	for _, r := range v.Stock.Rows {
		if r.Found == stock.Missing || r.Found == stock.Here || r.Found == stock.Found {
			return true
		}
	}
	return false
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// WriteCSV writes what was found as a table.
func WriteCSV(w io.Writer, s wire.Stock) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"found", "device", "device_id", "kind", "place", "person", "person_id", "number"}) // out keeps the error
	for _, r := range s.Rows {
		row := []string{string(r.Found), str(r.Device), str(r.DeviceID), str(r.Kind), str(r.Place), str(r.Person), str(r.PersonID), str(r.Number)}
		for i := range row {
			row[i] = sheet.Harmless(row[i])
		}
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}
