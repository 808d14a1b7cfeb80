package decade

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"stump/checkout/ledger"
	"stump/internal/daemon"
)

// saved is a backup that an admin took off the board, with the key that is kept elsewhere.
type saved struct {
	at        time.Time
	file, key string
	seen      string // the last event in it
}

// save makes a backup.
func (w *world) save() {
	s := &saved{at: time.Now(), seen: w.seen, file: filepath.Join(w.dir, "backup.db"), key: filepath.Join(w.dir, "site.key")}
	w.must(w.st.Ledger.BackupTo(context.Background(), s.file))
	key, err := os.ReadFile(filepath.Join(w.state(), "site.key"))
	w.must(err)
	w.must(os.WriteFile(s.key, key, 0o600))
	w.saved = s
}

// restore is the death of a card some days after a backup. A new one gets the backup, and the
// directory has what happened since: an admin has the station believe it.
func (w *world) restore() {
	w.settle() // what the directory has not heard is lost with the card
	if !w.delivered() || w.reached() < time.Hour {
		return
	}
	s := w.saved
	w.saved, w.restored = nil, time.Now().Format(time.DateOnly)
	lost := w.state()
	w.disk++
	w.must(os.Mkdir(w.state(), 0o750))
	w.net.cut(w.st.cable)
	w.gone(lost)
	key, err := os.ReadFile(s.key)
	w.must(err)
	w.must(os.WriteFile(filepath.Join(w.state(), "site.key"), key, 0o600))
	from, err := os.Open(s.file)
	w.must(err)
	defer from.Close()
	w.power()
	time.Sleep(5 * time.Minute) // an empty station, which the admin stops
	w.halt()
	cfg := w.config(nil)
	r, err := daemon.RestoreLedger(context.Background(), cfg, w.state(), s.file, ledger.RestoreOptions{Actor: "admin", From: from, Fork: true})
	w.must(err)
	if r.BackupSeq == 0 {
		w.differ("a backup was restored that has no event: %v", r)
	}
	for _, p := range w.people {
		if p.erased && p.erasedAt.After(s.at) {
			p.erased = false // until the admin does it again
		}
	}
	// What was set aside keeps the names of whoever is erased later, until the admin, who
	// has a station that works again, removes it (docs/threat-model.md).
	aside, err := filepath.Glob(filepath.Join(w.state(), "ledger.db.replaced-*"))
	w.must(err)
	if len(aside) != 1 {
		w.differ("a restore set aside %q, want one ledger", aside)
	}
	for _, f := range aside {
		w.must(os.Remove(f))
	}
	w.power()
	time.Sleep(5 * time.Minute)
	w.must(w.st.Worker.Pull(context.Background(), true))
	for _, d := range w.devices {
		if d.holder != nil && d.since.After(s.at) {
			d.due, d.boot = time.Time{}, nil // as the directory says it, in its own words
		}
	}
	w.seen = s.seen
	w.passOver()
	time.Sleep(20 * time.Minute) // with the upkeep: somebody was perhaps erased just before the backup
	w.check()
	w.figures.restores++
}
