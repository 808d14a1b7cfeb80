package directorytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Snipe is the part of Snipe-IT's API that a station needs, with an admin at its page.
// The package snipeit has a double with all its peculiarities.
type Snipe struct {
	Users  []SnipeUser
	Assets []*SnipeAsset

	mu  sync.Mutex
	log []string
}

// SnipeUser is a person. Num is the badge's number.
type SnipeUser struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Num   string `json:"employee_num"`
	Email string `json:"email"`
}

// SnipeAsset is a device. Tag is the number of its tag.
type SnipeAsset struct {
	ID      int
	Name    string
	Tag     string
	Type    string // of who has it: user or location; empty for nobody
	Holder  int
	updated time.Time
	ins     int
	outs    int
	out     string // last_checkout
}

// location is the name of every location.
const location = "Device Lab"

func (s *Snipe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	offset, _ := strconv.Atoi(q.Get("offset"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	switch path := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/"); {
	case path[0] == "users":
		page(w, s.Users, offset, limit, func(u SnipeUser) any { return u })
	case len(path) == 1:
		assets := s.Assets
		if q.Get("sort") == "updated_at" {
			assets = slices.SortedStableFunc(slices.Values(assets), func(a, b *SnipeAsset) int { return b.updated.Compare(a.updated) })
		}
		page(w, assets, offset, limit, s.json)
	default:
		id, _ := strconv.Atoi(path[1])
		switch a := s.asset(id); {
		case a == nil:
			answer(w, map[string]any{"status": "error", "messages": "Asset does not exist."})
		case len(path) == 2:
			answer(w, s.json(a))
		default:
			s.act(w, r, a, path[2])
		}
	}
}

func answer(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func page[T any](w http.ResponseWriter, all []T, offset, limit int, row func(T) any) {
	rows := []any{}
	for _, v := range all[min(offset, len(all)):min(offset+limit, len(all))] {
		rows = append(rows, row(v))
	}
	answer(w, map[string]any{"total": len(all), "rows": rows})
}

func (s *Snipe) asset(id int) *SnipeAsset {
	i := slices.IndexFunc(s.Assets, func(a *SnipeAsset) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	return s.Assets[i]
}

func (s *Snipe) json(a *SnipeAsset) any {
	v := map[string]any{"id": a.ID, "name": a.Name, "asset_tag": a.Tag, "assigned_to": nil,
		"last_checkout": map[string]string{"datetime": a.out}, "checkin_counter": a.ins, "checkout_counter": a.outs,
		"updated_at": map[string]string{"datetime": a.updated.UTC().Format(time.DateTime)}}
	if a.Type != "" {
		name := location
		for _, u := range s.Users {
			if a.Type == "user" && u.ID == a.Holder {
				name = u.Name
			}
		}
		v["assigned_to"] = map[string]any{"id": a.Holder, "type": a.Type, "name": name}
	}
	return v
}

// act is a check-in or check-out by the API.
func (s *Snipe) act(w http.ResponseWriter, r *http.Request, a *SnipeAsset, what string) {
	var body struct {
		User     int    `json:"assigned_user"`
		Location int    `json:"assigned_location"`
		At       string `json:"checkout_at"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	switch {
	case (what == "checkin") != (a.Type != ""):
		answer(w, map[string]any{"status": "error", "messages": "not available for " + what})
		return
	case what == "checkin":
		s.log = append(s.log, fmt.Sprintf("in %d from %d", a.ID, a.Holder))
		a.move("", 0)
	case body.Location != 0:
		s.log = append(s.log, fmt.Sprintf("out %d to location %d", a.ID, body.Location))
		a.move("location", body.Location)
	default:
		s.log = append(s.log, fmt.Sprintf("out %d to %d", a.ID, body.User))
		a.move("user", body.User)
		if body.At != "" {
			a.out = body.At
		}
	}
	answer(w, map[string]any{"status": "success"})
}

// move stamps in whole seconds, as Snipe-IT does.
func (a *SnipeAsset) move(to string, holder int) {
	if to == "" {
		a.ins++
	} else {
		a.outs++
		a.out = time.Now().UTC().Format(time.DateTime)
	}
	a.Type, a.Holder, a.updated = to, holder, time.Now().Truncate(time.Second)
}

// Put is an admin at the page, who gives an asset to a "user" or "location", or to
// nobody ("").
func (s *Snipe) Put(asset int, to string, holder int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.asset(asset)
	if a.Type != "" {
		a.move("", 0)
	}
	if to != "" {
		a.move(to, holder)
	}
}

// Edit is an admin who changes people and assets while it serves.
func (s *Snipe) Edit(change func(*Snipe)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// Where says who has an asset: "user 1", "location 3", "nobody".
func (s *Snipe) Where(asset int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.asset(asset); a.Type != "" {
		return fmt.Sprintf("%s %d", a.Type, a.Holder)
	}
	return "nobody"
}

// Done lists what was done by the API: "out 11 to 1".
func (s *Snipe) Done() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}
