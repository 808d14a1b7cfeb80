package daemon

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/mail"
	"stump/internal/books"
	"stump/internal/config"
	"stump/internal/console/settings"
)

// CheckFile reads a configuration file, and says what is right with it; also, which may be
// nil, finds more that is wrong. Nobody is called.
func CheckFile(file string, also func(*config.Config) error) (cfg *config.Config, says string, err error) {
	cfg, err = config.Load(file)
	if cfg == nil {
		return nil, "", err
	}
	closed, wrong := CheckHolidays(cfg)
	err = config.Join(err, CheckPlaces(cfg), wrong)
	if also != nil {
		err = config.Join(err, also(cfg))
	}
	if err != nil {
		return cfg, "", err
	}
	var b strings.Builder
	for _, w := range cfg.Warnings() {
		fmt.Fprintln(&b, "note: "+w)
	}
	if cfg.Path() == "" {
		fmt.Fprintln(&b, "no configuration file; the defaults are right")
	} else {
		fmt.Fprintln(&b, cfg.Path()+" is right")
	}
	if closed != "" {
		fmt.Fprintln(&b, "holidays: "+closed)
	}
	return cfg, b.String(), nil
}

// settings are what the page of settings asks.
func (d *Daemon) settings() settings.Station {
	cfg := d.o.Config
	s := settings.Station{Config: cfg.Write, Check: func() (string, error) {
		_, says, err := CheckFile(cfg.Path(), nil)
		return says, err
	}}
	if d.o.Office != nil {
		s.Check = d.o.Office.Check
	}
	if m := d.places.mail; m != nil {
		s.Mail = func(ctx context.Context, to books.Person) []call.Step {
			id, err := uuid.NewV7()
			if err != nil {
				return []call.Step{{Name: "message", Outcome: call.Outcome{Verdict: call.Failing, Reason: err.Error()}}}
			}
			return m.Test(ctx, checkout.Event{ID: id, At: wallClock(cfg).Now()}, mail.Content{Name: to.Name, Email: to.Email, Station: cfg.Station})
		}
	}
	return s
}
