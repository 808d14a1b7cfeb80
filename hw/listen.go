package hw

import (
	"slices"

	"stump/gpio"
)

// ListenFree watches the free pins of a board's header until stop is called:
// those that nothing else wants and nobody uses, without the configured lines.
// Kernels before the summer of 2026 give a line away even where a driver uses
// its pin, so that pins with a use of their own are never touched.
func (h Host) ListenFree(b *Board, configured ...string) (stop func() ([]gpio.Activity, error), err error) {
	return gpio.ListenLines(h.freeLines(b, configured))
}

func (h Host) freeLines(b *Board, configured []string) (lines []gpio.Line) {
	var taken []string
	for _, name := range configured {
		if p, err := b.Place(name); err == nil {
			taken = append(taken, p.Name)
		}
	}
	for _, p := range b.Pins {
		if !p.Free() || slices.Contains(taken, p.Name) {
			continue
		}
		l, err := h.Lookup(b, "pin "+p.Name)
		if err != nil || l.Used {
			continue
		}
		lines = append(lines, l.GPIO())
	}
	return lines
}
