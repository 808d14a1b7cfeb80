package plan

import (
	"fmt"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/count"
)

// A directory may give somebody a new key: a rename there that makes a second user, a
// merge, a move to another server. Who has gone and who is new are one person where two
// of badge, mail address and name agree and neither badge nor address speaks against it.
// For anything less there is `stump people merge`: two people must never become one by
// themselves, and a badge is often that of somebody else after its owner left.

// oneKey drops rows of people who are there under several keys, since an admin has merged
// them. Their own key comes first, then one that is active, then one that is there.
func (p *planner) oneKey(register []Member, pulled []books.SyncRow) (rest []books.SyncRow) {
	drop := map[string]bool{}
	var there map[string]*books.SyncRow
	for _, m := range call.Each(register) {
		if m.Kind != p.kind || len(m.Former) == 0 {
			continue
		}
		if there == nil {
			there = make(map[string]*books.SyncRow, len(pulled))
			for j := range pulled {
				there[pulled[j].Ref] = &pulled[j]
			}
		}
		best := ""
		for _, key := range append([]string{m.Ref}, m.Former...) {
			in, is := there[key]
			drop[key] = is
			if is && (best == "" || there[best].Inactive && !in.Inactive) {
				best = key
			}
		}
		if best != "" {
			p.rekey(m, best)
			drop[best] = false
		}
	}
	return without(pulled, drop)
}

// without returns the rows without those of some keys.
func without(pulled []books.SyncRow, drop map[string]bool) (rest []books.SyncRow) {
	if len(drop) == 0 {
		return pulled
	}
	for _, in := range pulled {
		if !drop[in.Ref] {
			rest = append(rest, in)
		}
	}
	return rest
}

// rekey makes a key of the directory that of a member.
func (p *planner) rekey(m *Member, key string) {
	delete(p.byRef, m.Ref)
	p.byRef[key] = m
}

// newKeys finds who has a new key, and drops the row of the old one, if it is still there.
func (p *planner) newKeys(register []Member, pulled []books.SyncRow, list call.Listing) (rest []books.SyncRow, err error) {
	if p.kind != checkout.KindPerson {
		return pulled, nil
	}
	goneMails := map[string][]*Member{}
	for _, m := range call.Each(register) {
		if m.Kind == p.kind && m.Email != "" && p.isGone(m, list) {
			goneMails[strings.ToLower(m.Email)] = append(goneMails[strings.ToLower(m.Email)], m)
		}
	}
	claims := map[string][]string{} // the new keys that may be a member's
	found := map[string]*Member{}
	for _, in := range call.Each(pulled) {
		if _, known := p.byRef[in.Ref]; known || in.Inactive {
			continue
		}
		m, err := p.samePerson(*in, goneMails[strings.ToLower(in.Email)], list)
		if err != nil {
			return nil, err
		}
		if m != nil {
			claims[m.ID], found[m.ID] = append(claims[m.ID], in.Ref), m
		}
	}
	drop := map[string]bool{}
	for id, keys := range claims {
		if m := found[id]; len(keys) == 1 {
			p.rekey(m, keys[0])
			drop[m.Ref] = true
		}
	}
	return without(pulled, drop), nil
}

// isGone reports whether the directory has nobody active under a member's key. That it
// is not in a list that is not whole will do, since two keys of one person are no two.
func (p *planner) isGone(m *Member, list call.Listing) bool {
	in, there := p.now[m.Ref]
	return m.Ref != "" && (!there || in.Inactive) && !list.Unread[m.Ref]
}

// samePerson returns who of those that are gone a new row is, or nobody. mail are those
// that are gone with its mail address.
func (p *planner) samePerson(in books.SyncRow, mail []*Member, list call.Listing) (*Member, error) {
	owner := Member{}
	if !in.Tag.IsZero() {
		var err error
		if owner, err = p.owner(in.Tag); err != nil {
			return nil, err
		}
	}
	m := p.byRef[owner.Ref] // which knows more
	switch {
	case owner.Kind == checkout.Unknown && len(mail) == 1:
		m = mail[0]
	case owner.Kind != p.kind || m == nil || !p.isGone(m, list):
		return nil, nil
	}
	agree := 0
	for _, same := range []bool{owner.Kind == p.kind, in.Email != "" && strings.EqualFold(in.Email, m.Email), sameName(in.Name, m.Name)} {
		if same {
			agree++
		}
	}
	if agree < 2 || in.Email != "" && m.Email != "" && !strings.EqualFold(in.Email, m.Email) {
		return nil, nil
	}
	return m, nil
}

// sameName reports whether two names differ in capitals and blanks at most.
func sameName(a, b string) bool {
	a, b = books.PlainName(a), books.PlainName(b)
	return a != "" && a == b
}

// noteTwins tells of members who are gone and may be there under another key, in a row of
// its own: one has their mail address, or got their badge while they have a device.
func (p *planner) noteTwins(register []Member, pulled []books.SyncRow, list call.Listing) {
	gone := map[string]*Member{} // by mail address
	for _, m := range call.Each(register) {
		if m.Kind == p.kind && m.Kind == checkout.KindPerson && !m.Retired && m.Email != "" && !p.taken[m.ID] && p.isGone(m, list) {
			gone[strings.ToLower(m.Email)] = m
		}
	}
	for _, in := range call.Each(pulled) {
		was, now := gone[strings.ToLower(in.Email)], p.byRef[in.Ref]
		if was != nil && now != nil && now.ID != "" && !in.Inactive {
			p.note("%s is gone from the directory, and %s has the same mail address: if they are one: stump people merge %s %s", was.Name, now.Name, was.ID, now.ID)
		}
	}
}

// noteTaken tells that somebody got the badge of a person who is gone and has devices.
func (p *planner) noteTaken(in books.SyncRow, owner Member) {
	was := p.byRef[owner.Ref]
	if p.kind != checkout.KindPerson || was == nil || was.Holds == 0 {
		return
	}
	if in, there := p.now[was.Ref]; there && !in.Inactive {
		return // it has another badge there now
	}
	if in.Email == "" || !strings.EqualFold(in.Email, was.Email) { // else noteTwins tells
		p.note("%s got the badge of %s, who is gone and still has %s: if they are one: stump people merge %s %s",
			in.Name, was.Name, count.Of(was.Holds, "device"), was.ID, fmt.Sprintf("%q", in.Name))
	}
}
