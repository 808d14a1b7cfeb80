package checkout

import (
	"slices"
	"strings"

	"stump/internal/hint"
)

// Groups are the groups of people that somebody is in: their names without blanks at the
// ends, in the order of the alphabet, a line each. Capitals don't tell groups apart. Equal
// Groups are ==.
type Groups string

// GroupsOf are the groups with these names, of which empty ones are left out.
func GroupsOf(names ...string) Groups {
	all := []string{}
	for _, name := range names {
		name = strings.Join(strings.Fields(name), " ")
		if name != "" && !slices.ContainsFunc(all, func(s string) bool { return strings.EqualFold(s, name) }) {
			all = append(all, name)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return Groups(strings.Join(all, "\n"))
}

// ParseGroups reads a cell of a table: names with a comma or a semicolon between them.
func ParseGroups(cell string) Groups {
	return GroupsOf(strings.FieldsFunc(cell, func(r rune) bool { return r == ',' || r == ';' })...)
}

// String is the cell that ParseGroups reads. It has commas, for which every program that
// writes CSV puts the cell into quotes: no spreadsheet takes it apart, or for a number.
func (g Groups) String() string { return strings.ReplaceAll(string(g), "\n", ", ") }

// Names are the names, none for no groups.
func (g Groups) Names() []string {
	if g == "" {
		return nil
	}
	return strings.Split(string(g), "\n")
}

// Has reports whether a group is among them.
func (g Groups) Has(name string) bool {
	return slices.ContainsFunc(g.Names(), func(s string) bool { return strings.EqualFold(s, name) })
}

// And are the groups of both.
func (g Groups) And(o Groups) Groups { return GroupsOf(append(g.Names(), o.Names()...)...) }

// Within are those that o has, too, and Without the others.
func (g Groups) Within(o Groups) Groups { return g.where(o, true) }

// Without are the groups that o does not have.
func (g Groups) Without(o Groups) Groups { return g.where(o, false) }

func (g Groups) where(o Groups, has bool) Groups {
	return Groups(strings.Join(slices.DeleteFunc(g.Names(), func(s string) bool { return o.Has(s) != has }), "\n"))
}

// maxGroup is the longest name of a group in bytes, and maxGroups that of all of one person.
const maxGroup, maxGroups = 100, MaxName

// CheckGroups accepts names that a cell of a table can hold, see [ParseGroups].
func CheckGroups(g Groups) error {
	if len(g) > maxGroups {
		return hint.Errorf("leave some out", "the groups have %d bytes: at most %d", len(g), maxGroups)
	}
	for _, name := range g.Names() {
		if strings.ContainsAny(name, ",;") {
			return hint.Errorf("write another name, or the groups one by one", "the group %q has a comma or a semicolon", name)
		}
		if err := CheckText("group", name, maxGroup); err != nil {
			return err
		}
	}
	return nil
}
