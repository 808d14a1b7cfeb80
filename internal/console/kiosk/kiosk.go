// Package kiosk has the page for a screen beside the reader: what the display says, what is
// free, and what is out.
package kiosk

import (
	"sort"
	"time"

	"stump/internal/books"
	"stump/internal/console/board"
	"stump/internal/console/ui"
	"stump/internal/panel"
)

// View is the page.
type View struct {
	board.View
	Says []string // the rows of the display
}

// most is how many loans the page has at most: nobody scrolls there.
const most = 100

// Make makes the page. Without Holders nobody is named, also not by what the display says,
// and what is for who stands at the display alone is never shown.
func Make(v View, keeper books.Keeper, shown panel.State, now time.Time) (View, error) {
	v.Title, v.Bare, v.Live, v.Away = v.Board, true, true, wordsIn(v.Words)
	v.Follows, v.Again = "/changes?panel", 30
	if !shown.Secret && (v.Holders || !shown.Names) {
		v.Says = shown.Rows
	}
	var err error
	if v.View, err = board.Make(v.View, keeper, now); err != nil {
		return v, err
	}
	// What comes back soonest is on top, below what is overdue.
	sort.SliceStable(v.Loans, func(i, j int) bool {
		a, b := v.Loans[i].Due, v.Loans[j].Due
		if a.IsZero() != b.IsZero() {
			return b.IsZero()
		}
		return a.Before(b)
	})
	if v.More = len(v.Loans) > most; v.More {
		v.Loans = v.Loans[:most]
	}
	return v, nil
}

// wordsIn is what is said when the station can't be reached.
func wordsIn(w *ui.Words) string {
	if s, ok := away[w.Language]; ok {
		return s
	}
	return away["en"]
}

var away = map[string]string{
	"en": "Screen not connected. Bumps still count.",
	"de": "Bildschirm nicht verbunden. Am Leser wird weiter gebucht.",
	"fr": "Écran déconnecté. Les badges comptent toujours.",
	"es": "Pantalla sin conexión. El lector sigue contando.",
}
