package api

import (
	"net/http"

	"stump/internal/api/door"
	"stump/internal/hint"
	"stump/internal/identity"
)

// kioskCookie has the token of the screen on a wall. What it may see ends with the token.
const kioskCookie = "__Host-stump-kiosk"

const kioskLife = 400 * 24 * 60 * 60 // seconds; browsers keep none for longer

// kiosk shows the board for a screen on a wall. A token in the address is exchanged for a
// cookie at once, so that it stays in no history, log or Referer.
func (s *Server) kiosk(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r, "token")
	named := err == nil && q.Has("token")
	if named {
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
	if err == nil {
		err = s.pages.Kiosk(w, r)
	}
	if err == nil {
		return nil
	}
	code, _ := s.explain(err)
	status, _ := code.Row()
	if status == http.StatusInternalServerError {
		s.o.Log.Error("the board can't be shown", "err", err)
	}
	door.SayWait(w, err)
	return s.pages.NoKiosk(w, r, status, withheld(identity.Of(r.Context()), code, err), named)
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
