package board

import (
	"slices"

	"stump/gpio"
)

// OpenReader looks up a reader's two data lines and requests them. It looks them
// up each time, because chips come and go.
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

// OpenOutput looks up an output line and requests it, off.
func (b *Board) OpenOutput(name string, req gpio.OutputRequest) (*gpio.OutputLine, error) {
	l, err := b.Lookup(name)
	if err != nil {
		return nil, err
	}
	req.Line = l.GPIO()
	return gpio.OpenOutput(req)
}

// ListenFree watches the free pins of the header until stop is called. Free is a
// line that nothing uses, that is not configured and that has no other use on
// this board: kernels before the summer of 2026 hand out a line even where a
// driver uses its pin.
func (b *Board) ListenFree(configured ...string) (stop func() ([]gpio.Activity, error), err error) {
	return gpio.ListenLines(b.freeLines(configured))
}

func (b *Board) freeLines(configured []string) (lines []gpio.Line) {
	var taken []string
	for _, name := range configured {
		p, _ := b.Place(name)
		taken = append(taken, p.Name)
	}
	for _, p := range b.Pins {
		if p.Use != "" || slices.Contains(taken, p.Name) {
			continue
		}
		if l, err := b.Lookup("pin " + p.Name); err == nil && !l.info.Used {
			lines = append(lines, l.GPIO())
		}
	}
	return lines
}
