// Package labtest has a hub for tests of stations. It believes what it is told, in the order
// in which it comes, keeps it in memory, and can be unplugged.
package labtest

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/lab"
	"stump/internal/lab/wire"
	"stump/internal/notify"
)

// Hub is a lab of stations.
type Hub struct {
	srv  *httptest.Server
	code wire.Code

	mu       sync.Mutex
	away     bool
	key      []byte
	epoch    int64
	ver      uint64
	at       time.Time
	subjects map[string]*wire.Subject
	loans    map[string]*wire.Loan
	members  map[string]*member // by name, which is their token
	clashes  []wire.Clash
	bell     notify.Bell
	// What one station does for all: who does it, what was done by whom, and the last fence.
	holders, done  map[string]*member
	fence, changed uint64
}

// member is a station, by its events.
type member struct {
	name    string
	hashes  []string // of its events
	station wire.Station
}

// Cleaner ends what a test has begun.
type Cleaner interface{ Cleanup(func()) }

// New starts a hub, until the test ends.
func New(t Cleaner) *Hub {
	h := &Hub{epoch: 1, at: time.Now(), subjects: map[string]*wire.Subject{}, loans: map[string]*wire.Loan{}, members: map[string]*member{},
		holders: map[string]*member{}, done: map[string]*member{}}
	h.srv = httptest.NewTLSServer(h)
	h.code = wire.Code{URL: h.srv.URL, Pin: lab.Pin(h.srv.Certificate()), ID: "c", Secret: []byte("0123456789abcdef")}
	t.Cleanup(func() {
		h.srv.CloseClientConnections()
		h.srv.Close()
	})
	return h
}

// Code is one with which any station joins.
func (h *Hub) Code() string { return h.code.String() }

// Unplug takes the hub away from its network, or puts it back.
func (h *Hub) Unplug(away bool) {
	h.mu.Lock()
	h.away = away
	h.mu.Unlock()
	if away {
		h.srv.CloseClientConnections()
	}
}

// Clash lets joins clash.
func (h *Hub) Clash(all ...wire.Clash) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clashes = all
}

// Forget loses the last events of each station, as a database does that was restored.
func (h *Hub) Forget(events int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.epoch++
	for _, m := range h.members {
		m.hashes = m.hashes[:max(0, len(m.hashes)-events)]
	}
}

// Events is how many events of a station the hub has.
func (h *Hub) Events(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.members {
		if m.name == name {
			return len(m.hashes)
		}
	}
	return 0
}

// Said is what a station has said of itself.
func (h *Hub) Said(name string) (s wire.Station) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.members {
		if m.name == name {
			return m.station
		}
	}
	return s
}

// Holder is who has a device; "" for nobody.
func (h *Hub) Holder(device string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.loans[device]; l != nil {
		return l.Person
	}
	return ""
}

// ServeHTTP answers a station.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away {
		panic(http.ErrAbortHandler)
	}
	bearer := r.Header.Get("Authorization")[len("Bearer "):]
	var answer any
	var p *wire.Problem
	if r.URL.Path == wire.PathJoin {
		answer, p = h.join(r, bearer)
	} else if m := h.members[bearer]; m == nil {
		p = &wire.Problem{Code: wire.CodeNotHere, Error: "no such station", Hint: "join again"}
	} else {
		switch r.URL.Path {
		case wire.PathHead:
			answer = h.head(m)
		case wire.PathAppend:
			answer, p = h.append(r, m)
		case wire.PathChanges:
			answer = h.changes(r, m)
		case wire.PathLease:
			answer, p = h.lease(r, m)
		case wire.PathLeave:
			delete(h.members, bearer)
			answer = struct{}{}
		}
	}
	if p != nil {
		w.WriteHeader(http.StatusConflict)
		answer = p
	}
	json.NewEncoder(w).Encode(answer)
}

func (h *Hub) join(r *http.Request, bearer string) (any, *wire.Problem) {
	var j wire.Join
	json.NewDecoder(r.Body).Decode(&j)
	switch {
	case bearer != h.code.Bearer():
		return nil, &wire.Problem{Code: wire.CodeSpent, Error: "the code was used", Hint: "make another"}
	case h.key == nil && j.Key == nil && !j.Office:
		return nil, &wire.Problem{Code: wire.CodeKey, Error: "the lab has no site key yet"}
	case h.key == nil && !j.DryRun && !j.Office:
		h.key, _ = h.code.Open(j.Key)
	}
	out := wire.Joined{Lab: "lab", Name: j.Name, Token: j.Name, Clashes: h.clashes}
	if h.key != nil {
		out.Key = h.code.Seal(h.key)
	}
	if !j.DryRun && len(h.clashes) == 0 {
		h.members[j.Name] = &member{name: j.Name}
	}
	return out, nil
}

func (h *Hub) head(m *member) wire.Head {
	head := wire.Head{Epoch: h.epoch, Ver: h.ver, At: h.at, Name: m.name, Newest: wire.Link{Seq: uint64(len(m.hashes))}}
	if n := len(m.hashes); n > 0 {
		head.Newest.Hash = m.hashes[n-1]
	}
	return head
}

func (h *Hub) append(r *http.Request, m *member) (any, *wire.Problem) {
	var a wire.Append
	json.NewDecoder(r.Body).Decode(&a)
	head := h.head(m)
	if a.After != head.Newest {
		return nil, &wire.Problem{Code: wire.CodeGap, Error: "a gap", Head: &head}
	}
	m.station = a.Station
	if len(a.Patches) > 0 {
		h.changed = a.Fence
	}
	for _, p := range a.Patches {
		s := cmp.Or(h.subjects[p.Kind+p.ID], &wire.Subject{Kind: p.Kind, ID: p.ID, Fields: map[string]string{}})
		h.subjects[p.Kind+p.ID] = s
		maps.Copy(s.Fields, p.Fields)
		maps.DeleteFunc(s.Fields, func(_, v string) bool { return v == "" })
		h.ver++
		s.Ver = h.ver
	}
	receipts := []wire.Accepted{}
	for _, raw := range a.Records {
		ev, err := record.Decode(raw)
		if err != nil {
			return nil, &wire.Problem{Code: wire.CodeForged, Error: err.Error()}
		}
		h.at = h.at.Add(time.Second)
		m.hashes = append(m.hashes, ev.Hash.String())
		receipts = append(receipts, wire.Accepted{LabSeq: uint64(len(m.hashes)), HT: h.at})
		if ev.Device == "" || !ev.Kind.MovesDevice() {
			continue
		}
		h.ver++
		l := &wire.Loan{Device: ev.Device, Ver: h.ver, Chain: a.Chain, Seq: ev.Seq, At: h.at, Station: ev.Station, Length: int64(ev.Loan / time.Second)}
		if ev.Kind == checkout.Checkout || ev.Kind == checkout.Handover {
			l.Person = ev.Person
		}
		h.loans[ev.Device] = l
	}
	if len(a.Records)+len(a.Patches) > 0 {
		h.bell.Tell()
	}
	return receipts, nil
}

// changes waits for rows. The hub is free meanwhile.
func (h *Hub) changes(r *http.Request, m *member) wire.Changes {
	q := r.URL.Query()
	since, _ := strconv.ParseUint(q.Get("since"), 10, 64)
	if q.Get("epoch") != strconv.FormatInt(h.epoch, 10) {
		since = 0
	}
	ctx, end := context.WithTimeout(r.Context(), 5*time.Second)
	defer end()
	for since == h.ver && since > 0 && !q.Has("first") && ctx.Err() == nil {
		bell := h.bell.Next()
		h.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-bell:
		}
		h.mu.Lock()
	}
	out := wire.Changes{Epoch: h.epoch, Ver: h.ver, At: h.at}
	for _, s := range h.subjects {
		if s.Ver > since {
			out.Subjects = append(out.Subjects, *s)
		}
	}
	for _, l := range h.loans {
		if l.Ver > since {
			out.Loans = append(out.Loans, *l)
		}
	}
	for _, m := range h.members {
		out.Stations = append(out.Stations, wire.Member{Name: m.name, Heard: h.at, Version: m.station.Version, Fault: m.station.Fault})
	}
	return out
}

// Lapse ends what stations do for all, as after two minutes in which the hub has not heard of them.
func (h *Hub) Lapse() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.holders)
}

// lease gives a work to who asks first.
func (h *Hub) lease(r *http.Request, m *member) (any, *wire.Problem) {
	var ask wire.Lease
	json.NewDecoder(r.Body).Decode(&ask)
	holder := h.holders[ask.Work]
	switch {
	case ask.Fence != 0 && (holder != m || ask.Fence != h.fence):
		return nil, &wire.Problem{Code: wire.CodeFenced, Error: "another station does it"}
	case holder != nil && holder != m:
		return wire.Leased{For: int64(50 * time.Millisecond)}, nil
	case ask.Fence == 0:
		h.fence++
	}
	h.holders[ask.Work] = m
	out := wire.Leased{Fence: h.fence, For: int64(time.Minute), Fresh: []string{}}
	for _, what := range ask.Done {
		if by := h.done[what]; by == nil || by == m {
			h.done[what] = m
			out.Fresh = append(out.Fresh, what)
		}
	}
	return out, nil
}

// Fence is the fence under which the hub was told of changes to the register last.
func (h *Hub) Fence() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}
