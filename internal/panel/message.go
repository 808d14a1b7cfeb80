package panel

import "time"

// Message is something to tell the person at the station.
type Message struct {
	// Key is the catalogue's name of the text, see [Keys].
	Key string
	// The values of the placeholders {person}, {device}, {from}, {holder},
	// {number} and {detail}. A line of a text whose placeholders are all empty
	// is left out.
	Person, Device, From, Holder, Number, Detail string
	// Signal is what the lights and the beeper say; zero is what the
	// catalogue has for the key.
	Signal Signal
	// For is how long the message stays before the idle screen comes back;
	// zero is the catalogue's time for the key, which for a message that waits
	// is the desk's window. A name that rolls is always shown to its end.
	For time.Duration
	// Then is what the station waits for meanwhile, nil for nothing: when the
	// message is over it is shown in place of the idle screen, until its own
	// time is over, counted from now.
	Then *Message
}

// Signal is what the reader's lights and the beeper say.
type Signal uint8

// The signals.
const (
	SignalDefault        Signal = iota // as the catalogue has it for the key, see Options.Behind
	SignalNone                         // dark and silent
	SignalWaiting                      // heard you, one more tap is needed
	SignalDone                         // done and saved
	SignalRefused                      // understood, but no
	SignalBadRead                      // not understood, tap again
	SignalSavedNotSynced               // saved here, the directory doesn't know yet

	signalWaitsOn // as waiting, without a sound: what waited goes on waiting
)

var signalNames = [...]string{"default", "none", "waiting", "done", "refused", "bad-read", "saved-not-synced"}

// String returns the signal's name.
func (s Signal) String() string {
	if int(s) < len(signalNames) {
		return signalNames[s]
	}
	return "unknown"
}

// State is what staff see and hear now. It is the contract of `sim lcd` and of
// the API.
type State struct {
	// Rows are the display's cells, every row as wide as the display, drawn
	// letters as the letter that they show.
	Rows []string `json:"rows"`
	// Green and Red are the reader's lights.
	Green bool `json:"green"`
	Red   bool `json:"red"`
	// Beeps counts how often the beeper sounded since the start.
	Beeps int `json:"beeps"`
}
