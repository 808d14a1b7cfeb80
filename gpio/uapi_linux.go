package gpio

import (
	"bytes"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel's GPIO character device, interface v2, Linux 5.10 and later
// (include/uapi/linux/gpio.h). One function a call, errno untouched; what to do
// about an errno is decided above. The structures and numbers are those of
// golang.org/x/sys/unix, which lacks only the flags.
const (
	flagUsed         = 1 << 0
	flagActiveLow    = 1 << 1
	flagInput        = 1 << 2
	flagOutput       = 1 << 3
	flagEdgeRising   = 1 << 4
	flagEdgeFalling  = 1 << 5
	flagOpenDrain    = 1 << 6
	flagOpenSource   = 1 << 7
	flagBiasPullUp   = 1 << 8
	flagBiasPullDown = 1 << 9
	flagBiasDisabled = 1 << 10

	// GPIO_V2_LINE_SET_CONFIG_IOCTL = _IOWR(0xB4, 0x0D, struct gpio_v2_line_config)
	setConfigIoctl = 0xc110b40d
)

// eventSize is what the kernel writes for one edge.
const eventSize = int(unsafe.Sizeof(unix.GPIOV2LineEvent{}))

func ioctl(fd int, request uint, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}

// getChipInfo asks an open chip for its name, label and number of lines.
func getChipInfo(fd int) (unix.GPIOChipInfo, error) {
	var info unix.GPIOChipInfo
	err := ioctl(fd, unix.GPIO_GET_CHIPINFO_IOCTL, unsafe.Pointer(&info))
	return info, err
}

// getLineInfo asks an open chip about one of its lines.
func getLineInfo(fd int, offset uint32) (unix.GPIOV2LineInfo, error) {
	info := unix.GPIOV2LineInfo{Offset: offset}
	err := ioctl(fd, unix.GPIO_V2_GET_LINEINFO_IOCTL, unsafe.Pointer(&info))
	return info, err
}

// requestLines takes lines of an open chip; req.Fd is then theirs.
func requestLines(fd int, req *unix.GPIOV2LineRequest) error {
	return ioctl(fd, unix.GPIO_V2_GET_LINE_IOCTL, unsafe.Pointer(req))
}

// setConfig changes the configuration of a request's lines.
func setConfig(fd int, config *unix.GPIOV2LineConfig) error {
	return ioctl(fd, setConfigIoctl, unsafe.Pointer(config))
}

// getValues reads the first n lines of a request, one bit each in its order.
func getValues(fd, n int) (uint64, error) {
	v := unix.GPIOV2LineValues{Mask: 1<<n - 1}
	err := ioctl(fd, unix.GPIO_V2_LINE_GET_VALUES_IOCTL, unsafe.Pointer(&v))
	return v.Bits, err
}

// setValues writes the first n lines of a request.
func setValues(fd, n int, bits uint64) error {
	v := unix.GPIOV2LineValues{Bits: bits, Mask: 1<<n - 1}
	return ioctl(fd, unix.GPIO_V2_LINE_SET_VALUES_IOCTL, unsafe.Pointer(&v))
}

// readEvents reads what is queued on a request that does not block.
// EAGAIN: nothing is. ENODEV: the chip is gone.
func readEvents(fd int, buf []unix.GPIOV2LineEvent) (int, error) {
	for {
		p := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(buf))), len(buf)*eventSize)
		n, err := unix.Read(fd, p)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		return n / eventSize, nil
	}
}

// text is the string in a fixed-size, NUL-padded field.
func text(field []byte) string {
	s, _, _ := bytes.Cut(field, []byte{0})
	return string(s)
}

// Monotonic is CLOCK_MONOTONIC in nanoseconds, the clock of all edges.
func Monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("gpio: no monotonic clock: " + err.Error()) // POSIX has it always
	}
	return ts.Nano()
}
