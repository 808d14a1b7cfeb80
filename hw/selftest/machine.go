package selftest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Device is a file that the station has to open.
type Device struct {
	Path  string // "/dev/gpiochip0"
	Use   string // "the reader's lines"
	Group string // that may open it: "gpio", "i2c", "dialout"
}

// known are the models whose lines Stump finds by their names.
var known = regexp.MustCompile(`^Raspberry Pi|BeagleBone|PocketBeagle$|BeaglePlay`)

// board says which board it is, by the device tree's model.
func (s *tester) board(context.Context) Result {
	kernel := s.word("proc/sys/kernel/osrelease")
	if s.Simulated {
		return pass("simulated reader on Linux %s", kernel)
	}
	model := s.word("proc/device-tree/model")
	return verdicts{
		{model == "", bad(Warn, "Name the lines by chip and offset, as in data0 = \"pinctrl-bcm2711:17\".", "unknown board without a device tree, Linux %s", kernel)},
		{known.MatchString(model), pass("%s, Linux %s", model, kernel)},
		{true, bad(Warn, "Stump does not know this board's header. Name the lines by chip and offset, as in data0 = \"pinctrl-bcm2711:17\".", "%s, Linux %s", model, kernel)},
	}.first()
}

func (s *tester) word(name string) string { return word(s.root, name) }

// word is the first line of a small file, empty when it can't be read. Files of
// the device tree end with a NUL.
func word(root fs.FS, name string) string {
	b, _ := fs.ReadFile(root, name)
	w, _, _ := strings.Cut(strings.TrimRight(string(b), "\x00\n"), "\n")
	return strings.TrimSpace(w)
}

// power asks the supply's alarm, where the board has one, and the thermometers.
func (s *tester) power(context.Context) Result {
	low, known := UnderVoltage(s.root)
	hottest, measured := 0, ""
	zones, _ := fs.Glob(s.root, "sys/class/thermal/thermal_zone*/temp")
	for _, z := range zones {
		t, _ := strconv.Atoi(s.word(z))
		hottest = max(hottest, t) // thousandths of a degree
	}
	if hottest > 0 {
		measured = fmt.Sprintf(", board at %d °C", hottest/1000)
	}
	return verdicts{
		{low, bad(Fail, "Use a supply of 5.1 V and 2.5 A or more, with a short thick cable; feed the reader and the display's light from a supply of their own.", "under-voltage now: the board's 5 V is below 4.63 V%s", measured)},
		{hottest >= 80_000, bad(Warn, "The board slows down from 80 °C: give it air or a heat sink.", "hot%s", measured)},
		{!known, skip("this board can't measure its supply%s", measured)},
		{true, pass("no under-voltage%s", measured)},
	}.first()
}

// UnderVoltage reads a Raspberry Pi's supply alarm (kernel document
// hwmon/raspberrypi-hwmon); known is false on boards without one.
func UnderVoltage(root fs.FS) (low, known bool) {
	names, _ := fs.Glob(root, "sys/class/hwmon/hwmon*/name")
	for _, n := range names {
		if alarm := word(root, path.Join(path.Dir(n), "in0_lcrit_alarm")); alarm != "" && word(root, n) == "rpi_volt" {
			return alarm == "1", true
		}
	}
	return false, false
}

// permissions asks the kernel whether the station's files may be opened, without
// opening them: opening a serial port can reset the display on it.
func (s *tester) permissions(context.Context) Result {
	if len(s.Devices) == 0 {
		return pass("a simulated reader needs none")
	}
	var ok []string
	for _, d := range s.Devices {
		err := unix.Faccessat(unix.AT_FDCWD, d.Path, unix.R_OK|unix.W_OK, unix.AT_EACCESS)
		switch {
		case err == nil:
			ok = append(ok, d.Path)
		case errors.Is(err, fs.ErrPermission):
			return bad(Fail, d.permit(), "%s: permission denied; it is for %s", d.Path, d.Use)
		case errors.Is(err, fs.ErrNotExist):
			return bad(Fail, d.appear(), "%s is missing; it is for %s", d.Path, d.Use)
		default:
			return bad(Fail, "", "%s: %v", d.Path, err)
		}
	}
	return pass("may open %s", strings.Join(ok, ", "))
}

// permit is the remedy for a file that may not be opened, and appear for a
// missing one.
func (d Device) permit() string {
	return fmt.Sprintf("Add the user that runs Stump to the group %s (sudo usermod -aG %[1]s USER) and start Stump again. Where there is no such group, install Stump's udev rule.", d.Group)
}

func (d Device) appear() string {
	switch {
	case strings.HasPrefix(d.Path, "/dev/i2c"):
		return "Switch the I2C bus on (Raspberry Pi OS: sudo raspi-config, Interface Options, I2C) and restart."
	case strings.HasPrefix(d.Path, "/dev/serial"), strings.HasPrefix(d.Path, "/dev/tty"):
		return "Switch the serial port on and its login console off (Raspberry Pi OS: sudo raspi-config, Interface Options, Serial Port), or plug the adapter in."
	case strings.HasPrefix(d.Path, "/dev/gpiochip"):
		return "The chip's driver is not loaded, or the configuration names a chip of another board."
	}
	return "Check the path in the configuration."
}
