package wire

import "time"

// Lab is how a station stands in the lab of several stations; all but Station is null in
// none.
type Lab struct {
	Lab     *string    `json:"lab"`
	Station *string    `json:"station"` // its name there
	Hub     *string    `json:"hub"`     // where it is
	Heard   *time.Time `json:"as_of"`   // when the hub answered last; null: not since the start
	Stale   bool       `json:"stale"`
	Waiting int        `json:"waiting"` // events that the hub has not got
	Trouble *string    `json:"trouble"`
	Remedy  *string    `json:"remedy"`
}

// JoinLab asks to join a lab.
type JoinLab struct {
	Code    string `json:"code"`
	As      string `json:"as"`      // the name of one whose card was copied
	Replace string `json:"replace"` // the name of one whose card is new
	DryRun  bool   `json:"dry_run"`
}

// JoinedLab is what became of it. With clashes, nothing.
type JoinedLab struct {
	Lab     string     `json:"lab"`
	Station string     `json:"station"`
	Joined  bool       `json:"joined"`
	Clashes []LabClash `json:"clashes"`
}

// LabClash is a person or device here that is another one in the lab.
type LabClash struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Why   string `json:"why"`   // id or tag
	Other string `json:"other"` // the lab's, by id
	Name  string `json:"name"`  // and by name
}

// LeftLab is what becomes of a station that leaves.
type LeftLab struct {
	Lab string `json:"lab"`
	// Told: the hub knows. Else an admin takes the station out there.
	Told bool `json:"told"`
}

// LabStation is a station of the lab.
type LabStation struct {
	Name    string     `json:"name"`
	Heard   *time.Time `json:"last_heard"`
	Lag     uint64     `json:"lag"` // changes of the lab that it has not got
	Version *string    `json:"version"`
	Fault   *string    `json:"fault"`
	// Office: it is a hub's own, without readers.
	Office bool `json:"office"`
	// URL is where browsers reach it; null: nowhere, or nobody knows.
	URL *string `json:"url"`
}

// Key is its place in lists.
func (s LabStation) Key() string { return s.Name }
