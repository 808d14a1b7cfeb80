package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout/ledger/record"
	"stump/internal/hint"
)

// Story is what one event says.
type Story struct {
	Chain    string    `json:"chain"`
	Seq      uint64    `json:"seq"`
	Kind     string    `json:"kind"`
	Station  string    `json:"station"`
	At       time.Time `json:"at"`
	Person   string    `json:"person"`
	PersonID string    `json:"person_id"`
}

// Conflict is what an admin should know of: an event whose station did not know what was
// before it, or a change to the register that was refused.
type Conflict struct {
	ID       int64   `json:"id"`
	Kind     string  `json:"kind"` // unseen, doubtful, field, tag
	DeviceID *string `json:"device_id"`
	// Before is what the station did not know, and Then what happened there all the same.
	Before *Story `json:"before"`
	Then   *Story `json:"then"`
	// Subject and Field are what was not changed, as it would have been from Kept to Refused.
	SubjectKind *string   `json:"subject_kind"`
	Subject     *string   `json:"subject"`
	Field       *string   `json:"field"`
	Kept        *string   `json:"kept"`
	Refused     *string   `json:"refused"`
	Station     string    `json:"station"`
	At          time.Time `json:"at"`
}

// FieldName is the field that was not changed, in a word: of a tag, by what it is looked up is
// none.
func (c *Conflict) FieldName() string {
	if c.Field == nil {
		return ""
	}
	name, _, _ := strings.Cut(*c.Field, "/")
	return name
}

// Shown is the value of a field as people may read it: of a tag, its last digits.
func Shown(value *string) string {
	if value == nil || *value == "" {
		return "-"
	}
	if tag := strings.Split(*value, "|"); len(tag) == 3 {
		return tag[1]
	}
	return *value
}

// story reads one of an event.
func story(raw []byte, ht *time.Time) (*Story, error) {
	if raw == nil {
		return nil, nil
	}
	ev, err := record.Decode(raw)
	if err != nil {
		return nil, err
	}
	return &Story{
		Chain: ev.Chain.String(), Seq: ev.Seq, Kind: string(ev.Kind), Station: ev.Station, At: ht.UTC(), Person: ev.PersonName, PersonID: ev.Person,
	}, nil
}

// Conflicts are those of a lab that nobody has settled, the first first.
func (s *Store) Conflicts(ctx context.Context, lab int64) (all []Conflict, err error) {
	rows, err := s.pool.Query(ctx, `select c.id, c.kind, c.device, c.subject_kind, c.subject, c.field, c.kept, c.refused, c.station, c.at, e.record, e.ht, b.record, b.ht from conflict c
left join event e on e.lab = c.lab and e.chain = c.chain and e.seq = c.seq
left join event b on b.lab = c.lab and b.chain = c.before_chain and b.seq = c.before_seq
where c.lab = $1 and c.settled is null order by c.id`, lab)
	if err != nil {
		return nil, err
	}
	var (
		c            Conflict
		raw, rawWas  []byte
		then, before *time.Time
	)
	into := []any{&c.ID, &c.Kind, &c.DeviceID, &c.SubjectKind, &c.Subject, &c.Field, &c.Kept, &c.Refused, &c.Station, &c.At, &raw, &then, &rawWas, &before}
	_, err = pgx.ForEachRow(rows, into, func() (err error) {
		one := c
		if one.Then, err = story(raw, then); err != nil {
			return err
		}
		if one.Before, err = story(rawWas, before); err != nil {
			return err
		}
		if one.Then != nil {
			one.Station = one.Then.Station
		}
		one.At = one.At.UTC()
		all = append(all, one)
		return nil
	})
	return all, err
}

// Settle takes a conflict off the list: an admin, the actor, has looked, and it is as it is in
// the lab.
func (s *Store) Settle(ctx context.Context, lab, id int64, actor string) error {
	var now newest
	err := s.write(ctx, func(tx pgx.Tx) error {
		l, err := s.lock(ctx, tx, lab)
		if err != nil {
			return err
		}
		var (
			device *string
			chain  []byte
			seq    *int64
		)
		err = tx.QueryRow(ctx, `update conflict set settled = $3, settled_by = $4 where lab = $1 and id = $2 and settled is null returning device, chain, seq`, lab, id, l.now, actor).Scan(&device, &chain, &seq)
		if errors.Is(err, pgx.ErrNoRows) {
			return hint.Errorf("`stump-hub conflicts` lists them; somebody may have accepted it", "there is no conflict %d", id)
		}
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		if seq != nil {
			b.Queue(`update device_loan set doubtful = false, ver = $5 where lab = $1 and device = $2 and chain = $3 and seq = $4 and doubtful`, lab, device, chain, seq, l.next())
		}
		save(b, l)
		now = newest{l.epoch, l.ver}
		return tx.SendBatch(ctx, b).Close()
	})
	if err == nil {
		s.tell(lab, now.epoch, now.ver)
	}
	return err
}
