// Package ledger is the store of events, loans, people, devices and the outbox.
//
// A [Ledger] is one bbolt file. Each tap is one transaction, which writes the
// event, the device's row (its loan), the person's row and an outbox row a sink.
// The trees:
//
//	events   station index (2 bytes), seq (8 bytes)  → event record
//	devices  id                                      → register, loan, head of history
//	people   id                                      → register, head of history
//	tags     keyed hash of a tag                     → whose it is
//	outbox   station index, seq, sink index          → delivery state
//	unknown  keyed hash of a tag                     → how often it was seen
//	boots    boot id                                 → what its clock meant
//	meta     schema, segment, stations, sinks, heads of the chains
//
// Keys are sequential where taps write, and few trees are touched a tap, since
// on an SD card every page of every path to a changed leaf is written anew.
//
// An event record (package record):
//
//	"Ev" | len core | core | SHA-256(core) | len side | side | CRC-32C(side)
//
// The core is never changed. It carries the hash of the station's event before
// it, so that the events of a station are a chain, and salted commitments to
// what is personal. The side carries the salts and the values, and the links to
// the previous event of the same device and person; it can be erased, and the
// chain still verifies.
//
// Every other row names its tree and key, and has a checksum, so that
// it can be told from rubbish in a damaged file:
//
//	"Rw" | tree | revision | len key | key | len body | body | CRC-32C
package ledger
