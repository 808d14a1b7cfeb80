package store

import (
	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/checkout/custody"
)

// resolve takes an event that says who a pending tag was, or into whom somebody was merged:
// all that was said of the one is now of the other.
func (g *group) resolve(e *event) error {
	if e.device != "" {
		return g.becomes(deviceKind, e.Resolved, e.device)
	}
	return g.becomes(personKind, e.Resolved, g.isNow(personKind, e.Event.Person))
}

// becomes makes all that was said of an id a statement of another one from now on.
func (g *group) becomes(kind, was, now string) error {
	if now == "" || was == now {
		return nil
	}
	if now == Erased {
		if _, err := g.loadFormer(was); err != nil {
			return err
		}
	}
	for key, id := range g.alias {
		if key.kind == kind && id == was {
			g.alias[key] = now
		}
	}
	g.alias[subjectKey{kind, was}] = now
	g.rows.Queue(`update alias set now = $4 where lab = $1 and kind = $2 and now = $3`, g.id, kind, was, now)
	g.rows.Queue(`insert into alias (lab, kind, was, now) values ($1, $2, $3, $4) on conflict (lab, kind, was) do update set now = excluded.now`, g.id, kind, was, now)
	if err := g.flushEvents(); err != nil {
		return err
	}
	if kind == deviceKind {
		return g.joinDevices(was, now)
	}
	if err := g.loadHeld(was); err != nil {
		return err
	}
	for _, l := range g.loans {
		if l.person == was {
			l.person = now
			g.change(l)
		}
	}
	if now == Erased {
		return g.eraseEvents(was)
	}
	for _, column := range []string{"person", "former", "actor"} {
		g.rows.Queue(`update event set `+column+` = $3 where lab = $1 and `+column+` = $2`, g.id, was, now)
	}
	return g.flushEvents()
}

// joinDevices makes the statements of a device those of another, among which they may fall
// anywhere in lab time.
func (g *group) joinDevices(was, now string) error {
	rows, err := g.tx.Query(g.ctx, `update event set device = $3 where lab = $1 and device = $2 returning chain, seq, moves`, g.id, was, now)
	if err != nil {
		return err
	}
	var (
		chain []byte
		seq   int64
		moves bool
		moved []checkout.Place
	)
	_, err = pgx.ForEachRow(rows, []any{&chain, &seq, &moves}, func() error {
		if moves {
			moved = append(moved, placeOf(chain, &seq))
		}
		return nil
	})
	if err != nil {
		return err
	}
	g.rows.Queue(`update conflict set device = $3 where lab = $1 and device = $2`, g.id, was, now)
	if from := g.loans[was]; from != nil {
		to := g.loans[now]
		if to == nil || custody.Compare(to.statement(), from.statement()) < 0 {
			joined := *from
			joined.device = now
			g.loans[now] = &joined
			g.change(&joined)
		}
		*from = loan{device: was, place: from.place, ht: from.ht}
		g.change(from)
	}
	for _, p := range moved {
		s, err := g.one(now, p)
		if err != nil {
			return err
		}
		if err := g.amid(s.Statement); err != nil {
			return err
		}
	}
	return nil
}
