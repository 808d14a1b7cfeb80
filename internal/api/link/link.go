// Package link has the page that a mail's link opens, on which somebody lets their loan end
// later without logging in.
//
//	GET /extend/TOKEN    shows what would happen: programs that read mail follow links
//	POST /extend/TOKEN   does it ─▶ GET, which shows what has happened
//
// The token names the loan and its due date, signed under the site key. It is good for that
// loan until that date is another one: whoever sends it twice extends once.
package link

import (
	"cmp"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"html"
	"io"
	"iter"
	"net/http"
	"time"

	"stump/checkout"
	"stump/checkout/loan"
	"stump/directory/mail"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Books are those that the page shows and changes.
type Books interface {
	FindPerson(ref string) (books.Person, error)
	Loans(books.LoanFilter) iter.Seq2[books.Loan, error]
	FindDevice(ref string) (books.Device, error)
	On(books.Terms) books.Keeper
}

// Page is the page of all links.
type Page struct {
	Books Books
	// Sign is what the i-th site key makes of a token, nil where there is no such key.
	Sign func(message []byte, i int) []byte
	// Rules are those of loans, and Extended is how often who has a device extended its loan.
	Rules    loan.Rules
	Extended func(books.Loan) (int, error)
	Access   *identity.Store
	Station  string
	Language string         // of the display's texts
	Zone     *time.Location // nil for the machine's
	Now      func() checkout.Stamp
	// Changed is told after a loan was extended; may be nil.
	Changed func()
}

const (
	named = 8 + 8 + 8 // of the loan's chain, its number, and the due date
	macLn = 16
)

// Token is what the link of a loan ends with.
func (p *Page) Token(l books.Loan) string {
	b := append([]byte(nil), l.Began.Chain[:8]...)
	b = binary.BigEndian.AppendUint64(b, l.Began.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(l.Due.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, p.Sign(b, 0)[:macLn]...))
}

// errToken: nobody here has signed it.
var errToken = errors.New("the link is not whole")

// found is the loan that a token names.
type found struct {
	loan books.Loan // none: it has ended
	ok   bool
	due  time.Time // as the token has it
}

// find reads a token, and the loan that it names.
func (p *Page) find(token string) (f found, err error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != named+macLn {
		return f, errToken
	}
	signed := false
	for i := 0; !signed; i++ {
		mac := p.Sign(b[:named], i)
		if mac == nil {
			return f, errToken
		}
		signed = hmac.Equal(mac[:macLn], b[named:])
	}
	f.due = time.Unix(int64(binary.BigEndian.Uint64(b[16:])), 0)
	for l, err := range p.Books.Loans(books.LoanFilter{Now: p.Now().Wall}) {
		if err != nil {
			return f, err
		}
		if string(l.Began.Chain[:8]) == string(b[:8]) && l.Began.Seq == binary.BigEndian.Uint64(b[8:]) {
			f.loan, f.ok = l, true
		}
	}
	return f, nil
}

// until is until when a loan would be, or why it can't be extended.
func (p *Page) until(l books.Loan) (time.Time, error) {
	n, err := p.Extended(l)
	if err != nil {
		return time.Time{}, err
	}
	since := l.Since.Truncate(time.Second)
	if !l.ClockTrusted {
		since = l.Before.Truncate(time.Second)
	}
	who, err := p.Books.FindPerson(l.PersonID)
	if err != nil {
		return time.Time{}, err
	}
	e := loan.Extension{Device: l.Device, Kind: l.Kind, Groups: who.AllGroups(), Since: since, Length: l.Due.Sub(since), Own: true, Before: n}
	if now := p.Now(); now.Trusted {
		e.Now = now.Wall
	}
	length, err := p.Rules.Extend(e)
	return since.Add(length), err
}

// Show shows what a link is for.
func (p *Page) Show(w http.ResponseWriter, r *http.Request) error {
	f, err := p.find(r.PathValue("token"))
	if err != nil {
		return p.wrong(w, r, err)
	}
	return p.show(w, f)
}

// Extend extends the loan of a link, once.
func (p *Page) Extend(w http.ResponseWriter, r *http.Request) error {
	f, err := p.find(r.PathValue("token"))
	if err != nil {
		return p.wrong(w, r, err)
	}
	if !f.ok || !f.loan.Due.Equal(f.due) {
		return p.show(w, f)
	}
	device, err := p.Books.FindDevice(f.loan.DeviceID)
	if err != nil {
		return err
	}
	again, err := p.find(r.PathValue("token")) // as of the revision, or later
	if err != nil {
		return err
	}
	if !again.ok || !again.loan.Same(f.loan) {
		return p.show(w, again)
	}
	keeper := p.Books.On(books.Terms{Kind: checkout.KindDevice, Ref: device.ID, Revisions: []string{device.Revision}})
	_, err = keeper.Extend(books.Request{Device: device.ID, Actor: f.loan.PersonID, Own: f.loan.PersonID, Source: checkout.SourceWeb})
	var changed *books.ChangedError
	switch {
	case errors.Is(err, checkout.ErrRefused), errors.As(err, &changed):
		// The page says so.
	case err != nil:
		return err
	case p.Changed != nil:
		p.Changed()
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, "/extend/"+r.PathValue("token"), http.StatusSeeOther)
	return nil
}

// wrong is the page of a link that is none.
func (p *Page) wrong(w http.ResponseWriter, r *http.Request, err error) error {
	if !errors.Is(err, errToken) {
		return err
	}
	t := textsOf(p.Language)
	status := http.StatusNotFound
	if p.Access != nil {
		failed := door.Failed(p.Access, r, "link", identity.LoginFailures, err)
		door.SayWait(w, failed)
		var coded *wire.CodedError
		if errors.As(failed, &coded) && coded.Code == wire.CodeTooOften {
			status = http.StatusTooManyRequests
		}
	}
	return p.page(w, p.Language, status, t.title, `<p role="alert">`+html.EscapeString(t.wrong)+"</p>\n")
}

// show shows a loan, with a button where it can be extended.
func (p *Page) show(w http.ResponseWriter, f found) error {
	language, e := p.Language, html.EscapeString
	if f.ok {
		who, err := p.Books.FindPerson(f.loan.PersonID)
		if err != nil {
			return err
		}
		language = cmp.Or(string(who.Language), language)
	}
	t := textsOf(language)
	if !f.ok {
		return p.page(w, language, http.StatusOK, t.title, "<p>"+e(t.ended)+"</p>\n")
	}
	when := func(due time.Time) string { return mail.When(language, due.In(cmp.Or(p.Zone, time.Local))) }
	body := fmt.Sprintf("<h2>%s</h2>\n<p>%s</p>\n", e(cmp.Or(f.loan.Device, f.loan.DeviceID)), e(fill(t.due, "{due}", when(f.loan.Due))))
	if !f.loan.Due.Equal(f.due) { // it was extended, by this link or otherwise
		body = fmt.Sprintf("<h2>%s</h2>\n<p role=\"status\">%s</p>\n", e(cmp.Or(f.loan.Device, f.loan.DeviceID)), e(fill(t.done, "{due}", when(f.loan.Due))))
		return p.page(w, language, http.StatusOK, t.title, body)
	}
	until, err := p.until(f.loan)
	switch {
	case errors.Is(err, checkout.ErrRefused):
		body += fmt.Sprintf("<p role=\"alert\">%s</p>\n", e(t.refused))
	case err != nil:
		return err
	default:
		body += fmt.Sprintf("<form method=\"post\"><p><button>%s</button></p></form>\n", e(fill(t.button, "{due}", when(until))))
	}
	return p.page(w, language, http.StatusOK, t.title, body)
}

// page sends a page in a language. No other may learn its address, which is the right to extend.
func (p *Page) page(w http.ResponseWriter, language string, status int, title, body string) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	e := html.EscapeString
	_, err := fmt.Fprintf(w, frame, textsOf(language).language, e(title), e(p.Station), e(title), body, e(p.Station))
	return err
}

// Style sends the pages' style sheet.
func Style(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, err := io.WriteString(w, style)
	return err
}

// None answers where no loan can be extended by a link.
func None(http.ResponseWriter, *http.Request) error {
	return &wire.CodedError{Code: wire.CodeNoRoute, Err: hint.Errorf("ask an admin", "no loan can be extended by a link here")}
}
