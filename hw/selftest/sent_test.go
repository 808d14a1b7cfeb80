package selftest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/keyboard"
	"stump/internal/reader"
	"stump/wiegand"
)

// sending is a reader without data lines; what is shown to it, it sends.
type sending struct {
	chars  chan reader.Char
	up     error
	closed bool
}

func (s *sending) C() <-chan reader.Char { return s.chars }
func (s *sending) Up() error             { return s.up }
func (s *sending) String() string        { return "Acme reader" }
func (s *sending) Close() error          { s.closed = true; return nil }

// types sends a text as a reader types it whose keyboard has this layout, to a
// station that believes in ours.
func (s *sending) types(layout, ours, text string) {
	for _, r := range text {
		c := reader.Char{Rune: r}
		if r != '\n' {
			c.Code, c.Level, _ = keyboard.Key(layout, r)
			c.Rune = keyboard.Letter(ours, c.Code, c.Level)
		}
		s.chars <- c
	}
}

func (s *sending) bytes(text string) {
	for _, b := range []byte(text) {
		s.chars <- reader.Char{Rune: rune(b)}
	}
}

// sentBench is a self-test of such a reader, which sends text i for card i.
func sentBench(t *testing.T, o reader.Options, send func(s *sending, card int)) (*Env, *sending) {
	t.Helper()
	f, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	o.Formats = []*wiegand.Format{f}
	s := &sending{} // its channel belongs into the bubble: see runSent
	return &Env{
		Simulated: true, SentBy: o, Sent: func(context.Context) (Sender, error) { return s, nil },
		Present: func(card int) { send(s, card) },
	}, s
}

// runSent runs a self-test; before sends what comes with no card.
func runSent(t *testing.T, env *Env, s *sending, before string) (map[string]Result, Summary) {
	results := map[string]Result{}
	var sum Summary
	synctest.Test(t, func(t *testing.T) {
		s.chars = make(chan reader.Char, 1000)
		s.bytes(before)
		sum = Run(context.Background(), env, func(r Result) { results[r.Check] = r })
	})
	return results, sum
}

// What a reader sends, and what the self-test makes of it.
func TestSentCard(t *testing.T) {
	usb, serial := reader.Options{Kind: reader.USB, Number: "decimal", Layout: "us"}, reader.Options{Kind: reader.Serial}
	typed := func(text string) func(*sending, int) {
		return func(s *sending, card int) {
			s.types("us", "us", text[:len(text)-2]+fmt.Sprint(card)+text[len(text)-1:])
		}
	}
	sent := func(text ...string) func(*sending, int) {
		return func(s *sending, card int) { s.bytes(text[card%len(text)]) }
	}
	for name, tt := range map[string]struct {
		o      reader.Options
		send   func(*sending, int)
		result Verdict
		cause  string
		says   string // parted by |
	}{
		"a number":          {usb, typed("000171214_\n"), Pass, "", "10 keys: H10301, number …204"},
		"the same twice":    {usb, func(s *sending, _ int) { s.types("us", "us", "0001712142\n") }, Pass, "", "10 keys"},
		"no Enter":          {usb, typed("000171214_\n"), Pass, "", "H10301"},
		"nothing":           {usb, func(*sending, int) {}, Fail, "silent", "nothing came|13.56 MHz|ls /dev/serial/by-id"},
		"French digits":     {usb, func(s *sending, _ int) { s.types("fr", "us", "0001712142\n") }, Fail, "wrong-layout", "not only digits|set layout = \"fr\"|layout us"},
		"hexadecimal":       {usb, func(s *sending, _ int) { s.types("us", "us", "0A004D7603\n") }, Fail, "wrong-layout", "number = \"hex\""},
		"a name":            {usb, func(s *sending, _ int) { s.types("us", "us", "hello\n") }, Fail, "wrong-layout", "more than a number"},
		"too few":           {usb, func(s *sending, _ int) { s.types("us", "us", "12\n") }, Fail, "", "2 keys|set number"},
		"only Enter":        {usb, func(s *sending, _ int) { s.types("us", "us", "\n") }, Fail, "", "0 keys, and no number"},
		"a frame":           {serial, sent("\x020A004D760332\x03", "\x0262E3086CED08\x03"), Pass, "", "14 bytes: H10301"},
		"frames":            {serial, sent(strings.Repeat("\x020A004D760332\x03", 4), "\x0262E3086CED08\x03"), Pass, "", "H10301"},
		"no bytes":          {serial, func(*sending, int) {}, Fail, "silent", "TX|login console"},
		"a wrong checksum":  {serial, sent("\x020A004D760333\x03"), Fail, "checksum", "checksum is not|ground first"},
		"one of several":    {serial, sent("\x020A004D760332\x03\x020A004D760333\x03"), Fail, "checksum", "checksum"},
		"another speed":     {serial, sent("\xff\x80\x00\xfe\x80"), Fail, "", "5 bytes, and no frame|9600 baud|RS-232"},
		"a frame cut short": {serial, sent("\x020A004D76\x03"), Fail, "", "number of digits"},
	} {
		env, s := sentBench(t, tt.o, tt.send)
		results, sum := runSent(t, env, s, "")
		r := results["card"]
		if r.Result != tt.result || strings.Join(r.Causes, " ") != tt.cause || strings.Join(sum.Causes, " ") != tt.cause {
			t.Errorf("%s: %s, causes %q, in all %q", name, r.Result, r.Causes, sum.Causes)
		}
		for says := range strings.SplitSeq(tt.says, "|") {
			if all := r.Measured + " / " + r.Remedy; !strings.Contains(all, says) {
				t.Errorf("%s: no %q in %q", name, says, all)
			}
		}
		if tt.result == Fail && r.Remedy == "" {
			t.Errorf("%s: no remedy", name)
		}
		second := results["second-card"]
		switch {
		case name == "the same twice" && second.Result != Warn, tt.cause == "silent" && second.Result != Skip,
			tt.result == Pass && name != "the same twice" && second.Result != Pass:
			t.Errorf("%s: the second card is %+v", name, second)
		}
		if results["lines"].Result != Pass || results["float"].Result != Skip || results["idle"].Result != Pass || !s.closed {
			t.Errorf("%s: lines %v, float %v, idle %v, closed %t", name, results["lines"], results["float"], results["idle"], s.closed)
		}
		if len(sum.Causes) > 0 {
			p := Printer{Columns: 80}
			if text := strings.Join(p.Summary(sum), " "); strings.Contains(text, sum.Causes[0]) {
				t.Errorf("%s: a person reads %q", name, text)
			}
		}
	}
}

// A reader that is not there, one that can't be had, and one that nobody shows
// a card.
func TestSentReaderMissing(t *testing.T) {
	for kind, remedy := range map[string]string{reader.USB: "by-id", reader.Serial: "console"} {
		env, s := sentBench(t, reader.Options{Kind: kind}, func(*sending, int) {})
		s.up = errors.New("not plugged in")
		results, sum := runSent(t, env, s, "")
		if r := results["lines"]; r.Result != Fail || r.Measured != "not plugged in" || !strings.Contains(r.Remedy, remedy) {
			t.Errorf("%s: %+v", kind, r)
		}
		if results["card"].Result != Skip || results["idle"].Result != Skip || sum.Result != Fail || !s.closed {
			t.Errorf("%s: %+v, %+v", kind, results, sum)
		}
	}
	env, s := sentBench(t, reader.Options{Kind: reader.USB}, nil)
	env.Present, env.Sent = nil, func(context.Context) (Sender, error) { return nil, errors.New("leased") }
	if results, _ := runSent(t, env, s, ""); results["lines"].Result != Fail || results["card"].Result != Skip {
		t.Errorf("%+v", results)
	}
	env.Sent = func(context.Context) (Sender, error) { return s, nil }
	if results, _ := runSent(t, env, s, ""); results["card"].Measured != nobodyShows {
		t.Errorf("%+v", results["card"])
	}
}

// Something comes with no card.
func TestSentIdle(t *testing.T) {
	o := reader.Options{Kind: reader.Serial}
	for text, says := range map[string]string{"\x020A004D760332\x03": "A tag lies on the reader", "xyz": "Is it this reader"} {
		env, s := sentBench(t, o, func(s *sending, _ int) { s.bytes("\x0262E3086CED08\x03") })
		if results, _ := runSent(t, env, s, text); results["idle"].Result != Warn || !strings.Contains(results["idle"].Remedy, says) {
			t.Errorf("%q: %+v", text, results["idle"])
		}
	}
}

// The scope shows what was typed with its times, and bytes in hexadecimal; digits
// only if it may.
func TestWatchSent(t *testing.T) {
	ms := int64(time.Millisecond)
	for _, tt := range []struct {
		kind, text string
		numbers    bool
		want, last string // rows parted by |
	}{
		{reader.USB, "0001712142\n", true, "     0.0 ms  0 0 0 1 7 1 2 1|    16.0 ms  4 2 Enter", "10 keys, H10301, number 26:8206"},
		{reader.USB, "0001712142\t", false, "     0.0 ms  • • • • • • • •|    16.0 ms  • • Tab", "10 keys, H10301, number …206"},
		{reader.USB, "000x\n", true, "     0.0 ms  0 0 0 x Enter", "4 keys, refused: not only digits: the reader types as on another keyboard, or more than a number"},
		{reader.Serial, "\x020A004D760332\x03", true, "     0.0 ms  02 30 41 30 30 34 44 37|    16.0 ms  36 30 33 33 32 03", "14 bytes, H10301, number 77:30211"},
		{reader.Serial, "\x020A004D760333\x03", false, "     0.0 ms  02 •• •• •• •• •• •• ••|    16.0 ms  •• •• •• •• •• 03", "14 bytes, refused: the checksum is not that of the digits"},
	} {
		synctest.Test(t, func(t *testing.T) {
			env, s := sentBench(t, reader.Options{Kind: tt.kind, Number: "decimal", Layout: "us"}, nil)
			s.chars = make(chan reader.Char, 1000)
			start := time.Now()
			now := func() int64 { return int64(time.Since(start)) }
			for i, b := range []byte(tt.text) {
				s.chars <- reader.Char{Time: int64(2*i) * ms, Rune: rune(b)}
			}
			ctx, stop := context.WithTimeout(context.Background(), 3*time.Second)
			defer stop()
			var last View
			views := 0
			if err := WatchSent(ctx, s, env.SentBy, now, tt.numbers, func(v View) error { views++; last = v; return nil }); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(last.Sent, "|"); got != tt.want {
				t.Errorf("%q: %s", tt.text, got)
			}
			if last.Last == nil || last.Last.Text != tt.last || views > 10 {
				t.Errorf("%q: %d views, %+v", tt.text, views, last.Last)
			}
			drawn := strings.Join(last.Lines(80, 24), "\n")
			for _, part := range []string{tt.kind + " reader  Acme reader", "last   " + tt.last[:20], last.Sent[0], "reads  "} {
				if !strings.Contains(drawn, part) {
					t.Errorf("no %q in\n%s", part, drawn)
				}
			}
		})
	}
	env, s := sentBench(t, reader.Options{Kind: reader.USB}, nil)
	s.up = errors.New("not plugged in")
	if err := WatchSent(t.Context(), s, env.SentBy, func() int64 { return 0 }, false, nil); !errors.Is(err, s.up) {
		t.Errorf("of a reader that is not there: %v", err)
	}
}
