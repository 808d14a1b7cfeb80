package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"stump/checkout"
)

const (
	scimPage     = 100
	scimEmployee = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"
)

// SCIM pulls people from a SCIM 2.0 service provider (RFC 7643, RFC 7644). It
// asks for nothing but Users and tells the other side nothing: events go to
// webhooks, or stay here.
//
//	GET {url}/Users?startIndex=N&count=100     advance by what arrives, RFC 7644 3.4.2.4
//	GET {url}/Users?cursor=C&count=100         where ServiceProviderConfig says so, RFC 9865
//
// The key of a person is "id": externalId belongs to the client that wrote it.
type SCIM struct {
	base   string
	token  secret
	badge  attrPath
	badges numbers
	client *client
}

// NewSCIM checks the configuration.
func NewSCIM(cfg Config) (*SCIM, error) {
	base, err := apiBase(cfg.URL)
	if err != nil {
		return nil, err
	}
	s := &SCIM{base: base, token: secret(cfg.TokenFile)}
	field := cfg.BadgeField
	if field == "" {
		field = scimEmployee
	}
	if s.badge, err = parseAttrPath(field); err != nil {
		return nil, badKey("badge_field", "%w", err)
	}
	if s.badges, err = newNumbers("badge", cfg.BadgeTransform, cfg.BadgeForm, cfg.ParseTag); err != nil {
		return nil, err
	}
	s.client, err = newClient(cfg.HTTP, clientOptions{})
	return s, err
}

func (s *SCIM) String() string {
	u, _ := url.Parse(s.base)
	return "SCIM at " + u.Host
}

// Capabilities implements Deliverer.
func (s *SCIM) Capabilities() Capabilities {
	return Capabilities{Pull: true, Repeatable: true, Parallel: 1}
}

// Deliver implements Deliverer: SCIM knows people, not loans.
func (s *SCIM) Deliver(context.Context, Delivery) Outcome { return Outcome{} }

// WhatIs implements Directory: what SCIM knows, a pull brings.
func (s *SCIM) WhatIs(context.Context, checkout.Tag, Kind) (Answer, error) { return Answer{}, nil }

// Enrol implements Directory.
func (s *SCIM) Enrol(context.Context, string, checkout.Tag) (Record, error) {
	return Record{}, ErrUnsupported
}

// Probe implements Directory.
func (s *SCIM) Probe(ctx context.Context) Outcome {
	var l scimList
	err := s.get(ctx, "/Users", url.Values{"count": {"1"}, "attributes": {"id"}}, &l)
	o, ok := troubleOf(err)
	if err != nil && !ok {
		return Outcome{Verdict: Down, Reason: err.Error()}
	}
	if o.Verdict == Failing || o.Verdict == Refused {
		o.Verdict = Down
	}
	return o
}

// scimList is a ListResponse.
type scimList struct {
	Total      *int              `json:"totalResults"`
	Resources  []json.RawMessage `json:"Resources"`
	NextCursor string            `json:"nextCursor"`
}

// scimError is what an error says; its status is a string.
type scimError struct {
	Detail   string `json:"detail"`
	ScimType string `json:"scimType"`
}

// errScimType is a 400 with the kind of error in it.
type errScimType struct {
	kind string
	o    Outcome
}

func (e *errScimType) Error() string { return e.o.Reason }

// get asks for something. Errors: *Trouble, *errScimType.
func (s *SCIM) get(ctx context.Context, path string, query url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return &Trouble{Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "check directory.url"}}
	}
	req.Header.Set("Accept", "application/scim+json, application/json")
	if s.token != "" {
		token, err := s.token.read()
		if err != nil {
			return &Trouble{Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "put the bearer token there"}}
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	r, cerr := s.client.do(ctx, req, pageLimit)
	if cerr != nil {
		return &Trouble{noAnswer(cerr)}
	}
	if o, bad := badStatus(r); bad {
		var e scimError
		if json.Unmarshal(r.Body, &e) == nil && e.Detail != "" {
			o.Reason += ": " + plain(e.Detail)
		}
		if o.Verdict == Refused {
			return &errScimType{e.ScimType, o}
		}
		return &Trouble{o}
	}
	if isPage(r.Body) {
		return &Trouble{pageOutcome(r)}
	}
	if err := json.Unmarshal(trimBOM(r.Body), out); err != nil {
		return &Trouble{Outcome{Verdict: Failing, Reason: r.URL.Host + " answers something that is not SCIM's JSON"}}
	}
	return nil
}

// Pull implements Directory.
func (s *SCIM) Pull(ctx context.Context) (Snapshot, error) {
	rows, err := s.users(ctx)
	var kind *errScimType
	if errors.As(err, &kind) {
		return Snapshot{}, &Trouble{Outcome{Verdict: BadConfig, Reason: kind.o.Reason, Remedy: "check directory.url"}}
	}
	if err != nil {
		return Snapshot{}, err
	}
	snap := Snapshot{HasPeople: true}
	var bad unread
	for _, row := range rows {
		r := row.record()
		if r.Tag, err = s.badges.read(s.badge.find(row)); err != nil {
			bad.add(r.Name, err)
		}
		snap.People = append(snap.People, r)
	}
	bad.note(&snap, "badge")
	return snap, nil
}

// users reads all pages, by the means that the server offers.
func (s *SCIM) users(ctx context.Context) ([]scimUser, error) {
	var config struct {
		Pagination struct {
			Cursor bool `json:"cursor"`
		} `json:"pagination"`
	}
	// Many servers have no such page, or guard it: then it is index paging.
	_ = s.get(ctx, "/ServiceProviderConfig", nil, &config)
	ask := url.Values{"count": {strconv.Itoa(scimPage)}, "attributes": {s.attributes()}}
	page := s.byIndex
	if config.Pagination.Cursor {
		page = s.byCursor
	}
	rows, err := page(ctx, ask)
	var kind *errScimType
	if errors.As(err, &kind) {
		// A server that stumbles over attributes or count may still answer
		// without; a cursor that ran out (RFC 9865, 2.1) is begun anew.
		ask.Del("attributes")
		ask.Del("count")
		rows, err = page(ctx, ask)
	}
	return rows, err
}

// attributes are all that is asked for: the rest is none of our business.
func (s *SCIM) attributes() string {
	return "id,userName,displayName,name,active,emails," + s.badge.name()
}

func (s *SCIM) byIndex(ctx context.Context, ask url.Values) ([]scimUser, error) {
	var all scimUsers
	total := -1
	for start := 1; ; {
		var l scimList
		ask.Set("startIndex", strconv.Itoa(start))
		if err := s.get(ctx, "/Users", ask, &l); err != nil {
			return nil, err
		}
		if err := all.add(l.Resources); err != nil {
			return nil, err
		}
		if total < 0 && l.Total != nil {
			total = *l.Total
		}
		start += len(l.Resources)
		changed := l.Total != nil && *l.Total != total
		if done := len(l.Resources) == 0 || total >= 0 && start > total; done || changed {
			if changed || total >= 0 && len(all.rows) != total {
				return nil, &Trouble{Outcome{Verdict: Failing, Reason: fmt.Sprintf("the list of users changed while it was read, or the server counts its pages otherwise (%d of %d)", len(all.rows), total)}}
			}
			return all.rows, nil
		}
	}
}

func (s *SCIM) byCursor(ctx context.Context, ask url.Values) ([]scimUser, error) {
	var all scimUsers
	for cursor := ""; ; {
		var l scimList
		ask.Set("cursor", cursor) // empty: the first page
		if err := s.get(ctx, "/Users", ask, &l); err != nil {
			return nil, err
		}
		if err := all.add(l.Resources); err != nil {
			return nil, err
		}
		cursor = l.NextCursor
		if cursor == "" {
			return all.rows, nil
		}
	}
}

// scimUsers collects users, each once. A page without anybody new is from a
// server that ignores what it is asked for, and would never end.
type scimUsers struct {
	rows []scimUser
	at   map[string]int
}

func (u *scimUsers) add(raw []json.RawMessage) error {
	if u.at == nil {
		u.at = map[string]int{}
	}
	before := len(u.rows)
	for _, r := range raw {
		row, err := parseScimUser(r)
		if err != nil {
			return &Trouble{Outcome{Verdict: Failing, Reason: "a user of the list can't be read: " + err.Error()}}
		}
		if _, twice := u.at[row.id()]; !twice {
			u.at[row.id()] = len(u.rows)
			u.rows = append(u.rows, row)
		}
	}
	if len(raw) > 0 && len(u.rows) == before {
		return &Trouble{Outcome{Verdict: Failing, Reason: "the server sends the same users again instead of the next page"}}
	}
	if len(u.rows) > listLimit {
		return tooLong("/Users")
	}
	return nil
}
