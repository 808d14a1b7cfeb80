package checkout

// stored is an event as the file has it: with what only the ledger needs.
type stored struct {
	Event
	resolved string // Resolve: the pending ID that is now Person or Device
	whose    []byte // Erase: keyed hash of the person's id
	links    links
}

// ref is the place of an event in this ledger.
type ref struct {
	station uint16 // index of the station in this file
	seq     uint64
}

// links lead from an event to the event before it of the same device and
// people. They are not part of the hashed core: they are this file's.
type links struct {
	device, person, from, resolved ref
}
