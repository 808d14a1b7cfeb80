package directory

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/snipeit"
	"stump/internal/testkit"
)

// snipe is the part of Snipe-IT's API that the worker's tests need. The package
// snipeit has a double with all its peculiarities.
type snipe struct {
	mu     sync.Mutex
	users  []snipeUser
	assets []*snipeAsset
	log    []string // what was done: "out 11 to 1"
}

type snipeUser struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Num  string `json:"employee_num"`
}

type snipeAsset struct {
	ID       int            `json:"id"`
	Name     string         `json:"name"`
	Tag      string         `json:"asset_tag"`
	Assigned map[string]any `json:"assigned_to"`
}

// newSnipe has the people and devices of newOriginal.
func newSnipe() *snipe {
	return &snipe{
		users:  []snipeUser{{1, "Ann", annBadge.Decimal()}, {2, "Bob", bobBadge.Decimal()}},
		assets: []*snipeAsset{{11, "iPad Mini G1 (inky)", ipadTag.Decimal(), nil}, {12, "Pixel", pixelTag.Decimal(), nil}},
	}
}

func openSnipe(base, tokenFile string, h call.HTTP, settle time.Duration) (*snipeit.SnipeIT, error) {
	return snipeit.New(snipeit.Config{SettleTime: settle}, call.API{URL: base, TokenFile: tokenFile}, call.Badges{}, h, decimal26)
}

// decimal26 reads a plain decimal as 26 bits.
func decimal26(s string) (checkout.Tag, error) {
	v, err := strconv.ParseUint(s, 10, 26)
	return testkit.Tag(v, 26), err
}

// tokenFile writes a token as an admin does, with a line end.
func tokenFile(t testing.TB, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (s *snipe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	switch path := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/"); {
	case path[0] == "users":
		answerPage(w, s.users, offset, limit)
	case len(path) == 1:
		answerPage(w, s.assets, offset, limit)
	default:
		id, _ := strconv.Atoi(path[1])
		i := slices.IndexFunc(s.assets, func(a *snipeAsset) bool { return a.ID == id })
		if i < 0 {
			json.NewEncoder(w).Encode(map[string]any{"status": "error", "messages": "Asset does not exist."})
		} else if len(path) == 2 {
			json.NewEncoder(w).Encode(s.assets[i])
		} else {
			s.act(w, r, s.assets[i], path[2])
		}
	}
}

func answerPage[T any](w http.ResponseWriter, all []T, offset, limit int) {
	json.NewEncoder(w).Encode(map[string]any{"total": len(all), "rows": all[min(offset, len(all)):min(offset+limit, len(all))]})
}

func (s *snipe) act(w http.ResponseWriter, r *http.Request, a *snipeAsset, what string) {
	var body struct {
		User int `json:"assigned_user"`
	}
	json.NewDecoder(r.Body).Decode(&body)
	if (what == "checkin") != (a.Assigned != nil) {
		json.NewEncoder(w).Encode(map[string]any{"status": "error", "messages": "not available for " + what})
		return
	}
	if what == "checkin" {
		s.log = append(s.log, fmt.Sprintf("in %d from %v", a.ID, a.Assigned["id"]))
		a.Assigned = nil
	} else {
		s.log = append(s.log, fmt.Sprintf("out %d to %d", a.ID, body.User))
		a.Assigned = map[string]any{"id": body.User, "type": "user"}
	}
	json.NewEncoder(w).Encode(map[string]any{"status": "success"})
}

func (s *snipe) done() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// After every fault each event is done once, in order per device.
func TestSnipeITUnderFaults(t *testing.T) {
	for _, x := range []fault{resetAtOnce, hangAtOnce, hangAfterCommit, hangInBody, resetAfterCommit, status500, status500Commit,
		status429After, status401, status403, htmlPage, redirectLogin, halfJSON, hugeBody, slowDrip} {
		for _, only := range []bool{false, true} {
			name := string(x)
			if only {
				name += ", to what changes something only"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newSnipe()
				f := newFaultServer(s)
				if only {
					f.only = func(r *http.Request) bool { return r.Method == http.MethodPost }
				}
				srv := f.serve(t)
				d, err := openSnipe(srv.URL, tokenFile(t, "secret-token"), x.timeouts(), 20*time.Millisecond)
				if err != nil {
					t.Fatal(err)
				}
				l := newBox(t, Main)
				w, _ := start(t, Options{Directory: d, Ledger: l, backoff: impatient})
				eventually(t, "pulled", func() bool { m, _ := ownerOf(l, annBadge); return m.ID != "" })
				f.set(x)
				l.bump(annBadge, ipadTag)  // out
				l.bump(bobBadge, ipadTag)  // handed over
				l.bump(bobBadge, pixelTag) // another device
				l.bump(bobBadge, ipadTag)  // back
				eventually(t, "the display's mark", w.Behind)
				u, _ := url.Parse(srv.URL)
				t.Logf("stump sync says:\n%s", sayings(t, w, u.Host))
				time.Sleep(50 * time.Millisecond)
				f.set(healthy)
				eventually(t, "all delivered after healing", func() bool {
					w.Hurry()
					n, err := l.Backlog(Main)
					return n == 0 && err == nil
				})
				got := slices.DeleteFunc(s.done(), func(s string) bool { return s == "out 12 to 2" })
				if want := []string{"out 11 to 1", "in 11 from 1", "out 11 to 2", "in 11 from 2"}; !slices.Equal(got, want) || len(s.done()) != 5 {
					t.Errorf("Snipe-IT did %q, want %q", s.done(), want)
				}
			})
		}
	}
}
