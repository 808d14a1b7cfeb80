package notify

import "testing"

func told(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestListeners: each hears of what came after it joined, once however often it was told.
func TestListeners(t *testing.T) {
	var l Listeners
	l.Tell()
	a := l.Join()
	if told(a) {
		t.Error("told of what was before")
	}
	l.Tell()
	b := l.Join()
	l.Tell()
	if !told(a) || told(a) || !told(b) || told(b) {
		t.Error("not told once")
	}
}

// TestBell: who waits is woken by the next change, all at once and for good.
func TestBell(t *testing.T) {
	var b Bell
	b.Tell()
	first, same := b.Next(), b.Next()
	if told(first) || told(same) {
		t.Error("told of what was before")
	}
	b.Tell()
	if !told(first) || !told(same) || !told(first) {
		t.Error("not told")
	}
	if told(b.Next()) {
		t.Error("told of the same again")
	}
}
