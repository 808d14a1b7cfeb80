package scim

import (
	"context"
	"fmt"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// longGroup is how many bytes of a group are read at most: a member takes up to 250.
const longGroup = 1 << 20

// join says in which groups people are, where the server lists groups apart from users
// (RFC 7643, 4.2). Unless all groups could be read nothing is known, and the notes say why.
func (s *SCIM) join(ctx context.Context, in *reading, people []books.SyncRow) (notes []string) {
	const nobody, stay = "SCIM says of nobody in which groups they are (attribute groups), and ", ": who was in one stays in it"
	of := map[string][]string{} // groups by the key of a user
	nested := ""
	var g user // a group is read as a user is
	l := call.List{
		Path: "/Groups", What: "group", Whose: "SCIM's", Rows: "Resources", Total: "totalResults", Long: longGroup,
		Keep: call.AnyOf("id", "displayName", "members"), Judge: judge,
		Read: func(raw []byte) (key string, err error) {
			g, err = parseUser(raw)
			return g.id(), err
		},
		Take: func() (text int) {
			names := checkout.GroupsOf(call.Plain(g.text("displayName")), call.Plain(g.id())).Within(s.Wanted).Names()
			if names == nil {
				return 0
			}
			members, _ := g.at("members").([]any)
			for _, m := range members {
				key := call.FieldText(member(m, "value"))
				if strings.EqualFold(call.FieldText(member(m, "type")), "group") || strings.Contains(call.FieldText(member(m, "$ref")), "/Groups/") {
					nested = names[0]
				} else {
					of[key] = append(of[key], names...)
					text += len(key)
				}
			}
			return text
		},
	}
	got, o := in.list(ctx, l, "id,displayName,members", func() { clear(of) })
	switch {
	case o.Verdict != call.OK:
		return []string{nobody + "its list of groups can't be read, " + o.Reason + stay}
	case got.Rows == 0:
		return []string{nobody + "lists no groups" + stay}
	case got.Partial || len(got.Unread) > 0:
		return append(got.Notes, nobody+"its list of groups is not whole"+stay)
	}
	for i := range people {
		people[i].SetGroups(checkout.GroupsOf(of[people[i].Ref]...))
	}
	if nested != "" {
		notes = append(notes, fmt.Sprintf("the group %s has groups in it: whoever is only in these is not seen as one of it", nested))
	}
	return notes
}
