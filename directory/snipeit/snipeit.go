// Package snipeit speaks to Snipe-IT's REST API. Its source was read from v8.1.4
// (5aa5c48) to v8.7.2 (f3f1dd7): routes/api.php, Api/AssetsController.php,
// Api/UsersController.php, the transformers, requests and middleware behind them.
// What changed in between is a row each of the tests' table of versions.
package snipeit

import (
	"cmp"
	"context"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// Config are the keys of [directory] that only kind = "snipeit" has.
type Config struct {
	// DeviceField is where Snipe-IT has the tag's number: asset_tag (default),
	// serial, or "custom:" and the name of a custom field. DeviceTransform and
	// DeviceForm are like those of badges.
	DeviceField     string   `toml:"device_field"`
	DeviceTransform []string `toml:"device_transform"`
	DeviceForm      string   `toml:"device_form"`
	// Zone is the time zone of the Snipe-IT server (APP_TIMEZONE). Default UTC.
	Zone string `toml:"zone"`
	// SettleTime is how long Snipe-IT may take to count a call after we gave it
	// up; until then the asset is left alone. Default 1m, which is more than PHP
	// lets a script run.
	SettleTime time.Duration `toml:"settle_time"`
	// RequireActivated suspends people who may not log in to Snipe-IT.
	RequireActivated bool `toml:"require_activated"`
}

// SnipeIT delivers by comparing: Snipe-IT has no idempotency key and no hand-over,
// refuses to check an asset out to whoever has it already, and old versions said
// "success" when nothing was done. So every delivery reads, compares and acts,
// until what it reads is what the event says:
//
//	GET hardware/ID ─→ as the event says ──────────→ delivered
//	     ↑      ├────→ as it was before the event ─→ POST checkin, or checkout ─┐
//	     │      └────→ anything else ──────────────→ conflict                   │
//	     └──────────────────────────────────────────────────────────────────────┘
type SnipeIT struct {
	api        *call.Service
	cfg        Config
	zone       *time.Location
	badgeField string
	badges     *call.Numbers
	tags       *call.Numbers
}

// New checks the configuration.
func New(cfg Config, api call.API, badges call.Badges, h call.HTTP, parse call.ParseTag) (*SnipeIT, error) {
	if api.TokenFile == "" {
		return nil, call.BadKey("token_file", "the file with the API token is needed")
	}
	cfg.DeviceField, cfg.Zone = cmp.Or(cfg.DeviceField, "asset_tag"), cmp.Or(cfg.Zone, "UTC")
	if cfg.SettleTime <= 0 {
		cfg.SettleTime = time.Minute
	}
	s := &SnipeIT{cfg: cfg, badgeField: cmp.Or(badges.Field, "employee_num")}
	if f := cfg.DeviceField; f != "asset_tag" && f != "serial" && !strings.HasPrefix(f, "custom:") {
		return nil, call.BadKey("device_field", "%q is not asset_tag, serial or custom:NAME", f)
	}
	var err error
	if s.zone, err = time.LoadLocation(cfg.Zone); err != nil {
		return nil, call.BadKey("zone", "%w", err)
	}
	if s.badges, err = badges.Numbers(parse); err != nil {
		return nil, err
	}
	if s.tags, err = call.NewNumbers("device", cfg.DeviceTransform, cfg.DeviceForm, parse); err != nil {
		return nil, err
	}
	s.api, err = api.Open(h, "/api/v1", "application/json")
	return s, err
}

func (s *SnipeIT) String() string { return "Snipe-IT at " + s.api.Host() }

// Capabilities implements directory.Deliverer. It makes one call at a time, because
// other scripts may share the user and so the rate limit.
func (s *SnipeIT) Capabilities() call.Capabilities {
	return call.Capabilities{Repeatable: true, Settle: s.cfg.SettleTime, Identities: true, Parallel: 1}
}

// Probe implements directory.Directory.
func (s *SnipeIT) Probe(ctx context.Context) call.Outcome {
	return s.call(ctx, http.MethodGet, "/hardware", url.Values{"limit": {"1"}}, nil, &page[asset]{}).OfProbe()
}

// Pull implements directory.Puller.
func (s *SnipeIT) Pull(ctx context.Context) (call.Snapshot, error) {
	snap := call.Snapshot{HasPeople: true, HasDevices: true}
	users, o := pull(ctx, s, "/users", func(u user) int64 { return u.ID })
	if o.Verdict != call.OK {
		return call.Snapshot{}, o
	}
	assets, o := pull(ctx, s, "/hardware", func(a asset) int64 { return a.ID })
	if o.Verdict != call.OK {
		return call.Snapshot{}, o
	}
	for _, u := range users {
		snap.People = append(snap.People, books.SyncRow{
			Kind: checkout.KindPerson, Ref: strconv.FormatInt(u.ID, 10), Name: text(cmp.Or(u.Display, u.Name)), Email: text(u.Email),
			Inactive: u.Deleted != nil || s.cfg.RequireActivated && u.Activated != nil && !*u.Activated || s.past(u.EndDate),
		})
	}
	for _, a := range assets {
		row := books.SyncRow{
			Kind: checkout.KindDevice, Ref: strconv.FormatInt(a.ID, 10), Name: a.name(),
			// What can't be checked out there can't be lent here.
			Inactive: a.Deleted != nil || !a.deployable(),
		}
		if a.Model != nil {
			row.Type = text(a.Model.Name)
		}
		snap.Devices = append(snap.Devices, row)
		if seen, said := s.seen(a); said {
			snap.Loans = append(snap.Loans, seen)
		}
	}
	snap.Notes = append(
		s.badges.Set(snap.People, func(i int) string { return fieldText(users[i].All[s.badgeField]) }),
		s.tags.Set(snap.Devices, func(i int) string { return s.deviceNumber(assets[i]) })...)
	return snap, nil
}

func (s *SnipeIT) deviceNumber(a asset) string {
	if field, ok := strings.CutPrefix(s.cfg.DeviceField, "custom:"); ok {
		return a.custom(field)
	}
	if s.cfg.DeviceField == "serial" {
		return html.UnescapeString(a.Serial)
	}
	return html.UnescapeString(a.AssetTag)
}

// deployable reports whether the asset's status lets it be checked out; without a
// status nothing is known against it.
func (a asset) deployable() bool {
	status := cmp.Or(a.Status, a.StatusLabel)
	return status == nil || status.Type == "deployable"
}

// name is what people call the asset: most have no name.
func (a asset) name() string {
	name := a.Name
	if name == "" && a.Model != nil {
		name = a.Model.Name + " " + a.AssetTag
	}
	return text(cmp.Or(name, a.AssetTag))
}

// past reports whether somebody's last day is over.
func (s *SnipeIT) past(d *date) bool {
	if d == nil || d.Date == "" {
		return false
	}
	day, err := time.ParseInLocation(time.DateOnly, d.Date, s.zone)
	return err == nil && time.Now().After(day.AddDate(0, 0, 1))
}
