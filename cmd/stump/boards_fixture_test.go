//go:build fixture

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stump/internal/gpiosim"
)

// boards are how the boards present themselves, model and compatible, and the
// label of the chip that has their data lines.
var boards = []struct{ model, compatible, label string }{
	{"Raspberry Pi Model B Rev 2", "raspberrypi,model-b-rev2", "pinctrl-bcm2835"},
	{"Raspberry Pi Model B Plus Rev 1.2", "raspberrypi,model-b-plus", "pinctrl-bcm2835"},
	{"Raspberry Pi 2 Model B Rev 1.1", "raspberrypi,2-model-b", "pinctrl-bcm2835"},
	{"Raspberry Pi 3 Model B Rev 1.2", "raspberrypi,3-model-b", "pinctrl-bcm2835"},
	{"Raspberry Pi 3 Model B Plus Rev 1.3", "raspberrypi,3-model-b-plus", "pinctrl-bcm2835"},
	{"Raspberry Pi 4 Model B Rev 1.4", "raspberrypi,4-model-b", "pinctrl-bcm2711"},
	{"Raspberry Pi 400 Rev 1.0", "raspberrypi,400", "pinctrl-bcm2711"},
	{"Raspberry Pi Compute Module 4 Rev 1.1", "raspberrypi,4-compute-module", "pinctrl-bcm2711"},
	{"Raspberry Pi Compute Module 5 Rev 1.0", "raspberrypi,5-compute-module", "pinctrl-rp1"},
	{"Raspberry Pi 5 Model B Rev 1.0", "raspberrypi,5-model-b", "pinctrl-rp1"},
	{"Raspberry Pi Zero Rev 1.3", "raspberrypi,model-zero", "pinctrl-bcm2835"},
	{"Raspberry Pi Zero 2 W Rev 1.0", "raspberrypi,model-zero-2-w", "pinctrl-bcm2835"},
	{"TI AM335x BeagleBone Black", "ti,am335x-bone-black", "gpio-0-31"},
	{"TI AM335x BeagleBone Green", "ti,am335x-bone-green", "gpio-0-31"},
	{"Banana Pi BPI-M1", "lemaker,bananapi", "1c20800.pinctrl"},
}

// TestKernelBoards runs `stump config check --board` under each board's device
// tree, with a chip of the kernel that has its label and line names.
func TestKernelBoards(t *testing.T) {
	dir := t.TempDir()
	var got strings.Builder
	for i, b := range boards {
		names := map[int]string{17: "GPIO17", 18: "GPIO18"}
		data0, data1 := "GPIO17", "pin 12"
		switch {
		case strings.HasPrefix(b.model, "TI"):
			names = map[int]string{28: "P9_12", 18: "P9_14"}
			data0, data1 = "P9_12", "P9_14"
		case strings.HasPrefix(b.model, "Banana"):
			data0, data1 = b.label+":17", "gpiochip0:18"
		}
		config := filepath.Join(dir, "stump.toml")
		text := fmt.Sprintf("[[reader]]\ndata0 = %q\ndata1 = %q\n[display]\nkind = \"none\"\n[keyboard]\ndevice = \"off\"\n", data0, data1)
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		chip, err := gpiosim.New(b.label, 54, names)
		if err != nil {
			t.Fatal(err)
		}
		proc := filepath.Join(dir, fmt.Sprint("proc", i))
		tree := filepath.Join(proc, "device-tree")
		if err := os.MkdirAll(tree, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"model": b.model, "compatible": b.compatible} {
			if err := os.WriteFile(filepath.Join(tree, name), []byte(value+"\x00"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := stumpCommand("--config", config, "config", "check", "--board")
		if err := syscall.Mount(proc, "/proc", "", syscall.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		out, runErr := cmd.CombinedOutput()
		if err := syscall.Unmount("/proc", 0); err != nil {
			t.Fatal(err)
		}
		chip.Close()
		if runErr != nil {
			t.Errorf("%s: %v", b.model, runErr)
		}
		fmt.Fprintf(&got, "$ stump config check --board  # %s, data0 = %q, data1 = %q\n%s\n", b.model, data0, data1, strings.ReplaceAll(string(out), dir, ""))
	}
	file := filepath.Join("testdata", "boards.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
