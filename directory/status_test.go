package directory

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/directory/call"
	"stump/internal/books"
)

func ptr[T any](v T) *T { return &v }

// Everything that the status can show. The text is also in docs/directory.md.
func TestStatusWords(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { return ptr(now.Add(-d)) }
	ev := checkout.Event{Kind: checkout.Handover, FromName: "Ann", PersonName: "Bob", DeviceName: "Pixel", At: checkout.Stamp{Wall: now.Add(-3 * time.Hour), Trusted: true}}
	took := checkout.Event{Kind: checkout.Checkout, PersonName: "Ann", DeviceName: "iPad", At: checkout.Stamp{Wall: now.Add(-3 * time.Hour)}}
	st := Status{
		Directory: "endpoints of lab.example",
		Sinks: []SinkStatus{
			{Name: "directory", Place: "endpoints of lab.example", State: down, Since: *ago(3 * time.Hour), Reason: ptr("lab.example refuses the connection"),
				Next: ptr(now.Add(9 * time.Minute)), Backlog: 15, Oldest: ago(3 * time.Hour), StuckRows: 3, Stuck: []Row{
					{ID: "17", State: "parked", Event: eventJSON(took), Reason: "the directory says: Unknown Device", Remedy: ptr("add what is missing to the directory")},
					{ID: "21", State: "lost", Event: eventJSON(ev), Reason: "lab.example gave no complete answer in time", Remedy: ptr("look in the directory after a minute: if Pixel is back there, accept; if not, retry")},
					{ID: "25", State: "conflict", Event: eventJSON(ev), Reason: `this was a handover, and the directory says: Bob checked in Pixel`,
						Remedy: ptr("retry reverses it in the directory; accept takes the directory's word"), Theirs: &books.Holding{Free: true}},
				}},
			{Name: "chat", Place: "webhook chat at chat.example", State: stopped, Since: *ago(49 * time.Hour), Reason: ptr("chat.example denies access (401 Unauthorized)"),
				Remedy: ptr("check the token or the rights of its user"), Next: ptr(now.Add(10 * time.Minute)), Backlog: 1, Oldest: ago(49 * time.Hour)},
			{Name: "mail", Place: "webhook mail at mail.example", State: up},
		},
		Pull:        &PullStatus{At: ago(20 * time.Minute), People: 210, Devices: 1, Notes: []string{"37 people of 210 are gone from the directory: none is suspended without: stump sync pull --force"}},
		PendingTags: 2,
		Orphans:     []Orphan{{"oldhook", 5}},
	}
	want := `directory   endpoints of lab.example: down for 3 h
            lab.example refuses the connection
            12 events wait, the oldest for 3 h; next try in 9 min
            parked 17: Ann took iPad (2026-11-21 09:00, by a clock that was not set)
              the directory says: Unknown Device
              add what is missing to the directory
              then: stump sync retry 17, or: stump sync drop 17 --note WHY
            lost 21: Ann handed Pixel to Bob (2026-11-21 09:00)
              lab.example gave no complete answer in time
              look in the directory after a minute: if Pixel is back there, accept; if not, retry
              then: stump sync retry 21, or: stump sync accept 21
            conflict 25: Ann handed Pixel to Bob (2026-11-21 09:00)
              this was a handover, and the directory says: Bob checked in Pixel
              retry reverses it in the directory; accept takes the directory's word
              then: stump sync retry 25, or: stump sync accept 25
chat        webhook chat at chat.example: stopped for 2 days, until this is put right
            chat.example denies access (401 Unauthorized)
            check the token or the rights of its user
            then: stump sync retry all
            1 event waits, the oldest for 2 days; next try in 10 min
mail        webhook mail at mail.example: answers
people      210 people and 1 device, pulled 20 min ago
            37 people of 210 are gone from the directory: none is suspended without: stump sync pull --force
unknown     2 tags were bumped and have no owner yet; their bumps are kept
oldhook     5 events wait for this place, which is no longer in the configuration
            put it back, or: stump sync drop all@oldhook --note WHY
`
	var b strings.Builder
	if err := st.Write(&b, now); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("the status says\n%s\nwant\n%s", b.String(), want)
	}
	doc, err := os.ReadFile("../docs/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), want) {
		t.Error("docs/directory.md does not show it so")
	}
}

// Scripts find every key, whatever the state.
func TestStatusJSONHasEveryKey(t *testing.T) {
	m := newBox(t, Main)
	w := newWorker(Options{Directory: &stage{caps: everything}, Ledger: m})
	m.take("ipad")
	m.save(Main, 1, record.OutboxRow{State: record.Parked, Reason: "no"})
	st, err := w.Status()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(mustJSON(t, st)), &got); err != nil {
		t.Fatal(err)
	}
	has := func(m map[string]any, keys string) {
		t.Helper()
		for _, k := range strings.Fields(keys) {
			if _, ok := m[k]; !ok {
				t.Errorf("no key %q in %v", k, m)
			}
			delete(m, k)
		}
		if len(m) > 0 {
			t.Errorf("more keys than documented: %v", m)
		}
	}
	sink := got["sinks"].([]any)[0].(map[string]any)
	row := sink["stuck"].([]any)[0].(map[string]any) // found without a running worker
	has(row, "id state event reason remedy attempts theirs")
	has(sink, "name place state since reason remedy notes failures next backlog oldest stuck_rows stuck")
	has(got, "directory sinks pull pending_tags doubts orphans")
}

func TestOrphans(t *testing.T) {
	m := newBox(t, Main, "oldhook")
	m.take("ipad")
	w := newWorker(Options{Ledger: m})
	st, err := w.Status()
	if err != nil || len(st.Orphans) != 2 || st.Orphans[1] != (Orphan{"oldhook", 1}) {
		t.Errorf("%+v, %v", st.Orphans, err)
	}
	if err := w.Drop("1@oldhook", "admin", checkout.SourceWeb, "the hook is gone"); err != nil {
		t.Error(err)
	}
}

// One command drops all events for a place that is gone, with an event for each,
// and none for a place that is configured.
func TestDropAllOfAPlaceThatIsGone(t *testing.T) {
	l := newBox(t, "hook", "oldhook")
	l.register()
	for range batchRows + 1 {
		l.bump(annBadge, ipadTag)
	}
	hook := &stage{caps: everything, answer: func(call.Delivery) call.Outcome { return call.Outcome{Verdict: call.Down} }}
	w := newWorker(Options{Ledger: l, Webhooks: map[string]Deliverer{"hook": hook}})
	for id, want := range map[string]string{"all@hook": "is in the configuration", "all@never": `nothing waits for "never"`} {
		if err := w.Drop(id, "admin", checkout.SourceWeb, "gone"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("drop %s: %v, want %q", id, err, want)
		}
	}
	if err := w.Drop("all@oldhook", "admin", checkout.SourceWeb, "the hook is gone"); err != nil {
		t.Fatal(err)
	}
	st, err := w.Status()
	if err != nil || len(st.Orphans) != 0 || st.Sinks[0].Backlog != batchRows+1 {
		t.Errorf("%+v, %v", st, err)
	}
	dropped := 0
	for e, err := range l.History(books.HistoryFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == checkout.Correct && strings.HasSuffix(e.Note, "for oldhook: not delivered: the hook is gone") && e.Actor == "admin" {
			dropped++
		}
	}
	if dropped != batchRows+1 {
		t.Errorf("%d drops in the history, want %d", dropped, batchRows+1)
	}
	if err := w.Drop("all@oldhook", "admin", checkout.SourceWeb, "again"); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestAdminErrors(t *testing.T) {
	m := newBox(t, Main)
	w := newWorker(Options{Directory: &stage{caps: everything}, Ledger: m})
	m.take("ipad")
	for want, err := range map[string]error{
		`is not an id such as`:              w.Retry("x"),
		`no events are delivered to "hook"`: w.Retry("1@hook"),
		`no such event waits`:               w.Retry("2"),
		`needs a note`:                      w.Drop("1", "admin", checkout.SourceWeb, " "),
		`said nothing that could be`:        w.Accept("1", "admin"),
		`has no list of people or dev`:      w.Pull(t.Context(), false),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := w.Drop("1", "admin", checkout.SourceWeb, "sold"); err != nil {
		t.Fatal(err)
	}
	for e, err := range m.History(books.HistoryFilter{}) {
		if err != nil || e.Kind == checkout.Correct && (!strings.HasSuffix(e.Note, ": sold") || e.Actor != "admin" || e.Source != checkout.SourceWeb) {
			t.Errorf("%+v, %v", e, err)
		}
	}
}
