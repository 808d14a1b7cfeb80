package plan

import (
	"cmp"

	"stump/internal/books"
)

// Member is a person or a device of the register. Its Tag is zero.
type Member struct {
	books.SyncRow
	Holds   int      // devices that the person has; 1 for a device that somebody has
	Retired bool     // by an admin: the directory does not make it active again
	Former  []string // keys of people who were merged into this one
}

// Merge returns the member with what the directory says.
func (m Member) Merge(in books.SyncRow) books.SyncRow {
	now := m.SyncRow
	now.Ref, now.Tag = in.Ref, in.Tag
	now.Name, now.Email, now.Type = cmp.Or(in.Name, m.Name), cmp.Or(in.Email, m.Email), cmp.Or(in.Type, m.Type)
	now.Say(&in)
	if !m.Retired {
		now.Inactive = in.Inactive
	}
	return now
}
