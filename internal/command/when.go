package command

import (
	"time"

	"stump/internal/typedtime"
)

// What a time that somebody types may mean.
const Ago, FromNow = typedtime.Ago, typedtime.FromNow

// OptionalTime reads a time as people type it, see [typedtime.Read], of a flag that may be
// left out.
func OptionalTime(flag, s string, direction int) (*time.Time, error) {
	t, ok := typedtime.Read(s, time.Now(), direction)
	switch {
	case s == "":
		return nil, nil
	case !ok:
		return nil, Misuse("write 2026-11-21T10:00:00Z, 2026-11-21, '2026-11-21 10:00', 7d, 36h, yesterday or monday", "%s: %q is not a time", flag, s)
	}
	return &t, nil
}
