package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/books/bookstest"
	"stump/internal/clock"
	"stump/internal/identity"
	"stump/internal/sitekey"
)

// TestBooks: who asks by HTTP finds the books as they are. What only the server itself
// asks its books for (Made, Answered, Untag) is left out, and TestOnce and TestEnroll test
// what comes of it.
func TestBooks(t *testing.T) {
	bookstest.Run(t, func(t testing.TB) (books.Keeper, func() books.Keeper) {
		path, o := filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New(), Stamp: clock.Source{RTC: true}.Now}
		l, err := ledger.Create(path, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		far := func() books.Keeper { return &remote{Keeper: l, s: NewServer(Options{Ledger: l, Station: "lab"})} }
		return far(), func() books.Keeper {
			err := l.Close()
			if err == nil {
				l, err = ledger.Open(path, o)
			}
			if err != nil {
				t.Fatal(err)
			}
			return far()
		}
	}, "Once", "Untag")
}

// remote asks a server for the books.
type remote struct {
	books.Keeper // what a server has no call for
	s            *Server
	headers      []string
}

// ask sends a request and returns what is answered, or the error that it tells of.
func (k *remote) ask(method, path, body string, headers ...string) (*httptest.ResponseRecorder, error) {
	who := identity.Principal{Name: "test", Role: identity.Admin, Source: checkout.SourceAPI, Fresh: true, ID: "test"}
	w := tellAs(k.s, who, method, path, body, append(headers, k.headers...)...)
	var p wire.Problem
	if w.Code != 200 {
		_ = json.Unmarshal(w.Body.Bytes(), &p)
	}
	switch p.Code {
	case "":
		if w.Header().Get("Idempotency-Replayed") != "" {
			return w, &books.MadeError{}
		}
		return w, nil
	case wire.CodeNotFound:
		return w, &books.NotFoundError{}
	case wire.CodeAmbiguous:
		return w, &books.AmbiguousError{}
	case wire.CodeExists:
		return w, &books.ExistsError{}
	case wire.CodeTagTaken:
		return w, &books.TagTakenError{}
	case wire.CodeChanged:
		return w, &books.ChangedError{}
	case wire.CodeRefused:
		return w, fmt.Errorf("%w: %s", checkout.ErrRefused, p.Error)
	}
	if p.Code == wire.CodeInvalid && strings.Contains(p.Error, "is no place in this history") {
		return w, &books.CursorError{}
	}
	return w, errors.New(p.Error)
}

// object asks for an object, or changes something.
func (k *remote) object(method, path string, in, out any) (etag string, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	w, err := k.ask(method, path, string(body))
	if err == nil && out != nil {
		err = json.Unmarshal(w.Body.Bytes(), out)
	}
	return strings.Trim(w.Header().Get("ETag"), `"`), err
}

// rowsOf reads a list: a page as an object, the whole of it as lines.
func rowsOf[J any, T listed](k *remote, path string, p books.Page, q url.Values, row func(J) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var accept []string
		q.Set("q", p.Find)
		if p.Limit > 0 {
			q.Set("limit", fmt.Sprint(p.Limit))
		} else {
			accept = []string{"Accept", wire.LineType}
		}
		if p.After != "" {
			var row T
			_, history := any(row).(books.Entry)
			q.Set("after", cursor{plain: history}.of(p.After))
		}
		for name := range q {
			if q.Get(name) == "" {
				q.Del(name)
			}
		}
		w, err := k.ask("GET", path+"?"+q.Encode(), "", accept...)
		var page Page[J]
		if err == nil && p.Limit > 0 {
			err = json.Unmarshal(w.Body.Bytes(), &page)
		}
		for lines := json.NewDecoder(w.Body); err == nil && p.Limit == 0 && lines.More(); {
			var j J
			err = lines.Decode(&j)
			page.Items = append(page.Items, j)
		}
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		for _, j := range page.Items {
			if !yield(row(j), nil) {
				return
			}
		}
	}
}

func personOf(j wire.Person) books.Person {
	p := books.Person{ID: j.ID, Name: str(j.Name), Email: str(j.Email), Groups: checkout.GroupsOf(j.Groups...), Language: checkout.Language(str(j.Language))}
	if j.Badge != nil {
		p.Badges = []books.Badge{{Number: *j.Badge}}
	}
	for p.Status.String() != j.Status {
		p.Status++
	}
	return p
}

func deviceOf(j wire.Device) books.Device {
	return books.Device{ID: j.ID, Name: str(j.Name), Kind: str(j.Kind), Holder: str(j.PersonID), HolderName: str(j.Person), Condition: str(j.Condition), Kit: str(j.Kit),
		Details: books.Details{Serial: str(j.Serial), Place: str(j.Place), Note: str(j.Note), Link: str(j.Link), Out: checkout.Day(str(j.Out))}}
}

func (k *remote) People(p books.Page) iter.Seq2[books.Person, error] {
	return rowsOf(k, "people", p, url.Values{}, personOf)
}

func (k *remote) Devices(p books.Page) iter.Seq2[books.Device, error] {
	return rowsOf(k, "devices", p, url.Values{"repair": {fmt.Sprint(p.Repair)}}, deviceOf)
}

func (k *remote) Loans(f books.LoanFilter) iter.Seq2[books.Loan, error] {
	return rowsOf(k, "who", f.Page, url.Values{"person": {f.Person}, "device": {f.Device}, "overdue": {fmt.Sprint(f.Overdue)}, "due_soon": {fmt.Sprint(f.DueSoon)}, "missing": {fmt.Sprint(f.Missing)}}, func(j wire.Who) books.Loan {
		return books.Loan{Device: str(j.Device), DeviceID: str(j.DeviceID), Person: str(j.Person), PersonID: str(j.PersonID), Due: timeOf(j.Due)}.At(str(j.DeviceID))
	})
}

func (k *remote) History(f books.HistoryFilter) iter.Seq2[books.Entry, error] {
	return rowsOf(k, "history", f.Page, url.Values{"person": {f.Person}, "device": {f.Device}, "kind": {string(f.Kind)}}, func(j wire.History) books.Entry {
		return books.Entry{Event: eventOf(j)}
	})
}

func eventOf(j wire.History) checkout.Event {
	chain, _ := hex.DecodeString(str(j.Chain))
	ev := checkout.Event{
		Seq: j.Seq, ID: uuid.MustParse(j.ID), Kind: j.Kind, Actor: str(j.Actor), Source: checkout.Source(str(j.Source)),
		Device: str(j.DeviceID), Person: str(j.PersonID), PersonName: str(j.Person), From: str(j.FromID), Note: str(j.Note),
	}
	copy(ev.Chain[:], chain)
	return ev
}

func (k *remote) FindPerson(ref string) (books.Person, error) {
	var j wire.Person
	etag, err := k.object("GET", "people/"+client.Ref(ref), nil, &j)
	if err != nil {
		return books.Person{}, err
	}
	p := personOf(j)
	p.Revision = etag
	return p, nil
}

func (k *remote) FindDevice(ref string) (books.Device, error) {
	var j wire.Device
	etag, err := k.object("GET", "devices/"+client.Ref(ref), nil, &j)
	d := deviceOf(j)
	d.Revision = etag
	return d, err
}

func (k *remote) Parts(ref string) (all []books.Part, err error) {
	var j wire.DeviceShown
	_, err = k.object("GET", "devices/"+client.Ref(ref), nil, &j)
	for _, p := range j.Parts {
		all = append(all, books.Part{Device: deviceOf(p.Device), In: p.In, Missing: p.Missing})
	}
	return all, err
}

func (k *remote) Formerly(id string) ([]books.Former, error) {
	var j struct{ Was []books.Former }
	_, err := k.object("GET", "people/"+client.Ref(id), nil, &j)
	return j.Was, err
}

func (k *remote) event(path string, in any) (checkout.Event, error) {
	var j wire.History
	if _, err := k.object("POST", path, in, &j); err != nil {
		return checkout.Event{}, err
	}
	return eventOf(j), nil
}

func (k *remote) Give(r books.Request) (checkout.Event, error) {
	return k.event("give", wire.Give{Device: r.Device, Person: r.Person, Note: r.Note})
}

func (k *remote) Return(r books.Request) (checkout.Event, error) {
	return k.event("return", wire.Bring{Device: r.Device, Condition: r.Condition, Note: r.Note, Missing: r.Missing})
}

func (k *remote) Lose(r books.Request) (checkout.Event, error) {
	return k.event("devices/"+client.Ref(r.Device)+"/lost", wire.Said{Condition: r.Condition, Note: r.Note})
}

func (k *remote) Extend(r books.Request) (checkout.Event, error) {
	e := wire.Extend{Note: r.Note}
	if !r.Due.IsZero() {
		e.Due = &r.Due
	}
	return k.event("devices/"+client.Ref(r.Device)+"/extend", e)
}

func (k *remote) Find(r books.Request) (checkout.Event, error) {
	return k.event("devices/"+client.Ref(r.Device)+"/found", wire.Said{Condition: r.Condition, Note: r.Note})
}

// written is a tag as people write it; nil for none.
func written(tag checkout.Tag) *string {
	if tag.IsZero() {
		return nil
	}
	return known(fmt.Sprintf("raw%d:%d", tag.Bits, tag.Value[15]))
}

func (k *remote) AddPerson(p books.Person, badge checkout.Tag, _ string, _ checkout.Source) error {
	_, err := k.object("POST", "people", wire.PersonChange{ID: &p.ID, Name: &p.Name, Email: known(p.Email), Badge: written(badge), Groups: names(&p.Groups), Language: known(string(p.Language))}, nil)
	return err
}

func (k *remote) AddDevice(d books.Device, tag checkout.Tag, _ string, _ checkout.Source) error {
	_, err := k.object("POST", "devices", wire.DeviceChange{ID: &d.ID, Name: &d.Name, Kind: known(d.Kind), Kit: known(d.Kit), Tag: written(tag), Serial: known(d.Serial), Place: known(d.Place)}, nil)
	return err
}

// names are groups as they travel.
func names(g *checkout.Groups) *[]string {
	if g == nil {
		return nil
	}
	all := groupNames(*g)
	return &all
}

func statusOf(e books.Edit) *string {
	if e.Status == nil {
		return nil
	}
	return known(e.Status.String())
}

func (k *remote) EditPerson(ref string, e books.Edit, _ string, _ checkout.Source) error {
	_, err := k.object("PATCH", "people/"+client.Ref(ref), wire.PersonChange{Name: e.Name, Status: statusOf(e), Groups: names(e.Groups), Language: (*string)(e.Language)}, nil)
	return err
}

func (k *remote) EditDevice(ref string, e books.Edit, _ string, _ checkout.Source) error {
	_, err := k.object("PATCH", "devices/"+client.Ref(ref), wire.DeviceChange{Name: e.Name, Kit: e.Kit, Status: statusOf(e), Serial: e.Serial, Place: e.Place,
		Note: e.Note, Link: e.Link, Out: (*string)(e.Out), Condition: e.Condition}, nil)
	return err
}

func (k *remote) Import(_ context.Context, kind checkout.SubjectKind, rows iter.Seq2[books.ImportRow, error], o books.ImportOptions) (n books.Imported, err error) {
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	path := "people"
	if kind == checkout.KindDevice {
		path = "devices"
	}
	for r := range rows {
		header, row := []string{"id", "name", map[string]string{"people": "badge", "devices": "tag"}[path]}, []string{r.ID, r.Name, str(written(r.Tag))}
		if r.Has&books.HasGroups != 0 {
			header, row = append(header, "groups"), append(row, r.Groups.String())
		}
		if r.Has&books.HasLanguage != 0 {
			header, row = append(header, "language"), append(row, string(r.Language))
		}
		if r.Has&books.HasPlace != 0 {
			header, row = append(header, "place"), append(row, r.Place)
		}
		if kind == checkout.KindDevice {
			header, row = append(header, "person", "since", "due", "status"), append(row, r.Holder, stamped(r.Since), stamped(r.Due), r.Status)
		}
		if file.Len() == 0 {
			_ = w.Write(header)
		}
		_ = w.Write(row)
		w.Flush()
	}
	answer, err := k.ask("POST", fmt.Sprintf("%s/import?dry_run=%v", path, o.DryRun), file.String())
	if err != nil {
		return n, err
	}
	var j wire.Imported
	err = json.Unmarshal(answer.Body.Bytes(), &j)
	return books.Imported{Added: j.Added, Changed: j.Changed, Unchanged: j.Unchanged}, err
}

// stamped is a time as a file has it.
func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func (k *remote) MergePeople(old, into, _ string, _ checkout.Source) (checkout.Event, error) {
	return k.event("people/"+client.Ref(old)+"/merge", wire.Merge{Into: into})
}

func (k *remote) ErasePerson(ref, _ string, _ checkout.Source) error {
	_, err := k.object("POST", "people/"+client.Ref(ref)+"/erase", nil, nil)
	return err
}

func (k *remote) On(t books.Terms) books.Keeper {
	far := *k
	if t.Key != "" {
		far.headers = append(far.headers, keyHeader, t.Key)
	}
	if t.Revisions != nil {
		far.headers = append(far.headers, "If-Match", `"`+strings.Join(t.Revisions, `", "`)+`"`)
	}
	return &far
}
