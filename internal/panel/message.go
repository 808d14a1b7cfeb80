package panel

import "time"

// Message is something to tell the person at the station.
type Message struct {
	// Key is the catalogue's key of the text; docs/display.md lists them.
	Key string
	// The values of the placeholders {person}, {device}, {from}, {holder},
	// {ended}, {number} and {detail}. A line whose placeholders are all empty is
	// left out.
	Person, Device, From, Holder, Ended, Number, Detail string
	// For is how long the message stays before the idle screen comes back; zero
	// is the key's own time. A name that rolls is always shown to its end.
	For time.Duration
	// Then is what the station goes on waiting for, nil for nothing. When the
	// message is over it is shown in place of the idle screen, until its own
	// time is over, counted from now.
	Then *Message
}

// signal is what the reader's lights and the beeper say.
type signal uint8

const (
	signalNone           signal = iota // dark and silent
	signalWaiting                      // heard you, one more tap is needed
	signalDone                         // done and saved
	signalRefused                      // understood, but no
	signalBadRead                      // not understood, tap again
	signalSavedNotSynced               // saved here, not yet delivered to the directory
	signalWaitsOn                      // as waiting, but silent: what waited goes on waiting
)

// State is what staff see and hear now. It is the contract of `sim lcd` and of
// the API.
type State struct {
	// Rows are the display's cells, every row as wide as the display. A drawn
	// letter is the letter that it shows.
	Rows []string `json:"rows"`
	// Green and Red are the reader's lights.
	Green bool `json:"green"`
	Red   bool `json:"red"`
	// Beeps counts how often the beeper sounded since the start.
	Beeps int `json:"beeps"`
	// Secret is whether Rows are for who stands at the display alone: they have digits
	// with which somebody logs in.
	Secret bool `json:"-"`
}

// IdleInfo is what the idle screen shows.
type IdleInfo struct {
	// Out and Overdue count devices.
	Out, Overdue int
	// Behind is whether events wait for the directory.
	Behind bool
	// Clock is the wall time; zero, if it can't be trusted, is not shown.
	Clock time.Time
	// Notice is the key of a message whose first line is shown in place of "Lab
	// open"; "" for none.
	Notice string
}

// untilChange is how long the displayed clock stays right.
func (i IdleInfo) untilChange() time.Duration {
	if i.Clock.IsZero() {
		return time.Minute
	}
	t := i.Clock
	return time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond())
}
