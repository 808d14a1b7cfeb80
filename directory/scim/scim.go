// Package scim reads people from a SCIM 2.0 service provider (RFC 7643, RFC 7644).
package scim

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"stump/directory/call"
)

const (
	pageRows       = 100
	employeeNumber = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"
)

// SCIM reads Users. Nothing is delivered to it.
//
//	GET {url}/Users?startIndex=N&count=100     advance by what arrives, RFC 7644 3.4.2.4
//	GET {url}/Users?cursor=C&count=100         where ServiceProviderConfig says so, RFC 9865;
//	                                           without cursor first, where cursors are the default
//
// The key of a person is "id": externalId belongs to the client that wrote it.
type SCIM struct {
	api    *call.Service
	badge  attrPath
	badges *call.Numbers
}

// New checks the configuration.
func New(api call.API, badges call.Badges, h call.HTTP, parse call.ParseTag) (*SCIM, error) {
	s := &SCIM{}
	var err error
	if s.badge, err = parseAttrPath(cmp.Or(badges.Field, employeeNumber)); err != nil {
		return nil, call.BadKey("badge_field", "%w", err)
	}
	if s.badges, err = badges.Numbers(parse); err != nil {
		return nil, err
	}
	s.api, err = api.Open(h, "", "application/scim+json, application/json")
	return s, err
}

func (s *SCIM) String() string { return "SCIM at " + s.api.Host() }

// Probe implements directory.Directory.
func (s *SCIM) Probe(ctx context.Context) call.Outcome {
	return s.get(ctx, "/Users", url.Values{"count": {"1"}, "attributes": {"id"}}, &list{}).OfProbe()
}

// list is a ListResponse.
type list struct {
	Total      *int              `json:"totalResults"`
	Resources  []json.RawMessage `json:"Resources"`
	NextCursor string            `json:"nextCursor"`
}

// get makes a call and decodes its answer.
func (s *SCIM) get(ctx context.Context, path string, query url.Values, out any) call.Outcome {
	r, o := s.api.Call(ctx, http.MethodGet, path, query, nil)
	if o.Verdict != call.OK {
		return o
	}
	if o = r.Outcome(); o.Verdict == call.OK {
		return r.Decode(out, "SCIM's")
	}
	var says struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(r.Body, &says) == nil && says.Detail != "" {
		o.Reason += ": " + call.Plain(says.Detail)
	}
	return o
}

// Pull implements directory.Puller.
func (s *SCIM) Pull(ctx context.Context) (call.Snapshot, error) {
	users, o := s.users(ctx)
	if o.Verdict == call.Refused {
		o.Verdict, o.Remedy = call.BadConfig, "check directory.url"
	}
	if o.Verdict != call.OK {
		return call.Snapshot{}, o
	}
	snap := call.Snapshot{HasPeople: true}
	for _, u := range users {
		snap.People = append(snap.People, u.row())
	}
	snap.Notes = s.badges.Set(snap.People, func(i int) string { return s.badge.find(users[i]) })
	return snap, nil
}

// users reads all pages, by the means that the server offers.
func (s *SCIM) users(ctx context.Context) (users []user, o call.Outcome) {
	var config struct {
		Pagination struct {
			Cursor  bool   `json:"cursor"`
			Default string `json:"defaultPaginationMethod"`
		} `json:"pagination"`
	}
	// Many servers lack this page or deny access to it: then use index paging.
	_ = s.get(ctx, "/ServiceProviderConfig", nil, &config)
	// Ask for no more attributes than are needed.
	ask := url.Values{"count": {strconv.Itoa(pageRows)}, "attributes": {"id,userName,displayName,name,active,emails," + s.badge.name()}}
	pages := s.byIndex
	if config.Pagination.Cursor {
		pages = s.byCursor
		if config.Pagination.Default != "cursor" {
			ask.Set("cursor", "") // asks for cursors on the first page
		}
	}
	// A server that rejects attributes or count may answer without them; where a
	// cursor has expired (RFC 9865, 2.1), begin anew.
	for _, without := range []string{"", "attributes", "count"} {
		ask.Del(without)
		if users, o = pages(ctx, maps.Clone(ask)); o.Verdict != call.Refused {
			break
		}
	}
	return users, o
}

func (s *SCIM) byIndex(ctx context.Context, ask url.Values) ([]user, call.Outcome) {
	all := newUsers()
	total := -1
	for start := 1; ; {
		ask.Set("startIndex", strconv.Itoa(start))
		l, o := s.page(ctx, ask, all)
		if o.Verdict != call.OK {
			return nil, o
		}
		if total < 0 && l.Total != nil {
			total = *l.Total
		}
		start += len(l.Resources)
		switch changed := l.Total != nil && *l.Total != total; {
		case !changed && len(l.Resources) > 0 && (total < 0 || start <= total):
		case changed, total >= 0 && len(all.Rows) != total:
			return nil, all.Changed(total)
		default:
			return all.Rows, call.Outcome{}
		}
	}
}

func (s *SCIM) byCursor(ctx context.Context, ask url.Values) ([]user, call.Outcome) {
	all := newUsers()
	for {
		l, o := s.page(ctx, ask, all)
		if o.Verdict != call.OK || l.NextCursor == "" {
			return all.Rows, o
		}
		ask.Set("cursor", l.NextCursor)
	}
}

func newUsers() *call.List[user] { return &call.List[user]{Path: "/Users", Key: user.id} }

// page reads one page and adds its users to all.
func (s *SCIM) page(ctx context.Context, ask url.Values, all *call.List[user]) (l list, o call.Outcome) {
	if o = s.get(ctx, "/Users", ask, &l); o.Verdict != call.OK {
		return l, o
	}
	users := make([]user, len(l.Resources))
	for i, raw := range l.Resources {
		var err error
		if users[i], err = parseUser(raw); err != nil {
			return l, call.Outcome{Verdict: call.Failing, Reason: "a user of the list can't be read: " + err.Error()}
		}
	}
	return l, all.Add(users)
}
