// Package scim reads people from a SCIM 2.0 service provider (RFC 7643, RFC 7644).
package scim

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"stump/checkout"
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
	// badgeField is badge as it is written.
	badgeField string
	// Wanted are the groups of people that matter here. Others are not read.
	Wanted checkout.Groups
}

// New checks the configuration.
func New(api call.API, badges call.Badges, h call.HTTP, parse call.ParseTag) (*SCIM, error) {
	s := &SCIM{badgeField: cmp.Or(badges.Field, employeeNumber)}
	var err error
	if s.badge, err = parseAttrPath(s.badgeField); err != nil {
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
	_, o := call.NewReading(s.api).Look(ctx, s.list(new(user)), url.Values{"count": {"1"}, "attributes": {"id"}}, 1)
	return o.OfProbe()
}

// Pull implements directory.Puller.
func (s *SCIM) Pull(ctx context.Context) (call.Snapshot, error) {
	snap := call.Snapshot{HasPeople: true}
	var u user
	l := s.list(&u)
	var badges *call.Values
	told := false // the server has groups of somebody
	l.Take = func() int {
		row := u.row()
		if s.Wanted != "" {
			groups, said := u.groups()
			row.SetGroups(groups.Within(s.Wanted))
			told = told || said
		}
		badges.Set(&row, s.badge.find(u))
		snap.People = append(snap.People, row)
		return len(row.Ref) + len(row.Name) + len(row.Email) + len(row.Groups())
	}
	// Ask for no more attributes than are needed.
	ask := url.Values{"count": {strconv.Itoa(pageRows)}, "attributes": {"id,userName,displayName,name,active,emails," + s.badge.name()}}
	if s.Wanted != "" {
		ask.Set("attributes", ask.Get("attributes")+",groups")
	}
	l.PageRows, l.Next = pageRows, s.cursors(ctx, ask)
	l.Ask = func(from int, cursor string) url.Values {
		q := maps.Clone(ask)
		switch {
		case l.Next == "":
			q.Set("startIndex", strconv.Itoa(from+1))
		case cursor != "":
			q.Set("cursor", cursor)
		}
		return q
	}
	in := call.NewReading(s.api)
	var o call.Outcome
	// A server that rejects attributes or count may answer without them; where a
	// cursor has expired (RFC 9865, 2.1), begin anew.
	for _, without := range []string{"", "attributes", "count"} {
		if ask.Del(without); without == "count" {
			l.PageRows = 0
		}
		snap.People, badges, told = nil, s.badges.Values(), false
		if snap.PeopleList, o = in.List(ctx, l); o.Verdict != call.Refused {
			break
		}
	}
	if o.Verdict == call.Refused {
		o.Verdict, o.Remedy = call.BadConfig, "check directory.url"
	}
	// A server leaves out what is empty: who has no groups is in none if others are in some.
	for i := range snap.People {
		snap.People[i].HasGroups = told && s.Wanted != ""
	}
	if !told && s.Wanted != "" && len(snap.People) > 0 {
		snap.PeopleList.Notes = append(snap.PeopleList.Notes, "SCIM says of nobody in which groups they are (attribute groups): who was in one stays in it")
	}
	snap.BadgeField = badges.Field("badge_field", s.badgeField, func() []string { return s.paths(ctx) })
	return snap, o.Err()
}

// cursors returns where the server says how to go on if it turns pages by cursors, and
// "" if by index. It adds to ask what asks for cursors on the first page.
func (s *SCIM) cursors(ctx context.Context, ask url.Values) (next string) {
	var config struct {
		Pagination struct {
			Cursor  bool   `json:"cursor"`
			Default string `json:"defaultPaginationMethod"`
		} `json:"pagination"`
	}
	// Many servers lack this page or deny access to it: then use index paging.
	if r, o := s.api.Call(ctx, http.MethodGet, "/ServiceProviderConfig", nil, nil); o.Verdict == call.OK && judge(r).Verdict == call.OK {
		_ = r.Decode(&config, "")
	}
	if !config.Pagination.Cursor {
		return ""
	}
	if config.Pagination.Default != "cursor" {
		ask.Set("cursor", "")
	}
	return "nextCursor"
}

// list is a ListResponse that is read into u.
func (s *SCIM) list(u *user) call.List {
	return call.List{
		Path: "/Users", What: "user", Whose: "SCIM's", Rows: "Resources", Total: "totalResults",
		Keep: call.AnyOf("id", "userName", "displayName", "name", "active", "emails", "groups", s.badge.member()), Judge: judge,
		Read: func(raw []byte) (key string, err error) {
			*u, err = parseUser(raw)
			return u.id(), err
		},
	}
}

// judge says what an answer means.
func judge(r call.Reply) call.Outcome {
	o := r.Outcome()
	var says struct {
		Detail string `json:"detail"`
	}
	if o.Verdict != call.OK && json.Unmarshal(r.Body, &says) == nil && says.Detail != "" {
		o.Reason += ": " + call.Plain(says.Detail)
	}
	return o
}

// paths are the paths of attributes in which somebody has something.
func (s *SCIM) paths(ctx context.Context) (paths []string) {
	var u user
	l := s.list(&u)
	l.Keep = func(string) bool { return true }
	l.Read = func(raw []byte) (key string, err error) {
		if u, err = parseUser(raw); err == nil {
			paths = append(paths, u.paths()...)
		}
		return u.id(), err
	}
	// Without "attributes", the server sends all that it returns by default.
	_, _ = call.NewReading(s.api).Look(ctx, l, url.Values{"count": {"5"}, "startIndex": {"1"}}, 5)
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Reach tries the way to the server.
func (s *SCIM) Reach(ctx context.Context) []call.Step { return s.api.Reach(ctx) }

// Server is what the newest answer says of the server.
func (s *SCIM) Server() call.Server { return s.api.Server() }
