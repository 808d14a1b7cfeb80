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
//	GET {url}/Groups?startIndex=N&count=100    where users don't have the attribute groups
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
	attributes := "id,userName,displayName,name,active,emails,preferredLanguage," + s.badge.name()
	if s.Wanted != "" {
		attributes += ",groups"
	}
	in := &reading{Reading: call.NewReading(s.api), turn: s.cursors(ctx)}
	var o call.Outcome
	snap.PeopleList, o = in.list(ctx, l, attributes, func() {
		snap.People, badges, told = nil, s.badges.Values(), false
	})
	if o.Verdict == call.Refused {
		o.Verdict, o.Remedy = call.BadConfig, "check directory.url"
	}
	// A server leaves out what is empty: who has no groups is in none if others are in some.
	for i := range snap.People {
		snap.People[i].HasGroups = told && s.Wanted != ""
	}
	if !told && s.Wanted != "" && len(snap.People) > 0 && o.Verdict == call.OK {
		snap.PeopleList.Notes = append(snap.PeopleList.Notes, s.join(ctx, in, snap.People)...)
	}
	snap.BadgeField = badges.Field("badge_field", s.badgeField, func() []string { return s.paths(ctx) })
	return snap, o.Err()
}

// reading is a reading of lists that turn their pages alike.
type reading struct {
	*call.Reading
	turn
}

// turn is how a server turns pages: by index, or by a cursor of which the member next of an
// answer says how to go on. Unless asked, it is by index.
type turn struct {
	next  string // "" by index
	asked bool
}

// list reads a list, page by page, of these attributes. A server that rejects attributes or
// count may answer without them; where a cursor has expired (RFC 9865, 2.1), begin anew.
func (in *reading) list(ctx context.Context, l call.List, attributes string, begin func()) (got call.Listing, o call.Outcome) {
	ask := url.Values{"count": {strconv.Itoa(pageRows)}, "attributes": {attributes}}
	if in.asked {
		ask.Set("cursor", "")
	}
	l.PageRows, l.Next = pageRows, in.next
	l.Ask = func(from int, cursor string) url.Values {
		q := maps.Clone(ask)
		switch {
		case in.next == "":
			q.Set("startIndex", strconv.Itoa(from+1))
		case cursor != "":
			q.Set("cursor", cursor)
		}
		return q
	}
	for _, without := range []string{"", "attributes", "count"} {
		if ask.Del(without); without == "count" {
			l.PageRows = 0
		}
		begin()
		if got, o = in.List(ctx, l); o.Verdict != call.Refused {
			break
		}
	}
	return got, o
}

// cursors asks the server how it turns pages.
func (s *SCIM) cursors(ctx context.Context) turn {
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
		return turn{}
	}
	return turn{"nextCursor", config.Pagination.Default != "cursor"}
}

// list is a ListResponse that is read into u.
func (s *SCIM) list(u *user) call.List {
	return call.List{
		Path: "/Users", What: "user", Whose: "SCIM's", Rows: "Resources", Total: "totalResults",
		Keep: call.AnyOf("id", "userName", "displayName", "name", "active", "emails", "preferredLanguage", "groups", s.badge.member()), Judge: judge,
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
