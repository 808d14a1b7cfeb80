package credential

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"stump/internal/hint"
	"stump/wiegand"
)

// reading is a card that a written form may mean, or with a facility that is
// missing, cards.
type reading struct {
	card  wiegand.Bits
	form  string // how the card is written without doubt
	what  string // why the form may mean it
	guess bool   // never taken, only proposed
}

var (
	pairForm   = regexp.MustCompile(`^(\d+) ?[:,-] ?(\d+)$|^(\d{3}) (\d{5})$`)
	fobForm    = regexp.MustCompile(`^(\d{10})(?:\s+(\S.*))?$`)
	digitGroup = regexp.MustCompile(`\d+`)
	bytesForm  = regexp.MustCompile(`^[0-9A-Fa-f]{2}([:\- ])[0-9A-Fa-f]{2}(?:[:\- ][0-9A-Fa-f]{2})+$`)
)

// printed reads a card as it is printed, if only one card can be meant.
func printed(s string, formats []*wiegand.Format) (wiegand.Bits, error) {
	all := readings(s, formats)
	if len(all) == 1 && !all[0].guess || preferred(s, all) {
		return all[0].card, nil
	}
	if len(all) > 0 {
		return wiegand.Bits{}, hint.Errorf("write what is meant in full", "%q may be %s", s, list(all))
	}
	if m := fobForm.FindStringSubmatch(s); m != nil && m[2] != "" {
		one, other := readings(m[1], formats), readings(m[2], formats)
		if len(one) > 0 && len(other) > 0 {
			return wiegand.Bits{}, hint.Errorf("look at the card again: both numbers say the same", "%q: the two numbers differ: %s, and %s", s, forms(one), forms(other))
		}
	}
	// Nothing of the station's: what would it be elsewhere, or with another sign?
	if g := digitGroup.FindAllString(s, -1); len(g) == 2 && !pairForm.MatchString(s) {
		if all = readings(g[0]+":"+g[1], formats); len(all) > 0 {
			return wiegand.Bits{}, hint.Errorf("write "+forms(all), "%q is not a written form of a card", s)
		}
	}
	if all = readings(s, elsewhere(formats)); len(all) > 0 {
		return wiegand.Bits{}, hint.Errorf("if it is "+list(all)+", write that, and enable its format at the reader", "%q is no card of %s", s, names(formats))
	}
	if name, _, ok := strings.Cut(s, ":"); ok {
		if _, err := formatAmong(name, formats); strings.Trim(name, "0123456789") != "" {
			return wiegand.Bits{}, hint.Wrap(err, Forms)
		}
	}
	return wiegand.Bits{}, hint.Errorf(Forms, "%q is not a card", s)
}

// preferred reports whether the first reading counts though there are others: facility and
// number are the whole of a card, and the formats are in order of preference.
func preferred(s string, all []reading) bool {
	return len(all) > 1 && pairForm.MatchString(s) && !all[0].guess
}

// Doubt says what else a written form may mean that Parse takes for a card of the first
// of several formats; "" for nothing.
func Doubt(s string, formats []*wiegand.Format) string {
	all := readings(strings.TrimSpace(s), formats)
	if !preferred(strings.TrimSpace(s), all) {
		return ""
	}
	return fmt.Sprintf("%s was taken as %s; if it is %s, write that", strings.TrimSpace(s), all[0].form, forms(all[1:]))
}

// elsewhere are formats to propose that are not enabled.
func elsewhere(formats []*wiegand.Format) (list []*wiegand.Format) {
	for _, name := range []string{"H10301", "H10306", "H10304", "C1k35s", "UID32", "W42", "UID56"} {
		f, err := wiegand.FormatByName(name)
		if err == nil && !slices.Contains(formats, f) {
			list = append(list, f)
		}
	}
	return list
}

func names(formats []*wiegand.Format) string {
	var list []string
	for _, f := range formats {
		list = append(list, f.Name)
	}
	if len(list) == 0 {
		return "any format that is enabled"
	}
	return strings.Join(list, ", ")
}

func list(all []reading) string {
	var parts []string
	for _, r := range all[:min(len(all), maxListed)] {
		parts = append(parts, fmt.Sprintf("%s (%s)", r.form, r.what))
	}
	return strings.Join(parts, " or ")
}

// maxListed is how many readings a person is shown.
const maxListed = 6

func forms(all []reading) string {
	var parts []string
	for _, r := range all {
		parts = append(parts, r.form)
	}
	return strings.Join(parts, " or ")
}

// readings are the cards of formats that s may mean, each once.
func readings(s string, formats []*wiegand.Format) []reading {
	r := reader{formats: formats}
	hex, isHex := hexBytes(s)
	switch pair, fob := pairForm.FindStringSubmatch(s), fobForm.FindStringSubmatch(s); {
	case pair != nil:
		r.pair(pair[1]+pair[3], pair[2]+pair[4])
	case fob != nil && fob[2] != "":
		r.both(fob[1], fob[2])
	case fob != nil:
		r.fob(fob[1], "a fob", false)
		if s[0] != '0' {
			r.number(s)
		} else {
			r.plain(s)
		}
	case decimalOnly(s):
		r.number(s)
	}
	if isHex {
		r.bytes(hex, decimalOnly(s))
	}
	return r.found
}

func decimalOnly(s string) bool { _, ok := decimal(s); return ok }

// reader collects readings.
type reader struct {
	formats []*wiegand.Format
	found   []reading
}

func (r *reader) add(b wiegand.Bits, what string, guess bool) {
	if slices.ContainsFunc(r.found, func(o reading) bool { return o.card == b }) {
		return
	}
	r.found = append(r.found, reading{card: b, form: String(b, r.formats), what: what, guess: guess})
}

// pair is facility and number.
func (r *reader) pair(facility, number string) {
	v, ok1 := uintOf(facility)
	n, ok2 := uintOf(number)
	for _, f := range r.formats {
		if !ok1 || !ok2 || !f.HasFacility() {
			continue
		}
		if b, err := f.Pack(wiegand.Fields{Facility: v, Number: n}); err == nil {
			r.add(b, fmt.Sprintf("%d bits", f.Len), false)
		}
	}
}

// fob is facility × 65536 + number, of formats whose number has 16 bits.
func (r *reader) fob(digits, what string, guess bool) {
	n, ok := uintOf(digits)
	for _, f := range r.formats {
		if !ok || !f.HasFacility() || f.Largest().Number != 65535 {
			continue
		}
		if b, err := f.Pack(wiegand.Fields{Facility: n >> 16, Number: n & 65535}); err == nil {
			r.add(b, fmt.Sprintf("%s of %d bits", what, f.Len), guess)
		}
	}
}

// both is the ten digits of a fob with facility and number behind them.
func (r *reader) both(ten, behind string) {
	if pair := pairForm.FindStringSubmatch(behind); pair != nil {
		p := reader{formats: r.formats}
		p.pair(pair[1]+pair[3], pair[2]+pair[4])
		r.fob(ten, "a fob", false)
		r.found = slices.DeleteFunc(r.found, func(a reading) bool {
			return !slices.ContainsFunc(p.found, func(b reading) bool { return a.card == b.card })
		})
	}
}

// number is a decimal number that stands alone.
func (r *reader) number(digits string) {
	n, _ := decimal(digits)
	for _, f := range r.formats {
		if f.HasFacility() && n.IsUint64() && n.Uint64() <= f.Largest().Number {
			r.found = append(r.found, reading{form: fmt.Sprintf("%s:FACILITY:%s", f.Name, n), what: "a number without its facility", guess: true})
		}
	}
	if len(digits) != 10 && n.BitLen() > 16 {
		r.fob(digits, "a fob", true)
	}
	if len(digits) == 8 {
		first := len(r.found)
		r.pair(digits[:3], digits[3:])
		for i := first; i < len(r.found); i++ {
			r.found[i].what, r.found[i].guess = "three digits of facility, five of number", true
		}
	}
	r.plain(digits)
	lengths := map[int]bool{}
	for _, f := range r.formats {
		if b, err := allBits(n, f.Len); err == nil && !lengths[f.Len] && slices.ContainsFunc(r.formats, func(f *wiegand.Format) bool { _, ok := f.Unpack(b); return ok }) {
			lengths[f.Len] = true
			r.add(b, fmt.Sprintf("all %d bits", f.Len), false)
		}
	}
}

// plain is the number of a format without a facility.
func (r *reader) plain(digits string) {
	n, ok := uintOf(digits)
	for _, f := range r.formats {
		if !ok || f.HasFacility() || f.Raw() {
			continue
		}
		if b, err := f.Pack(wiegand.Fields{Number: n}); err == nil {
			r.add(b, "its number", false)
		}
	}
}

// hexBytes are the digits of whole bytes: with separators, with 0x, or at least
// four bytes in a row.
func hexBytes(s string) (digits string, ok bool) {
	digits, prefixed := strings.CutPrefix(strings.ToLower(s), "0x")
	if m := bytesForm.FindStringSubmatch(digits); m != nil {
		return strings.ReplaceAll(digits, m[1], ""), true
	}
	ok = len(digits)%2 == 0 && (prefixed || len(digits) >= 8) && len(digits) > 0 && strings.Trim(digits, "0123456789abcdef") == ""
	return digits, ok
}

// bytes are hex digits. Only a format of serial numbers says in which order a
// reader sends them, and that it sends them all. Without one, what other formats
// make of them is proposed, unless the digits look like a decimal number.
func (r *reader) bytes(digits string, decimal bool) {
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok || !n.IsUint64() {
		return
	}
	known := decimal
	for _, f := range r.formats {
		if f.UID() && 2*f.NumberBytes() == len(digits) {
			if b, err := f.Pack(wiegand.Fields{Number: n.Uint64()}); err == nil {
				r.add(b, "in hex", false)
				known = true
			}
		}
	}
	whole, _ := allBits(n, 4*len(digits))
	for _, f := range r.formats {
		switch width := f.DataBits(); {
		case known || f.UID() || width%8 != 0 || width > whole.Len():
		default: // a reader sends the last bytes, in either order
			forward := whole.Last(width)
			backward, _ := forward.ReverseBytes()
			for _, data := range []wiegand.Bits{forward, backward} {
				if b, err := f.PackData(data); err == nil {
					r.add(b, fmt.Sprintf("hex, as %d bits", f.Len), true)
				}
			}
		}
	}
}
