package board

import (
	"slices"

	"stump/gpio"
)

// OpenReader looks up a reader's two data lines and takes them. It looks anew
// each time, so that it may be tried again while chips come and go.
func (b *Board) OpenReader(data0, data1 string, req gpio.Request) (*gpio.Lines, error) {
	l0, err := b.Lookup(data0)
	if err != nil {
		return nil, err
	}
	l1, err := b.Lookup(data1)
	if err != nil {
		return nil, err
	}
	req.Data0, req.Data1 = l0.GPIO(), l1.GPIO()
	return gpio.Open(req)
}

// OpenOutput looks up an output line and takes it, off.
func (b *Board) OpenOutput(name string, req gpio.OutputRequest) (*gpio.OutputLine, error) {
	l, err := b.Lookup(name)
	if err != nil {
		return nil, err
	}
	req.Line = l.GPIO()
	return gpio.OpenOutput(req)
}

// ListenFree watches the free pins of a board's header until stop is called:
// those that nothing else wants and nobody uses, without the configured lines.
// Kernels before the summer of 2026 give a line away even where a driver uses
// its pin, so that pins with a use of their own are never touched.
func (b *Board) ListenFree(configured ...string) (stop func() ([]gpio.Activity, error), err error) {
	return gpio.ListenLines(b.freeLines(configured))
}

func (b *Board) freeLines(configured []string) (lines []gpio.Line) {
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
		l, err := b.Lookup("pin " + p.Name)
		if err != nil || l.Used {
			continue
		}
		lines = append(lines, l.GPIO())
	}
	return lines
}
