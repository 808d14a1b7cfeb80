package panel

import (
	"fmt"
	"time"
)

// Message is something to tell the person at the station.
type Message struct {
	// Key is the catalogue's key of the text; docs/display.md lists them.
	Key string
	// The values of the placeholders {person}, {device}, {from}, {holder},
	// {ended}, {number} and {detail}. A line whose placeholders are all empty is
	// left out.
	Person, Device, From, Holder, Ended, Number, Detail string
	// Until is the {until} of a loan that begins At, both of the lab's zone; zero for none.
	Until, At time.Time
	// Day: Until is a day, of which no time is said.
	Day bool
	// When is the {when} of a reservation that is told of At; zero for none.
	When time.Time
	// For is how long the message stays before the idle screen comes back; zero
	// is the key's own time. A name that rolls is always shown to its end.
	For time.Duration
	// Then is what the station goes on waiting for, nil for nothing. When the
	// message is over it is shown in place of the idle screen, until its own
	// time is over, counted from when the message was shown.
	Then *Message
}

// Last is the last of the messages that follow each other from m on.
func (m *Message) Last() *Message {
	for m.Then != nil {
		m = m.Then
	}
	return m
}

// Pages are messages that follow each other, with a number each, and "1/3" as detail.
func Pages(key string, numbers []string) Message {
	var then *Message
	for i := len(numbers) - 1; i >= 0; i-- {
		m := Message{Key: key, Number: numbers[i], Detail: fmt.Sprintf("%d/%d", i+1, len(numbers)), Then: then}
		if i > 0 {
			m.For = 2 * cues[key].stay // with that of the page before
		}
		then = &m
	}
	return *then
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
	// Names is whether Rows may name a person.
	Names bool `json:"-"`
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
	// By is the {person} of the notice.
	By string
}

// untilChange is how long the displayed clock stays right.
func (i IdleInfo) untilChange() time.Duration {
	if i.Clock.IsZero() {
		return time.Minute
	}
	t := i.Clock
	return time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond())
}
