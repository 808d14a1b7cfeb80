package testkit

import "testing"

// HoldAt stops a program the first time that it tells hook, which has the names of places
// in it, of this one: then reached is closed, and it waits until hold is.
func HoldAt(t testing.TB, hook *func(place string), place string) (reached, hold chan struct{}) {
	reached, hold = make(chan struct{}), make(chan struct{})
	first := true
	*hook = func(at string) {
		if at == place && first {
			first = false
			close(reached)
			<-hold
		}
	}
	t.Cleanup(func() { *hook = nil })
	return reached, hold
}
