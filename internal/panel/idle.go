package panel

import "time"

// IdleInfo is what the idle screen tells.
type IdleInfo struct {
	// Out and Overdue count devices.
	Out, Overdue int
	// Behind is whether the directory has not been told of everything.
	Behind bool
	// Clock is the wall time; zero when it can't be trusted, and is not shown.
	Clock time.Time
	// Notice, if not empty, stands in place of "Lab open".
	Notice string
}

// nextMinute is how long until the displayed clock changes.
func (i IdleInfo) nextMinute() time.Duration {
	if i.Clock.IsZero() {
		return time.Minute
	}
	t := i.Clock
	return time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond())
}
