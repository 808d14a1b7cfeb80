package console

import (
	"cmp"
	"net/http"

	"stump/internal/console/board"
	"stump/internal/console/kiosk"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/panel"
)

// Kiosk is the page for a screen beside the reader. Who asks may see the board; that is
// checked before.
func (c *Console) Kiosk(w http.ResponseWriter, r *http.Request) error {
	v := kiosk.View{View: board.View{Frame: c.frame(r, "/kiosk", func(w *ui.Words) string { return w.Board }), Holders: identity.Of(r.Context()).May(c.o.Holders)}}
	var shown panel.State
	if c.o.Panel != nil {
		shown = c.o.Panel.State()
	}
	v, err := kiosk.Make(v, c.o.Books, shown, c.now())
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, kiosk.Page(v))
}

// NoKiosk says on the screen why there is nothing. It is tried again by itself, unless what
// is wrong stays so.
func (c *Console) NoKiosk(w http.ResponseWriter, r *http.Request, status int, err error, stays bool) error {
	words := ui.In(r, c.o.Language)
	f := ui.Frame{Words: words, Title: words.Board, Station: cmp.Or(c.o.Station, "Stump"), Bare: true}
	f.Alert, f.Remedy = f.Tell(err.Error(), hint.Of(err))
	if !stays {
		f.Again = 30
	}
	return send(w, r, status, ui.Page(f))
}
