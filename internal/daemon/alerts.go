package daemon

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"

	"stump/checkout/ledger"
	"stump/directory/call"
	"stump/directory/webhook"
	"stump/internal/alerts"
	"stump/internal/config"
	"stump/internal/hint"
)

// openAlerts opens the webhook that tells an admin of faults; nil if there is none.
func openAlerts(cfg *config.Config) (*webhook.Webhook, error) {
	a := cfg.Alerts
	if a.URL == "" {
		return nil, nil
	}
	h, err := webhook.New(webhook.Config{Name: "alerts", URL: a.URL, SecretFile: a.SecretFile, Format: a.Format, HTTP: a.HTTP, Language: cfg.Display.Language})
	if bad, ok := errors.AsType[*call.KeyError](err); ok {
		bad.Table = "alerts"
	}
	return h, err
}

// newAlerts makes the task that tells an admin of faults; nil if it would tell nobody.
func (d *Daemon) newAlerts() *alerts.Alerts {
	cfg := d.o.Config
	var to []alerts.Place
	if m := d.places.mail; m != nil && cfg.Alerts.Mail != "" {
		to = append(to, alerts.Place{Name: "mail", Send: func(ctx context.Context, a call.Alert) call.Outcome { return m.Alert(ctx, cfg.Alerts.Mail, a) }})
	}
	if h := d.places.alerts; h != nil {
		to = append(to, alerts.Place{Name: "webhook", Send: h.Alert})
	}
	if to == nil {
		return nil
	}
	return alerts.New(alerts.Options{
		Station: cfg.Station, Faults: d.faults, After: cfg.Alerts.After, Places: to, File: filepath.Join(d.o.StateDir, "alerts.json"),
		Stamp: wallClock(cfg).Now, Log: d.o.Log,
	})
}

// faults are what is wrong with the station. What can't be found out is a fault, too.
func (d *Daemon) faults() (all []call.Fault) {
	add := func(name, what, remedy string) { all = append(all, call.Fault{Name: name, What: what, Remedy: remedy}) }
	broken := func(name string, err error) { add(name, err.Error(), cmp.Or(hint.Of(err), "`stump status` says more")) }
	if h := d.Panel.Health(); !h.Up && h.Err != nil {
		add("display", "the display does not answer: "+h.Err.Error(), "check its plug and its power; bumps go on")
	}
	for reader, list := range d.readerConditions() {
		for _, c := range list {
			if c.Name == "clock" || c.Name == "under-voltage" { // the board's, told by each reader
				add(c.Name, c.Text, c.Remedy)
			} else {
				add(reader+"/"+c.Name, reader+": "+c.Text, c.Remedy)
			}
		}
	}
	for _, c := range d.sharedConditions() {
		add(c.Name, c.Text, c.Remedy)
	}
	info, err := d.Ledger.Info()
	switch {
	case info.Damaged != nil:
		broken("damaged", info.Damaged)
	case err != nil:
		broken("ledger", err)
	case info.Salvaged != nil:
		add("salvaged", info.Salvaged.String(), "seen it? `stump verify --seen` takes the notice away")
	}
	st, err := d.Worker.Status()
	if err != nil {
		broken("places", err)
		return all
	}
	for _, s := range st.Sinks {
		if reason, remedy := d.Worker.Trouble(s.Name); reason != "" && s.Name != ledger.MailSink { // which has a condition
			add("place/"+s.Name, reason, remedy)
		}
	}
	if p := st.Pull; p != nil && p.Error != nil {
		add("pull", "the register can't be read from "+st.Directory+": "+*p.Error, "`stump sync` says more")
	}
	return all
}
