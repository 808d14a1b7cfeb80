package directory

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
)

// SnipeIT speaks to Snipe-IT's REST API (snipe/snipe-it v8.1.4 at 5aa5c48,
// routes/api.php, Api/AssetsController.php, Api/UsersController.php).
//
// It knows no idempotency key and no hand-over, refuses a check-out to whoever
// has the asset already, and has said "success" when nothing was done. So every
// delivery reads, compares and acts, again and again until what it reads is
// what the event says:
//
//	GET hardware/ID ─→ as the event says ──────────→ done
//	     ↑      ├────→ as it was before the event ─→ POST checkin, or checkout ─┐
//	     │      └────→ anything else ──────────────→ conflict                   │
//	     └──────────────────────────────────────────────────────────────────────┘
type SnipeIT struct {
	base   string // https://host/api/v1
	cfg    Config
	token  secret
	zone   *time.Location
	badges numbers
	tags   numbers
	client *client
}

// NewSnipeIT checks the configuration.
func NewSnipeIT(cfg Config) (*SnipeIT, error) {
	base, err := apiBase(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.TokenFile == "" {
		return nil, badKey("token_file", "the file with the API token is needed")
	}
	s := &SnipeIT{base: strings.TrimSuffix(base, "/api/v1") + "/api/v1", cfg: cfg, token: secret(cfg.TokenFile)}
	if s.cfg.BadgeField == "" {
		s.cfg.BadgeField = "employee_num"
	}
	if f := cfg.DeviceField; f != "asset_tag" && f != "serial" && !strings.HasPrefix(f, "custom:") {
		return nil, badKey("device_field", "%q is not asset_tag, serial or custom:NAME", f)
	}
	if s.zone, err = time.LoadLocation(cfg.Zone); err != nil {
		return nil, badKey("zone", "%w", err)
	}
	if s.badges, err = newNumbers("badge", cfg.BadgeTransform, cfg.BadgeForm, cfg.ParseTag); err != nil {
		return nil, err
	}
	if s.tags, err = newNumbers("device", cfg.DeviceTransform, cfg.DeviceForm, cfg.ParseTag); err != nil {
		return nil, err
	}
	if s.client, err = newClient(cfg.HTTP, clientOptions{}); err != nil {
		return nil, err
	}
	return s, nil
}

// apiBase checks a base address and removes the slash at its end.
func apiBase(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", badKey("url", "%q is not an http or https address", address)
	}
	return strings.TrimRight(address, "/"), nil
}

func (s *SnipeIT) String() string {
	u, _ := url.Parse(s.base)
	return "Snipe-IT at " + u.Host
}

// Capabilities implements Deliverer. One call at a time: the rate limit is the
// API user's, whom other scripts share.
func (s *SnipeIT) Capabilities() Capabilities {
	return Capabilities{Pull: true, Deliver: true, Repeatable: true, Settle: s.cfg.SettleTime, Identities: true, Parallel: 1}
}

// Probe implements Directory.
func (s *SnipeIT) Probe(ctx context.Context) Outcome {
	var page snipeList[snipeAsset]
	o := snipeOutcome(s.call(ctx, http.MethodGet, "/hardware", url.Values{"limit": {"1"}}, nil, &page))
	if o.Verdict == Failing || o.Verdict == Refused {
		o.Verdict = Down
	}
	return o
}

// WhatIs implements Directory: what Snipe-IT knows, a pull brings.
func (s *SnipeIT) WhatIs(context.Context, checkout.Tag, Kind) (Answer, error) { return Answer{}, nil }

// Enrol implements Directory.
func (s *SnipeIT) Enrol(context.Context, string, checkout.Tag) (Record, error) {
	return Record{}, ErrUnsupported
}

// Pull implements Directory.
func (s *SnipeIT) Pull(ctx context.Context) (Snapshot, error) {
	snap := Snapshot{HasPeople: true, HasDevices: true}
	users, err := pullSnipe(ctx, s, "/users", func(u snipeUser) int64 { return u.ID })
	if err != nil {
		return Snapshot{}, snipeTrouble(err)
	}
	assets, err := pullSnipe(ctx, s, "/hardware", func(a snipeAsset) int64 { return a.ID })
	if err != nil {
		return Snapshot{}, snipeTrouble(err)
	}
	var bad unread
	for _, u := range users {
		r := Record{Kind: Person, Ref: strconv.FormatInt(u.ID, 10), Name: plain(html.UnescapeString(u.Name)), Email: plain(html.UnescapeString(u.Email))}
		if r.Tag, err = s.badges.read(fieldText(u.All[s.cfg.BadgeField])); err != nil {
			bad.add(r.Name, err)
		}
		r.Inactive = u.Deleted != nil || s.cfg.RequireActivated && !u.Activated || s.past(u.EndDate)
		snap.People = append(snap.People, r)
	}
	bad.note(&snap, "badge")
	bad = unread{}
	for _, a := range assets {
		r := Record{Kind: Device, Ref: strconv.FormatInt(a.ID, 10), Name: a.name()}
		if a.Model != nil {
			r.Model = plain(html.UnescapeString(a.Model.Name))
		}
		if r.Tag, err = s.tags.read(s.deviceNumber(a)); err != nil {
			bad.add(r.Name, err)
		}
		// Only what can be lent there can be lent here.
		r.Inactive = a.Deleted != nil || a.StatusLabel != nil && a.StatusLabel.StatusType != "deployable"
		snap.Devices = append(snap.Devices, r)
	}
	bad.note(&snap, "device")
	return snap, nil
}

func (s *SnipeIT) deviceNumber(a snipeAsset) string {
	if field, ok := strings.CutPrefix(s.cfg.DeviceField, "custom:"); ok {
		return a.custom(field)
	}
	if s.cfg.DeviceField == "serial" {
		return html.UnescapeString(a.Serial)
	}
	return html.UnescapeString(a.AssetTag)
}

// name is what people call the asset: most have no name of their own.
func (a snipeAsset) name() string {
	name := a.Name
	if name == "" && a.Model != nil {
		name = a.Model.Name + " " + a.AssetTag
	}
	if name == "" {
		name = a.AssetTag
	}
	return plain(html.UnescapeString(name))
}

// past reports whether somebody's last day is over.
func (s *SnipeIT) past(d *snipeDate) bool {
	if d == nil || d.Date == "" {
		return false
	}
	day, err := time.ParseInLocation(time.DateOnly, d.Date, s.zone)
	return err == nil && time.Now().After(day.AddDate(0, 0, 1))
}

// snipeTrouble makes the server's word in a read a trouble of the place.
func snipeTrouble(err error) error {
	var says *snipeSays
	if errors.As(err, &says) {
		return &Trouble{Outcome{Verdict: Failing, Reason: says.Error()}}
	}
	return err
}

// snipeOutcome is the outcome of a call.
func snipeOutcome(err error) Outcome {
	if err == nil {
		return Outcome{}
	}
	if o, ok := troubleOf(err); ok {
		return o
	}
	return Outcome{Verdict: Refused, Reason: err.Error(), Remedy: "put it right in Snipe-IT"}
}
