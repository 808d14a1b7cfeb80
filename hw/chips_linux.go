package hw

import "stump/gpio"

func openChip(path string) (Chip, error) {
	c, err := gpio.OpenChip(path)
	if err != nil {
		return nil, err // not a nil *gpio.Chip in an interface
	}
	return c, nil
}
