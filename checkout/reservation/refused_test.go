package reservation

import (
	"errors"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/hint"
)

// TestRefused: each reason says what is wrong, with the names and times, and what to do.
func TestRefused(t *testing.T) {
	one, two := on(1).Local().Format(time.RFC3339), on(2).Local().Format(time.RFC3339)
	for want, e := range map[string]*RefusedError{
		"iPad is with Ben until " + one:                                                              {Reason: Lent, What: "iPad", By: "Ben", To: on(1)},
		"iPad is reserved for Ben from " + one + " to " + two:                                        {Reason: Booked, What: "iPad", By: "Ben", From: on(1), To: on(2)},
		"of the kind phone there is 1 device, reserved then, too: by Ben from " + one + " to " + two: {Reason: Few, Kind: "phone", By: "Ben", From: on(1), To: on(2), Count: 1},
		"of the kind phone there are 2 devices, and none is free for all of that":                    {Reason: Few, Kind: "phone", Count: 2},
		`no device in use is of the kind "phone"`:                                                    {Reason: NoKind, Kind: "phone"},
		"iPad is not in use": {Reason: Unused, What: "iPad"},
		"it would be over at 2026-11-03T09:00:00Z, before it begins": {Reason: Backwards, To: on(1)},
		"a reservation lasts 92 days at most":                        {Reason: TooLong},
		"one of the times is missing":                                {Reason: HalfTimes},
		"the station does not know the time":                         {Reason: NoClock},
		"Ben waits for it already":                                   {Reason: Waits, By: "Ben"},
		"Ben has iPad":                                               {Reason: Has, By: "Ben", What: "iPad"},
		"somebody else has made this reservation":                    {Reason: Others},
	} {
		if got := strings.TrimPrefix(e.Error(), "refused: "); got != want {
			t.Errorf("%s: %s, want %s", e.Reason, got, want)
		}
		if hint.Of(e) == "" || !errors.Is(e, checkout.ErrRefused) {
			t.Errorf("%s: the remedy is %q", e.Reason, hint.Of(e))
		}
	}
}
