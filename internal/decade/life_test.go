package decade

import (
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/credential"
	"stump/wiegand"
)

// live plays day after day.
func (w *world) live(end time.Time) {
	for day := time.Now(); day.Before(end); day = day.AddDate(0, 0, 1) {
		w.day(day)
		if tomorrow := day.AddDate(0, 0, 1); tomorrow.Month() != day.Month() || !tomorrow.Before(end) {
			w.month()
		}
		w.figures.days++
	}
}

// whole is whether the station runs at night, too: on most days somebody switches it off,
// so that a life is not spent on nights in which nothing happens.
func whole(day time.Time) bool { return day.Day() <= 2 }

// The hours of the lab.
const (
	opens  = 8 * time.Hour
	closes = 17 * time.Hour
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
	for _, t := range visits {
		if t.After(time.Now().Add(4 * time.Second)) {
			sleep(t)
		} else {
			time.Sleep(4 * time.Second)
		}
		w.visit()
	}
	if whole(tomorrow) || whole(day) && whole(tomorrow) {
		return
	}
	time.Sleep(w.between(5*time.Minute, time.Hour))
	w.off()
}

// traffic is how many visits a day has.
func (w *world) traffic(day time.Time) int {
	if closed(day) {
		return w.dice.IntN(6)
	}
	return 60 + w.dice.IntN(60)
}

// power is the morning: the board gets its power, and soon the time.
func (w *world) power() {
	w.machine.boot()
	w.start()
	time.AfterFunc(w.between(2*time.Second, 2*time.Minute), func() { w.machine.hear(w.between(-50*time.Millisecond, 50*time.Millisecond)) })
	if w.people == nil {
		time.Sleep(5 * time.Minute)
		w.found()
	}
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
		time.Sleep(3 * time.Minute)
		defer w.halt()
	}
	w.check()
}

// found is the lab's first day.
func (w *world) found() {
	for range 30 {
		w.join()
	}
	for range 40 {
		w.buy()
	}
}

// join is somebody new.
func (w *world) join() {
	n := len(w.people)
	p := &person{id: fmt.Sprintf("p%d", n), name: fmt.Sprintf("%s %d", firstNames[n%len(firstNames)], n), badge: w.newCard(17)}
	w.people = append(w.people, p)
	w.must(w.st.Ledger.AddPerson(books.Person{ID: p.id, Name: p.name}, credential.Tag(w.bits(p.badge)), "admin", checkout.SourceCLI))
}

// buy is a new device.
func (w *world) buy() {
	n := len(w.devices)
	d := &device{id: fmt.Sprintf("d%d", n), name: fmt.Sprintf("Device %d", n), tag: w.newCard(200)}
	w.devices = append(w.devices, d)
	w.must(w.st.Ledger.AddDevice(books.Device{ID: d.id, Name: d.name}, credential.Tag(w.bits(d.tag)), "admin", checkout.SourceCLI))
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

// bump holds a card to the reader, and looks at the display.
func (w *world) bump(card string) {
	w.must(w.st.Sims[0].Present(w.bits(card)))
	time.Sleep(w.st.Sims[0].Remaining())
	before := w.rows()
	said := w.tap(card, time.Now())
	time.Sleep(answerTime)
	w.figures.bumps++
	if said == nil {
		said = before
	}
	w.expect(fmt.Sprintf("%s (%s)", card, w.owner(card).name()), said)
	fmt.Fprintln(w.told, time.Now().Unix(), w.rows())
}

// pause is how long people take between two bumps.
func (w *world) pause() { time.Sleep(w.between(1700*time.Millisecond, 8*time.Second)) }

// visit is somebody who comes to the desk.
func (w *world) visit() {
	p := pick(w, w.staff())
	switch n := w.dice.IntN(100); {
	case n < 45 || len(p.has) == 0: // takes something
		d := pick(w, w.inUse())
		if d.holder != nil && d.holder != p && w.chance(0.8) {
			d = pick(w, w.inUse())
		}
		w.pair(p, d)
	case n < 90: // brings something back
		w.pair(p, pick(w, p.has))
	case n < 93: // only says hello
		w.bump(p.badge)
	case n < 95: // wants to know who has it
		w.bump(pick(w, w.inUse()).tag)
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

// staff are who may borrow.
func (w *world) staff() (all []*person) {
	for _, p := range w.people {
		if !p.left {
			all = append(all, p)
		}
	}
	return all
}

// inUse are the devices that are lent.
func (w *world) inUse() (all []*device) {
	for _, d := range w.devices {
		if !d.retired {
			all = append(all, d)
		}
	}
	return all
}
