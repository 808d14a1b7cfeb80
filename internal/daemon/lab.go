package daemon

import (
	"fmt"

	"stump/hw/selftest"
	"stump/internal/hint"
	"stump/internal/lab"
	"stump/internal/safefile"
	"stump/internal/sitekey"
)

// newLab returns the task that speaks with the hub of the lab that the station is in, or
// will be.
func (d *Daemon) newLab() (err error) {
	o := lab.Options{
		Ledger: d.Ledger, Dir: d.o.StateDir, Version: d.o.Version, Fault: d.firstFault, URL: func() string { return d.web }, Now: wallClock(d.o.Config).Now,
		News: func() { d.Panel.Poke() }, Key: d.Ledger.SiteKey, Rekey: d.rekey, Stale: d.o.Config.Lab.Stale, Log: d.o.Log,
	}
	if d.o.Office != nil {
		o.Transport = d.o.Office.Hub
	}
	d.Lab, err = lab.New(o)
	return err
}

// rekey makes a site key the current one, and keeps the one before.
func (d *Daemon) rekey(key []byte) error {
	path := keyPath(d.o.Config, d.o.StateDir)
	had, err := sitekey.Load(path)
	if err != nil {
		return err
	}
	now := sitekey.Keys{Current: key, Old: append([][]byte{had.Current}, had.Old...)}
	// The file comes first: a ledger whose key is not in it does not open.
	if err := safefile.Write(path, now.File("Site key of the lab, then those that this stump had before."), 0o600); err != nil {
		return hint.Wrap(fmt.Errorf("keep the site key of the lab: %w", err), "if it is a systemd credential, put the key of the lab's first station there")
	}
	return d.Ledger.Rekey(now.Current, now.Old...)
}

// firstFault is what the lab hears of the station.
func (d *Daemon) firstFault() string {
	for _, r := range d.Readers {
		for _, c := range d.conditions()[r.Name] {
			if c.Name != labFault {
				return r.Name + ": " + c.Text
			}
		}
	}
	return ""
}

// labFault is the name of the condition that the hub is away.
const labFault = "lab"

// labConditions say that the hub is missed.
func (d *Daemon) labConditions() []selftest.Condition {
	s := d.Lab.Status()
	if !s.Stale {
		return nil
	}
	what, remedy := "the hub of the lab has not answered", "bumps go on, and are told when it answers"
	if s.Failure != nil {
		what = s.Failure.Error()
		if h := hint.Of(s.Failure); h != "" {
			remedy = h
		}
	}
	return []selftest.Condition{{Name: labFault, Text: what, Remedy: remedy}}
}
