package board

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"stump/gpio"
)

// fakeHost is a host out of files, with chips that exist only here.
type fakeHost struct {
	host
	t     *testing.T
	chips map[string]*fakeChip // by path
	fail  map[string]error     // by path
}

type fakeChip struct {
	info  gpio.ChipInfo
	lines []gpio.LineInfo
}

func (c *fakeChip) Info() gpio.ChipInfo { return c.info }
func (c *fakeChip) Close() error        { return nil }

func (c *fakeChip) Line(i int) (gpio.LineInfo, error) {
	if i >= len(c.lines) {
		return gpio.LineInfo{}, unix.EINVAL
	}
	return c.lines[i], nil
}

func newHost(t *testing.T) *fakeHost {
	t.Helper()
	h := &fakeHost{t: t, chips: make(map[string]*fakeChip), fail: make(map[string]error)}
	h.root = t.TempDir()
	h.openChip = func(path string) (openChip, error) {
		if err := h.fail[filepath.Base(path)]; err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		if c, ok := h.chips[filepath.Base(path)]; ok {
			return c, nil
		}
		return nil, fmt.Errorf("%s is not a GPIO chip: %w", path, unix.ENOTTY)
	}
	return h
}

func (h *fakeHost) write(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *fakeHost) link(name, target string) {
	h.t.Helper()
	path := filepath.Join(h.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		h.t.Fatal(err)
	}
}

// tree writes a device tree.
func (h *fakeHost) tree(model string, revision string, compatible ...string) {
	h.write("proc/device-tree/model", model+"\x00")
	h.write("proc/device-tree/compatible", strings.Join(compatible, "\x00")+"\x00")
	if revision != "" {
		h.write("proc/device-tree/system/linux,revision", revision)
	}
}

// chip adds a chip of n lines at a device-tree address.
func (h *fakeHost) chip(name, label, address string, n int, lines ...string) *fakeChip {
	c := &fakeChip{info: gpio.ChipInfo{Path: "/dev/" + name, Name: name, Label: label, Lines: n}}
	for i := range n {
		l := gpio.LineInfo{Offset: i}
		if i < len(lines) {
			l.Name = lines[i]
		}
		c.lines = append(c.lines, l)
	}
	h.chips[name] = c
	h.write("dev/"+name, "")
	if address != "" {
		h.link("sys/bus/gpio/devices/"+name, "../../../devices/platform/soc/"+address+".gpio/"+name)
	}
	return c
}

// Line names of kernels, lines 0 to 27.
var (
	// Raspberry Pi OS since 2023, on 40-pin boards.
	namesPiOS = strings.Fields(`ID_SDA ID_SCL GPIO2 GPIO3 GPIO4 GPIO5 GPIO6 GPIO7 GPIO8 GPIO9 GPIO10 GPIO11 GPIO12
		GPIO13 GPIO14 GPIO15 GPIO16 GPIO17 GPIO18 GPIO19 GPIO20 GPIO21 GPIO22 GPIO23 GPIO24 GPIO25 GPIO26 GPIO27`)
	// Mainline, on 40-pin boards (bcm2711-rpi-4-b.dts).
	namesMainline = strings.Fields(`ID_SDA ID_SCL SDA1 SCL1 GPIO_GCLK GPIO5 GPIO6 SPI_CE1_N SPI_CE0_N SPI_MISO SPI_MOSI
		SPI_SCLK GPIO12 GPIO13 TXD1 RXD1 GPIO16 GPIO17 GPIO18 GPIO19 GPIO20 GPIO21 GPIO22 GPIO23 GPIO24 GPIO25 GPIO26 GPIO27`)
	// The first Model B, mainline (bcm2835-rpi-b.dts); "" as there.
	namesRev1 = []string{
		"SDA0", "SCL0", "SDA1", "SCL1", "GPIO_GCLK", "CAM_GPIO1", "LAN_RUN", "SPI_CE1_N", "SPI_CE0_N", "SPI_MISO",
		"SPI_MOSI", "SPI_SCLK", "", "", "TXD0", "RXD0", "STATUS_LED_N", "GPIO17", "GPIO18", "", "", "CAM_GPIO0",
		"GPIO22", "GPIO23", "GPIO24", "GPIO25", "", "GPIO27",
	}
	// Pi 5 kernels of late 2023 named lines after header pins.
	namesPi5Launch = func() []string {
		names := make([]string, 28)
		for _, p := range piPins(40) {
			if p.line() {
				names[p.offset] = "PIN" + p.Name
			}
		}
		return names
	}()
)

// boneNames are the names of a bank's lines in mainline kernels.
func boneNames(bank int) []string {
	names := make([]string, 32)
	for i := range names {
		names[i] = "NC"
	}
	for _, p := range bonePins {
		if p.bank == bank && p.offset >= 0 {
			names[p.offset] = p.name
		}
	}
	for _, f := range [][3]any{{0, 2, " [spi0_sclk]"}, {1, 18, " [ehrpwm1a]"}, {2, 6, " [hdmi]"}} {
		if f[0] == bank {
			names[f[1].(int)] += f[2].(string)
		}
	}
	return names
}

// bone adds the four chips in the order in which a kernel finds them, whose
// labels follow that order.
func (h *fakeHost) bone(banks [4]int, names func(bank int) []string) {
	for i, bank := range banks {
		h.chip(fmt.Sprintf("gpiochip%d", i), fmt.Sprintf("gpio-%d-%d", 32*i, 32*i+31), am335x[bank], 32, names(bank)...)
	}
}
