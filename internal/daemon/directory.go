package daemon

import (
	"cmp"

	"stump/checkout"
	"stump/directory"
	"stump/internal/config"
	"stump/internal/credential"
)

// places are whom events are told to, and what they want to know.
type places struct {
	config    directory.Config
	directory directory.Directory
	webhooks  map[string]directory.Deliverer
}

// openPlaces reads the secrets and calls nobody.
func openPlaces(cfg *config.Config) (places, error) {
	c := cfg.Directory
	c.Webhooks, c.Station = cfg.Webhooks, cfg.Station
	c.ParseTag = func(s string) (checkout.Tag, error) {
		bits, err := credential.Parse(s, cfg.CardFormats())
		return credential.Tag(bits), err
	}
	dir, err := directory.Open(c)
	hooks, herr := directory.OpenWebhooks(c)
	return places{c, dir, hooks}, config.Join(cfg.Locate(err), cfg.Locate(herr))
}

// CheckPlaces says what is wrong with the directory and the webhooks of a
// configuration. It reads the secrets and calls nobody.
func CheckPlaces(cfg *config.Config) error {
	_, err := openPlaces(cfg)
	return err
}

// numbers reports whether one of the places is told the numbers of tags.
func (p places) numbers() bool {
	for _, w := range p.webhooks {
		if w.Capabilities().Tags {
			return true
		}
	}
	return p.directory.Capabilities().Tags
}

// newWorker returns what talks to the places.
func (d *Daemon) newWorker(p places) *directory.Worker {
	ledger := directory.Ledger{L: d.Ledger}
	return directory.NewWorker(directory.Options{
		Directory: p.directory, Webhooks: p.webhooks, Outbox: ledger, Register: ledger,
		Config: p.config, Logger: d.o.Log, Network: d.o.Network,
	})
}

func (d *Daemon) enrolPolicy() directory.EnrolPolicy {
	return directory.EnrolPolicy(cmp.Or(d.o.Config.Enroll.People, string(directory.EnrolKnown)))
}
