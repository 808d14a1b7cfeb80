package decade

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"stump/checkout"
	"stump/directory/directorytest"
	"stump/internal/books"
	"stump/internal/credential"
)

// join is somebody new: the directory knows them, and the station soon.
func (w *world) join() *person {
	n := len(w.people)
	p := &person{n: n + 1, name: fmt.Sprintf("%s %04d", firstNames[n%len(firstNames)], n), badge: w.newCard(17), came: time.Now(), changed: time.Now()}
	p.id, p.email = slug(p.name), fmt.Sprintf("%s@lab.example", slug(p.name))
	w.people = append(w.people, p)
	w.snipe.Edit(func(s *directorytest.Snipe) {
		s.Users = append(s.Users, directorytest.SnipeUser{ID: p.n, Name: p.name, Num: p.badge, Email: p.email})
	})
	return p
}

// buy is a new device.
func (w *world) buy() *device {
	n := len(w.devices)
	d := &device{n: n + 1, name: fmt.Sprintf("Device %04d", n), tag: w.newCard(200), came: time.Now(), changed: time.Now()}
	d.id = slug(d.name)
	w.devices = append(w.devices, d)
	w.snipe.Edit(func(s *directorytest.Snipe) {
		s.Assets = append(s.Assets, &directorytest.SnipeAsset{ID: d.n, Name: d.name, Tag: d.tag})
	})
	return d
}

// slug is the id that a station makes of these names.
func slug(name string) string {
	return string(bytes.ReplaceAll(bytes.ToLower([]byte(name)), []byte(" "), []byte("-")))
}

// leave is somebody who has brought back everything, and is no longer in the directory.
func (w *world) leave(p *person) {
	p.left, p.changed = true, time.Now()
	w.snipe.Edit(func(s *directorytest.Snipe) {
		s.Users = slices.DeleteFunc(s.Users, func(u directorytest.SnipeUser) bool { return u.ID == p.n })
	})
}

// retire takes a device that nobody has out of use, in the directory.
func (w *world) retire(d *device) {
	d.retired, d.changed = true, time.Now()
	w.snipe.Edit(func(s *directorytest.Snipe) {
		s.Assets = slices.DeleteFunc(s.Assets, func(a *directorytest.SnipeAsset) bool { return a.ID == d.n })
	})
}

// renew gives somebody a new badge, in the directory.
func (w *world) renew(p *person) {
	p.replaced, p.badge, p.changed = append(p.replaced, p.badge), w.newCard(17), time.Now()
	w.snipe.Edit(func(s *directorytest.Snipe) {
		for i := range s.Users {
			if s.Users[i].ID == p.n {
				s.Users[i].Num = p.badge
			}
		}
	})
}

// evening is what changes in the directory when the lab is closed. Only few go at once: a
// station does not believe that many have.
func (w *world) evening() {
	if !w.net.works() {
		return // nobody hires while the network is away
	}
	idle := func(p *person) bool { return !p.left && len(p.has) == 0 && time.Since(p.came) > 60*24*time.Hour }
	if all := keep(w.people, idle); len(all) > 0 && w.chance(0.03) {
		w.leave(pick(w, all))
	}
	if len(keep(w.people, func(p *person) bool { return !p.left })) < 20 && w.chance(0.2) {
		w.join()
	}
	if all := keep(w.devices, func(d *device) bool { return !d.retired && d.holder == nil && time.Since(d.came) > 60*24*time.Hour }); len(all) > 0 && w.chance(0.03) {
		w.retire(pick(w, all))
	}
	if len(keep(w.devices, func(d *device) bool { return !d.retired })) < 24 && w.chance(0.2) {
		w.buy()
	}
	if all := keep(w.devices, func(d *device) bool { return d.holder != nil }); len(all) > 0 && w.chance(0.2) {
		pick(w, all).kept = time.Now().Add(w.between(10*24*time.Hour, 40*24*time.Hour))
	}
	if w.chance(0.03) {
		w.renew(pick(w, keep(w.people, func(p *person) bool { return !p.left })))
	}
}

// keep are those of a list that are wanted.
func keep[T any](all []T, want func(T) bool) (kept []T) {
	for _, v := range all {
		if want(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// lose reports a badge lost, which an admin does at the station; a new one comes from the
// directory.
func (w *world) lose(p *person) {
	lost := p.badge
	w.must(w.st.Ledger.EditPerson(p.id, books.Edit{LostBadge: books.BadgeRef{Tag: credential.Tag(w.bits(lost))}}, "admin", checkout.SourceCLI))
	w.renew(p)
	p.replaced = p.replaced[:len(p.replaced)-1]
	p.lost = append(p.lost, lost)
}

// erase has the station forget those who left long ago.
func (w *world) erase() {
	for _, p := range w.people {
		if p.left && !p.erased && time.Since(p.changed) > 60*24*time.Hour && w.reached() > 24*time.Hour {
			w.must(w.st.Ledger.ErasePerson(p.id, "admin", checkout.SourceCLI))
			p.erased, p.erasedAt = true, time.Now()
			w.figures.erased++
		}
	}
}

// checkErased looks for whoever was erased in all files of the station.
func (w *world) checkErased() {
	files, err := filepath.Glob(filepath.Join(w.state(), "*"))
	w.must(err)
	for _, f := range files {
		if st, err := os.Stat(f); err != nil || st.IsDir() {
			continue
		}
		b, err := os.ReadFile(f)
		w.must(err)
		for _, p := range w.people {
			if p.erased && p.erasedAt.Before(w.machine.booted) && (bytes.Contains(b, []byte(p.name)) || bytes.Contains(b, []byte(p.email))) {
				w.differ("%s was erased, and %s still has the name", p.name, filepath.Base(f))
			}
		}
	}
}

// checkRegister compares people and devices with the truth.
func (w *world) checkRegister() {
	people, devices := map[string]checkout.Status{}, map[string]checkout.Status{}
	for p, err := range w.st.Ledger.People(books.Page{}) {
		w.must(err)
		people[p.ID] = p.Status
	}
	for d, err := range w.st.Ledger.Devices(books.Page{}) {
		w.must(err)
		devices[d.ID] = d.Status
	}
	const late = 4 * 24 * time.Hour // it believes only after a while that somebody has gone
	same := func(id string, changed time.Time, got checkout.Status, known, gone, out bool, want checkout.Status) {
		switch {
		case time.Since(changed) < late:
		case gone && known:
			w.differ("%s was erased, and is in the register", id)
		case gone:
		case !known:
			w.differ("%s is not in the register", id)
		case out && got != want, !out && got != checkout.Active:
			w.differ("%s is %q in the register, and out of use: %v", id, got, out)
		}
	}
	for _, p := range w.people {
		got, known := people[p.id]
		same(p.id, p.changed, got, known, p.erased, p.left, checkout.Suspended)
	}
	for _, d := range w.devices {
		got, known := devices[d.id]
		same(d.id, d.changed, got, known, false, d.retired, checkout.Retired)
	}
}
