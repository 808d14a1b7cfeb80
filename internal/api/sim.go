package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"stump/checkout"
	"stump/gpio"
	"stump/internal/count"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/sheet"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/wiegand"
)

// simTaps lets one card at a time be shown, as there is room for one.
type simTaps struct{ sync.Mutex }

// errNoSim is the answer to a simulated card at a real reader.
func (s *Server) needSim() error {
	if s.o.Lines != nil {
		return nil
	}
	return &problemError{http.StatusConflict, hint.Errorf("start the daemon with `stump run --sim`", "this station has real lines, nothing is simulated")}
}

func (s *Server) panel(w http.ResponseWriter, _ *http.Request) error {
	if s.o.Panel == nil {
		return errNoDaemon
	}
	return writeJSON(w, s.o.Panel.State())
}

// errNoDaemon is the answer of a ledger that no daemon serves.
var errNoDaemon = &problemError{http.StatusServiceUnavailable, hint.Errorf("start it with `stump run`", "no daemon is running")}

func (s *Server) simSeed(w http.ResponseWriter, _ *http.Request) error {
	if err := s.needSim(); err != nil {
		return err
	}
	people, err := sheet.ReadPeople(strings.NewReader(simlab.PeopleCSV()), s.parseTag)
	if err != nil {
		return err
	}
	devices, err := sheet.ReadDevices(strings.NewReader(simlab.DevicesCSV()), s.parseTag)
	if err != nil {
		return err
	}
	if _, err := s.o.Ledger.ImportPeople(people, "sim", checkout.SourceCLI); err != nil {
		return badCSV(err)
	}
	if _, err := s.o.Ledger.ImportDevices(devices, "sim", checkout.SourceCLI); err != nil {
		return badCSV(err)
	}
	return writeJSON(w, Seeded{People: len(people), Devices: len(devices)})
}

// simTap shows a card and answers when the display has.
func (s *Server) simTap(w http.ResponseWriter, r *http.Request) error {
	if err := s.needSim(); err != nil {
		return err
	}
	var t Tap
	if err := readJSON(r, &t); err != nil {
		return err
	}
	bits, err := s.card(t.Card)
	if err != nil {
		return err
	}
	s.sim.Lock()
	defer s.sim.Unlock()
	select {
	case <-s.o.Lines.Replaying():
	case <-r.Context().Done():
		return r.Context().Err()
	}
	reader := s.o.Readers[0]
	start := s.o.Lines.Now()
	s.o.Lines.Present(bits)
	// With a broken wire nothing may arrive, and then nobody answers.
	length := time.Duration(s.o.Lines.Until() - s.o.Lines.Clock())
	ctx, cancel := context.WithTimeout(r.Context(), max(length, 0)+answerTime)
	defer cancel()
	err = reader.Answered(ctx, start)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	note := s.unread(reader, bits)
	if err == nil && reader.Repeated() {
		note = fmt.Sprintf("ignored: the same tag within %v is the reader repeating itself", checkout.DefaultRepeat)
	}
	return writeJSON(w, Tapped{s.o.Panel.State(), known(note)})
}

// unread says why a reader refuses these bits whatever its wiring, "" if it
// takes them.
func (s *Server) unread(r *station.Reader, bits wiegand.Bits) string {
	switch {
	case s.o.Lines.Fault() != "":
		return ""
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

// answerTime is how long after its last edge a card is certainly answered, a
// slow disk included.
const answerTime = 3 * time.Second

// card returns the bits of what somebody wants to show: bits, a name of the
// register, or a credential.
func (s *Server) card(card string) (wiegand.Bits, error) {
	if written, ok := strings.CutPrefix(card, credential.BitsPrefix); ok {
		bits, err := wiegand.ParseBits(written)
		if err != nil {
			return bits, refuse("write bits:0101…, first bit sent first", "%q: %w", card, err)
		}
		return bits, nil
	}
	tag, err := s.cardOf(card)
	if err != nil {
		return wiegand.Bits{}, err
	}
	if !tag.IsZero() {
		return credential.Bits(tag)
	}
	bits, err := credential.Parse(card, s.o.Formats)
	if err == nil {
		return bits, nil
	}
	if strings.Contains(card, ":") || strings.Trim(card, "0123456789") == "" {
		return bits, &problemError{http.StatusBadRequest, err}
	}
	return bits, &problemError{http.StatusNotFound, hint.Errorf(
		"`stump sim seed` adds ann, ben, cem, dia, eve, fay and ipad, pixel, …; "+credential.Forms,
		"%q is nobody's name and no credential", card)}
}

// cardOf is the tag of a person or device of the register, zero if there is
// none of that name.
func (s *Server) cardOf(name string) (checkout.Tag, error) {
	p, err := s.o.Ledger.FindPerson(name)
	if err == nil {
		return s.ownTag(checkout.KindPerson, p.ID, p.Name, p.HasBadge())
	}
	if !errors.Is(err, checkout.ErrNotFound) {
		return checkout.Tag{}, err
	}
	d, err := s.o.Ledger.FindDevice(name)
	if err == nil {
		return s.ownTag(checkout.KindDevice, d.ID, d.Name, d.HasTag())
	}
	if !errors.Is(err, checkout.ErrNotFound) {
		return checkout.Tag{}, err
	}
	return checkout.Tag{}, nil
}

// giveTag is the command that gives somebody or something a tag.
func giveTag(kind checkout.SubjectKind, id string) string {
	if kind == checkout.KindDevice {
		return editCommand(kind, id, "--tag CREDENTIAL")
	}
	return editCommand(kind, id, "--badge CREDENTIAL")
}

// editCommand is the command that changes somebody or something.
func editCommand(kind checkout.SubjectKind, id, flag string) string {
	if strings.ContainsFunc(id, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.@", r)
	}) {
		id = "'" + strings.ReplaceAll(id, "'", `'\''`) + "'" // as a shell takes it
	}
	list := "people"
	if kind == checkout.KindDevice {
		list = "devices"
	}
	return "`stump " + list + " edit " + id + " " + flag + "`"
}

// ownTag is a tag to show for its owner. Only a ledger that a simulated
// station opened keeps the numbers of tags.
func (s *Server) ownTag(kind checkout.SubjectKind, id, name string, has bool) (checkout.Tag, error) {
	give := giveTag(kind, id)
	if !has {
		return checkout.Tag{}, refuse("give it one with "+give, "%s has no tag to show", name)
	}
	tag, err := s.o.Ledger.TagNumber(kind, id)
	if err == nil && !tag.IsZero() {
		return tag, nil
	}
	seeded, ok := simlab.Find(id)
	if !ok {
		return tag, refuse("show the number itself, or give it again with "+give, "%s has a tag, but its number is not kept", name)
	}
	return s.parseTag(seeded.Credential)
}

func (s *Server) simFault(w http.ResponseWriter, r *http.Request) error {
	if err := s.needSim(); err != nil {
		return err
	}
	var f struct {
		Fault string `json:"fault"`
	}
	if err := readJSON(r, &f); err != nil {
		return err
	}
	if f.Fault != "off" && !slices.Contains(gpio.Faults, f.Fault) {
		remedy := "use off, or one of " + strings.Join(gpio.Faults, ", ")
		if near := hint.Nearest(f.Fault, gpio.Faults); near != "" {
			remedy = "did you mean " + near + "?"
		}
		return refuse(remedy, "%q is no fault", f.Fault)
	}
	if err := s.o.Lines.SetFault(f.Fault); err != nil {
		return err
	}
	return writeJSON(w, f)
}
