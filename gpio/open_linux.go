package gpio

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Open takes a reader's two data lines. Nobody else can have them until Close,
// or until this process ends, however it ends.
//
// The error is an *Error with what to do about it, and its errno is kept:
// ENOENT and EACCES from opening the chip, EBUSY when a line is taken (the
// holder is named), EINVAL when the kernel is older than 5.10 or the line does
// not exist.
func Open(req Request) (*Lines, error) {
	name := fmt.Sprintf("DATA0 = %s, DATA1 = %s", req.Data0, req.Data1)
	if req.Data0.Chip == req.Data1.Chip && req.Data0.Offset == req.Data1.Offset {
		return nil, &Error{
			Op: "request", Line: name, Err: errors.New("both are the same line"),
			hint: "DATA0 and DATA1 are two wires: give each its own line",
		}
	}
	requested, err := req.take()
	if err != nil {
		return nil, err
	}
	dev, err := newKernel(requested, req.Bias, req.ActiveLow)
	if err == nil {
		var l *Lines
		if l, err = newLines(dev, name, req.BothEdges); err == nil {
			return l, nil
		}
		_ = dev.close()
	} else {
		release(requested)
	}
	return nil, fail("request", name, err)
}

// take makes the kernel's requests: one for two lines of a chip, else two.
func (req Request) take() ([]request, error) {
	if req.Data0.Chip == req.Data1.Chip {
		r, err := req.takeOn([]Line{req.Data0, req.Data1}, 0, 1)
		if err != nil {
			return nil, err
		}
		return []request{r}, nil
	}
	r0, err := req.takeOn([]Line{req.Data0}, 0)
	if err != nil {
		return nil, err
	}
	r1, err := req.takeOn([]Line{req.Data1}, 1)
	if err != nil {
		release([]request{r0})
		return nil, err
	}
	return []request{r0, r1}, nil
}

// takeOn makes one request, of lines of one chip.
func (req Request) takeOn(on []Line, lines ...uint8) (request, error) {
	r := request{lines: lines}
	k := unix.GPIOV2LineRequest{
		Config:            unix.GPIOV2LineConfig{Flags: inputFlags(req.BothEdges, req.Bias, req.ActiveLow)},
		Event_buffer_size: maxBuffer,
	}
	if req.Buffer > 0 {
		k.Event_buffer_size = uint32(min(req.Buffer, maxBuffer))
	}
	for _, l := range on {
		r.offsets = append(r.offsets, uint32(l.Offset))
	}
	fd, err := requestOn(on, &k, req.Consumer)
	r.fd = fd
	return r, err
}

// requestOn opens the lines' chip for long enough to take them.
func requestOn(on []Line, k *unix.GPIOV2LineRequest, consumer string) (int, error) {
	chip, err := unix.Open(on[0].Chip, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fail("open", on[0].Chip, err)
	}
	defer unix.Close(chip)
	if consumer == "" {
		consumer = "stump"
	}
	copy(k.Consumer[:len(k.Consumer)-1], consumer)
	for i, l := range on {
		k.Offsets[i] = uint32(l.Offset)
	}
	k.Num_lines = uint32(len(on))
	if err := requestLines(chip, k); err != nil {
		if err == unix.EBUSY {
			return -1, busy(chip, on)
		}
		names := on[0].String()
		if len(on) > 1 {
			names += ", " + on[1].String()
		}
		return -1, fail("request", names, err)
	}
	return int(k.Fd), nil
}

func release(requested []request) {
	for _, r := range requested {
		_ = unix.Close(r.fd)
	}
}
