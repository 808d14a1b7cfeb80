// Package checkout holds the words and the rules: what a tag, a person, a device,
// an event and a loan are, and what bumps at a desk mean. It is pure: no clock, no
// file, no goroutine. The store is in checkout/ledger.
//
// # The desk
//
// [Desk] turns taps into outcomes.
//
//	             badge P                     device D
//	nothing ──────────────▶ P waits     nothing ───────▶ D waits
//	P waits  badge Q      ▶ Q waits     D waits  device E ▶ E waits
//	P waits  device D     ▶ Complete    D waits  badge P  ▶ Complete
//	   any   window over  ▶ nothing (TimedOut)
//
// What Complete becomes is decided by [Decide] inside the ledger's
// transaction, where the holder is known for certain.
package checkout
