package books

import "time"

// Seen is who has a device by the directory's word.
type Seen struct {
	// Device is the directory's key of the device.
	Device string
	// Holding is who has it: nobody (Free), or a person by Ref and Name.
	Holding
	// Elsewhere is where it is when it is neither free nor with a person: "the location
	// Berlin".
	Elsewhere string
	// Home is the directory's key of the place where it stands while it is free; empty
	// for none.
	Home string
	// Rev is the directory's revision of who has the device: it grows with each move.
	// Empty where there is none.
	Rev string
	// Due is when it should be back; zero where the directory does not say.
	Due time.Time
}

// Why is what became of the directory's word about a device.
type Why uint8

// The reasons. Only Taken changes the ledger.
const (
	Agreed    Why = iota // it is so here, too
	Taken                // it is so here now
	Busy                 // the device moved here meanwhile, or the directory has yet to hear of it
	Untold               // the directory was never told what happened here
	Stranger             // nobody here is who has it there
	Retired              // the device, or who has it there, is no longer in use here
	Elsewhere            // there it is neither free nor with a person
	Many                 // too many returns at once to be believed
)

// Word is the directory's word about a device that is in the register, and what became
// of it.
type Word struct {
	Seen
	// DeviceID and DeviceName are the register's.
	DeviceID, DeviceName string
	// HolderName is who had it here before; empty for nobody.
	HolderName string
	Why        Why
}
