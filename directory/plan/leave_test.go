package plan

import (
	"slices"
	"testing"
	"time"

	"stump/directory/call"
	"stump/internal/books"
)

// Who is missing is believed to be gone an hour after the first list without them, if
// none in between had them.
func TestAbsences(t *testing.T) {
	ann, bob, cem := person("ann", "1", "Ann"), person("bob", "2", "Bob"), person("cem", "3", "Cem")
	begin := time.Unix(1_000_000, 0)
	type list struct {
		at   time.Duration
		rows []books.SyncRow
		gone string
		due  time.Duration // 0: nobody waits
	}
	for name, lists := range map[string][]list{
		"an hour":              {{0, []books.SyncRow{ann, cem}, "", time.Hour}, {time.Hour - 1, []books.SyncRow{ann, cem}, "", time.Hour}, {time.Hour, []books.SyncRow{ann, cem}, "bob", 0}},
		"back in between":      {{0, []books.SyncRow{ann, cem}, "", time.Hour}, {time.Minute, []books.SyncRow{ann, bob, cem}, "", 0}, {time.Hour, []books.SyncRow{ann, cem}, "", 2 * time.Hour}},
		"one after the other":  {{0, []books.SyncRow{ann, cem}, "", time.Hour}, {time.Minute, []books.SyncRow{ann}, "", time.Hour}, {time.Hour, []books.SyncRow{ann}, "bob", time.Hour + time.Minute}},
		"nobody is missing":    {{0, []books.SyncRow{ann, bob, cem}, "", 0}},
		"nothing is in a list": {{0, nil, "", 0}, {time.Hour, nil, "", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var gone Absences
			for i, l := range lists {
				gone.Begin(begin.Add(l.at))
				p, err := Make(inRegister(ann, bob, cem), call.Snapshot{HasPeople: true, People: slices.Clone(l.rows)}, owners(nil), &gone, false)
				if err != nil {
					t.Fatal(err)
				}
				went := ""
				for _, r := range p.Changes {
					went += r.ID
				}
				due := time.Time{}
				if l.due != 0 {
					due = begin.Add(l.due)
				}
				if went != l.gone || !gone.Due().Equal(due) {
					t.Errorf("list %d: %q went, want %q; due %s, want %s", i, went, l.gone, gone.Due(), due)
				}
			}
		})
	}
}
