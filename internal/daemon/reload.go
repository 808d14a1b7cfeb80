package daemon

import (
	"context"
	"strings"

	"stump/internal/panel"
)

// reloads is the task that reads the configuration again when it is told to.
type reloads struct{ d *Daemon }

func (r reloads) String() string { return "reloads" }

// Run works until ctx is done.
func (r reloads) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.d.o.Reload:
			read := make(chan struct{})
			go func() { defer close(read); r.d.reload() }()
			select {
			case <-read:
			case <-ctx.Done(): // a disk that is away, or a pipe, may never be read
				return nil
			}
		}
	}
}

// reload takes over what can change while the station works, and says what can't. A
// configuration with faults changes nothing.
func (d *Daemon) reload() {
	now, err := d.o.Again()
	if err != nil {
		d.o.Log.Error("the configuration was not read again: the station goes on with the one it has", "err", err)
		return
	}
	texts, err := panel.NewCatalogue(now.Display.Language, now.Texts())
	if err != nil {
		d.o.Log.Error("the texts were not changed", "err", err)
		return
	}
	later := d.asked.Restarts(now)
	d.o.Level.Set(now.Level())
	d.Panel.Speak(texts)
	d.asked.TakeOver(now)
	if d.holidays != nil {
		d.holidays.Reload()
	}
	if len(later) > 0 {
		d.o.Log.Warn("some changes of the configuration need a restart", "keys", strings.Join(later, ", "))
	}
	d.o.Log.Info("configuration read again", "file", now.Path())
}
