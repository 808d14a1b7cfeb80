package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/books"
	"stump/internal/identity"
	"stump/internal/inbox"
)

// unknown shows a tag that nobody has at the reader, and returns its row's id.
func (p *pages) unknown(last byte, fits checkout.SubjectKind) string {
	p.Helper()
	tag := checkout.Tag{Bits: 26}
	tag.Value[15] = last
	p.ok(p.books.NoteRefusals([]checkout.Refusal{{Tag: tag, Unknown: true, Fits: fits, Count: 2, Reader: "door", Reason: "unknown"}}))
	all, err := p.books.UnknownTags()
	p.ok(err)
	i := slices.IndexFunc(all, func(t books.SeenTag) bool { return t.Number == fmt.Sprint("…", last) })
	return all[i].ID
}

// TestInbox: what the page lists, to whom, and what its forms do.
func TestInbox(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(root, "GET", "/inbox", nil)
	p.has("nothing", page, "Nothing to do.", `href="/inbox" aria-current="page"`, `!class="todo"`)

	badge, phone := p.unknown(77, checkout.KindPerson), p.unknown(78, checkout.KindDevice)
	p.conditions = map[string][]selftest.Condition{"door": {{Name: "reader-silent", Text: "silent for <2> days", Remedy: "show a card; run `stump selftest`"}, {Name: "not-saved", Text: "/var/lib/stump is full"}}}
	name, why := "Ben <i>", "not known <there>"
	p.status = directory.Status{
		Sinks: []directory.SinkStatus{{Name: "directory", State: "up", Stuck: []directory.Row{
			{ID: "17", State: "conflict", Reason: why, Event: books.EntryJSON{Kind: checkout.Checkout, Person: &name}, Theirs: &books.Holding{Free: true}},
			{ID: "18@hook", State: "parked", Reason: "404", Event: books.EntryJSON{Kind: checkout.Return}},
		}}},
		Doubts:  []directory.DoubtRow{{ID: "5", DeviceID: "ipad", Event: books.EntryJSON{Kind: checkout.Checkout, Person: &name}, Theirs: "free there"}},
		Orphans: []directory.Orphan{{Name: "old", Rows: 3}},
	}
	_, page = p.ask(root, "GET", "/inbox", nil)
	p.has("an admin", page, `<b class="todo">8</b>`, "Unknown badge", "Unknown device", "/var/lib/stump is full", "shown 2×, last 12:00 at door", "silent for &lt;2&gt; days", "run the self-test", `<a href="/stations">Stations</a></p>`,
		"Ben &lt;i&gt;", "!<i>", "Not known &lt;there&gt;", "In the directory", "free there", `href="/devices/ipad"`, "Accept: it is as it is here.", `value="18@hook"`, `value="all@old"`,
		`action="/inbox/drop"`, `<option value="person" selected>`, `<option value="Ann Okafor">`)
	_, page = p.ask(tess, "GET", "/inbox", nil)
	p.has("a technician", page, `<b class="todo">4</b>`, "Unknown badge", "silent for &lt;2&gt; days", "not-saved", "!/var/lib", "!/inbox/drop", "!Ann Okafor", `<option value="Quest">`, `!<option value="person"`)
	_, page = p.ask(ann, "GET", "/", nil)
	p.has("staff", page, "!/inbox")

	post := func(answer string, form url.Values, status int, says ...string) {
		t.Helper()
		w, page := p.ask(root, "POST", "/inbox/"+answer, form)
		if w.Code != status {
			t.Errorf("%s %v: %d %s", answer, form, w.Code, page)
		}
		if p.has(answer, page, says...); status == http.StatusSeeOther && w.Header().Get("Location") != "/inbox?saved" {
			t.Errorf("%v", w.Header())
		}
	}
	post("assign", url.Values{"id": {phone}, "kind": {"device"}, "name": {"quest 4"}}, http.StatusConflict, `role="alert"`, `value="quest 4"`)
	post("assign", url.Values{"id": {phone}, "kind": {"device"}, "name": {"Quest"}}, http.StatusSeeOther)
	post("assign", url.Values{"id": {phone}, "kind": {"device"}, "name": {"ipad"}}, http.StatusConflict, "no unknown tag any more")
	post("ignore", url.Values{"id": {badge}}, http.StatusSeeOther)
	if d, err := p.books.FindDevice("quest 3"); err != nil || !d.HasTag() {
		t.Errorf("%+v %v", d, err)
	}
	if all, err := p.books.UnknownTags(); err != nil || len(all) > 0 {
		t.Errorf("%v %v", all, err)
	}
	post("retry", url.Values{"id": {"18@hook"}}, http.StatusSeeOther)
	post("accept", url.Values{"id": {"17"}}, http.StatusSeeOther)
	post("drop", url.Values{"id": {"all@old"}, "note": {"it is gone"}}, http.StatusSeeOther)
	if want := []string{"retry 18@hook", "accept 17 root", "drop all@old root web it is gone"}; !slices.Equal(p.said, want) {
		t.Errorf("%q, want %q", p.said, want)
	}
}

// TestInboxCounts: the number of things to do is on every page of those who can do them.
func TestInboxCounts(t *testing.T) {
	p := newPages(t, nil)
	p.unknown(79, checkout.Unknown)
	for _, who := range []identity.Principal{tess, root} {
		_, page := p.ask(who, "GET", "/devices", nil)
		p.has(who.Name, page, `<b class="todo">1</b>`)
	}
}

// TestInboxIsCountedOnce: what waits is looked for once while nothing happens, however many
// pages say how much it is; who has another role has their own number, and the page that lists
// it looks anew.
func TestInboxIsCountedOnce(t *testing.T) {
	looked := 0
	p := newPages(t, func(o *Options) {
		waiting := o.Inbox.Waiting
		o.Inbox.Waiting = func(r *http.Request) ([]inbox.Row, error) {
			looked++
			return waiting(r)
		}
	})
	p.conditions = map[string][]selftest.Condition{"door": {{Name: "reader-silent"}}}
	see := func(who identity.Principal, path string, times int, says string) {
		t.Helper()
		before := looked
		_, page := p.ask(who, "GET", path, nil)
		if p.has(path, page, says); looked-before != times {
			t.Errorf("%s: %s looked %d times, want %d", path, who.Name, looked-before, times)
		}
	}
	see(root, "/devices", 1, `<b class="todo">1</b>`)
	for range 9 {
		see(root, "/devices", 0, `<b class="todo">1</b>`)
	}
	see(tess, "/devices", 1, `<b class="todo">1</b>`)
	see(ann, "/devices", 0, `!class="todo"`)
	p.give("quest 3", "ann", noon)
	see(root, "/devices", 1, `<b class="todo">1</b>`)
	p.conditions = nil
	see(root, "/inbox", 1, "Nothing to do.")
	see(root, "/devices", 0, `!class="todo"`)
	p.unknown(80, checkout.KindDevice)
	see(root, "/inbox", 1, `<b class="todo">1</b>`)
	p.ask(root, "POST", "/inbox/ignore", url.Values{"id": {p.unknown(80, checkout.KindDevice)}})
	see(root, "/devices", 1, `!class="todo"`)
}

// TestInboxOfLab: what the stations of a lab did not agree on is told with both stories, in the
// reader's language, and an admin accepts what the lab has.
func TestInboxOfLab(t *testing.T) {
	p := newPages(t, nil)
	p.disputes = disputed()
	_, page := p.ask(tess, "GET", "/inbox", nil)
	p.has("a technician", page, "Nothing to do.")
	_, page = p.ask(root, "GET", "/inbox", nil)
	p.has("in English", page, "Stations did not agree", "iPad &lt;1&gt; was moved at south, which did not know who had it", "<b>north</b>", "Ann Okafor", "Who bumped last has it.",
		`href="/devices/ipad"`, `href="/people/ben"`, "!In the directory", "!Retry", "<b>south</b>")
	_, page = p.ask(root, "GET", "/inbox", nil, "Accept-Language", "de")
	p.has("in German", page, "Stationen waren uneins", "wechselte an south", "Wer zuletzt angestoßen hat, hat es.", "das Feld name von Ben wurde auch an south geändert")
	if w, _ := p.ask(root, "POST", "/inbox/accept", url.Values{"id": {"lab-17"}}); w.Code != http.StatusSeeOther || !slices.Equal(p.said, []string{"accept lab-17 root"}) {
		t.Errorf("%d %q", w.Code, p.said)
	}
}

// disputed are two rows of a lab's inbox: who has a device, and what somebody is called.
func disputed() []inbox.Row {
	at := noon.Add(-time.Hour)
	return []inbox.Row{
		{ID: "lab-17", Kind: inbox.Conflict, What: "iPad <1> was moved at south, which did not know who had it", Why: new("who bumped last has it"), At: &at, Place: new("north"), DeviceID: new("ipad"),
			Here: new("Ben"), There: new("Ann Okafor"), Remedy: new("see who has it, then accept what is so here, or give or return it"), Answers: []inbox.Answer{inbox.Accept}},
		{ID: "lab-18", Kind: inbox.Conflict, What: "the field name of Ben was changed at south, too", Why: new("somebody had changed it since, and that counts"), At: &at, Place: new("south"), PersonID: new("ben"),
			Here: new("Ben"), There: new("Benjamin"), Remedy: new("accept it where the lab is right; else change it on its page first"), Answers: []inbox.Answer{inbox.Accept}},
	}
}
