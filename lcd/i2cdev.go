package lcd

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/host/v3/sysfs"
)

// openI2C opens a bus of the kernel's i2c-dev driver (Documentation/i2c/
// dev-interface.rst) by its path, such as /dev/i2c-1, or by a link to it.
//
// Periph's bus reports success for a transfer that an adapter cut short
// (virtio-i2c, where nothing answers at the address). That is why backpack.open
// reads the port back.
func openI2C(path string) (i2c.BusCloser, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("display: %w (is I2C switched on?)", err)
	}
	var n int
	if _, err := fmt.Sscanf(filepath.Base(real), "i2c-%d", &n); err != nil {
		return nil, fmt.Errorf("display: %s is not an I2C bus, such as /dev/i2c-1", path)
	}
	bus, err := sysfs.NewI2C(n)
	if err != nil {
		return nil, fmt.Errorf("display: %w (may this user open it?)", err)
	}
	return bus, nil
}

// busHertz is the clock of a bus as the device tree sets it; 0 if unknown.
func busHertz(path string) uint32 {
	b, err := os.ReadFile(filepath.Join("/sys/bus/i2c/devices", filepath.Base(path), "of_node/clock-frequency"))
	if err != nil || len(b) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}
