package gpio

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Open acquires a reader's two data lines. Nobody else can acquire them until
// Close, or until this process ends, however it ends.
//
// Hint says what to do about an error, which keeps its errno: ENOENT and EACCES
// from opening the chip, EBUSY when a line is in use (the holder is named),
// EINVAL when the kernel is older than 5.10 or the line does not exist.
func Open(req Request) (*Lines, error) {
	name := fmt.Sprintf("DATA0 = %s, DATA1 = %s", req.Data0, req.Data1)
	oneChip := req.Data0.Chip == req.Data1.Chip
	if oneChip && req.Data0.Offset == req.Data1.Offset {
		return nil, &lineError{"request", name, errors.New("both are the same line"), "DATA0 and DATA1 are two wires: give each its own line"}
	}
	k, err := newKernel(req.ActiveLow)
	if err != nil {
		return nil, fail("request", name, err)
	}
	if oneChip {
		err = req.acquire(k, []Line{req.Data0, req.Data1}, 0, 1)
	} else if err = req.acquire(k, []Line{req.Data0}, 0); err == nil {
		err = req.acquire(k, []Line{req.Data1}, 1)
	}
	if err == nil {
		var l *Lines
		if l, err = newLines(k, len(k.requests), name, req.Bias); err == nil {
			return l, nil
		}
		err = fail("request", name, err)
	}
	_ = k.close()
	return nil, err
}

// acquire makes one request of the kernel, for lines of one chip, and says which
// of the reader's lines they are.
func (req Request) acquire(k *kernel, on []Line, lines ...uint8) error {
	fd, err := acquireInputs(on, req.Consumer, inputFlags(false, req.Bias, req.ActiveLow))
	if err == nil {
		k.add(request{fd: fd, lines: lines, first: uint32(on[0].Offset)})
	}
	return err
}

// acquireInputs acquires lines whose edges are queued; reading them does not
// block.
func acquireInputs(on []Line, consumer string, flags uint64) (int, error) {
	fd, err := acquireOn(on, consumer, &unix.GPIOV2LineRequest{Config: unix.GPIOV2LineConfig{Flags: flags}, Event_buffer_size: maxBuffer})
	if err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return -1, fail("request", on[0].String(), err)
	}
	return fd, nil
}

// acquireOn opens the lines' chip for long enough to acquire them.
func acquireOn(on []Line, consumer string, k *unix.GPIOV2LineRequest) (int, error) {
	chip, err := unix.Open(on[0].Chip, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fail("open", on[0].Chip, err)
	}
	defer unix.Close(chip)
	if consumer == "" {
		consumer = "stump"
	}
	copy(k.Consumer[:len(k.Consumer)-1], consumer)
	names := ""
	for i, l := range on {
		k.Offsets[i] = uint32(l.Offset)
		if i > 0 {
			names += ", "
		}
		names += l.String()
	}
	k.Num_lines = uint32(len(on))
	switch err := requestLines(chip, k); err {
	case nil:
		return int(k.Fd), nil
	case unix.EBUSY:
		return -1, busy(chip, on)
	default:
		return -1, fail("request", names, err)
	}
}
