package reader

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"stump/internal/keyboard"
	"stump/wiegand"
)

// Faults are what can be wrong with a reader of a kind, named as the causes of a
// self-test.
func Faults(kind string) []string {
	if kind == Serial {
		return []string{"silent", string(FaultChecksum)}
	}
	return []string{"silent", string(FaultLayout)}
}

// How fast the simulated readers send.
const (
	simLead = time.Millisecond     // until the first character
	simKey  = 2 * time.Millisecond // from key to key
	simByte = time.Second * 10 / baud
)

// Sim is a simulated reader, a Source where there is none.
type Sim struct {
	o     Options
	clock func() int64
	cards chan []Char

	mu    sync.Mutex
	fault string
	busy  int64 // when the last card that was shown ends
}

// NewSim returns a healthy reader that shows no card. clock stamps its characters.
func NewSim(o Options, clock func() int64) *Sim {
	return &Sim{o: o, clock: clock, cards: make(chan []Char, 64)}
}

// Run is Source's.
func (s *Sim) Run(ctx context.Context, take func(Char)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case card := <-s.cards:
			for _, c := range card {
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(time.Duration(c.Time - s.clock())):
					take(c)
				}
			}
		}
	}
}

// Present shows a card. One that no such reader reads is an error.
func (s *Sim) Present(b wiegand.Bits) error {
	tag, ok := number(b, s.o.Formats)
	if !ok {
		return fmt.Errorf("no enabled format has this card's number")
	}
	if s.o.Kind == Serial {
		return s.send(func() []Char { return s.bytes(tag) }, simByte)
	}
	return s.send(func() []Char { return s.keys(tag) }, simKey)
}

// Scan shows a code to the reader, which types what is in it.
func (s *Sim) Scan(code string) error {
	if s.o.Kind != USB {
		return fmt.Errorf("a %s reader scans no codes", s.o.Kind)
	}
	return s.send(func() []Char { return s.types(code) }, simKey)
}

// send sends what chars returns, a character a step.
func (s *Sim) send(chars func() []Char, pace time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == "silent" {
		return nil
	}
	card, step := chars(), int64(pace)
	at := max(s.clock()+int64(simLead), s.busy)
	for i := range card {
		card[i].Time = at
		at += step
	}
	select {
	case s.cards <- card:
		s.busy = at
		return nil
	default:
		return fmt.Errorf("too many cards are shown at once")
	}
}

// keys are the keys that a USB reader types for a tag: with the wrong layout, those of
// another country's keyboard.
func (s *Sim) keys(tag uint64) (card []Char) {
	text := fmt.Sprintf("%010d", tag)
	switch s.o.Number {
	case "3+5":
		text = fmt.Sprintf("%03d%05d", tag>>16, tag&0xffff)
	case "hex":
		text = fmt.Sprintf("%010X", tag)
	}
	return s.types(text)
}

// types are the keys of a text, and Enter.
func (s *Sim) types(text string) (card []Char) {
	types := s.o.Layout
	if s.fault == string(FaultLayout) {
		types = "fr"
		if s.o.Layout == "fr" {
			types = "us"
		}
	}
	for _, r := range text {
		c := Char{}
		c.Code, c.Level, _ = keyboard.Key(types, r)
		c.Rune = keyboard.Letter(s.o.Layout, c.Code, c.Level)
		card = append(card, c)
	}
	return append(card, Char{Rune: '\n', Code: 28})
}

// bytes are what a serial reader sends: with a wrong checksum, one digit is
// another.
func (s *Sim) bytes(tag uint64) (card []Char) {
	sent := []byte(frame(tag))
	if s.fault == string(FaultChecksum) {
		sent[1+rand.IntN(10)] ^= 1 // another digit, or @ or G: '0' ^ 1 is '1', 'A' ^ 1 is '@'
	}
	for _, b := range sent {
		card = append(card, Char{Rune: rune(b)})
	}
	return card
}

// Faults are what SetFault takes, besides "off".
func (s *Sim) Faults() []string { return Faults(s.o.Kind) }

// Remaining is how long the cards that were shown still take.
func (s *Sim) Remaining() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, time.Duration(s.busy-s.clock()))
}

// SetFault breaks the reader in one named way, or mends it with "off".
func (s *Sim) SetFault(name string) error {
	if name != "off" && !slices.Contains(Faults(s.o.Kind), name) {
		return fmt.Errorf("no fault of a %s reader is called %q: the faults are off, %s", s.o.Kind, name, strings.Join(Faults(s.o.Kind), ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault = name; name == "off" {
		s.fault = ""
	}
	return nil
}

// Fault is the fault that is set, "" for none.
func (s *Sim) Fault() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// Up is Source's.
func (s *Sim) Up() error { return nil }

func (s *Sim) String() string { return "simulated " + s.o.Kind + " reader" }
