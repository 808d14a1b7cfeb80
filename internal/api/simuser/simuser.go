// Package simuser is who stands before the readers of a simulated lab: it shows cards,
// types, and breaks wires, and answers when the display has.
package simuser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/count"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/wiegand"
)

// Lab is a simulated lab.
type Lab struct {
	Readers  []*station.Reader
	Sims     []simlab.Reader // as Readers
	Lines    *simlab.Lines   // on which a recording may be played; nil for none
	Clock    func() int64    // the kernel's clock, in nanoseconds
	Panel    *panel.Panel
	Keyboard *keyboard.Keyboard // nil without one
	// Find finds a reader by its name, Card the bits of a card by what people call it.
	Find func(name string) (*station.Reader, error)
	Card func(name string) (wiegand.Bits, error)

	mu sync.Mutex // one card at a time
}

// refuse returns an error that the client can correct.
func refuse(remedy, format string, args ...any) error {
	return &wire.CodedError{Code: wire.CodeInvalid, Err: hint.Errorf(remedy, format, args...)}
}

// text is null for an empty text.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// reader finds a simulated reader by its name; "" is the first.
func (l *Lab) reader(name string) (*station.Reader, simlab.Reader, error) {
	r, err := l.Find(name)
	if err != nil {
		return nil, nil, err
	}
	return r, l.Sims[slices.Index(l.Readers, r)], nil
}

// replayed waits for the end of a recording.
func (l *Lab) replayed(ctx context.Context) error {
	if l.Lines == nil {
		return nil
	}
	select {
	case <-l.Lines.Replaying():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Tap shows a card, and answers when the display has.
func (l *Lab) Tap(r *http.Request, t *wire.Tap) (any, error) {
	reader, sim, err := l.reader(t.Reader)
	if err != nil {
		return nil, err
	}
	present, unread, err := l.shown(t.Card)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.replayed(r.Context()); err != nil {
		return nil, err
	}
	start := l.Clock()
	if err := present(sim); err != nil {
		return wire.Tapped{State: l.Panel.State(), Note: text(err.Error())}, nil
	}
	// With a broken wire nothing may arrive, and then nothing is answered.
	ctx, cancel := context.WithTimeout(r.Context(), sim.Remaining()+answerTime)
	defer cancel()
	err = reader.Answered(ctx, start)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	note := ""
	if sim.Fault() == "" {
		note = unread(reader)
	}
	if err == nil && reader.Repeated() {
		note = fmt.Sprintf("ignored: the same tag within %v is the reader repeating itself", checkout.Presentation)
	}
	return wire.Tapped{State: l.Panel.State(), Note: text(note)}, nil
}

// shown is how a card is shown to a reader, or a code if it is an address, and why a reader
// refuses it whatever its wiring.
func (l *Lab) shown(what string) (present func(simlab.Reader) error, refused func(*station.Reader) string, err error) {
	if strings.Contains(what, "://") {
		return func(r simlab.Reader) error { return r.Scan(what) }, func(*station.Reader) string { return "" }, nil
	}
	bits, err := l.Card(what)
	return func(r simlab.Reader) error { return r.Present(bits) }, func(r *station.Reader) string { return unread(r, bits) }, err
}

// Type types a name and Enter on the station's keyboard, or keys on a reader's
// keypad, and answers when the display has.
func (l *Lab) Type(r *http.Request, t *wire.Type) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), answerTime+station.EnrolTime)
	defer cancel()
	var err error
	switch {
	case t.Reader != "":
		err = l.press(ctx, t)
	case l.Keyboard == nil:
		err = refuse(`set device = "auto" in [keyboard]; keys of a reader's keypad are typed with --reader`, "this station has no keyboard")
	default:
		if err = l.Keyboard.Type(ctx, t.Text); errors.Is(err, keyboard.ErrNotAsked) {
			err = refuse("tap an unknown badge first, one that fits the reader's badge rule", "%w", err)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, r := range l.Readers {
		if err := r.Settled(ctx); err != nil {
			return nil, err
		}
	}
	return wire.Tapped{State: l.Panel.State()}, nil
}

// press presses keys of a reader's keypad.
func (l *Lab) press(ctx context.Context, t *wire.Type) error {
	reader, sim, err := l.reader(t.Reader)
	if err != nil {
		return err
	}
	if reader.Decoder.Keypad == "" {
		return refuse(`set keypad = "4bit" for it`, "reader %s has no keypad", reader.Name)
	}
	for i := range len(t.Text) {
		bits, err := wiegand.KeyBits(t.Text[i], reader.Decoder.Keypad)
		if err != nil {
			return refuse("type 0 to 9, * and #", "%w", err)
		}
		start := l.Clock()
		if err := sim.Present(bits); err != nil {
			return refuse("`stump sim fault off` repairs the reader", "%w", err)
		}
		if err := reader.Answered(ctx, start); err != nil {
			return err
		}
	}
	return nil
}

// unread says why a reader refuses these bits whatever its wiring, "" if it
// takes them.
func unread(r *station.Reader, bits wiegand.Bits) string {
	switch {
	case r.Decoder.Keypad != "" && (bits.Len() == 4 || bits.Len() == 8):
		return ""
	case bits.Len() < station.LeastCard:
		return fmt.Sprintf("%s: fewer than %d are taken for noise, and the display says nothing", count.Of(bits.Len(), "bit"), station.LeastCard)
	}
	return credential.NoFormat(bits, r.Decoder.Formats)
}

// answerTime is how long after its last edge a card is certainly answered, on a
// slow disk too.
const answerTime = 3 * time.Second

// Fault breaks a simulated reader or its wiring, or repairs it.
func (l *Lab) Fault(_ *http.Request, f *wire.Fault) (any, error) {
	_, sim, err := l.reader(f.Reader)
	if err != nil {
		return f, err
	}
	if f.Fault != "off" && !slices.Contains(sim.Faults(), f.Fault) {
		remedy := "use off, or one of " + strings.Join(sim.Faults(), ", ")
		if near := hint.Nearest(f.Fault, sim.Faults()); near != "" {
			remedy = "did you mean " + near + "?"
		}
		return f, refuse(remedy, "%q is not a fault", f.Fault)
	}
	return f, sim.SetFault(f.Fault)
}
