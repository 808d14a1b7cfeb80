package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"go.bug.st/serial"

	"stump/internal/hint"
)

// Baud is how fast an RDM6300 sends, with 8 bits and no parity.
const baud = 9600

// The pause before a port is opened again doubles from the first to the last.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// port is a reader at a serial port.
type port struct {
	path string
	Setup
	open func(path string) (io.ReadCloser, error)

	mu  sync.Mutex
	err error // why it is not open
}

// OpenSerial returns the reader at a serial port such as "/dev/ttyUSB0". It may
// come and go.
func OpenSerial(path string, s Setup) Source {
	s.Log = cmp.Or(s.Log, slog.New(slog.DiscardHandler))
	return &port{path: path, Setup: s, open: openPort, err: errors.New("the port was not opened yet")}
}

func openPort(path string) (io.ReadCloser, error) {
	p, err := serial.Open(path, &serial.Mode{BaudRate: baud})
	if err != nil {
		return nil, err
	}
	return p, p.ResetInputBuffer() // what came before is nobody's tap now
}

// Run is Source's.
func (p *port) Run(ctx context.Context, take func(Char)) error {
	said, pause := "", firstRetry
	for {
		err := p.read(ctx, take, func() {
			p.Log.Info("reader's port", "is", p.path)
			said, pause = "", firstRetry
		})
		if ctx.Err() != nil {
			return nil
		}
		p.set(err)
		if err.Error() != said {
			said = err.Error()
			p.Log.Error("no reader", "err", err, "remedy", hint.Of(err), "retry", pause)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, lastRetry)
	}
}

// read reads the port until it fails or ctx is done.
func (p *port) read(ctx context.Context, take func(Char), opened func()) error {
	f, err := p.open(p.path)
	if err != nil {
		return hint.Wrap(fmt.Errorf("serial port %s: %w", p.path, err), portRemedy(err))
	}
	defer context.AfterFunc(ctx, func() { f.Close() })()
	defer f.Close()
	p.set(nil)
	opened()
	buf := make([]byte, 64)
	for {
		n, err := f.Read(buf)
		at := p.Now()
		for _, b := range buf[:n] {
			take(Char{Time: at, Rune: rune(b)})
		}
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF // an adapter that was pulled out reads as empty
		}
		if err != nil {
			return fmt.Errorf("serial port %s: %w", p.path, err)
		}
	}
}

// portRemedy is what to do about a port that can't be opened.
func portRemedy(err error) string {
	if bad := (*serial.PortError)(nil); errors.As(err, &bad) {
		switch bad.Code() {
		case serial.PortBusy:
			return "another program has the port: a login console, or a second Stump"
		case serial.PortNotFound:
			return "plug the adapter in, or switch the port on; `ls -l /dev/serial/by-id` lists adapters"
		case serial.PermissionDenied:
			return "add Stump's user to the group dialout"
		case serial.InvalidSerialPort:
			return "name a serial port, such as /dev/ttyUSB0 or /dev/serial0"
		}
	}
	return "look at the path in the configuration"
}

func (p *port) set(err error) {
	p.mu.Lock()
	changed := (p.err == nil) != (err == nil)
	p.err = err
	p.mu.Unlock()
	if changed && p.Changed != nil {
		p.Changed()
	}
}

// Up is Source's.
func (p *port) Up() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *port) String() string { return fmt.Sprintf("%s at %d baud", p.path, baud) }
