package gpio

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// busy is the error for lines of which at least one is in use: it names that
// line and its holder.
func busy(chip int, on []Line) error {
	for _, l := range on {
		info, err := getLineInfo(chip, uint32(l.Offset))
		if err != nil || info.Flags&flagUsed == 0 {
			continue
		}
		chipName := filepath.Base(l.Chip)
		if c, err := getChipInfo(chip); err == nil {
			chipName = text(c.Name[:])
		}
		consumer := text(info.Consumer[:])
		err = fmt.Errorf("held by %s: %w", holder(chipName, l.Offset, consumer), unix.EBUSY)
		return &lineError{"request", l.String(), err, busyHint(consumer)}
	}
	return fail("request", on[0].String(), unix.EBUSY) // released in between
}

// busyHint knows the usual holders.
func busyHint(consumer string) string {
	switch {
	case strings.HasPrefix(consumer, "stump"):
		return "another stump is running: `stump selftest` asks it for the lines, stopping it frees them"
	case strings.HasPrefix(consumer, "P8_"), strings.HasPrefix(consumer, "P9_"):
		return "BeagleBone images claim every header pin: remove enable_uboot_cape_universal=1 from /boot/uEnv.txt and reboot"
	case strings.HasPrefix(consumer, "w1"), strings.Contains(consumer, "onewire"):
		return "the 1-Wire driver has this pin: remove dtoverlay=w1-gpio from config.txt and reboot, or choose another line"
	case consumer == "sysfs":
		return "a script exported this line through /sys/class/gpio: unexport it"
	}
	return hints[unix.EBUSY]
}

// holder names who holds a line: what the holder calls itself, and the process
// where the kernel (6.7 and later) and the permissions tell.
func holder(chip string, offset int, consumer string) string {
	name := "a holder without a name"
	if consumer != "" {
		name = fmt.Sprintf("%q", consumer)
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fdinfo/*")
	for _, f := range files {
		if holdsLine(f, chip, offset) {
			pid := strings.Split(f, "/")[2]
			comm, _ := os.ReadFile("/proc/" + pid + "/comm")
			return fmt.Sprintf("%s (process %s, %s)", name, pid, strings.TrimSpace(string(comm)))
		}
	}
	return name
}

// holdsLine reports whether a file in fdinfo is a request with that line. The
// kernel writes "gpio-chip:\tgpiochip0", then a "gpio-line:\t17" for each line
// (linereq_show_fdinfo in drivers/gpio/gpiolib-cdev.c).
func holdsLine(fdinfo, chip string, offset int) bool {
	f, err := os.Open(fdinfo)
	if err != nil {
		return false // the process has ended, or is another user's
	}
	defer f.Close()
	on := false
	for s := bufio.NewScanner(f); s.Scan(); {
		switch key, value, _ := strings.Cut(s.Text(), "\t"); key {
		case "gpio-chip:":
			on = value == chip
		case "gpio-line:":
			if on && value == fmt.Sprint(offset) {
				return true
			}
		}
	}
	return false
}
