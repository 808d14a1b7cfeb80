package console

import (
	"errors"
	"testing"

	"stump/internal/notify"
)

// TestUntilSomethingHappens: a part is made once until something happens, also where no event says so, as of
// what comes from another station.
func TestUntilSomethingHappens(t *testing.T) {
	var p parts[int]
	var bell notify.Bell
	made := 0
	get := func(name string) int {
		t.Helper()
		n, err := p.get(bell.Next, name, func() (int, error) { made++; return made, nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if a, b, other := get("a"), get("a"), get("b"); a != 1 || b != 1 || other != 2 {
		t.Errorf("made %d, %d and %d", a, b, other)
	}
	bell.Tell()
	if a, b := get("a"), get("b"); a != 3 || b != 4 {
		t.Errorf("after something has happened: %d and %d", a, b)
	}
	// What happens while a part is made may not be in it.
	bell.Tell()
	_, _ = p.get(bell.Next, "a", func() (int, error) { bell.Tell(); return 0, nil })
	if a := get("a"); a != 5 {
		t.Errorf("what happened meanwhile is not in it: %d", a)
	}
	p.forget()
	fails := errors.New("the books can't be read")
	if _, err := p.get(bell.Next, "a", func() (int, error) { return 0, fails }); err != fails {
		t.Error(err)
	}
	if a := get("a"); a != 6 {
		t.Errorf("after a failure: %d", a)
	}
}
