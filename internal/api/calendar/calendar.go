// Package calendar has the calendars that programs read at secret addresses: what is reserved
// of a device, for a person or in the lab, and when what the person has is due.
//
//	POST /v1/feeds                  makes an address, in place of the one before
//	DELETE /v1/feeds/{of}/{ref}     ends it
//	GET /v1/feeds/SECRET.ics        the calendar, of RFC 5545
//
// Whoever knows an address reads what a role reads, and nothing else of the station: without a
// login, since no calendar program can log in.
package calendar

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/loan/ical"
	"stump/directory/mail"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
)

// What a calendar is of.
const (
	OfDevice = "device"
	OfPerson = "person"
	OfLab    = "lab"
)

// mostAMinute is how often one calendar is read in a minute.
const mostAMinute = 60

// Desk makes and sends calendars.
type Desk struct {
	Books  books.Keeper
	Access *identity.Store
	// Me is who asks, in the register.
	Me func(*http.Request) (books.Person, error)
	// Site is where others reach the station, "" for nowhere.
	Site     func() string
	Station  string
	Language string // where somebody has none
	// Holders is the least role that sees who has what.
	Holders identity.Role
	Now     func() time.Time
}

// Make makes the address of any calendar, by an admin.
func (d Desk) Make(r *http.Request, in *wire.NewFeed) (any, error) {
	f, err := d.named(in.Of, in.Name)
	if err != nil {
		return nil, err
	}
	if f.Role = identity.Staff; in.Role != "" {
		if f.Role, err = identity.ParseRole(in.Role); err == nil && f.Role > identity.Staff {
			err = wrong("use board or staff", "role: a calendar shows what the roles board and staff see")
		}
	}
	if err != nil {
		return nil, err
	}
	return d.make(r, f)
}

// MakeMine makes the address of the calendar of who asks.
func (d Desk) MakeMine(r *http.Request) (any, error) {
	me, err := d.Me(r)
	if err != nil {
		return nil, err
	}
	return d.make(r, identity.Feed{Of: OfPerson, ID: me.ID, Role: identity.Staff})
}

func (d Desk) make(r *http.Request, f identity.Feed) (made wire.MadeFeed, err error) {
	site := d.Site()
	if site == "" {
		return made, &wire.CodedError{Code: wire.CodeNoWeb, Err: hint.Errorf(`set listen in the table [web] of the configuration, such as ":8443"`, "no calendar program can reach this station")}
	}
	f.By = identity.Of(r.Context()).Name
	f, secret, err := d.Access.MakeFeed(f)
	return wire.MadeFeed{Feed: f, URL: site + "/v1/feeds/" + secret + ".ics"}, err
}

// Revoke ends the address of any calendar, by an admin.
func (d Desk) Revoke(r *http.Request) (any, error) {
	of, ref := r.PathValue("of"), r.PathValue("ref")
	f, err := d.named(of, ref)
	if errors.Is(err, books.ErrNotFound) { // it has left the register
		f, err = identity.Feed{Of: of, ID: ref}, nil
	}
	if err != nil {
		return nil, err
	}
	return d.revoke(f.Of, f.ID)
}

// RevokeMine ends the address of the calendar of who asks.
func (d Desk) RevokeMine(r *http.Request) (any, error) {
	me, err := d.Me(r)
	if err != nil {
		return nil, err
	}
	return d.revoke(OfPerson, me.ID)
}

func (d Desk) revoke(of, id string) (any, error) {
	err := d.Access.RevokeFeed(of, id)
	var none *identity.FeedError
	if errors.As(err, &none) {
		err = &wire.CodedError{Code: wire.CodeNotFound, Err: err}
	}
	return struct{}{}, err
}

// Change makes the address of a calendar that somebody may have, or ends it.
func (d Desk) Change(r *http.Request, of, id string, revoke bool) (url string, err error) {
	if revoke {
		return "", d.Access.RevokeFeed(of, id)
	}
	made, err := d.make(r, identity.Feed{Of: of, ID: id, Role: identity.Staff})
	return made.URL, err
}

// named is the calendar of a device or person by id or name, or of the lab.
func (d Desk) named(of, ref string) (f identity.Feed, err error) {
	f.Of = of
	switch of {
	case OfDevice:
		var device books.Device
		device, err = d.Books.FindDevice(ref)
		f.ID = device.ID
	case OfPerson:
		var person books.Person
		person, err = d.Books.FindPerson(ref)
		f.ID = person.ID
	case OfLab:
	default:
		err = wrong("use device, person or lab", "of: %q has no calendar", of)
	}
	return f, err
}

func wrong(remedy, format string, args ...any) error {
	return &wire.CodedError{Code: wire.CodeInvalid, Err: hint.Errorf(remedy, format, args...)}
}

// Send sends the calendar of an address.
func (d Desk) Send(w http.ResponseWriter, r *http.Request) error {
	secret, _ := strings.CutSuffix(r.PathValue("file"), ".ics")
	f, err := d.Access.Feed(secret)
	if err != nil {
		return d.unknown(r, err)
	}
	if wait := d.Access.Failed("calendar "+f.Key(), mostAMinute); wait > 0 {
		return door.Slower(wait)
	}
	text, err := d.text(r, f)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("ETag", tag(text))
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Robots-Tag", "noindex")
	if fresh(r.Header.Get("If-None-Match"), tag(text)) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `inline; filename="stump.ics"`)
	_, err = w.Write([]byte(text))
	return err
}

// unknown is the answer to an address that is nobody's. Programs ask for a password on 401,
// and nobody has one.
func (d Desk) unknown(r *http.Request, err error) error {
	without := r.Clone(r.Context())
	without.URL.Path = "/v1/feeds/…" // what is almost right is a secret, too
	failed := door.Failed(d.Access, without, "calendar", identity.LoginFailures, err)
	var coded *wire.CodedError
	if errors.As(failed, &coded) && coded.Code == wire.CodeTooOften {
		return failed
	}
	return &wire.CodedError{Code: wire.CodeNotFound, Err: err}
}

// tag tells calendars apart by what they say, and not by when they say it.
func tag(text string) string {
	h := sha256.New()
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "DTSTAMP:") {
			h.Write([]byte(line))
		}
	}
	return fmt.Sprintf(`W/"%x"`, h.Sum(nil)[:12])
}

// fresh reports whether who asks has what is tagged so (RFC 9110, 13.1.2).
func fresh(has, tagged string) bool {
	for one := range strings.SplitSeq(has, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tagged, "W/") {
			return true
		}
	}
	return false
}

// text is a calendar.
func (d Desk) text(r *http.Request, f identity.Feed) (string, error) {
	names := f.Role >= d.Holders
	language, title, q := d.Language, d.Station, books.ReservationFilter{}
	switch f.Of {
	case OfDevice:
		device, err := d.Books.FindDevice(f.ID)
		if err != nil || device.ID != f.ID {
			return "", gone(err)
		}
		title, q.Device = device.Name, device.ID
	case OfPerson:
		me, err := d.Me(r.WithContext(identity.With(r.Context(), identity.Principal{Person: f.ID})))
		if err != nil {
			return "", gone(err)
		}
		if me.Status != checkout.Active {
			return "", gone(nil)
		}
		title, q.Person, language = d.Station+": "+me.Name, me.ID, cmp.Or(string(me.Language), language)
	}
	t := textsOf(language)
	cal := ical.NewWriter("", title, d.Now())
	for booked, err := range d.Books.Reservations(q) {
		if err != nil {
			return "", err
		}
		if booked.From.IsZero() {
			continue // nobody knows when it is their turn
		}
		cal.Add(ical.Entry{UID: "reservation-" + booked.ID + "-" + d.Access.Lab() + "@stump", Begin: booked.From, End: booked.To,
			Summary: t.summary(f.Of, booked, names), Location: d.Station})
	}
	if f.Of == OfPerson {
		if err := d.due(cal, q.Person, language); err != nil {
			return "", err
		}
	}
	return cal.Text(), nil
}

// due adds when the loans of a person end.
func (d Desk) due(cal *ical.Writer, person, language string) error {
	kits := map[string]bool{}
	var all []books.Loan
	for l, err := range d.Books.Loans(books.LoanFilter{Person: person, Now: d.Now()}) {
		if err != nil {
			return err
		}
		all, kits[l.DeviceID] = append(all, l), true
	}
	for _, l := range all {
		known := l.ClockTrusted || !l.Before.IsZero()
		if l.Due.IsZero() || !known || kits[l.Kit] { // a part comes back with its kit
			continue
		}
		e := mail.Loan{Device: l.Device, Due: l.Due, UID: fmt.Sprintf("%x-%d", l.Began.Chain[:8], l.Began.Seq)}.Entry(language, "stump")
		e.Location = d.Station
		cal.Add(e)
	}
	return nil
}

// gone is the answer where a calendar is of who or what is no longer in the register.
func gone(err error) error {
	var coded *wire.CodedError
	if err == nil || errors.Is(err, books.ErrNotFound) || errors.As(err, &coded) {
		return &wire.CodedError{Code: wire.CodeNotFound, Err: hint.Errorf("remove the calendar", "what this calendar is of is no longer in the register")}
	}
	return err
}
