package reader

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"stump/internal/keyboard"
)

// usb is a reader that types, and no other program gets what it types.
type usb struct {
	path string
	now  func() int64
	keys *keyboard.Keys
	take func(Char)
}

// OpenUSB returns the reader at a path such as
// "/dev/input/by-id/usb-…-event-kbd". It may come and go. now stamps the keys.
func OpenUSB(path, layout string, now func() int64, log *slog.Logger) (Source, error) {
	u := &usb{path: path, now: now}
	var err error
	u.keys, err = keyboard.NewKeys(keyboard.Options{Layout: layout, Device: path, Reader: true, Logger: log}, func(s keyboard.Stroke) {
		u.take(Char{Time: u.now(), Rune: s.Rune, Code: s.Code, Level: s.Level})
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
