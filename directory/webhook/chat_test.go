package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/hint"
)

var (
	annTook = checkout.Event{
		Kind: checkout.Checkout, Station: "lab", Reader: "door", Person: "ann", PersonName: "Ann Okafor", Device: "ipad", DeviceName: "iPad Pro 13",
		At: checkout.Stamp{Wall: time.Date(2026, 11, 24, 10, 43, 0, 0, time.Local), Trusted: true}, // a Tuesday
	}
	justThen = annTook.At.Wall.Add(2 * time.Second)
)

// with is annTook, changed.
func with(change func(*checkout.Event)) checkout.Event {
	ev := annTook
	change(&ev)
	return ev
}

func lent(d time.Duration) checkout.Event { return with(func(ev *checkout.Event) { ev.Loan = d }) }

func asIs(s string) string { return s }

// TestSentences are in the language of the station; one that there is none of is English.
func TestSentences(t *testing.T) {
	from := func(k checkout.Kind) checkout.Event {
		return with(func(ev *checkout.Event) { ev.Kind, ev.From, ev.FromName = k, "ben", "Ben Ito" })
	}
	of := func(k checkout.Kind) checkout.Event { return with(func(ev *checkout.Event) { ev.Kind = k }) }
	badge := func(k checkout.Kind) checkout.Event {
		return with(func(ev *checkout.Event) { ev.Kind, ev.Device, ev.DeviceName = k, "", "" })
	}
	box := with(func(ev *checkout.Event) {
		*ev = checkout.Event{Kind: checkout.Incomplete, Device: "box-b", DeviceName: "Box B", Missing: []string{"Charger", "Cable"}, At: ev.At}
	})
	// The length is from the loan's beginning, weeks ago.
	kept := with(func(ev *checkout.Event) {
		ev.Kind, ev.Loan, ev.Due = checkout.Extend, 400*time.Hour, annTook.At.Wall.Add(72*time.Hour)
	})
	monday := time.Date(2026, 11, 30, 9, 0, 0, 0, time.Local)
	booked := func(k checkout.Kind, b checkout.Booking) checkout.Event {
		return with(func(ev *checkout.Event) { ev.Kind, ev.Booking = k, b })
	}
	days := checkout.Booking{From: monday, To: monday.AddDate(0, 0, 2)}
	headset := booked(checkout.Reserve, checkout.Booking{Kind: "headset", From: monday, To: monday.Add(2 * time.Hour)})
	headset.Device, headset.DeviceName = "", ""
	for _, c := range []struct {
		language string
		ev       checkout.Event
		want     string
	}{
		{"en", with(func(ev *checkout.Event) {
			*ev = checkout.Event{Kind: checkout.Return, From: "ben", FromName: "Ben Ito", Device: ev.Device, DeviceName: ev.DeviceName, At: ev.At}
		}), "Ben Ito returned iPad Pro 13"}, // into a box
		{"en", booked(checkout.Reserve, days), "Ann Okafor reserved iPad Pro 13, 2026-11-30 09:00 – 2026-12-02 09:00"},
		{"en", headset, "Ann Okafor reserved headset, 2026-11-30 09:00–11:00"},
		{"en", booked(checkout.Reserve, checkout.Booking{}), "Ann Okafor waits for iPad Pro 13"},
		{"en", booked(checkout.Cancel, days), "iPad Pro 13 is no longer reserved for Ann Okafor"},
		{"en", booked(checkout.Ready, days), "iPad Pro 13 is in the lab, kept for Ann Okafor, 2026-11-30 09:00 – 2026-12-02 09:00"},
		{"de", booked(checkout.Ready, days), "iPad Pro 13 liegt für Ann Okafor bereit, 2026-11-30 09:00 – 2026-12-02 09:00"},
		{"fr", booked(checkout.Cancel, days), "iPad Pro 13 n'est plus réservé pour Ann Okafor"},
		{"es", booked(checkout.Reserve, checkout.Booking{}), "Ann Okafor espera iPad Pro 13"},
		{"en", annTook, "Ann Okafor took iPad Pro 13"},
		{"", lent(72 * time.Hour), "Ann Okafor took iPad Pro 13, due Friday"},
		{"en", lent(6 * 24 * time.Hour), "Ann Okafor took iPad Pro 13, due Monday"},
		{"en", lent(7 * 24 * time.Hour), "Ann Okafor took iPad Pro 13, due 2026-12-01"},
		{"en", lent(4 * time.Hour), "Ann Okafor took iPad Pro 13, due 14:43"},
		{"en", lent(20 * time.Hour), "Ann Okafor took iPad Pro 13, due Wednesday"},
		{"en", with(func(ev *checkout.Event) { ev.Loan, ev.At.Trusted = 72*time.Hour, false }), "Ann Okafor took iPad Pro 13, due in 3 days"},
		{"en", with(func(ev *checkout.Event) { ev.Loan, ev.At.Trusted = 36*time.Hour, false }), "Ann Okafor took iPad Pro 13, due in 36 hours"},
		{"en", of(checkout.Return), "Ann Okafor returned iPad Pro 13"},
		{"en", from(checkout.Return), "Ann Okafor returned iPad Pro 13 for Ben Ito"},
		{"en", from(checkout.Handover), "Ben Ito handed iPad Pro 13 to Ann Okafor"},
		{"en", from(checkout.Lost), "iPad Pro 13 can't be found, Ben Ito had it"},
		{"en", of(checkout.Lost), "iPad Pro 13 can't be found"},
		{"en", badge(checkout.Lost), "A badge of Ann Okafor is lost"},
		{"en", of(checkout.Found), "iPad Pro 13 is there again"},
		{"en", badge(checkout.Enrol), "A badge was given to Ann Okafor"},
		{"en", with(func(ev *checkout.Event) { ev.Person, ev.PersonName, ev.PersonTag = "", "", "…066" }), "badge …066 took iPad Pro 13"},
		{"en", with(func(ev *checkout.Event) {
			ev.Kind, ev.Device, ev.DeviceName, ev.PersonTag = checkout.Resolve, "", "", "…066"
		}), "The unknown badge …066 is of Ann Okafor"},
		{"en", of(checkout.Retire), "retire: iPad Pro 13"},
		{"en", kept, "Ann Okafor keeps iPad Pro 13, due Friday"},
		{"de", kept, "Ann Okafor behält iPad Pro 13, zurück bis Freitag"},
		{"fr", kept, "Ann Okafor garde iPad Pro 13, à rendre pour vendredi"},
		{"es", kept, "Ann Okafor se queda iPad Pro 13, hasta viernes"},
		{"en", with(func(ev *checkout.Event) { ev.Kind, ev.Loan = checkout.Extend, time.Hour }), "Ann Okafor keeps iPad Pro 13"},
		{"en", box, "Box B came back without Charger, Cable"},
		{"de", box, "Box B kam ohne Charger, Cable zurück"},
		{"fr", box, "Box B est revenu sans Charger, Cable"},
		{"es", box, "Box B volvió sin Charger, Cable"},
		{"original", annTook, "Ann Okafor took iPad Pro 13"},
		{"de", lent(72 * time.Hour), "Ann Okafor hat iPad Pro 13 mitgenommen, zurück bis Freitag"},
		{"fr", lent(72 * time.Hour), "Ann Okafor a pris iPad Pro 13, à rendre pour vendredi"},
		{"es", lent(72 * time.Hour), "Ann Okafor se llevó iPad Pro 13, hasta viernes"},
		{"de", from(checkout.Handover), "Ben Ito hat iPad Pro 13 an Ann Okafor übergeben"},
		{"fr", of(checkout.Return), "Ann Okafor a rendu iPad Pro 13"},
		{"es", from(checkout.Return), "Ann Okafor devolvió iPad Pro 13 por Ben Ito"},
	} {
		if got := wordsOf(c.language).fields(c.ev, justThen, asIs).Text; got != c.want {
			t.Errorf("%s: %q, want %q", c.language, got, c.want)
		}
	}
	// What comes late says when it was, and no weekday, which would be another by then.
	want := "Ann Okafor took iPad Pro 13, due 2026-11-27 (2026-11-24 10:43)"
	if got := wordsOf("en").fields(lent(72*time.Hour), justThen.Add(50*time.Hour), asIs).Text; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestLanguagesAreWhole: every language has every sentence with the same placeholders.
func TestLanguagesAreWhole(t *testing.T) {
	for name, w := range languages {
		for _, kind := range append(kinds, checkout.Retire) {
			for _, from := range []string{"", "Ben"} {
				for _, device := range []string{"", "iPad"} {
					f := w.fields(checkout.Event{Kind: kind, PersonName: "Ann", PersonTag: "…1", FromName: from, From: from, Device: device, DeviceName: device,
						Loan: time.Hour, At: annTook.At}, justThen, asIs)
					if f.Text == "" || strings.ContainsAny(f.Text, "{}") {
						t.Errorf("%s, %s: %q", name, kind, f.Text)
					}
				}
			}
		}
	}
}

// chatReceiver takes what a chat takes, and refuses the rest as it does.
type chatReceiver struct {
	bodies []string
	texts  []string
}

func (r *chatReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	b, _ := io.ReadAll(req.Body)
	var m struct {
		Text        *string
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct{ Body []struct{ Type, Text string } }
		}
	}
	err := json.Unmarshal(b, &m)
	if err != nil || req.Header.Get("Content-Type") != "application/json" {
		m.Text, m.Type = nil, ""
	}
	switch {
	case m.Text != nil:
		r.texts = append(r.texts, *m.Text)
	case m.Type == "message" && len(m.Attachments) == 1 && m.Attachments[0].ContentType == "application/vnd.microsoft.card.adaptive":
		r.texts = append(r.texts, m.Attachments[0].Content.Body[0].Text)
	default:
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "no_text\n")
		return
	}
	r.bodies = append(r.bodies, string(b))
}

// openChat opens a webhook at a chat.
func openChat(t *testing.T, c Config) (*Webhook, *chatReceiver) {
	t.Helper()
	r := &chatReceiver{}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	c.Name, c.URL, c.HTTP = "chat", srv.URL, call.HTTP{Proxy: "none"}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h, r
}

func TestChatTakesIt(t *testing.T) {
	for _, format := range Formats[1:] {
		h, r := openChat(t, Config{Format: format})
		ev := annTook
		ev.At.Wall = time.Now()
		if o := h.Deliver(t.Context(), call.Delivery{Event: ev}); o.Verdict != call.OK || len(r.texts) != 1 || r.texts[0] != "Ann Okafor took iPad Pro 13" {
			t.Errorf("%s: %+v, %q", format, o, r.texts)
		}
	}
	h, _ := openChat(t, Config{})
	if o := h.Deliver(t.Context(), call.Delivery{Event: event}); o.Verdict != call.Refused || !strings.HasSuffix(o.Reason, " refuses it (400 Bad Request): no_text") {
		t.Errorf("a CloudEvent: %+v", o)
	}
}

// TestNamesAreHarmless: a name rings nobody, and forges no link.
func TestNamesAreHarmless(t *testing.T) {
	nasty := "<!here> <@U1> @channel *b* _i_ ~s~ `c` [x](https://evil.example) <https://evil.example|x> www.evil.example a&b\n> q \\ ipad_pro_13"
	for _, format := range Formats[1:] {
		h, r := openChat(t, Config{Format: format})
		ev := annTook
		ev.PersonName, ev.At.Wall = nasty, time.Now()
		if o := h.Deliver(t.Context(), call.Delivery{Event: ev}); o.Verdict != call.OK {
			t.Fatalf("%+v", o)
		}
		got := r.texts[0]
		for _, bad := range []string{"<", ">", "@", "*", "`", "~", "[", "]", "|", `\`, "://", "www.", "_i_", "\n"} {
			if strings.Contains(got, bad) {
				t.Errorf("%s: %q in %q", format, bad, got)
			}
		}
		if !strings.Contains(got, "ipad_pro_13 took iPad Pro 13") {
			t.Errorf("%s: %q", format, got)
		}
		if want := map[string]string{"slack": "a&amp;b"}[format]; want != "" && !strings.Contains(got, want) {
			t.Errorf("%s: no %q in %q", format, want, got)
		}
	}
}

func TestTemplates(t *testing.T) {
	own := Config{Format: "slack", Template: `*{device}*: {kind} by {person}`, Templates: map[string]string{
		"return": `{text} at {station}`, "handover": "{device}: {from} → {person}", "found": " {note} "}}
	for _, c := range []struct {
		ev   checkout.Event
		want string // "": nothing is sent
	}{
		{annTook, "*iPad Pro 13*: checkout by Ann Okafor"},
		{with(func(ev *checkout.Event) { ev.PersonName = "A*nn" }), "*iPad Pro 13*: checkout by A＊nn"},
		{with(func(ev *checkout.Event) { ev.Kind, ev.FromName = checkout.Handover, "Ben" }), "iPad Pro 13: Ben → Ann Okafor"},
		{with(func(ev *checkout.Event) { ev.Kind = checkout.Return }), "Ann Okafor returned iPad Pro 13 at lab"},
		{with(func(ev *checkout.Event) { ev.Kind = checkout.Found }), ""},
	} {
		h, r := openChat(t, own)
		c.ev.At.Wall = time.Now()
		o := h.Deliver(t.Context(), call.Delivery{Event: c.ev})
		if c.want == "" {
			if o.Verdict != call.Unwanted || len(r.texts) != 0 {
				t.Errorf("%+v, %q, want nothing sent", o, r.texts)
			}
			continue
		}
		if o.Verdict != call.OK || len(r.texts) != 1 || r.texts[0] != c.want || strings.Contains(r.bodies[0], "mrkdwn") {
			t.Errorf("%+v, %q, want %q with markup", o, r.bodies, c.want)
		}
	}
}

// TestBadTemplates are found when the configuration is read, and said in its words.
func TestBadTemplates(t *testing.T) {
	for _, c := range []struct {
		cfg        Config
		want, then string
	}{
		{Config{Template: "x"}, "webhook.template: a CloudEvent has no text", `add format = "slack"`},
		{Config{Templates: map[string]string{"return": "x"}}, "webhook.templates: a CloudEvent has no text", `add format`},
		{Config{Format: "slack", Template: "{persn} took it"}, `webhook.template: "{persn}" is not a placeholder`, "use {text} {kind} {person} {device}"},
		{Config{Format: "slack", Template: "{person"}, `webhook.template: "{person" is not a placeholder`, "{note}"},
		{Config{Format: "slack", Template: "{{.Person}}"}, `webhook.template: "{" is not a placeholder`, "{person}"},
		{Config{Format: "text", Templates: map[string]string{"borrow": "x"}}, `webhook.templates: "borrow" is not a kind of event`, "checkout, return"},
		{Config{Format: "text", Templates: map[string]string{"return": "{x}"}}, `webhook.templates: return: "{x}" is not a placeholder`, "{due}"},
		{Config{Format: "discord"}, `webhook.format: "discord" is not one of cloudevents, slack`, ""},
	} {
		c.cfg.URL = "https://chat.example"
		_, err := New(c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(hint.Of(err), c.then) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v / %s, want %q / %q", c.cfg, err, hint.Of(err), c.want, c.then)
		}
	}
}

// A message is never longer than what every chat takes.
func TestLongText(t *testing.T) {
	h, r := openChat(t, Config{Format: "text", Template: strings.Repeat("ä", 5000)})
	if o := h.Deliver(t.Context(), call.Delivery{Event: annTook}); o.Verdict != call.OK || len([]rune(r.texts[0])) != longest || !strings.HasSuffix(r.texts[0], "ä…") {
		t.Errorf("%+v, %d characters", o, len([]rune(r.texts[0])))
	}
}

func ExampleFields() {
	f := wordsOf("en").fields(lent(72*time.Hour), justThen, asIs)
	fmt.Println(f.Text)
	fmt.Println(f.Person, f.Device, f.Due, f.At)
	// Output:
	// Ann Okafor took iPad Pro 13, due Friday
	// Ann Okafor iPad Pro 13 Friday 2026-11-24 10:43
}
