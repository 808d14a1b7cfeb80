package directory

import (
	"context"

	"stump/checkout"
)

// Local is the directory of a site that has none: the register is the truth,
// filled by hand or by CSV. It wants no events and knows nothing by itself.
type Local struct{}

// Deliver implements Deliverer.
func (Local) Deliver(context.Context, Delivery) Outcome { return Outcome{Verdict: Done} }

// Capabilities implements Deliverer: none.
func (Local) Capabilities() Capabilities { return Capabilities{Repeatable: true, Parallel: 1} }

// Probe implements Directory.
func (Local) Probe(context.Context) Outcome { return Outcome{Verdict: Done} }

// Pull implements Directory.
func (Local) Pull(context.Context) (Snapshot, error) { return Snapshot{}, ErrUnsupported }

// WhatIs implements Directory: whom the register does not know, nobody knows.
func (Local) WhatIs(context.Context, checkout.Tag, Kind) (Answer, error) { return Answer{}, nil }

// Enrol implements Directory.
func (Local) Enrol(context.Context, string, checkout.Tag) (Record, error) {
	return Record{}, ErrUnsupported
}

func (Local) String() string { return "local register" }
