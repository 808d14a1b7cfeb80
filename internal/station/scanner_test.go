package station

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/reader"
	"stump/wiegand"
)

// sender is a reader without data lines, on which the test types.
type sender struct {
	now  func() int64
	take func(reader.Char)
	up   error
}

func (s *sender) Run(ctx context.Context, take func(reader.Char)) error {
	s.take = take
	<-ctx.Done()
	return nil
}
func (s *sender) Up() error      { return s.up }
func (s *sender) String() string { return "test reader" }

func (s *sender) types(text string) {
	synctest.Wait() // it runs
	for _, r := range text {
		time.Sleep(2 * time.Millisecond)
		s.take(reader.Char{Time: s.now(), Rune: r})
	}
}

// withSender makes the lab's reader one that types decimals.
func withSender(s *sender) func(*Options, *ReaderOptions) {
	return func(o *Options, r *ReaderOptions) {
		s.now = o.Now
		r.Source, r.Sender = nil, s
		r.Sent = reader.Options{Kind: reader.USB, Number: "decimal", Layout: "us", Formats: r.Decoder.Formats}
	}
}

// typedCard is what such a reader types for a card of the lab.
func typedCard(t *testing.T, card string) string {
	b := bitsOf(t, card)
	f, err := wiegand.FormatByName("H10301")
	must(t, err)
	v, ok := f.Unpack(b)
	if !ok {
		t.Fatalf("%s is no H10301", card)
	}
	return fmt.Sprintf("%010d", v.Facility<<16|v.Number)
}

// A badge and a device at a reader that types are a check-out, by Enter or by a
// pause; what is typed while a self-test has the reader is none.
func TestScanner(t *testing.T) {
	s := &sender{}
	inLab(t, withSender(s), func(l *lab) {
		s.types(typedCard(t, "ann") + "\n")
		if got := l.display(); !strings.Contains(got, "Hello ANN") {
			t.Errorf("the display says %q", got)
		}
		s.types(typedCard(t, "ipad"))
		time.Sleep(time.Second)
		l.holds("ipad", "ann")

		if l.reader.Leased() || l.reader.Down() != nil || l.reader.String() != "test reader" {
			t.Errorf("leased %t, down %v, %s", l.reader.Leased(), l.reader.Down(), l.reader)
		}
		lease, err := l.reader.LeaseCharacters(Holder{Name: "Ann", For: ForTest})
		must(t, err)
		if _, err := l.reader.LeaseCharacters(Holder{Name: "Ann", For: ForTest}); !errors.As(err, new(*LeasedError)) || !l.reader.Leased() {
			t.Errorf("leased twice: %v", err)
		}
		time.Sleep(10 * time.Second)
		s.types(typedCard(t, "ben") + "\n")
		synctest.Wait()
		if n := len(lease.C()); n != len(typedCard(t, "ben"))+1 {
			t.Errorf("the holder got %d characters", n)
		}
		if got := l.display(); strings.Contains(got, "Hello") {
			t.Errorf("leased, the display says %q", got)
		}
		must(t, lease.Close())
		must(t, lease.Close())
		s.types(typedCard(t, "ben") + "\n")
		if got := l.display(); !strings.Contains(got, "Hello BEN") {
			t.Errorf("afterwards the display says %q", got)
		}
		s.types("&é\"'(-è_çà\n")
		if got := l.display(); !strings.Contains(got, "Bad tag read") {
			t.Errorf("another layout: the display says %q", got)
		}
		if st := l.reader.Stats(); st.Reads != 3 || st.Faults[reader.FaultLayout] != 1 {
			t.Errorf("%+v", st)
		}
		s.up = errors.New("unplugged")
		if !errors.Is(l.reader.Down(), s.up) {
			t.Error("it is not down")
		}
	})
}
