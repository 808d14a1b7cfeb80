package custody

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
)

var (
	day  = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	now  = uuid.UUID{1} // the boot in which the station speaks to the lab
	past = uuid.UUID{2} // one that has ended
)

func at(h float64) time.Time { return day.Add(time.Duration(h * float64(time.Hour))) }

// TestTime: the age by the monotonic clock where the boot goes on, else the wall clock where
// it was right, else the least that is known, and never against what is certain.
func TestTime(t *testing.T) {
	const h = time.Hour
	for name, tt := range map[string]struct {
		stamp                 checkout.Stamp
		heard, base, previous time.Time
		want                  time.Time
	}{
		"the same boot":                    {checkout.Stamp{BootID: now, Mono: 4 * h}, at(1), time.Time{}, time.Time{}, at(6)},
		"whose wall clock lies":            {checkout.Stamp{BootID: now, Mono: 4 * h, Trusted: true, Wall: at(9)}, at(1), time.Time{}, time.Time{}, at(6)},
		"an earlier boot":                  {checkout.Stamp{BootID: past, Mono: 4 * h, Trusted: true, Wall: at(3)}, at(1), time.Time{}, time.Time{}, at(3)},
		"an earlier boot without the time": {checkout.Stamp{BootID: past, Mono: 4 * h, Wall: at(3)}, at(1), time.Time{}, time.Time{}, at(1)},
		"that never heard of the lab":      {checkout.Stamp{BootID: past}, time.Time{}, time.Time{}, time.Time{}, time.Time{}},
		"a wall clock that is ahead":       {checkout.Stamp{BootID: past, Trusted: true, Wall: at(900)}, at(1), time.Time{}, time.Time{}, at(10)},
		"a wall clock that is behind":      {checkout.Stamp{BootID: past, Trusted: true, Wall: at(-900)}, at(1), time.Time{}, time.Time{}, at(1)},
		"a base that is later":             {checkout.Stamp{BootID: now, Mono: 4 * h}, at(1), at(7), time.Time{}, at(7).Add(Tick)},
		"a chain that is later":            {checkout.Stamp{BootID: now, Mono: 4 * h}, at(1), at(2), at(8), at(8).Add(Tick)},
		"both in time":                     {checkout.Stamp{BootID: now, Mono: 4 * h}, at(1), at(2), at(3), at(6)},
		"a base later than now":            {checkout.Stamp{BootID: now, Mono: 8 * h}, at(1), at(11), time.Time{}, at(11).Add(Tick)},
	} {
		t.Run(name, func(t *testing.T) {
			c := Contact{BootID: now, Mono: 8 * h, At: at(10)}
			if got := c.Time(Statement{Stamp: tt.stamp, Heard: tt.heard}, tt.base, tt.previous); !got.Equal(tt.want) {
				t.Errorf("got %v, not %v", got, tt.want)
			}
		})
	}
}

// TestSee: Ben's bump over Ann's loan that his station did not know of is an unseen
// hand-over; Ann's own is doubtful.
func TestSee(t *testing.T) {
	a, b := checkout.Place{Chain: checkout.Hash{1}, Seq: 4}, checkout.Place{Chain: checkout.Hash{2}, Seq: 9}
	for name, tt := range map[string]struct {
		before, s Statement
		want      Sight
	}{
		"first":               {Statement{}, Statement{Place: a, Person: "ann"}, Seen},
		"known":               {Statement{Place: a, Person: "ann"}, Statement{Place: b, Person: "ben", Base: a}, Seen},
		"known, and extended": {Statement{Place: a, Person: "ann"}, Statement{Place: b, Person: "ann", Base: a}, Seen},
		"unseen hand-over":    {Statement{Place: a, Person: "ann"}, Statement{Place: b, Person: "ben"}, Unseen},
		"of another base":     {Statement{Place: a, Person: "ann"}, Statement{Place: b, Person: "ben", Base: checkout.Place{Chain: checkout.Hash{1}, Seq: 3}}, Unseen},
		"probably a return":   {Statement{Place: a, Person: "ann"}, Statement{Place: b, Person: "ann"}, Doubtful},
		"brought back twice":  {Statement{Place: a}, Statement{Place: b}, Unseen},
	} {
		if got := See(tt.before, tt.s); got != tt.want {
			t.Errorf("%s: %q, not %q", name, got, tt.want)
		}
	}
}

// TestNewest: the same one of two is the newest in either order.
func TestNewest(t *testing.T) {
	mk := func(chain byte, seq uint64, h float64) Statement {
		return Statement{Place: checkout.Place{Chain: checkout.Hash{chain}, Seq: seq}, At: at(h)}
	}
	for _, tt := range []struct{ older, newer Statement }{
		{mk(2, 9, 1), mk(1, 1, 2)}, {mk(1, 9, 1), mk(2, 1, 1)}, {mk(1, 1, 1), mk(1, 2, 1)}, {Statement{}, mk(1, 1, 1)},
	} {
		if Newest(tt.older, tt.newer) != tt.newer || Newest(tt.newer, tt.older) != tt.newer {
			t.Errorf("%v is not newer than %v", tt.newer, tt.older)
		}
	}
}
