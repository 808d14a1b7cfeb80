package decade

import (
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"stump/wiegand"
)

// live plays day after day.
func (w *world) live(end time.Time) {
	w.outages(end)
	w.found()
	for day := time.Now(); day.Before(end); day = day.AddDate(0, 0, 1) {
		w.day(day)
		if tomorrow := day.AddDate(0, 0, 1); tomorrow.Month() != day.Month() || !tomorrow.Before(end) {
			w.month()
		}
		w.figures.days++
		if day.YearDay() == 1 && *years > 0 {
			w.t.Logf("%s: %d bumps, %d events, %v", day.Format(time.DateOnly), w.figures.bumps, w.figures.seq, used().cpu.Round(time.Second))
		}
	}
}

// whole is whether the station runs at night, too: on most days somebody switches it off,
// so that a life is not spent on nights in which nothing happens.
func whole(day time.Time) bool {
	return day.Day() == 1 || day.Month() == time.February && day.Day() == 29 || offset(day) != offset(day.AddDate(0, 0, 1))
}

// offset is that of a day's first hour from UTC, in seconds: it differs from the next day's
// where the clocks are changed.
func offset(day time.Time) int {
	_, s := day.Zone()
	return s
}

// The hours of the lab.
const (
	opens  = 10 * time.Hour
	closes = 15 * time.Hour
)

// at is a time of a day, by the clock on the wall.
func at(day time.Time, since time.Duration) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, int(since/time.Second), int(since%time.Second), time.Local)
}

// day is what happens on a day.
func (w *world) day(day time.Time) {
	tomorrow := day.AddDate(0, 0, 1)
	defer sleep(tomorrow)
	if closed(day) && !whole(day) {
		return
	}
	if w.st == nil {
		if !whole(day) {
			sleep(at(day, opens-10*time.Minute))
		}
		w.power()
	}
	var visits []time.Time
	for range w.traffic(day) {
		visits = append(visits, at(day, opens+w.between(0, closes-opens)))
	}
	slices.SortFunc(visits, time.Time.Compare)
	if w.chance(0.2) {
		w.jump()
	}
	for _, t := range visits {
		if t.After(time.Now().Add(4 * time.Second)) {
			sleep(t)
		} else {
			time.Sleep(4 * time.Second)
		}
		w.visit()
	}
	w.trouble(day)
	if whole(tomorrow) || whole(day) && whole(tomorrow) {
		return
	}
	time.Sleep(w.between(5*time.Minute, time.Hour))
	w.off()
	w.evening()
}

// trouble is what goes wrong on a day, when the others have gone.
func (w *world) trouble(day time.Time) {
	time.Sleep(2 * window) // nothing waits any more
	switch n := w.dice.IntN(100); {
	case w.saved != nil && n < 50:
		w.restore()
	case n < 3:
		w.corrode()
	case n < 8:
		w.dieInCommit()
	case n < 10:
		w.fill()
	case n < 11:
		w.wear()
	case n < 14:
		if p := pick(w, w.staff()); w.net.works() && w.saved == nil {
			w.lose(p)
		}
	case n < 60:
		w.calm()
	}
}

// traffic is how many visits a day has.
func (w *world) traffic(day time.Time) int {
	if closed(day) {
		return w.dice.IntN(6)
	}
	return *busy + w.dice.IntN(*busy/3)
}

// power is the morning: the board gets its power, and soon the time.
func (w *world) power() {
	w.machine.boot()
	w.start()
	now, off := w.machine.boots(), w.between(-50*time.Millisecond, 50*time.Millisecond)
	var ask func()
	ask = func() {
		switch {
		case w.machine.over(now):
		case w.net.reaches():
			w.machine.hear(off)
		default:
			time.AfterFunc(time.Minute, ask)
		}
	}
	time.AfterFunc(w.between(2*time.Second, 2*time.Minute), ask)
	if began := time.Now(); w.net.works() {
		time.AfterFunc(30*time.Second, func() {
			if w.net.works() {
				w.pulled.Store(&began)
			}
		})
	}
}

// heard is when the station heard all of the directory last.
func (w *world) heard() time.Time {
	if at := w.pulled.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// off is the evening: somebody stops the station, or pulls the plug.
func (w *world) off() {
	if w.chance(0.3) {
		w.cut()
	} else {
		w.halt()
	}
}

// month is the end of a month.
func (w *world) month() {
	if w.st == nil {
		w.power()
		defer w.halt()
	}
	// The daily upkeep begins ten minutes after the start. An admin who erases somebody waits
	// for it, and a bubble's time would wait for the admin.
	time.Sleep(3 * time.Minute)
	w.erase()
	w.settle()
	w.check()
	if w.saved == nil && w.net.works() && w.chance(0.05) {
		w.save()
	}
}

// settle waits until the directory has heard of everything, if it can be reached.
func (w *world) settle() {
	for n := 0; n < 40 && (n == 0 || !w.delivered()); n++ {
		time.Sleep(25 * time.Minute)
	}
}

// found is the lab's first day.
func (w *world) found() {
	w.upgrade()
	for range 20 {
		w.join()
	}
	for range 24 {
		w.buy()
	}
}

// bits are those of a card.
func (w *world) bits(card string) wiegand.Bits {
	var facility, number uint64
	_, err := fmt.Sscanf(card, "H10301:%d:%d", &facility, &number)
	w.must(err)
	v := facility<<16 | number
	return wiegand.BitsFromUint64(parity(v>>12)<<25|v<<1|(parity(v&0xfff)^1), 26)
}

// parity is 1 for an odd number of ones.
func parity(v uint64) (p uint64) {
	for ; v != 0; v >>= 1 {
		p ^= v & 1
	}
	return p
}

// answerTime is how soon a bump is answered, with the frame itself.
const answerTime = 300 * time.Millisecond

// bump holds a card to the reader, looks at the display, and reports whether it was read.
func (w *world) bump(card string) (read bool) {
	before := w.rows()
	if *trace {
		defer func() { w.t.Logf("%s %s: %s", time.Now().Format("2006-01-02 15:04:05.000"), card, quoted(w.rows())) }()
	}
	w.must(w.st.Sims[0].Present(w.bits(card)))
	time.Sleep(w.st.Sims[0].Remaining())
	said, act := w.tap(card, time.Now())
	time.Sleep(answerTime)
	w.figures.bumps++
	if said == nil {
		said = before
	}
	if read = w.fault == "" || !w.unread(before); read {
		act()
		w.expect(fmt.Sprintf("%s (%s)", card, w.owner(card).name()), said)
	}
	fmt.Fprintln(w.told, time.Now().Unix(), w.rows())
	return read
}

// pause is how long people take between two bumps.
func (w *world) pause() { time.Sleep(w.between(1700*time.Millisecond, 8*time.Second)) }

// visit is somebody who comes to the desk.
func (w *world) visit() {
	p := pick(w, w.staff())
	switch n := w.dice.IntN(100); {
	case n < 32 || len(w.handy(p)) == 0: // takes something
		d := pick(w, w.inUse())
		if d.holder != nil && d.holder != p && w.chance(0.8) {
			d = pick(w, w.inUse())
		}
		w.pair(p, d)
	case n < 62: // brings something back
		w.pair(p, pick(w, w.handy(p)))
	case n < 76: // only says hello
		w.bump(p.badge)
	case n < 88: // wants to know who has them
		for range 3 + w.dice.IntN(6) {
			w.bump(pick(w, w.inUse()).tag)
			time.Sleep(w.between(3*time.Second, 8*time.Second))
		}
	case n < 90: // holds the badge to the reader, which reads it again and again
		for range 3 {
			w.bump(p.badge)
			time.Sleep(w.between(100*time.Millisecond, time.Second))
		}
	case n < 92: // once more, at once: nothing is undone
		d := pick(w, w.inUse())
		w.pair(p, d)
		time.Sleep(3100*time.Millisecond - answerTime)
		w.bump(p.badge)
		time.Sleep(w.between(500*time.Millisecond, time.Second))
		w.bump(d.tag)
	case n < 94:
		w.stranger()
	case n < 97: // a card of another site
		w.bump(fmt.Sprintf("H10301:99:%d", 1+w.dice.IntN(60000)))
	default: // two at the desk: who bumped last takes it
		w.bump(pick(w, w.staff()).badge)
		w.pause()
		w.bump(p.badge)
		w.pause()
		w.bump(pick(w, w.inUse()).tag)
	}
	synctest.Wait()
}

// stranger is somebody who may not, with a card that the station knows.
func (w *world) stranger() {
	old := keep(w.people, func(p *person) bool {
		return time.Since(p.changed) > 4*24*time.Hour && w.reached() > 5*24*time.Hour && !p.erased && p.changed.Before(w.heard())
	})
	if len(old) == 0 {
		return
	}
	p := pick(w, old)
	switch {
	case p.left:
		w.bump(p.badge)
	case len(p.lost) > 0:
		w.bump(pick(w, p.lost))
	case len(p.replaced) > 0:
		w.bump(pick(w, p.replaced))
	default:
		if out := keep(w.devices, func(d *device) bool { return d.retired && time.Since(d.changed) > 4*24*time.Hour }); len(out) > 0 {
			w.bump(pick(w, out).tag)
		}
	}
}

// pair is a badge and a device, in any order.
func (w *world) pair(p *person, d *device) {
	a, b := p.badge, d.tag
	if w.chance(0.5) {
		a, b = b, a
	}
	w.bump(a)
	w.pause()
	w.bump(b)
}

// handy is what somebody has and thinks of.
func (w *world) handy(p *person) []*device {
	return keep(p.has, func(d *device) bool { return time.Now().After(d.kept) })
}

// staff are who may borrow.
func (w *world) staff() (all []*person) {
	for _, p := range w.people {
		if !p.left && p.changed.Before(w.heard()) {
			all = append(all, p)
		}
	}
	return all
}

// inUse are the devices that are lent.
func (w *world) inUse() (all []*device) {
	for _, d := range w.devices {
		if !d.retired && d.changed.Before(w.heard()) && time.Now().After(d.kept) {
			all = append(all, d)
		}
	}
	return all
}
