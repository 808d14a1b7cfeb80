package reservation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A lab of a few devices of a kind, hour by hour. What the rules allow is done, and then the
// oracle tries every way in which the devices could be handed out: there must be one in which
// each booking has a device for itself, from when it begins until it is over.

// world is the lab of the model.
type world struct {
	shelf Shelf
	made  int // bookings, for their ids
}

const modelHour = time.Hour

// pass lets time go on, and forgets what is over.
func (w *world) pass(hours int) {
	w.shelf.Now = w.shelf.Now.Add(time.Duration(hours) * modelHour)
	over := func(b Booking) bool { return !b.To.After(w.shelf.Now) }
	w.shelf.Booked = slices.DeleteFunc(w.shelf.Booked, over)
	for i := range w.shelf.Devices {
		d := &w.shelf.Devices[i]
		d.Booked = slices.DeleteFunc(d.Booked, over)
	}
}

// drop removes a booking.
func (w *world) drop(id string) {
	is := func(b Booking) bool { return b.ID == id }
	w.shelf.Booked = slices.DeleteFunc(w.shelf.Booked, is)
	for i := range w.shelf.Devices {
		w.shelf.Devices[i].Booked = slices.DeleteFunc(w.shelf.Devices[i].Booked, is)
	}
}

// all are the bookings that there are.
func (w *world) all() []Booking {
	all := slices.Clone(w.shelf.Booked)
	for _, d := range w.shelf.Devices {
		all = append(all, d.Booked...)
	}
	return all
}

// use is a time for which a device is used.
type use struct{ from, to time.Time }

func (u use) meets(o use) bool { return u.from.Before(o.to) && o.from.Before(u.to) }

// doubled is the oracle: it tries all ways to hand out the devices, and says what is promised
// twice, "" for nothing.
func (w *world) doubled() string {
	now := w.shelf.Now
	of := func(b Booking) use {
		if b.From.Before(now) {
			b.From = now
		}
		return use{b.From, b.To}
	}
	taken := map[string][]use{}
	for _, d := range w.shelf.Devices {
		for i, b := range d.Booked {
			if d.Holder != "" && d.Holder != b.Person && d.Until.After(of(b).from) {
				return fmt.Sprintf("%s is lent to %s until %v, and %+v", d.ID, d.Holder, d.Until, b)
			}
			for _, o := range d.Booked[:i] {
				if of(b).meets(of(o)) {
					return fmt.Sprintf("%+v and %+v", b, o)
				}
			}
			taken[d.ID] = append(taken[d.ID], of(b))
		}
		if d.Holder != "" && d.Until.After(now) {
			taken[d.ID] = append(taken[d.ID], use{now, d.Until})
		}
	}
	var fits func(left []Booking) bool
	fits = func(left []Booking) bool {
		if len(left) == 0 {
			return true
		}
		u := of(left[0])
		for _, d := range w.shelf.Devices {
			if had := taken[d.ID]; !slices.ContainsFunc(had, u.meets) {
				taken[d.ID] = append(slices.Clone(had), u)
				if fits(left[1:]) {
					return true
				}
				taken[d.ID] = had
			}
		}
		return false
	}
	if !fits(w.shelf.Booked) {
		return fmt.Sprintf("too few of %v for %+v", taken, w.shelf.Booked)
	}
	return ""
}

// plain reports whether nothing is lent, and nothing reserved by its name: then a kind is
// counted without a rest.
func (w *world) plain() bool {
	return !slices.ContainsFunc(w.shelf.Devices, func(d Device) bool { return d.Holder != "" || len(d.Booked) > 0 })
}

// reserve makes a booking if the rules let it.
func (w *world) reserve(t *rapid.T, b Booking) {
	plain := w.plain()
	conflict := w.shelf.Book(b)
	w.made++
	b.ID = fmt.Sprint(w.made)
	with := *w
	with.shelf.Devices = slices.Clone(w.shelf.Devices)
	if b.Device == "" {
		with.shelf.Booked = append(slices.Clone(w.shelf.Booked), b)
		slices.SortStableFunc(with.shelf.Booked, func(a, b Booking) int { return a.From.Compare(b.From) })
	} else {
		d := with.shelf.device(b.Device)
		d.Booked = append(slices.Clone(d.Booked), b)
		slices.SortStableFunc(d.Booked, func(a, b Booking) int { return a.From.Compare(b.From) })
	}
	if conflict == nil {
		*w = with
	} else if b.Device == "" && plain && with.doubled() == "" {
		t.Fatalf("refused, though it fits: %+v, by %+v", b, conflict)
	}
}

// take lets a person take a device. Who is in the way now keeps it from them; who is later
// makes the loan shorter.
func (w *world) take(t *rapid.T, d *Device, person string, end time.Time) {
	got := w.shelf.Take(d.ID, person, end)
	if got.Before.ID != "" && !got.Before.From.After(w.shelf.Now) {
		return
	}
	if got.Fulfils.ID != "" && got.Fulfils.Person != person {
		t.Fatalf("%s fulfils %+v", person, got.Fulfils)
	}
	if !end.IsZero() && got.Fulfils.ID == "" && got.End.After(end) {
		t.Fatalf("the loan ends at %v, after %v", got.End, end)
	}
	w.drop(got.Fulfils.ID)
	d.Holder, d.Until = person, got.End
}

// turn keeps a device for who is next.
func (w *world) turn(t *rapid.T, device string, line []Booking) {
	b := w.shelf.Turn(device, line, 6*modelHour)
	if b.ID == "" || slices.ContainsFunc(w.all(), func(o Booking) bool { return o.ID == b.ID }) {
		return // nobody is next, or has reserved it already
	}
	w.made++
	b.ID = fmt.Sprint(w.made)
	d := w.shelf.device(device)
	d.Booked = append([]Booking{b}, d.Booked...)
	slices.SortStableFunc(d.Booked, func(a, b Booking) int { return a.From.Compare(b.From) })
}

// TestNeverDoubleBooked holds the rules to the oracle.
func TestNeverDoubleBooked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{shelf: Shelf{Now: monday}}
		for i := range rapid.IntRange(1, 4).Draw(t, "devices") {
			w.shelf.Devices = append(w.shelf.Devices, Device{ID: fmt.Sprint("d", i)})
		}
		person := rapid.SampledFrom([]string{"ann", "ben", "cem", "dia"})
		device := func() *Device {
			return &w.shelf.Devices[rapid.IntRange(0, len(w.shelf.Devices)-1).Draw(t, "device")]
		}
		span := func() (b Booking) {
			b.Person = person.Draw(t, "person")
			b.From = w.shelf.Now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "in")) * modelHour)
			b.To = b.From.Add(time.Duration(rapid.IntRange(1, 10).Draw(t, "for")) * modelHour)
			return b
		}
		end := func() (end time.Time) {
			if n := rapid.IntRange(0, 20).Draw(t, "lent for"); n > 0 {
				end = w.shelf.Now.Add(time.Duration(n) * modelHour)
			}
			return end
		}
		t.Repeat(map[string]func(*rapid.T){
			"time":    func(t *rapid.T) { w.pass(rapid.IntRange(1, 5).Draw(t, "hours")) },
			"reserve": func(t *rapid.T) { w.reserve(t, span()) },
			"reserve a device": func(t *rapid.T) {
				b := span()
				b.Device = device().ID
				w.reserve(t, b)
			},
			"take": func(t *rapid.T) { w.take(t, device(), person.Draw(t, "person"), end()) },
			"extend": func(t *rapid.T) {
				if d, end := device(), end(); d.Holder != "" {
					if w.shelf.Longer(d.ID, d.Holder, end).ID == "" {
						d.Until = end
					}
				}
			},
			"return": func(t *rapid.T) {
				d := device()
				d.Holder, d.Until = "", time.Time{}
				w.turn(t, d.ID, []Booking{{ID: "line", Person: person.Draw(t, "next")}})
			},
			"cancel": func(t *rapid.T) {
				if all := w.all(); len(all) > 0 {
					w.drop(all[rapid.IntRange(0, len(all)-1).Draw(t, "booking")].ID)
				}
			},
			"": func(t *rapid.T) {
				if why := w.doubled(); why != "" {
					t.Fatalf("promised twice at %v: %s", w.shelf.Now, why)
				}
			},
		})
	})
}
