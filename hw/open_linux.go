package hw

import "stump/gpio"

// OpenReader looks up a reader's two data lines and takes them. It looks anew
// each time, so that it may be tried again while chips come and go.
func (h Host) OpenReader(b *Board, data0, data1 string, req gpio.Request) (*gpio.Lines, error) {
	l0, err := h.Lookup(b, data0)
	if err != nil {
		return nil, err
	}
	l1, err := h.Lookup(b, data1)
	if err != nil {
		return nil, err
	}
	req.Data0, req.Data1 = l0.GPIO(), l1.GPIO()
	return gpio.Open(req)
}

// OpenOutput looks up an output line and takes it, off.
func (h Host) OpenOutput(b *Board, name string, req gpio.OutputRequest) (*gpio.OutputLine, error) {
	l, err := h.Lookup(b, name)
	if err != nil {
		return nil, err
	}
	req.Line = l.GPIO()
	return gpio.OpenOutput(req)
}
