// Package labs answers what is asked of the lab that a station is in, and lets it join and
// leave.
package labs

import (
	"cmp"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"sort"

	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/lab"
)

// Desk answers from the link to the hub; Station is the station's own name.
type Desk struct {
	Link    *lab.Link
	Station string
}

// Show is how the station stands in its lab.
func (d Desk) Show(*http.Request) (any, error) { return Of(d.Link.Status()), nil }

// StatusOf is how a station stands in its lab; nil in none.
func StatusOf(link *lab.Link) *wire.Lab {
	if link == nil {
		return nil
	}
	l := Of(link.Status())
	if l.Lab == nil {
		return nil
	}
	return &l
}

// Of is how a station stands in its lab.
func Of(s lab.Status) wire.Lab {
	if s.Member == nil {
		return wire.Lab{}
	}
	l := wire.Lab{Lab: &s.Member.Lab, Station: &s.Member.Name, Hub: &s.Member.URL, Stale: s.Stale, Waiting: s.Waiting}
	if !s.Heard.IsZero() {
		l.Heard = &s.Heard
	}
	if s.Failure != nil {
		what, remedy := s.Failure.Error(), cmp.Or(hint.Of(s.Failure), "it is tried again by itself")
		l.Trouble, l.Remedy = &what, &remedy
	}
	return l
}

// Join joins a lab.
func (d Desk) Join(r *http.Request, in *wire.JoinLab) (any, error) {
	if in.As != "" && in.Replace != "" {
		return nil, &wire.CodedError{Code: wire.CodeInvalid, Err: hint.Errorf("a copied card: as; a new one: replace", "as and replace can't be both")}
	}
	joined, err := d.Link.Join(r.Context(), in.Code, lab.JoinOptions{
		Name: cmp.Or(in.As, in.Replace, d.Station), DryRun: in.DryRun, As: in.As != "", Replace: in.Replace != "",
	})
	if err != nil {
		return nil, &wire.CodedError{Code: wire.CodeRefused, Err: err}
	}
	answer := wire.JoinedLab{Lab: joined.Lab, Station: joined.Name, Joined: !in.DryRun && len(joined.Clashes) == 0, Clashes: []wire.LabClash{}}
	for _, c := range joined.Clashes {
		answer.Clashes = append(answer.Clashes, wire.LabClash{Kind: c.Kind, ID: c.ID, Why: c.Why, Other: c.Other, Name: c.Name})
	}
	return answer, nil
}

// Leave leaves it.
func (d Desk) Leave(r *http.Request) (any, error) {
	m, told, err := d.Link.Leave(r.Context())
	if err != nil {
		return nil, &wire.CodedError{Code: wire.CodeRefused, Err: err}
	}
	return wire.LeftLab{Lab: m.Lab, Told: told == nil}, nil
}

// Stations lists the stations of the lab, by name; in no lab there are none.
func (d Desk) Stations(_ *http.Request, _ url.Values, p books.Page) (iter.Seq2[wire.LabStation, error], error) {
	all := slices.Clone(d.Link.Status().Members)
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return func(yield func(wire.LabStation, error) bool) {
		n := 0
		for _, m := range all {
			if m.Name <= p.After || !p.Finds(m.Name) {
				continue
			}
			s := wire.LabStation{Name: m.Name, Lag: m.Lag, Office: m.Office}
			if !m.Heard.IsZero() {
				s.Heard = &m.Heard
			}
			if m.Version != "" {
				s.Version = &m.Version
			}
			if m.Fault != "" {
				s.Fault = &m.Fault
			}
			if m.URL != "" {
				s.URL = &m.URL
			}
			if n++; !yield(s, nil) || n == p.Limit {
				return
			}
		}
	}, nil
}
