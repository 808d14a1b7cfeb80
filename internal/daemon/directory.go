package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/directory"
	"stump/directory/call"
	"stump/directory/endpoints"
	"stump/directory/mail"
	"stump/directory/scim"
	"stump/directory/snipeit"
	"stump/directory/webhook"
	"stump/internal/config"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/internal/holidays"
)

// places are where events are delivered to, and the directory.
type places struct {
	directory directory.Directory
	webhooks  map[string]directory.Deliverer // and the mail server
	mail      *mail.Mail                     // nil without one
	alerts    *webhook.Webhook               // of [alerts]; nil without one
}

// openPlaces reads the secrets and calls nobody.
func openPlaces(cfg *config.Config) (places, error) {
	dir, err := openDirectory(cfg)
	hooks, herr := openWebhooks(cfg.Webhooks, cfg.Display.Language)
	post, merr := openMail(cfg, hooks)
	alerts, aerr := openAlerts(cfg)
	return places{dir, hooks, post, alerts}, config.Join(cfg.Locate(err), cfg.Locate(herr), cfg.Locate(merr), cfg.Locate(aerr))
}

func openDirectory(cfg *config.Config) (directory.Directory, error) {
	parse := func(s string) (checkout.Tag, error) {
		bits, err := cfg.ParseCard(s)
		return credential.Tag(bits), err
	}
	switch c := cfg.Directory; c.Kind {
	case "endpoints":
		return endpoints.New(c.EndpointsKeys, c.HTTP)
	case "snipeit":
		s, err := snipeit.New(c.SnipeITKeys, c.API, c.Badges, c.HTTP, parse)
		if err != nil {
			return nil, err
		}
		s.Wanted = loanRules(cfg, nil).Named()
		return s, nil
	case "scim":
		s, err := scim.New(c.API, c.Badges, c.HTTP, parse)
		if err != nil {
			return nil, err
		}
		s.Wanted = loanRules(cfg, nil).Named()
		return s, nil
	}
	return directory.Local{}, nil
}

// openWebhooks opens the webhooks, whose sentences are in a language.
func openWebhooks(tables []webhook.Config, language string) (map[string]directory.Deliverer, error) {
	hooks := map[string]directory.Deliverer{}
	for i, c := range tables {
		c.Language = language
		h, err := webhook.New(c)
		if bad, ok := errors.AsType[*call.KeyError](err); ok {
			bad.Index = i
		}
		if err != nil {
			return nil, err
		}
		bad := func(format string) error {
			return &call.KeyError{Table: "webhook", Index: i, Key: "name", Err: fmt.Errorf(format, h.Name())}
		}
		if h.Name() == directory.Main {
			return nil, bad("%q is the staff directory's own name")
		}
		if hooks[h.Name()] != nil {
			return nil, bad("two webhooks are called %q: give them a name each")
		}
		hooks[h.Name()] = h
	}
	return hooks, nil
}

// openMail opens the mail server, and adds it to the places that get events; nil if there
// is none.
func openMail(cfg *config.Config, places map[string]directory.Deliverer) (*mail.Mail, error) {
	if cfg.Mail.Server == "" {
		return nil, nil
	}
	if places[ledger.MailSink] != nil {
		return nil, &call.KeyError{Table: "mail", Key: "server", Err: hint.Errorf("give the webhook another name", "a webhook is called %q, too", ledger.MailSink)}
	}
	m, err := mail.New(cfg.Mail, mail.Options{Language: cfg.Display.Language})
	if err == nil && places != nil {
		places[ledger.MailSink] = m
	}
	return m, err
}

// CheckPlaces says what is wrong with the directory and the webhooks of a
// configuration. It reads the secrets and calls nobody.
func CheckPlaces(cfg *config.Config) error {
	_, err := openPlaces(cfg)
	return err
}

// CheckHolidays says what is wrong with the file of holidays, or on which days the lab is
// closed next; "" where that is not known.
func CheckHolidays(cfg *config.Config) (next string, err error) {
	if cfg.Loans.Holidays == "" || holidays.CheckSource(cfg.Loans.Holidays) != nil {
		return "", nil
	}
	next, err = holidays.Check(cfg.Loans.Holidays, time.Local, loan.DateOf(time.Now()))
	if err != nil {
		err = cfg.Locate(hint.Wrap(&call.KeyError{Table: "loans", Key: "holidays", Err: err}, hint.Of(err)))
	}
	return next, err
}

// numbers reports whether the directory needs the numbers of tags.
func (p places) numbers() bool {
	d, ok := p.directory.(directory.Deliverer)
	return ok && d.Capabilities().Tags
}

// warnOfSecrets says which secrets others on this board may read.
func warnOfSecrets(cfg *config.Config, log *slog.Logger) {
	files := []string{cfg.Directory.TokenFile, cfg.Directory.HashStringFile, cfg.Mail.PasswordFile, cfg.Alerts.SecretFile}
	for _, h := range cfg.Webhooks {
		files = append(files, h.SecretFile)
	}
	for _, f := range files {
		if secret := call.Secret(f); f != "" && secret.Exposed() {
			log.Warn("others on this board may read a secret: chmod 600", "file", secret.Path())
		}
	}
}

// newWorker returns what talks to the places.
func (d *Daemon) newWorker(p places) *directory.Worker {
	warnOfSecrets(d.o.Config, d.o.Log)
	var turn directory.Turn
	if _, pulls := p.directory.(directory.Puller); pulls {
		turn = d.Lab.Turn("read "+p.directory.String(), func() { d.Worker.Turned() })
	}
	return directory.NewWorker(directory.Options{
		Turn:      turn,
		Directory: p.directory, Webhooks: p.webhooks, Ledger: d.Ledger,
		Timing: d.o.Config.Directory.Timing, Logger: d.o.Log, Network: d.o.Network, Clock: wallClock(d.o.Config).Now, Moved: func() { d.Panel.Poke() },
	})
}
