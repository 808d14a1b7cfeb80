package gpio

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestLayout holds the structures to the kernel's, on whatever processor this
// runs: a 32-bit board aligns 64-bit numbers in its own way, and a wrong size
// would be another ioctl. Numbers are those of include/uapi/linux/gpio.h, which
// pads so that they are the same everywhere.
func TestLayout(t *testing.T) {
	var (
		chip   unix.GPIOChipInfo
		info   unix.GPIOV2LineInfo
		req    unix.GPIOV2LineRequest
		config unix.GPIOV2LineConfig
		attr   unix.GPIOV2LineConfigAttribute
		values unix.GPIOV2LineValues
		event  unix.GPIOV2LineEvent
	)
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"sizeof gpiochip_info", unsafe.Sizeof(chip), 68},
		{"gpiochip_info.label", unsafe.Offsetof(chip.Label), 32},
		{"gpiochip_info.lines", unsafe.Offsetof(chip.Lines), 64},
		{"sizeof gpio_v2_line_info", unsafe.Sizeof(info), 256},
		{"gpio_v2_line_info.offset", unsafe.Offsetof(info.Offset), 64},
		{"gpio_v2_line_info.flags", unsafe.Offsetof(info.Flags), 72},
		{"gpio_v2_line_info.attrs", unsafe.Offsetof(info.Attrs), 80},
		{"sizeof gpio_v2_line_request", unsafe.Sizeof(req), 592},
		{"gpio_v2_line_request.consumer", unsafe.Offsetof(req.Consumer), 256},
		{"gpio_v2_line_request.config", unsafe.Offsetof(req.Config), 288},
		{"gpio_v2_line_request.num_lines", unsafe.Offsetof(req.Num_lines), 560},
		{"gpio_v2_line_request.event_buffer_size", unsafe.Offsetof(req.Event_buffer_size), 564},
		{"gpio_v2_line_request.fd", unsafe.Offsetof(req.Fd), 588},
		{"sizeof gpio_v2_line_config", unsafe.Sizeof(config), 272},
		{"gpio_v2_line_config.num_attrs", unsafe.Offsetof(config.Num_attrs), 8},
		{"gpio_v2_line_config.attrs", unsafe.Offsetof(config.Attrs), 32},
		{"sizeof gpio_v2_line_config_attribute", unsafe.Sizeof(attr), 24},
		{"gpio_v2_line_config_attribute.mask", unsafe.Offsetof(attr.Mask), 16},
		{"sizeof gpio_v2_line_values", unsafe.Sizeof(values), 16},
		{"gpio_v2_line_values.mask", unsafe.Offsetof(values.Mask), 8},
		{"sizeof gpio_v2_line_event", unsafe.Sizeof(event), 48},
		{"gpio_v2_line_event.id", unsafe.Offsetof(event.Id), 8},
		{"gpio_v2_line_event.offset", unsafe.Offsetof(event.Offset), 12},
		{"gpio_v2_line_event.seqno", unsafe.Offsetof(event.Seqno), 16},
		{"gpio_v2_line_event.line_seqno", unsafe.Offsetof(event.Line_seqno), 20},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d, want %d", c.what, c.got, c.want)
		}
	}
	// The size of an argument is part of an ioctl's number.
	for number, size := range map[uint32]uintptr{
		unix.GPIO_GET_CHIPINFO_IOCTL:       unsafe.Sizeof(chip),
		unix.GPIO_V2_GET_LINEINFO_IOCTL:    unsafe.Sizeof(info),
		unix.GPIO_V2_GET_LINE_IOCTL:        unsafe.Sizeof(req),
		setConfigIoctl:                     unsafe.Sizeof(config),
		unix.GPIO_V2_LINE_GET_VALUES_IOCTL: unsafe.Sizeof(values),
		unix.GPIO_V2_LINE_SET_VALUES_IOCTL: unsafe.Sizeof(values),
	} {
		if got := uintptr(number >> 16 & 0x3fff); got != size {
			t.Errorf("ioctl %#x is for %d bytes, the structure has %d", number, got, size)
		}
	}
}
