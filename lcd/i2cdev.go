package lcd

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// i2cDev is a bus of the kernel's i2c-dev driver (Documentation/i2c/
// dev-interface.rst).
//
// It stands in for periph's sysfs bus because that one ignores how many
// messages went through: an adapter that answers a missing chip with a short
// count instead of an error (virtio-i2c) would make an unplugged display look
// alive. It also keeps the errno.
type i2cDev struct{ file *os.File }

// openI2C opens a bus by its path, /dev/i2c-1.
func openI2C(path string) (i2c.BusCloser, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("display: %w (is I2C switched on, and may this user open it?)", err)
	}
	return &i2cDev{f}, nil
}

const (
	ioctlI2CRdwr = 0x0707 // I2C_RDWR, linux/i2c-dev.h
	i2cMsgRead   = 0x0001 // I2C_M_RD, linux/i2c.h
)

// i2cMsg is struct i2c_msg.
type i2cMsg struct {
	addr, flags, len uint16
	buf              unsafe.Pointer
}

// i2cRdwr is struct i2c_rdwr_ioctl_data.
type i2cRdwr struct {
	msgs  unsafe.Pointer
	nmsgs uint32
}

// Tx writes w, then reads r, as one transfer. Either may be empty.
func (d *i2cDev) Tx(addr uint16, w, r []byte) error {
	var msgs []i2cMsg
	if len(w) > 0 {
		msgs = append(msgs, i2cMsg{addr, 0, uint16(len(w)), unsafe.Pointer(&w[0])})
	}
	if len(r) > 0 {
		msgs = append(msgs, i2cMsg{addr, i2cMsgRead, uint16(len(r)), unsafe.Pointer(&r[0])})
	}
	if len(msgs) == 0 {
		return nil
	}
	conn, err := d.file.SyscallConn()
	if err != nil {
		return err
	}
	arg := &i2cRdwr{unsafe.Pointer(&msgs[0]), uint32(len(msgs))}
	var done uintptr
	var errno unix.Errno
	err = conn.Control(func(fd uintptr) {
		done, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, ioctlI2CRdwr, uintptr(unsafe.Pointer(arg)))
	})
	switch {
	case err != nil:
		return err
	case errno != 0:
		return fmt.Errorf("i2c transfer: %w", errno)
	case int(done) != len(msgs):
		return fmt.Errorf("i2c transfer: %d of %d messages went through: %w", done, len(msgs), unix.ENXIO)
	}
	return nil
}

// SetSpeed is refused: the kernel sets the speed of a bus for all its chips.
func (d *i2cDev) SetSpeed(physic.Frequency) error {
	return fmt.Errorf("i2c speed: %w: set it in the device tree", unix.EOPNOTSUPP)
}

// Close closes the bus after a transfer that is under way.
func (d *i2cDev) Close() error { return d.file.Close() }

// String returns the bus's path.
func (d *i2cDev) String() string { return d.file.Name() }

// busHertz is the clock of a bus as the device tree sets it; 0 if unknown.
func busHertz(path string) uint32 {
	b, err := os.ReadFile(filepath.Join("/sys/bus/i2c/devices", filepath.Base(path), "of_node/clock-frequency"))
	if err != nil || len(b) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}
