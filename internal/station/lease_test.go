package station

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"stump/gpio"
	"stump/wiegand"
)

// plain notes how its lines are set up.
type plain struct {
	gpio.Adjustable
	set *[]string
}

func (p plain) SetBias(b gpio.Bias) error {
	*p.set = append(*p.set, fmt.Sprint("bias ", b))
	return nil
}
func (p plain) SetBothEdges(on bool) error {
	*p.set = append(*p.set, fmt.Sprint("both edges ", on))
	return nil
}
func (plain) Levels() ([2]bool, error) { return [2]bool{true, true}, nil }
func (plain) String() string           { return "plain" }

// dead has no lines.
type dead struct{ gpio.Adjustable }

func (dead) Levels() ([2]bool, error) { return [2]bool{}, gpio.ErrClosed }

func TestLeaseOfAPlainSource(t *testing.T) {
	var set []string
	over := 0
	d := newDecoder(ReaderOptions{Name: "door", Source: plain{set: &set}}, make(chan wiegand.Read), nil)
	l, err := d.lease(Holder{"Ann", ForTest}, func() int64 { return 0 }, func() { over++ })
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.SetBias(gpio.BiasPullUp), l.SetBothEdges(true)); err != nil {
		t.Error(err)
	}
	if levels, err := l.Levels(); err != nil || levels != [2]bool{true, true} || l.String() != "plain" {
		t.Errorf("%v, %v, %v", levels, err, l)
	}
	if err := l.Close(); err != nil || over != 1 || d.holder.Load() != nil {
		t.Errorf("%v, given back %d times", err, over)
	}
	if got := strings.Join(set, ", "); got != "bias pull-up, both edges true, both edges false" {
		t.Errorf("the lines were set to %s", got)
	}
	if err := l.Close(); !errors.Is(err, gpio.ErrClosed) || over != 1 {
		t.Errorf("closed twice: %v, given back %d times", err, over)
	}
	if _, _, err := l.Read(make([]wiegand.Edge, 1), 1); !errors.Is(err, gpio.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
}

func TestNoLeaseOfDeadLines(t *testing.T) {
	d := newDecoder(ReaderOptions{Name: "door", Source: dead{}}, make(chan wiegand.Read), nil)
	if _, err := d.lease(Holder{}, nil, nil); !errors.Is(err, gpio.ErrClosed) || d.holder.Load() != nil {
		t.Errorf("%v, leased %v", err, d.holder.Load())
	}
}

// TestUnreadLeaseIsBounded has a storm while nobody reads.
func TestUnreadLeaseIsBounded(t *testing.T) {
	l := &Lease{arrive: make(chan struct{}, 1)}
	edges, n := make([]wiegand.Edge, 1000), int64(0)
	for range maxUnread/1000 + 5 {
		for i := range edges {
			n++
			edges[i].Time = n
		}
		l.take(edges)
	}
	if kept := len(l.edges); kept != maxUnread || l.edges[kept-1].Time != n || l.edges[0].Time != n-maxUnread+1 {
		t.Errorf("%d edges are kept, want the newest %d", kept, maxUnread)
	}
}
