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
