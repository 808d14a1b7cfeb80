// Package stock has the rules of stock-taking: what it finds of a device that was shown at a
// reader since it began, or not. They are pure.
package stock

// Finding is what a stock-taking has found of a device.
type Finding string

// The findings; empty is that all is as it should be.
const (
	Missing Finding = "missing" // it should be in the lab, and nobody has shown it
	Here    Finding = "here"    // somebody is said to have it, but it is in the lab
	Found   Finding = "found"   // it was lost, and is in the lab
	Unused  Finding = "unused"  // it is no longer in use, and in the lab
	Unknown Finding = "unknown" // a tag that nobody has
)

var said = map[Finding]string{Missing: "missing", Here: "here, but lent", Found: "was lost, is here", Unused: "no longer in use, is here", Unknown: "unknown tag"}

// Words are the finding as people read it.
func (f Finding) Words() string { return said[f] }

// Findings are those of devices.
var Findings = []Finding{Missing, Here, Found, Unused}

// Device is a device, as it is now.
type Device struct {
	Retired, Lost, Held bool
	// Seen: it was shown since the stock-taking began. Moved: after that, or without it, it has
	// changed hands since, so that whoever moved it knew where it was.
	Seen, Moved bool
	// InBox: it has no tag and is a part of a kit that was shown.
	InBox bool
}

// Finding is what is found of the device.
func (d Device) Finding() Finding {
	here := (d.Seen || d.InBox && !d.Held) && !d.Moved
	switch {
	case here && d.Retired:
		return Unused
	case d.Retired:
		return ""
	case here && d.Lost:
		return Found
	case here && d.Held:
		return Here
	case here, d.Lost, d.Held, d.Moved:
		return ""
	}
	return Missing
}
