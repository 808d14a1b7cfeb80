package api

import (
	"encoding/base64"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/internal/api/client"
	"stump/internal/api/link"
	"stump/internal/books"
	"stump/internal/identity"
	"stump/internal/remind"
	"stump/internal/sitekey"
)

// linked is a station whose loans can be extended by links. Ann has the iPad.
type linked struct {
	*website
	l    *ledger.Ledger
	page *link.Page
}

func newLinked(t *testing.T, extensions int) *linked {
	t.Helper()
	rules := loan.Rules{Length: 24 * time.Hour, Extensions: extensions}
	stamp := func() checkout.Stamp { return checkout.Stamp{Wall: time.Now(), Trusted: true} }
	old, key := sitekey.New(), sitekey.New()
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab", SiteKey: key, Loans: rules, Stamp: stamp})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	x := &linked{website: newWebsite(t), l: l}
	seedLab(t, client.Local(newServer(t, l)))
	ring, err := sitekey.NewRing(key, [][]byte{old})
	if err != nil {
		t.Fatal(err)
	}
	x.page = &link.Page{Books: l, Sign: ring.Sign, Rules: rules, Extended: remind.New(remind.Options{Ledger: l}).Extended,
		Station: "lab", Zone: time.UTC, Now: stamp, Access: identity.Open(t.TempDir(), identity.Options{})}
	x.with(func(o *Options) { o.Ledger, o.Books, o.Extend, o.Access = l, nil, x.page, x.page.Access })
	return x
}

// loan is Ann's.
func (x *linked) loan() (l books.Loan) {
	x.Helper()
	for l, err := range x.l.Loans(books.LoanFilter{Device: "ipad"}) {
		if err != nil {
			x.Fatal(err)
		}
		return l
	}
	x.Fatal("nobody has it")
	return l
}

// see wants a page with some words, and a button or none.
func (x *linked) see(what, path string, status int, words string, button bool) {
	x.Helper()
	w := x.ask("GET", path, "")
	body := w.Body.String()
	if w.Code != status || !strings.Contains(body, words) || strings.Contains(body, "<button>") != button {
		x.Errorf("%s: %d, want %d, %q, a button %v:\n%s", what, w.Code, status, words, button, body)
	}
	if w.Header().Get("Referrer-Policy") != "no-referrer" || strings.Contains(body, "<style") || strings.Contains(body, "<script") || strings.Contains(body, "Ann") {
		x.Errorf("%s: %v\n%s", what, w.Header(), body)
	}
}

// post wants to be sent back to the page.
func (x *linked) post(what, path string) {
	x.Helper()
	if w := x.ask("POST", path, ""); w.Code != http.StatusSeeOther || w.Header().Get("Location") != path {
		x.Errorf("%s: %d to %q\n%s", what, w.Code, w.Header().Get("Location"), w.Body)
	}
}

// TestExtendLink: a link shows as often as it is asked, and extends once; it ends with the
// loan.
func TestExtendLink(t *testing.T) {
	x := newLinked(t, 2)
	before := x.loan()
	path := "/extend/" + x.page.Token(before)
	for range 3 { // programs follow links
		x.see("at first", path, 200, "Keep it until ", true)
	}
	if !x.loan().Same(before) {
		t.Fatal("a look has extended it")
	}
	x.post("extended", path)
	after := x.loan()
	if got := after.Due.Sub(before.Due); got != 24*time.Hour {
		t.Errorf("extended by %v", got)
	}
	x.see("then", path, 200, "You have it until ", false)
	for _, language := range []checkout.Language{"de", ""} {
		if err := x.l.EditPerson("ann", books.Edit{Language: &language}, "root", checkout.SourceCLI); err != nil {
			t.Fatal(err)
		}
		x.see("in her language", path, 200, map[checkout.Language]string{"de": `<html lang="de"`, "": `<html lang="en"`}[language], false)
	}
	if w := x.ask("POST", path, ""); w.Code != 200 || !x.loan().Same(after) {
		t.Errorf("posted twice: %d, due %v, want %v", w.Code, x.loan().Due, after.Due)
	}
	var history []string
	for e, err := range x.l.History(books.HistoryFilter{Kind: checkout.Extend}) {
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, e.Actor+" "+string(e.Source))
	}
	if len(history) != 1 || history[0] != "ann web" {
		t.Errorf("%q", history)
	}
	// The link of the next mail.
	path = "/extend/" + x.page.Token(after)
	x.post("the next link", path)
	path = "/extend/" + x.page.Token(x.loan())
	x.see("as often as the rules say", path, 200, "It can&#39;t be kept any longer this way", false)
	due := x.loan().Due
	x.post("once too often", path)
	if !x.loan().Due.Equal(due) {
		t.Error("extended once too often")
	}
	_, err := x.l.Return(books.Request{Device: "ipad", Actor: "root"})
	if err != nil {
		t.Fatal(err)
	}
	x.see("ended", path, 200, "nothing left to do", false)
	if w := x.ask("POST", path, ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, err := x.l.Give(books.Request{Device: "ipad", Person: "ann", Actor: "root"}); err != nil {
		t.Fatal(err)
	}
	x.see("of the loan before", path, 200, "nothing left to do", false)
	if w := x.ask("GET", "/extend.css", ""); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestExtendLinkAtOnce: of many that extend by one link at once, one does.
func TestExtendLinkAtOnce(t *testing.T) {
	x := newLinked(t, 9)
	before := x.loan()
	path := "/extend/" + x.page.Token(before)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if w := x.ask("POST", path, ""); w.Code != 200 && w.Code != http.StatusSeeOther {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	wg.Wait()
	if got := x.loan().Due.Sub(before.Due); got != 24*time.Hour {
		t.Errorf("extended by %v", got)
	}
}

// TestForgedLink: nobody extends by a link that the station has not made, or that is not
// whole; who tries is slowed down.
func TestForgedLink(t *testing.T) {
	x := newLinked(t, 1)
	before := x.loan()
	token := x.page.Token(before)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		forged := append([]byte(nil), raw...)
		forged[i] ^= 1
		path := "/extend/" + base64.RawURLEncoding.EncodeToString(forged)
		w := x.ask("POST", path, "")
		if w.Code != 404 && w.Code != 429 {
			t.Errorf("byte %d: %d %s", i, w.Code, w.Body)
		}
		if i > 30 && (w.Code != 429 || w.Header().Get("Retry-After") == "") {
			t.Errorf("after %d tries: %d %v", i, w.Code, w.Header())
		}
	}
	x.see("cut off", "/extend/"+token[:len(token)-1], 429, "not whole", false)
	x.see("the right one is not slowed down", "/extend/"+token, 200, "Keep it until ", true)
	if !x.loan().Same(before) {
		t.Error("extended")
	}
	x.with(func(o *Options) { o.Extend = nil })
	x.wants("without links", x.ask("GET", "/extend/"+token, ""), 404, "no-route")
}
