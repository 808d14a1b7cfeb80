package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/internal/books"
)

// Who is who has what in a lab, in the order of devices, after one of that id.
func (s *Store) Who(ctx context.Context, lab int64, after string, limit int, now time.Time) (all []books.Loan, err error) {
	rows, err := s.pool.Query(ctx, `select d.device, d.person, d.ht, d.station, d.length, d.doubtful, d.kit, v.doc, p.doc from device_loan d
left join subject v on v.lab = d.lab and v.kind = 'device' and v.id = d.device
left join subject p on p.lab = d.lab and p.kind = 'person' and p.id = d.person
where d.lab = $1 and d.person <> '' and d.device > $2 order by d.device limit $3`, lab, after, limit)
	if err != nil {
		return nil, err
	}
	var (
		device, person, station, kit string
		length                       int64
		ht                           time.Time
		doubtful                     bool
		deviceDoc, personDoc         []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&device, &person, &ht, &station, &length, &doubtful, &kit, &deviceDoc, &personDoc}, func() error {
		l := books.Loan{Since: ht.Local(), ClockTrusted: true, Doubtful: doubtful, Station: station, Kit: kit}.At(device)
		var err error
		if l.DeviceID, l.Device, l.DeviceTag, err = named(device, deviceDoc); err != nil {
			return err
		}
		if l.PersonID, l.Person, l.PersonTag, err = named(person, personDoc); err != nil {
			return err
		}
		if length > 0 {
			l.Due = l.Since.Truncate(time.Second).Add(time.Duration(length) * time.Second)
			l.Overdue = now.After(l.Due)
			l.DueSoon = !l.Overdue && !l.Due.After(now.Add(books.Soon))
		}
		all = append(all, l)
		return nil
	})
	return all, err
}

// named returns the id and the name of a subject. Of a tag that nobody knows the lab has no
// number.
func named(id string, raw []byte) (_, name, mask string, err error) {
	doc := map[string]field{}
	if raw != nil {
		err = json.Unmarshal(raw, &doc)
	}
	switch {
	case id == Erased && raw == nil:
		return "", "", "", err
	case checkout.IsPendingID(id):
		return "", "", "unknown", err
	}
	return id, doc[nameField].Value, "", err
}
