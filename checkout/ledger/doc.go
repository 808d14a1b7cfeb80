// Package ledger is the store of events, loans, people, devices and the outbox.
//
// A [Ledger] is one bbolt file. Each tap is one transaction, which writes the event,
// the device's row with its loan, the person's row, and an outbox row for each sink.
// The trees:
//
//	events   chain index (2 bytes), seq (8 bytes)    → event record
//	devices  id                                      → register, loan, head of history
//	people   id                                      → register, head of history
//	tags     keyed hash of a tag                     → its owner
//	outbox   chain index, seq, sink index            → delivery state
//	unknown  keyed hash of a tag                     → how often it was seen
//	boots    boot id                                 → offset of its clock
//	meta     schema, segment, chains and their heads, sinks
//
// A tap writes to few trees, at sequential keys where possible, because bbolt rewrites
// every page on the path to a changed leaf, and SD cards are slow to write.
//
// The package record describes how events and rows are encoded.
package ledger
