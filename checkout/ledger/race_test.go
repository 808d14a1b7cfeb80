//go:build race

package ledger

import "flag"

// The race detector makes the long proofs ten times as slow, and finds in a
// tenth of them what it can find. `make test` runs them whole without it.
func init() {
	*damageRuns /= 10
	*killRuns /= 10
	_ = flag.Set("rapid.checks", "50") // of each model, in place of 100
}
