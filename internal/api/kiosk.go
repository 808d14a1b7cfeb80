package api

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"strings"

	"stump/checkout"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
)

// kioskCookie has the token of the screen on a wall. What it may see ends with the token.
const kioskCookie = "__Host-stump-kiosk"

const (
	kioskLife = 400 * 24 * 60 * 60 // seconds; browsers keep none for longer
	kioskRows = 500                // that a page has at most
	kioskHead = `<title>Devices – Stump</title>`
	// kioskAgain has the page loaded again, without a script.
	kioskAgain = `<meta http-equiv="refresh" content="30">`
)

// kiosk shows the board for a screen on a wall. A token in the address is exchanged for a
// cookie at once, so that it stays in no history, log or Referer.
func (s *Server) kiosk(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r, "token")
	head := kioskHead + kioskAgain
	if err == nil && q.Has("token") {
		head = kioskHead // what is wrong with it, stays so
		if _, err = s.screen(q.Get("token")); err == nil {
			door.SetCookie(w, kioskCookie, q.Get("token"), kioskLife)
			w.Header().Set("Referrer-Policy", "no-referrer")
			http.Redirect(w, r, "/kiosk", http.StatusSeeOther)
			return nil
		}
		err = door.Failed(s.o.Access, r, "token", identity.TokenFailures, err)
	}
	if err == nil {
		err = s.needs(r, s.board(boardHolders, boardFree))
	}
	var body string
	if err == nil {
		body, err = s.kioskBoard(r)
	}
	if err == nil {
		return door.Page(w, http.StatusOK, head, nil, body)
	}
	code, _ := s.explain(err)
	status, _ := code.Row()
	if status == http.StatusInternalServerError {
		s.o.Log.Error("the board can't be shown", "err", err)
	}
	door.SayWait(w, err)
	return door.Page(w, status, head, withheld(identity.Of(r.Context()), code, err), "")
}

// screen is whose token this is, which lies about on a wall: with more than the role board
// others would do there what only its owner may.
func (s *Server) screen(token string) (identity.Principal, error) {
	who, err := s.o.Access.Bearer(token)
	if err == nil && who.Role != identity.Board {
		return identity.Principal{}, hint.Errorf("make one with `stump token add NAME --role board`", "this token has the role %v, and a kiosk's is board", who.Role)
	}
	return who, err
}

// kioskBoard is what is free and, for who may see that, who has the others.
func (s *Server) kioskBoard(r *http.Request) (string, error) {
	devices, err := s.deviceList(r, query{}, books.Page{Limit: kioskRows + 1})
	if err != nil {
		return "", err
	}
	var rows strings.Builder
	n, free := 0, 0
	for party, err := range devices {
		d, _ := party.row.(wire.Device)
		switch {
		case err != nil:
			return "", err
		case d.Status != checkout.Active.String() || d.PersonID == nil && d.Out != nil:
			continue
		}
		if n++; n > kioskRows {
			fmt.Fprintf(&rows, "<li>and more</li>\n")
			break
		}
		who := " is free"
		if d.PersonID != nil {
			who = " is with " + html.EscapeString(cmp.Or(str(d.Person), "a new badge"))
		} else {
			free++
		}
		fmt.Fprintf(&rows, "<li data-device=\"%s\" data-person=\"%s\">%s%s</li>\n",
			html.EscapeString(d.ID), html.EscapeString(str(d.PersonID)), html.EscapeString(cmp.Or(str(d.Name), d.ID)), who)
	}
	return fmt.Sprintf("<h2>%s: %d free</h2>\n<ul>\n%s</ul>\n", html.EscapeString(s.o.Station), free, rows.String()), nil
}
