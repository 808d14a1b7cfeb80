package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/hw/diagnose"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/simlab"
	"stump/wiegand"
)

// bump is one card shown to the reader, and its result.
type bump struct {
	edges  []wiegand.Edge // on the data wires
	number string         // the card's written form, "" if the bits are not a card
	why    string         // why the station ignored it, "" if it did not
}

// tap shows a card and waits until the display has answered.
func (l *lab) tap(ctx context.Context, card string) (bump, error) {
	card, err := l.named(ctx, card)
	if err != nil {
		return bump{}, err
	}
	l.reader.Lock()
	defer l.reader.Unlock()
	reader := l.daemon.Readers[0]
	start, before := l.daemon.Lines.Now(), reader.Stats()
	if err := l.client.Do(ctx, "POST", "sim/tap", wire.Tap{Card: card}, nil); err != nil {
		return bump{}, forLab(err)
	}
	b := bump{edges: l.daemon.Lines.Since(start)}
	if bits, err := wiegand.ParseBits(b.bits()); err == nil {
		b.number = credential.String(bits, reader.Decoder.Formats)
	}
	after := reader.Stats()
	switch {
	case len(b.edges) == 0:
		b.why = "Nothing came over the wires"
	case after.Reads == before.Reads:
		b.why = "Refused" + newFault(before, after)
	case reader.Repeated():
		b.why = fmt.Sprintf("Ignored: the same card within %v is the reader repeating itself", checkout.Presentation)
	}
	if fault := l.fault(); fault != "" && b.why != "" {
		b.why += ": " + diagnose.Label(fault)
	}
	return b, nil
}

// newFault returns the fault that was counted in between, in brackets.
func newFault(before, after wiegand.Stats) string {
	for _, f := range slices.Sorted(maps.Keys(after.Faults)) {
		if after.Faults[f] > before.Faults[f] {
			return " (" + string(f) + ")"
		}
	}
	return ""
}

// bits returns the pulses as zeros and ones.
func (b bump) bits() string {
	var bits strings.Builder
	for _, e := range b.edges {
		bits.WriteByte('0' + e.Line)
	}
	return bits.String()
}

// span returns the time from the first to the last edge.
func (b bump) span() time.Duration {
	if len(b.edges) == 0 {
		return 0
	}
	return time.Duration(b.edges[len(b.edges)-1].Time - b.edges[0].Time)
}

// named returns the id of the person or device with this id or name, in any
// letter case. Any other word is returned unchanged.
func (l *lab) named(ctx context.Context, word string) (string, error) {
	people, err := rows[wire.Person](ctx, l, "people")
	if err != nil {
		return "", err
	}
	devices, err := rows[wire.Device](ctx, l, "devices")
	if err != nil {
		return "", err
	}
	names := map[string]string{} // id by id or name
	for _, p := range people {
		names[or(p.Name, p.ID)], names[p.ID] = p.ID, p.ID
	}
	for _, d := range devices {
		names[or(d.Name, d.ID)], names[d.ID] = d.ID, d.ID
	}
	if names[word] != "" {
		return word, nil
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if strings.EqualFold(name, word) {
			return names[name], nil
		}
	}
	return word, nil
}

// forLab replaces the API's hint for an unknown name, which is to seed the lab
// with a `stump` command: this lab is seeded already.
func forLab(err error) error {
	var status *client.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusNotFound {
		return err
	}
	return hint.Wrap(status, "bump "+ids(simlab.People)+", or "+ids(simlab.Devices)+"; or a credential such as "+simlab.Stranger.Credential)
}

// ids lists the ids of cards.
func ids(cards []simlab.Card) string {
	var list []string
	for _, c := range cards {
		list = append(list, c.ID)
	}
	return strings.Join(list, " ")
}

// step is the time from one bit to the next on the lab's wires.
const step = 2 * time.Millisecond

// trace draws the pulses on one wire, with colsPerBit columns for each bit's
// time. The line idles high, and a pulse pulls it down.
func (b bump) trace(line uint8, cols, colsPerBit int) (drawn string, pulses int) {
	cells := []rune(strings.Repeat("─", cols))
	for _, e := range b.edges {
		if e.Line != line {
			continue
		}
		pulses++
		column := time.Duration(e.Time-b.edges[0].Time) * time.Duration(colsPerBit)
		if at := int((column + step/2) / step); at < cols {
			cells[at] = '┬'
		}
	}
	return string(cells), pulses
}
