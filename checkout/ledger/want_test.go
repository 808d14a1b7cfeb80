package ledger

import (
	"testing"

	"stump/checkout"
)

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// stranger is a bump of a tag that nobody has, without an event.
func stranger(t checkout.Tag) []checkout.Refusal {
	return []checkout.Refusal{{Tag: t, Unknown: true, Count: 1, Noted: true}}
}
