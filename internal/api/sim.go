package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/count"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/keyboard"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/wiegand"
)

// simSeed puts the simulated lab's people and devices into the register.
func (s *Server) simSeed(r *http.Request) (any, error) {
	o := books.ImportOptions{Actor: "sim", Source: identity.Of(r.Context()).Source}
	people, err := s.importCSV(r.Context(), s.o.Books, s.people, strings.NewReader(simlab.PeopleCSV()), nil, o)
	if err != nil {
		return nil, s.badRow(err)
	}
	devices, err := s.importCSV(r.Context(), s.o.Books, s.devices, strings.NewReader(simlab.DevicesCSV()), nil, o)
	if err != nil {
		return nil, s.badRow(err)
	}
	return wire.Seeded{People: people.Rows, Devices: devices.Rows}, nil
}

// reader finds a reader by its name; "" is the first.
func (s *Server) reader(name string) (*station.Reader, error) {
	var names []string
	for _, r := range s.o.Readers {
		if name == "" || r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return nil, problem(wire.CodeNotFound, "the configuration has "+strings.Join(names, ", "), "there is no reader %q", name)
}

// simulated finds a simulated reader by its name; "" is the first.
func (s *Server) simulated(name string) (*station.Reader, simlab.Reader, error) {
	r, err := s.reader(name)
	if err != nil {
		return nil, nil, err
	}
	return r, s.o.Sims[slices.Index(s.o.Readers, r)], nil
}

// replayed waits for the end of a recording.
func (s *Server) replayed(ctx context.Context) error {
	if s.o.Lines == nil {
		return nil
	}
	select {
	case <-s.o.Lines.Replaying():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// simTap shows a card, and answers when the display has.
func (s *Server) simTap(r *http.Request, t *wire.Tap) (any, error) {
	reader, sim, err := s.simulated(t.Reader)
	if err != nil {
		return nil, err
	}
	bits, err := s.card(t.Card)
	if err != nil {
		return nil, err
	}
	s.sim.Lock()
	defer s.sim.Unlock()
	if err := s.replayed(r.Context()); err != nil {
		return nil, err
	}
	start := s.o.Clock()
	if err := sim.Present(bits); err != nil {
		return wire.Tapped{State: s.o.Panel.State(), Note: known(err.Error())}, nil
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
		note = unread(reader, bits)
	}
	if err == nil && reader.Repeated() {
		note = fmt.Sprintf("ignored: the same tag within %v is the reader repeating itself", checkout.Presentation)
	}
	return wire.Tapped{State: s.o.Panel.State(), Note: known(note)}, nil
}

// simType types a name and Enter on the station's keyboard, or keys on a reader's
// keypad, and answers when the display has.
func (s *Server) simType(r *http.Request, t *wire.Type) (any, error) {
	s.sim.Lock()
	defer s.sim.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), answerTime+station.EnrolTime)
	defer cancel()
	var err error
	switch {
	case t.Reader != "":
		err = s.pressKeys(ctx, t)
	case s.o.Keyboard == nil:
		err = refuse(`set device = "auto" in [keyboard]; keys of a reader's keypad are typed with --reader`, "this station has no keyboard")
	default:
		if err = s.o.Keyboard.Type(ctx, t.Text); errors.Is(err, keyboard.ErrNotAsked) {
			err = refuse("tap an unknown badge first, one that fits the reader's badge rule", "%w", err)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, r := range s.o.Readers {
		if err := r.Settled(ctx); err != nil {
			return nil, err
		}
	}
	return wire.Tapped{State: s.o.Panel.State()}, nil
}

// pressKeys presses keys of a reader's keypad.
func (s *Server) pressKeys(ctx context.Context, t *wire.Type) error {
	reader, sim, err := s.simulated(t.Reader)
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
		start := s.o.Clock()
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
	return noFormat(bits, r.Decoder.Formats)
}

// noFormat says why none of formats takes these bits, "" if one does.
func noFormat(bits wiegand.Bits, formats []*wiegand.Format) string {
	var fail, lengths []string
	for _, f := range formats {
		lengths = append(lengths, fmt.Sprintf("%s %d", f.Name, f.Len))
		if f.Len != bits.Len() {
			continue
		}
		if _, ok := f.Unpack(bits); ok {
			return ""
		}
		fail = append(fail, f.Name)
	}
	n := count.Of(bits.Len(), "bit")
	if len(fail) > 0 {
		return fmt.Sprintf("%s that no enabled format takes: the parity is wrong for %s", n, strings.Join(fail, ", "))
	}
	return fmt.Sprintf("%s that no enabled format takes: %s bits", n, strings.Join(lengths, ", "))
}

// answerTime is how long after its last edge a card is certainly answered, on a
// slow disk too.
const answerTime = 3 * time.Second

// card returns the bits of a card to show: written bits, somebody's or something's
// tag, or a credential.
func (s *Server) card(card string) (wiegand.Bits, error) {
	if written, ok := strings.CutPrefix(card, credential.BitsPrefix); ok {
		bits, err := wiegand.ParseBits(written)
		if err != nil {
			err = refuse("write bits:0101…, first bit sent first", "%q: %w", card, err)
		}
		return bits, err
	}
	people, devices := s.registers(s.desk)
	for _, reg := range []*register{people, devices} {
		p, err := reg.find(card)
		if errors.Is(err, books.ErrNotFound) {
			continue
		}
		if err != nil {
			return wiegand.Bits{}, err
		}
		tag, err := s.tagOf(reg, p)
		if err != nil {
			return wiegand.Bits{}, err
		}
		return credential.Bits(tag)
	}
	bits, err := s.o.ParseCard(card)
	if err == nil || strings.Contains(card, ":") || card == "" || card[0] >= '0' && card[0] <= '9' {
		return bits, err
	}
	return bits, problem(wire.CodeNotFound,
		"`stump sim seed` adds ann, ben, cem, dia, eve, fay and ipad, pixel, …; "+credential.Forms,
		"%q is neither a name in the register nor a credential", card)
}

// tagOf is the tag of a person or device. The ledger keeps its number if a simulated
// station opened it.
func (s *Server) tagOf(reg *register, p party) (checkout.Tag, error) {
	if len(p.tags) == 0 {
		return checkout.Tag{}, refuse("give it one with "+reg.giveTag(p.id), "%s has no tag to show", p.name)
	}
	tag, err := s.desk.TagNumber(reg.kind, p.id)
	if err == nil && !tag.IsZero() {
		return tag, nil
	}
	seeded, ok := simlab.Find(p.id)
	if !ok {
		return tag, refuse("show the number itself, or give it again with "+reg.giveTag(p.id), "%s has a tag, but its number is not kept", p.name)
	}
	return s.parseTag(seeded.Credential)
}

// simFault breaks a simulated reader or its wiring, or repairs it.
func (s *Server) simFault(_ *http.Request, f *wire.Fault) (any, error) {
	_, sim, err := s.simulated(f.Reader)
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
