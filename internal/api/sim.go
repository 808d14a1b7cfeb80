package api

import (
	"errors"
	"net/http"
	"strings"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/credential"
	"stump/internal/identity"
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
