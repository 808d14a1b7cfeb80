package bookstest

import (
	"fmt"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// day is the n-th from now on.
func day(n int) time.Time {
	return time.Now().Add(time.Duration(n) * 24 * time.Hour).Truncate(time.Second)
}

// wish is a reservation from a day to another, or for 0 a place in the line.
func (s *suite) wish(device, kind, person string, from, to int) books.Booking {
	w := books.Booking{Device: device, Kind: kind, Person: person, Actor: actor, Source: source}
	if to > 0 {
		w.From, w.To = day(from), day(to)
	}
	return w
}

// free are the ids of what is free between two days.
func (s *suite) free(from, to int) string {
	var all []string
	for _, d := range collect(s, s.Free(day(from), day(to))) {
		all = append(all, d.ID)
	}
	return strings.Join(all, " ")
}

// reserved is who has reserved what.
func (s *suite) reserved(f books.ReservationFilter) string {
	var all []string
	for _, r := range collect(s, s.Reservations(f)) {
		all = append(all, r.PersonID+":"+r.DeviceID+r.Kind)
	}
	return strings.Join(all, " ")
}

// reservations has what is reserved: by name, of a kind, in the line; and what is free.
func (s *suite) reservations() {
	for _, id := range []string{"ann", "ben"} {
		s.ok(s.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id)}, checkout.Tag{}, actor, source))
	}
	for _, id := range []string{"ipad", "pixel"} {
		s.ok(s.AddDevice(books.Device{ID: id, Name: "The " + id, Kind: "tablet"}, checkout.Tag{}, actor, source))
	}
	made, err := s.Reserve(s.wish("The ipad", "", "ANN", 2, 4))
	s.ok(err)
	same(s, "made", len(made), 1)
	same(s, "what", strings.Join([]string{made[0].DeviceID, made[0].Device, made[0].Kind, made[0].PersonID}, ","), "ipad,The ipad,,ann")
	same(s, "for two days", made[0].To.Sub(made[0].From), 48*time.Hour)
	_, err = s.Reserve(s.wish("ipad", "", "ben", 3, 5))
	s.is("twice", err, checkout.ErrRefused)
	_, err = s.Reserve(s.wish("", "tablet", "ben", 3, 5))
	s.ok(err)
	_, err = s.Reserve(s.wish("", "tablet", "ann", 3, 5))
	s.is("more than there are", err, checkout.ErrRefused)
	_, err = s.Reserve(s.wish("", "phone", "ann", 3, 5))
	s.is("of a kind that there is not", err, checkout.ErrRefused)
	_, err = s.Reserve(s.wish("ipad", "", "zoe", 8, 9))
	s.is("for nobody", err, books.ErrNotFound)
	_, err = s.Reserve(s.wish("ipad", "", "ben", 9, 8))
	s.is("backwards", err, checkout.ErrRefused)
	same(s, "free before", s.free(0, 2), "ipad pixel")
	same(s, "free meanwhile", s.free(3, 4), "")
	same(s, "free after", s.free(5, 6), "ipad pixel")

	_, err = s.Give(books.Request{Device: "pixel", Person: "ann", Actor: actor, Source: source})
	s.ok(err)
	_, err = s.Reserve(s.wish("pixel", "", "ben", 0, 0))
	s.ok(err)
	same(s, "all, the line first", s.reserved(books.ReservationFilter{}), "ben:pixel ann:ipad ben:tablet")
	same(s, "of a person", s.reserved(books.ReservationFilter{Person: "BEN"}), "ben:pixel ben:tablet")
	same(s, "of a device", s.reserved(books.ReservationFilter{Device: "ipad"}), "ann:ipad")
	same(s, "of a kind", s.reserved(books.ReservationFilter{Kind: "tablet"}), "ben:tablet")
	s.Keeper = s.reopen()
	same(s, "after a restart", s.reserved(books.ReservationFilter{}), "ben:pixel ann:ipad ben:tablet")

	_, err = s.CancelReservation(made[0].ID, "ben", "", "ben", source)
	s.is("that of another", err, checkout.ErrRefused)
	ev, err := s.CancelReservation(made[0].ID, "ann", "no need", "ann", source)
	s.ok(err)
	same(s, "the event", fmt.Sprint(ev.Kind, " ", ev.Person, " ", ev.Device, " ", ev.Note), "cancel ann ipad no need")
	_, err = s.CancelReservation(made[0].ID, "", "", actor, source)
	fails[*books.UnreservedError](s, "what has ended", err)
	same(s, "what is left", s.reserved(books.ReservationFilter{}), "ben:pixel ben:tablet")
	_, err = s.Return(books.Request{Device: "pixel", Actor: actor, Source: source})
	s.ok(err)
	kept := collect(s, s.Reservations(books.ReservationFilter{Device: "pixel"}))
	same(s, "who is next", fmt.Sprint(len(kept), kept[0].Kept, kept[0].From.IsZero()), "1 true false")
	var kinds []string
	for _, e := range collect(s, s.History(books.HistoryFilter{Person: "ben"})) {
		kinds = append(kinds, string(e.Kind))
	}
	same(s, "history", strings.Join(kinds, " "), "reserve reserve ready")
}
