package task

import (
	"os"
	"syscall"
	"testing"
)

// nice is how nice the calling thread is; the system call returns 20 less that.
func nice(t *testing.T) int {
	n, err := syscall.Getpriority(syscall.PRIO_PROCESS, syscall.Gettid())
	if err != nil {
		t.Error(err)
	}
	return 20 - n
}

// TestUrgent: the goroutine's own thread comes before the others, which stay as they are,
// and nobody inherits it.
func TestUrgent(t *testing.T) {
	before, want := nice(t), urgent
	if os.Geteuid() != 0 {
		want = before // not allowed: as urgent as the others
	}
	done := make(chan int)
	go func() {
		Urgent()
		me := syscall.Gettid()
		for range 100 { // other goroutines are not run on this thread, nor does it start theirs
			other := make(chan [2]int)
			go func() { other <- [2]int{syscall.Gettid(), nice(t)} }()
			if got := <-other; got[0] == me || got[1] != before {
				t.Errorf("another goroutine runs on thread %d, which is %d nice; the urgent one is %d", got[0], got[1], me)
			}
		}
		done <- nice(t)
	}()
	if got := <-done; got != want {
		t.Errorf("the urgent thread is %d nice, not %d", got, want)
	}
}

// TestNothingIsUrgent: in simulated time a goroutine keeps the thread that it has.
func TestNothingIsUrgent(t *testing.T) {
	Simulated = true
	defer func() { Simulated = false }()
	before := nice(t)
	done := make(chan int)
	go func() { Urgent(); done <- nice(t) }()
	if got := <-done; got != before {
		t.Errorf("the thread is %d nice, and was %d", got, before)
	}
}
