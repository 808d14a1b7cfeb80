package snipeit

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"stump/internal/books"
)

// assigned is who or what has an asset. Said is set when the server says so, which may
// be null.
type assigned struct {
	Said bool   `json:"-"`
	ID   number `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"` // user, location or asset; empty for nobody
}

// UnmarshalJSON tells null, nobody, from what it can't read, which is somebody.
func (a *assigned) UnmarshalJSON(b []byte) error {
	type bare assigned
	*a = assigned{Said: true}
	if string(b) != "null" && (json.Unmarshal(b, (*bare)(a)) != nil || a.Type == "") {
		a.Type = "holder"
	}
	return nil
}

// seen is who has the asset by Snipe-IT's word; false if it does not say.
func (s *SnipeIT) seen(a asset) (seen books.Seen, said bool) {
	to := a.AssignedTo
	seen.Device, seen.Due = a.ID.text(), s.due(a.Expected)
	switch to.Type {
	case "":
		seen.Free = true
	case "user":
		seen.Ref, seen.Name = to.ID.text(), text(to.Name)
	default:
		seen.Elsewhere = "the " + text(to.Type) + " " + text(to.Name)
	}
	return seen, to.Said && a.Deleted == nil
}

// due is the end of a day at the server, or the time of day that it has from v8.7.0 on,
// where midnight is what a date has become; zero for none.
func (s *SnipeIT) due(d *date) time.Time {
	if d == nil {
		return time.Time{}
	}
	if at, err := time.ParseInLocation(time.DateTime, d.Datetime, s.zone); err == nil && at.Format(time.TimeOnly) != "00:00:00" {
		return at
	}
	day, _, _ := strings.Cut(cmp.Or(d.Date, d.Datetime), " ")
	start, err := time.ParseInLocation(time.DateOnly, day, s.zone)
	if err != nil {
		return time.Time{}
	}
	return start.AddDate(0, 0, 1).Add(-time.Second)
}
