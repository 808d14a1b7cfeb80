package snipeit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"stump/directory/call"
)

// changed is what d says has changed, by asset, and the mark.
func changed(t *testing.T, d *SnipeIT, since string) (ids []string, mark string) {
	t.Helper()
	seen, mark, err := d.Changes(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range seen {
		ids = append(ids, s.Device)
	}
	return ids, mark
}

// TestChanges: one request finds what changed since the mark, and what may have been
// stamped before it and seen after it.
func TestChanges(t *testing.T) {
	s, d := openSnipe(t, nil)
	for i, at := range []string{"2026-11-20 09:00:00", "2026-11-20 09:31:07", "2026-11-20 09:30:30"} {
		s.assets[i].updated = at
	}
	for since, want := range map[string][]string{
		"":                    {"12", "13", "11"},
		"2026-11-20 09:31:07": {"12", "13"},
		"2026-11-20 09:31:30": {"12", "13"},
		"2026-11-20 09:31:31": {"12"},
		"2026-11-20 09:32:08": nil,
		"2026-11-20 08:00:00": {"12", "13", "11"},
	} {
		calls := s.calls
		got, mark := changed(t, d, since)
		if !slices.Equal(got, want) || mark != max(since, "2026-11-20 09:31:07") || s.calls != calls+1 {
			t.Errorf("since %q: %q, mark %s, %d calls; want %q", since, got, mark, s.calls-calls, want)
		}
	}
}

// TestChangesPages: what does not fit on a page is read on; too much is too much.
func TestChangesPages(t *testing.T) {
	for n, want := range map[int]int{changedRows - 1: 1, changedRows: 2, 3*changedRows + 1: 4, changedRows * changedPages: 0} {
		s, d := openSnipe(t, nil)
		s.assets = []*doubleAsset{{id: 1, updated: "2026-11-20 08:00:00"}}
		for i := range int64(n) {
			s.assets = append(s.assets, &doubleAsset{id: i + 2, updated: fmt.Sprintf("2026-11-20 09:%02d:%02d", i/60, i%60)})
		}
		seen, mark, err := d.Changes(t.Context(), "2026-11-20 09:00:30")
		if want == 0 {
			if !errors.Is(err, call.ErrTooMany) || mark != "2026-11-20 09:00:30" {
				t.Errorf("%d changes: %v, mark %s", n, err, mark)
			}
			continue
		}
		if err != nil || len(seen) != n || s.calls != want || mark != s.assets[n].updated {
			t.Errorf("%d changes: %d, %v, %d calls, mark %s", n, len(seen), err, s.calls, mark)
		}
		if _, mark, err := d.Changes(t.Context(), ""); err != nil || s.calls != want+1 || mark != s.assets[n].updated {
			t.Errorf("the newest of %d: %v, %d calls, mark %s", n, err, s.calls-want, mark)
		}
	}
}

// TestChangesOddly: servers that sort otherwise, or stamp from the future, or not.
func TestChangesOddly(t *testing.T) {
	s, d := openSnipe(t, nil)
	future := time.Now().UTC().Add(2 * time.Hour).Format(time.DateTime)
	s.assets[0].updated, s.assets[1].updated = future, "2026-11-20 09:31:07"
	s.assets[2].updated = "2026-11-20 09:31:06"
	if got, mark := changed(t, d, "2026-11-20 09:31:06"); !slices.Equal(got, []string{"11", "12", "13"}) || mark != "2026-11-20 09:31:07" {
		t.Errorf("one stamped %s: %q, mark %s", future, got, mark)
	}
	for name, tc := range map[string]struct {
		stamps []string
		want   int
		mark   string
	}{
		"without stamps":          {[]string{"", "", ""}, 3, "2026-11-20 09:00:00"},
		"in the order of the ids": {[]string{"2026-11-20 07:00:00", "2026-11-20 09:31:07", ""}, 2, "2026-11-20 09:31:07"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			rows := []any{}
			for i, at := range tc.stamps {
				rows = append(rows, map[string]any{"id": i + 1, "assigned_to": nil, "updated_at": map[string]string{"datetime": at}})
			}
			json.NewEncoder(w).Encode(map[string]any{"total": 3, "rows": rows})
		}))
		d, err := siteAt(t, srv.URL).open()
		if err != nil {
			t.Fatal(err)
		}
		if got, mark := changed(t, d, "2026-11-20 09:00:00"); len(got) != tc.want || mark != tc.mark {
			t.Errorf("%s: %q, mark %s", name, got, mark)
		}
		srv.Close()
	}
}

// TestBefore: when clocks go back, so do stamps.
func TestBefore(t *testing.T) {
	_, d := openSnipe(t, func(_ *double, c *site) { c.Zone = "Europe/Berlin" })
	for mark, want := range map[string]string{
		"2026-06-20 09:31:07": "2026-06-20 09:30:07", "2026-10-25 02:59:30": "2026-10-25 01:58:30", "2026-03-29 03:00:10": "2026-03-29 02:59:10",
		"": "", "yesterday": "",
	} {
		if got := d.before(mark); got != want {
			t.Errorf("%s: from %s, want %s", mark, got, want)
		}
	}
}

// TestChangesDenied: a refusal is the server's failure, and no answer.
func TestChangesDenied(t *testing.T) {
	s, d := openSnipe(t, nil)
	s.token = "renewed"
	if _, mark, err := d.Changes(t.Context(), "x"); err == nil || mark != "x" {
		t.Errorf("%v, mark %s", err, mark)
	}
}
