// Package enrol is the page on which tags are given to people and devices, one after the
// other: a name is typed, the tag bumped, and then the next.
package enrol

import "stump/internal/console/ui"

// State is how far an enrolment is.
type State struct {
	ID      string
	Is      string // "waiting", "done", "undone", or why it came to nothing
	Kind    string // "person" or "device"
	Subject string // the id of whose the tag is; empty for who is not in the register yet
	Name    string
	Reader  string
	Tag     string // the end of its number, once it was shown
	Warning string
	// Problem and Remedy are why no tag was given.
	Problem, Remedy string
}

// View is the page.
type View struct {
	ui.Frame
	Admin bool
	State *State // nil: nothing was asked for yet
	// Kind and Typed are what stands in the form.
	Kind, Typed string
}

func (s State) path() string {
	if s.Kind == "person" {
		return "/people/"
	}
	return "/devices/"
}
