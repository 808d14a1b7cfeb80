package reader

import (
	"context"
	"fmt"
	"strings"

	"stump/internal/keyboard"
)

// usb is a reader that types, and no other program gets what it types.
type usb struct {
	path string
	keys *keyboard.Keys
	take func(Char)
}

// OpenUSB returns the reader at a path such as
// "/dev/input/by-id/usb-…-event-kbd". It may come and go.
func OpenUSB(path, layout string, s Setup) (Source, error) {
	u := &usb{path: path}
	var err error
	o := keyboard.Options{Layout: layout, Device: path, Reader: true, Logger: s.Log, Changed: s.Changed}
	u.keys, err = keyboard.NewKeys(o, func(k keyboard.Stroke) {
		u.take(Char{Time: s.Now(), Rune: k.Rune, Code: k.Code, Level: k.Level, Lost: k.Lost})
	})
	return u, err
}

// Run is Source's.
func (u *usb) Run(ctx context.Context, take func(Char)) error {
	u.take = take
	return u.keys.Run(ctx)
}

// Up is Source's.
func (u *usb) Up() error {
	if len(u.keys.Plugged()) > 0 {
		return nil
	}
	return u.keys.Err()
}

func (u *usb) String() string {
	if names := u.keys.Plugged(); len(names) > 0 {
		return fmt.Sprintf("%s at %s", strings.Join(names, ", "), u.path)
	}
	return u.path
}
