package selftest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"stump/gpio"
)

// Lamp is a light or beeper of the reader.
type Lamp struct {
	Name string // "green light", "red light", "beeper"
	Out  gpio.Output
}

// DisplayFact is what is known of the display after a text was sent to it.
type DisplayFact struct {
	Kind string // "hd44780-i2c at 0x27"
	// Proven: the display itself gave evidence that the text is there, by
	// reading back or because it is this program's own screen.
	Proven bool
	// Answers: something at the address acknowledged.
	Answers bool
	// Look says what else a person should see on it.
	Look string
}

// Keyboard is the station's keyboard.
type Keyboard interface {
	Plugged() []string               // the names of the keyboards that are read
	WaitEnter(context.Context) error // returns when Enter was pressed
}

func (s *tester) outputs(ctx context.Context) Result {
	if s.Ask == nil {
		return skip("nobody is there to look at the lights")
	}
	var seen []string
	for _, o := range s.Outputs {
		if err := o.Out.Set(true); err != nil {
			return failed(fmt.Errorf("%s: %w", o.Name, err))
		}
		answer, err := s.Ask(ctx, fmt.Sprintf("Is the reader's %s on now? [y/n]", o.Name))
		if err = cmp.Or(err, o.Out.Set(false)); err != nil {
			return failed(fmt.Errorf("%s: %w", o.Name, err))
		}
		if !affirmative(answer) {
			return bad(Fail, fmt.Sprintf("Check this wire from the reader to %s. If it works the wrong way round (on when it should be off), change its polarity in the configuration. Readers differ in their colours: see the data sheet of this one. Lights also stay dark when ground is missing.", o.Out),
				"the %s did not come on", o.Name)
		}
		seen = append(seen, o.Name)
	}
	return pass("%s seen or heard", strings.Join(seen, ", "))
}

func (s *tester) display(ctx context.Context) Result {
	code := fmt.Sprintf("%04d", rand.IntN(10000))
	f, err := s.Display(ctx, code)
	if err == nil && f.Look != "" {
		s.Say(f.Look)
	}
	switch {
	case err != nil:
		return failed(err)
	case f.Proven:
		return pass("%s shows what it was sent", f.Kind)
	case s.Ask == nil && f.Answers:
		return pass("%s answers; nobody was there to read it", f.Kind)
	case s.Ask == nil:
		return skip("%s was sent a text; nobody was there to read it", f.Kind)
	}
	answer, err := s.Ask(ctx, "Which four digits does the display show? (Enter: none)")
	return verdicts{
		{err != nil, failed(err)},
		{strings.TrimSpace(answer) == code, pass("%s shows the code", f.Kind)},
		{strings.TrimSpace(answer) != "", bad(Fail, "Wrong characters mean wrong wires between board and display, a wrong pin map of an I2C backpack, or 5 V against 3.3 V without a level converter.", "%s shows %q instead of %s", f.Kind, answer, code)},
		{f.Answers, bad(Fail, "Turn the contrast screw on the display's back first. A row of solid blocks means that the display was not set up: check its wires, its pin map and, for an I2C backpack, its address.", "%s answers but shows nothing", f.Kind)},
		{true, bad(Fail, "Turn the contrast screw on the display's back first. Then check its 5 V and ground, then its data wire, then kind and port in the configuration.", "%s shows nothing", f.Kind)},
	}.first()
}

func (s *tester) keyboard(ctx context.Context) Result {
	k, release, err := s.Keyboard(ctx)
	if err != nil {
		return failed(err)
	}
	// Released at once: the answers to the other questions may be typed on it.
	defer release()
	name := strings.Join(k.Plugged(), ", ")
	switch {
	case name == "":
		return bad(Fail, "Plug the keyboard in, and let Stump's user read it (group input).", "no keyboard is plugged in")
	case s.Ask == nil:
		return pass("%s is plugged in; nobody was there to press a key", name)
	}
	s.Say("Press Enter on the station's keyboard.")
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := k.WaitEnter(ctx); err != nil {
		return bad(Fail, "Is it the keyboard that the configuration names? Its batteries, its plug?", "%s: no key came: %v", name, err)
	}
	return pass("%s: Enter came", name)
}
