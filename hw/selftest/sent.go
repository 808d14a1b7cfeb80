package selftest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"stump/internal/count"
	"stump/internal/keyboard"
	"stump/internal/reader"
	"stump/wiegand"
)

// Sender is a reader without data lines, in the hands of a self-test or a scope.
type Sender interface {
	// C is where its characters come.
	C() <-chan reader.Char
	// Up is nil while the reader is there, or why it isn't.
	Up() error
	Close() error
	String() string
}

// Causes of a reader without data lines; faults of reader.Sim have the same names.
const (
	causeSilent   = "silent"
	causeLayout   = string(reader.FaultLayout)
	causeChecksum = string(reader.FaultChecksum)
)

// sentLabels are these causes as a person says them.
var sentLabels = map[string]string{
	causeSilent: "a reader that sends nothing", causeLayout: "a keyboard layout that is not the reader's",
	causeChecksum: "damaged bytes from the reader",
}

// sentChecks take the place of the checks of data lines.
var sentChecks = map[string]func(*tester, context.Context) Result{
	"lines": (*tester).sentLines, "idle": (*tester).sentIdle, "card": (*tester).sentCard, "second-card": (*tester).sentSecond,
	"float": func(s *tester, _ context.Context) Result { return skip("a %s reader has no data lines", s.SentBy.Kind) },
}

// appears is how long a reader may take to be found.
const appears = 3 * time.Second

func (s *tester) sentLines(ctx context.Context) Result {
	sender, err := s.Sent(ctx)
	if err != nil {
		return failed(err)
	}
	s.sender = sender
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if err = sender.Up(); err == nil || ctx.Err() != nil || time.Since(began) > appears {
			break
		}
	}
	if err != nil {
		s.release() // the other checks have nothing to listen to
		return bad(Fail, s.absent(), "%v", err)
	}
	if len(s.Others) > 0 {
		return pass("%s; this is one reader, the others have a test of their own: --reader %s", sender, strings.Join(s.Others, ", "))
	}
	return pass("%s", sender)
}

// absent is the remedy for a reader that is not there.
func (s *tester) absent() string {
	if s.SentBy.Kind == reader.Serial {
		return "Plug the adapter in, or switch the serial port on and its login console off. `ls -l /dev/serial/by-id` lists adapters; the right path goes into device of this reader."
	}
	return "Plug the reader in. `ls -l /dev/input/by-id` lists what types; the path that ends in -event-kbd goes into device of this reader."
}

// hear takes what comes in d; with quiet only until nothing came for so long.
func (s *tester) hear(ctx context.Context, d, quiet time.Duration) (chars []reader.Char) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case c := <-s.sender.C():
			chars = append(chars, c)
			if quiet > 0 {
				timer.Reset(quiet)
			}
		case <-timer.C:
			return chars
		case <-ctx.Done():
			return chars
		}
	}
}

func (s *tester) sentIdle(ctx context.Context) Result {
	if s.Present == nil {
		s.Say(fmt.Sprintf("Cards away from the reader, for %s.", seconds(s.timing.Idle)))
	}
	chars := s.hear(ctx, s.timing.Idle, 0)
	reads := reader.Decode(chars, s.SentBy)
	read := slices.ContainsFunc(reads, func(r wiegand.Read) bool { return r.OK() })
	came := sentCount(chars, s.SentBy.Kind)
	return verdicts{
		{len(chars) == 0, pass("nothing came in %s", seconds(s.timing.Idle))},
		{read, bad(Warn, "A tag lies on the reader, or somebody used it: take it away, and run the self-test again.", "%s with no card: a card was read", came)},
		{true, bad(Warn, "Something came though no card was there. Is it this reader that the configuration names, and nothing else on its cable?", "%s with no card", came)},
	}.first()
}

func (s *tester) sentCard(ctx context.Context) Result {
	r, first := s.presented(ctx, 0, "Show a card to the reader and take it away again.")
	s.first = first
	return r
}

func (s *tester) sentSecond(ctx context.Context) Result {
	if slices.Contains(s.sentCauses, causeSilent) {
		return skip("nothing came from the first card")
	}
	r, second := s.presented(ctx, 1, "Show a card of the other kind: a device's tag if the first was a badge.")
	if r.Result == Pass && second == s.first {
		return bad(Warn, "Run the self-test again and show a badge first, then a device.", "%s; it is the same card as before", r.Measured)
	}
	return r
}

// presented has a card shown, and judges what came.
func (s *tester) presented(ctx context.Context, card int, say string) (Result, wiegand.Bits) {
	if s.Present == nil && s.Ask == nil {
		return skip(nobodyShows), wiegand.Bits{}
	}
	s.Say(say)
	if s.Present != nil {
		s.Present(card)
	}
	return s.judgeSent(s.hear(ctx, s.timing.Card, s.timing.Quiet))
}

// judgeSent says what the characters of a card were, or why they were none.
func (s *tester) judgeSent(chars []reader.Char) (Result, wiegand.Bits) {
	if len(chars) == 0 {
		return s.sentCause(causeSilent, "nothing came", s.silentRemedy()), wiegand.Bits{}
	}
	came, reads := sentCount(chars, s.SentBy.Kind), reader.Decode(chars, s.SentBy)
	if len(reads) == 0 {
		return bad(Fail, "Is this the reader that the configuration names?", "%s, and no number", came), wiegand.Bits{}
	}
	last := &reads[len(reads)-1]
	if i := slices.IndexFunc(reads, func(r wiegand.Read) bool { return !r.OK() }); i >= 0 {
		last = &reads[i]
	}
	switch last.Fault {
	case "":
		return pass("%s: %s", came, describeSent(last, s.ShowNumbers)), last.Bits
	case reader.FaultLayout:
		return s.sentCause(causeLayout, came+", and not only digits", s.layoutRemedy(chars)), wiegand.Bits{}
	case reader.FaultChecksum:
		return s.sentCause(causeChecksum, came+": the checksum is not that of the digits",
			"Bytes change on the way. Check ground first, then the wire from the reader's TX: it must be firmly on, short, and away from mains. A reader of 5 V needs a level converter or a divider before a pin of 3.3 V. The reader's antenna must be away from its cable."), wiegand.Bits{}
	case wiegand.FaultNoise:
		return bad(Fail, "These are not frames of an RDM6300 at 9600 baud, which begin with 02 and end with 03. Look up the reader's speed and protocol in its manual. RS-232 levels (±12 V) need a converter of their own, and damage a board's pin.", "%s, and no frame", came), wiegand.Bits{}
	}
	return bad(Fail, "Look up what the reader sends in its manual, and set number for this reader: decimal, 3+5 or hex.", "%s: %s", came, sentFault(last.Fault)), wiegand.Bits{}
}

// sentCause is a result that names a cause.
func (s *tester) sentCause(cause, measured, remedy string) Result {
	if !slices.Contains(s.sentCauses, cause) {
		s.sentCauses = append(s.sentCauses, cause)
	}
	return Result{Result: Fail, Measured: measured, Causes: []string{cause}, Remedy: remedy}
}

func (s *tester) silentRemedy() string {
	if s.SentBy.Kind == reader.Serial {
		return "Does the reader beep or light up when a card is shown? If not, measure its supply, 5 V, and whether its antenna is plugged in. If it does, follow the wire from its TX to the board's RX (not TX to TX), and ground to ground. On a Raspberry Pi the login console must be off the port. Only tags of 125 kHz (EM4100) are read."
	}
	return "Does the reader beep when a card is shown? If not, the card is of another kind: 125 kHz and 13.56 MHz readers read only their own. If it does, it may be set to send nothing, or to be a serial port: look it up in its manual, and see whether `ls /dev/serial/by-id` names it."
}

// layoutRemedy names the layout in which what was typed is a number.
func (s *tester) layoutRemedy(chars []reader.Char) string {
	for _, layout := range keyboard.Layouts() {
		for _, number := range []string{s.SentBy.Number, "hex"} {
			o := s.SentBy
			o.Number = number
			if reads := reader.Decode(reader.Retyped(chars, layout), o); len(reads) == 0 || !reads[len(reads)-1].OK() {
				continue
			}
			set := fmt.Sprintf("layout = %q", layout)
			if number != s.SentBy.Number {
				set += " and number = \"hex\""
			}
			return fmt.Sprintf("The reader types as on another keyboard: set %s for it. Or set the reader itself to the layout %s, by the configuration codes of its manual.", set, s.SentBy.Layout)
		}
	}
	return "The reader types more than a number. Set it to type the number alone and Enter, by the configuration codes of its manual."
}

// describeSent says which card a number is: "H10301, number …658".
func describeSent(r *wiegand.Read, numbers bool) string {
	return r.Format.Name + ", number " + shownNumber(r, numbers)
}

// sentCount is "10 keys" or "14 bytes", without what ends them.
func sentCount(chars []reader.Char, kind string) string {
	if kind == reader.Serial {
		return count.Of(len(chars), "byte")
	}
	n := 0
	for _, c := range chars {
		if c.Rune != 0 && c.Rune != '\n' && c.Rune != '\t' {
			n++
		}
	}
	return count.Of(n, "key")
}
