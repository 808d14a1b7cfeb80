package station

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/internal/books"
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

// TestScannedCode: the code of a device's label is the device's tag, with the badge before or
// after it, and of a device that has no tag.
func TestScannedCode(t *testing.T) {
	s := &sender{}
	const site = "https://stump.lab.example:8443"
	inLab(t, withSender(s), func(l *lab) {
		must(t, l.ledger.AddDevice(books.Device{ID: "ta/g 1ä", Name: "DRILL"}, checkout.Tag{}, "test", checkout.SourceCLI))
		drill := site + "/devices/ta%2Fg%201%C3%A4\n"
		says := func(typed, want string) {
			t.Helper()
			s.types(typed)
			if got := l.display(); !strings.Contains(got, want) {
				t.Errorf("after %q the display says %q, want %q", typed, got, want)
			}
		}
		says(typedCard(t, "ann")+"\n", "Hello ANN")
		says(drill, "Checked out DRILL")
		l.holds("ta/g 1ä", "ann")
		says(drill, "Checked out DRILL") // it lies there
		time.Sleep(10 * time.Second)
		says(drill, "DRILL with ANN")
		says(typedCard(t, "ben")+"\n", "Handed over DRILL")
		time.Sleep(10 * time.Second)

		// A device with a tag: its code and its tag are one thing.
		says(site+"/devices/ipad\n", "IPAD Tap your badge")
		says(typedCard(t, "ann")+"\n", "Checked out IPAD")
		l.holds("ipad", "ann")
		says(typedCard(t, "ipad")+"\n", "Checked out IPAD")
		says(typedCard(t, "ann")+"\n", "Checked out IPAD") // the same pair does not undo itself
		l.holds("ipad", "ann")
		time.Sleep(70 * time.Second)

		// A code that is no device's ends nothing.
		for _, other := range []string{site + "/devices/toaster", site + "/devices/ipad/edit", "http://example.com/ipad", "https://", site + "/" + strings.Repeat("x", 3000)} {
			says(typedCard(t, "ann")+"\n", "Hello ANN")
			if want := "Unknown device"; len(other) < 1000 {
				says(other+"\n", want)
			} else {
				says(other+"\n", "Bad tag read")
			}
			time.Sleep(3 * time.Second)
		}
		says("HTTPS://STUMP/devices/mini\n", "Checked out MINI")
		l.holds("mini", "ann")
		if st := l.reader.Stats(); st.Faults[wiegand.FaultNoise] != 1 {
			t.Errorf("%+v", st)
		}
	})
}
