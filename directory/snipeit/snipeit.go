// Package snipeit speaks to Snipe-IT's REST API. Its source was read from v8.1.4
// (5aa5c48) to v8.7.2 (f3f1dd7): routes/api.php, Api/AssetsController.php,
// Api/UsersController.php, the transformers, requests and middleware behind them.
// What changed in between is a row each of the tests' table of versions.
package snipeit

import (
	"cmp"
	"context"
	"errors"
	"html"
	"maps"
	"net/url"
	"slices"
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
	// FreeLocations are the names of locations where an asset that is checked out to
	// them is free, such as a shelf. After a return it is checked out to its own again.
	FreeLocations []string `toml:"free_locations"`
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
	// Wanted are the groups and departments of people that matter here. Others are not read.
	Wanted checkout.Groups
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
	if slices.ContainsFunc(cfg.FreeLocations, func(name string) bool { return strings.TrimSpace(name) == "" }) {
		return nil, call.BadKey("free_locations", "a location needs a name")
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
	_, o := call.NewReading(s.api).Look(ctx, s.assets(new(asset)), url.Values{"limit": {"1"}}, 1)
	return o.OfProbe()
}

// Pull implements directory.Puller.
func (s *SnipeIT) Pull(ctx context.Context) (call.Snapshot, error) {
	snap := call.Snapshot{HasPeople: true, HasDevices: true}
	in := call.NewReading(s.api)
	users := s.pullPeople(ctx, in, &snap)
	if users.Verdict != call.OK && users.Verdict != call.BadConfig {
		snap.DeviceList = call.Listing{Partial: true, Broken: true, Outcome: users} // not asked for: it is down
		return snap, users
	}
	assets := s.pullDevices(ctx, in, &snap)
	if users.Verdict != call.OK { // such as a right that is missing
		return snap, users
	}
	return snap, assets.Err()
}

// users is the list of users, read into u.
func (s *SnipeIT) users(u *user) call.List {
	return list("/users", "user", "users.view", u, func(u *user) number { return u.ID }, s.badgeField)
}

func (s *SnipeIT) pullPeople(ctx context.Context, in *call.Reading, snap *call.Snapshot) (o call.Outcome) {
	var u user
	var badge string
	l, badges := s.users(&u), s.badges.Values()
	read := l.Read
	l.Read = func(raw []byte) (key string, err error) {
		if key, err = read(raw); err == nil && s.cfg.RequireActivated && u.Activated == neither {
			err = errors.New("it is neither activated nor not")
		}
		badge = field(raw, s.badgeField)
		return key, err
	}
	l.Take = func() int {
		row := books.SyncRow{
			Kind: checkout.KindPerson, Ref: u.ID.text(), Name: text(cmp.Or(u.Display, u.Name, u.Username)), Email: text(u.Email),
			Inactive: u.Deleted != nil || s.cfg.RequireActivated && u.Activated == no || s.past(u.EndDate),
		}
		if s.Wanted != "" && (u.Groups.said || u.Department.said) {
			row.SetGroups(checkout.GroupsOf(append(u.Groups.names, u.Department.names...)...).Within(s.Wanted))
		}
		badges.Set(&row, badge)
		snap.People = append(snap.People, row)
		return len(row.Ref) + len(row.Name) + len(row.Email) + len(row.Groups())
	}
	snap.PeopleList, o = in.List(ctx, l)
	snap.BadgeField = badges.Field("badge_field", s.badgeField, func() []string { return snap.PeopleList.Fields })
	return o
}

// assets is the list of assets, read into a.
func (s *SnipeIT) assets(a *asset) call.List {
	return list("/hardware", "asset", "assets.view", a, func(a *asset) number { return a.ID })
}

func (s *SnipeIT) pullDevices(ctx context.Context, in *call.Reading, snap *call.Snapshot) (o call.Outcome) {
	var a asset
	l, tags := s.assets(&a), s.tags.Values()
	models, customs := map[string]string{}, map[string]bool{}
	l.Take = func() int {
		row := books.SyncRow{
			Kind: checkout.KindDevice, Ref: a.ID.text(), Name: a.name(),
			// What can't be checked out there can't be lent here.
			Inactive: a.Deleted != nil || !a.deployable(),
		}
		serial, place, link := s.details(&a)
		row.SetDetails(serial, place, link)
		size := len(row.Ref) + len(row.Name) + len(serial) + len(place) + len(link)
		if a.Model != nil {
			model, known := models[a.Model.Name] // many have the same
			if !known {
				model = text(a.Model.Name)
				models[a.Model.Name] = model
				size += len(model) + len(a.Model.Name)
			}
			row.Type = model
		}
		tags.Set(&row, s.deviceNumber(a))
		snap.Devices = append(snap.Devices, row)
		if seen, said := s.seen(a); said {
			size += len(seen.Name) + len(seen.Elsewhere)
			snap.Loans = append(snap.Loans, seen)
		}
		if tags.None() {
			size += a.noteCustoms(customs)
		}
		return size
	}
	snap.DeviceList, o = in.List(ctx, l)
	snap.DeviceField = tags.Field("device_field", s.cfg.DeviceField, func() []string {
		there := slices.DeleteFunc(snap.DeviceList.Fields, func(f string) bool { return f != "asset_tag" && f != "serial" })
		return append(there, slices.Sorted(maps.Keys(customs))...)
	})
	return o
}

// details are the serial number of an asset, unless that is the number of its tag, where it
// stands while it is free, and its page.
func (s *SnipeIT) details(a *asset) (serial, place, link string) {
	if s.cfg.DeviceField != "serial" {
		serial = text(a.Serial)
	}
	if place = text(a.Home.Name); place == "" && a.AssignedTo.Type == "" {
		place = text(a.At.Name)
	}
	return serial, place, s.api.Page("/hardware/" + a.ID.text())
}

// noteCustoms notes which custom fields have a value, as device_field names them.
func (a asset) noteCustoms(all map[string]bool) (size int) {
	for name, f := range a.customs() {
		if key := "custom:" + call.Plain(name); fieldText(f.Value) != "" && !all[key] && len(all) < 100 {
			all[key] = true
			size += len(key)
		}
	}
	return size
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

// Reach tries the way to the server.
func (s *SnipeIT) Reach(ctx context.Context) []call.Step { return s.api.Reach(ctx) }

// Server is what the newest answer says of the server.
func (s *SnipeIT) Server() call.Server { return s.api.Server() }
