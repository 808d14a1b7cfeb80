package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Find returns the id of a person or device by its id, or else its exact name. Errors are
// those of package books.
func (s *Store) Find(ctx context.Context, lab int64, kind checkout.SubjectKind, ref string) (string, error) {
	rows, err := s.pool.Query(ctx, `select id from subject where lab = $1 and kind = $2 and (id = $3 or doc -> 'name' ->> 'v' = $3) order by id <> $3, id`, lab, kind.String(), ref)
	if err != nil {
		return "", err
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return "", err
	case len(all) == 0:
		return "", &books.NotFoundError{Kind: kind, Ref: ref}
	case len(all) > 1 && all[0] != ref:
		return "", &books.AmbiguousError{Kind: kind, Name: ref, IDs: all}
	}
	return all[0], nil
}

// Past is what of a lab's history is wanted.
type Past struct {
	Device, Person string // ids; empty for any
	Kind           checkout.Kind
	Since          time.Time // lab time
	Limit          int       // at most; 0 for no limit
	// After is the Key of the event before the first one; empty to begin with the first.
	After string
}

const historySQL = `select e.ht, e.record, e.device, e.person, e.former, e.actor, d.doc, p.doc, f.doc from event e
left join subject d on d.lab = e.lab and d.kind = 'device' and d.id = e.device
left join subject p on p.lab = e.lab and p.kind = 'person' and p.id = e.person
left join subject f on f.lab = e.lab and f.kind = 'person' and f.id = e.former
where e.lab = $1 and e.ht >= $2`

// History passes the events of a lab to f until that returns false. Those of a device are in
// the order of lab time, all others in that of their arrival. Their times are lab times.
// Errors: *books.CursorError.
func (s *Store) History(ctx context.Context, lab int64, p Past, f func(books.Entry) bool) error {
	order, sql, args := `e.lab_seq`, historySQL, []any{lab, p.Since}
	and := func(condition string, value any) {
		args = append(args, value)
		sql += strings.ReplaceAll(condition, "?", fmt.Sprint("$", len(args)))
	}
	if p.Device != "" {
		order = `e.ht, e.chain, e.seq`
		and(` and e.device = ?`, p.Device)
	}
	if p.Person != "" {
		and(` and (e.person = ? or e.former = ?)`, p.Person)
	}
	switch p.Kind {
	case books.AnyKind:
	case "":
		and(` and e.kind <> ?`, string(checkout.Refuse))
	default:
		and(` and e.kind = ?`, string(p.Kind))
	}
	if p.After != "" {
		place, ht, labSeq, err := s.place(ctx, lab, p.After)
		switch {
		case err != nil:
			return err
		case labSeq == 0:
			return nil // it is still to come, and so is what is after it
		case p.Device == "":
			and(` and e.lab_seq > ?`, labSeq)
		default:
			args = append(args, ht, place.Chain[:], int64(place.Seq))
			sql += fmt.Sprintf(` and (e.ht, e.chain, e.seq) > ($%d, $%d, $%d)`, len(args)-2, len(args)-1, len(args))
		}
	}
	sql += ` order by ` + order
	if p.Limit > 0 {
		and(` limit ?`, p.Limit)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // else the rest would be read
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	return entries(rows, f)
}

// place finds the event with a key: its lab time, and its number in the order of arrival; 0
// of an event of a known chain that has not come yet.
func (s *Store) place(ctx context.Context, lab int64, key string) (at checkout.Place, ht time.Time, labSeq int64, err error) {
	chain, seq, err := books.ParsePlace(key)
	if err != nil {
		return at, ht, 0, err
	}
	hash, ok := parseHash(chain)
	if !ok || seq > math.MaxInt64 {
		return at, ht, 0, &books.CursorError{Key: key}
	}
	at = checkout.Place{Chain: hash, Seq: seq}
	err = s.pool.QueryRow(ctx, `select ht, lab_seq from event where lab = $1 and chain = $2 and seq = $3`, lab, hash[:], int64(seq)).Scan(&ht, &labSeq)
	if !errors.Is(err, pgx.ErrNoRows) {
		return at, ht, labSeq, err
	}
	var known bool
	err = s.pool.QueryRow(ctx, `select count(*) > 0 from chain where lab = $1 and genesis = $2`, lab, hash[:]).Scan(&known)
	if err == nil && !known {
		err = &books.CursorError{Key: key}
	}
	return at, ht, 0, err
}

// Newest is the key of the newest event of a lab by arrival; empty for none.
func (s *Store) Newest(ctx context.Context, lab int64) (string, error) {
	var (
		hash []byte
		seq  int64
	)
	err := s.pool.QueryRow(ctx, `select chain, seq from event where lab = $1 order by lab_seq desc limit 1`, lab).Scan(&hash, &seq)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	var e books.Entry
	copy(e.Chain[:], hash)
	e.Seq = uint64(seq)
	return e.Key(), err
}

// errEnough ends a list of which no more is wanted.
var errEnough = errors.New("no more is wanted")

// entries passes rows of a history to f.
func entries(rows pgx.Rows, f func(books.Entry) bool) error {
	var (
		ht                                   time.Time
		raw, deviceDoc, personDoc, formerDoc []byte
		device, person, former, actor        *string
	)
	_, err := pgx.ForEachRow(rows, []any{&ht, &raw, &device, &person, &former, &actor, &deviceDoc, &personDoc, &formerDoc}, func() error {
		ev, err := record.Decode(raw)
		if err != nil {
			return err
		}
		e := books.Entry{Event: ev.Event, Time: ht.Local(), ClockTrusted: true}
		self := e.Actor != "" && e.Actor == e.Person
		for _, one := range []struct {
			id, name *string
			now      *string
			doc      []byte
		}{{&e.Device, &e.DeviceName, device, deviceDoc}, {&e.Person, &e.PersonName, person, personDoc}, {&e.From, &e.FromName, former, formerDoc}} {
			if one.now == nil || *one.now == *one.id {
				e.Pending = e.Pending || checkout.IsPendingID(*one.id)
				continue
			}
			// It turned out to be somebody, or something, that is known.
			*one.id = *one.now
			if _, *one.name, _, err = named(*one.now, one.doc); err != nil {
				return err
			}
		}
		switch {
		case self:
			e.Actor = e.Person
		case actor != nil && *actor != Erased:
			e.Actor = *actor
		}
		if !f(e) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
