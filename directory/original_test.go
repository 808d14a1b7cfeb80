package directory

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/endpoints"
	"stump/internal/testkit"
)

// original is the server of a site of the original client: three GET calls, one of
// them a toggle, and no memory of calls.
type original struct {
	mu      sync.Mutex
	people  map[string]string // sent form of a badge → name
	known   map[string]bool   // names that can be enrolled
	devices map[string]string // decimal → name
	holder  map[string]string // decimal → sent form of the badge
	log     []string          // toggles that were counted, in order
	events  map[string]string // event parameters → answers
}

const testHash = "ordinary salt"

func sentBadge(tag checkout.Tag) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(testHash+tag.Decimal())))
}

var (
	annBadge = testkit.Tag(91234, 26)
	bobBadge = testkit.Tag(7654321, 26)
	ipadTag  = testkit.Tag(8123456, 26)
	pixelTag = testkit.Tag(9876543, 26)
)

func newOriginal() *original {
	return &original{
		people:  map[string]string{sentBadge(annBadge): "Ann", sentBadge(bobBadge): "Bob"},
		known:   map[string]bool{"C Benninger": true},
		devices: map[string]string{"8123456": "iPad Mini G1 (inky)", "9876543": "Pixel"},
		holder:  map[string]string{},
		events:  map[string]string{},
	}
}

// ServeHTTP answers like the original's servers, byte for byte.
func (s *original) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	answer := func(v map[string]string) {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8") // PHP's own
		json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/checkinout.php":
		answer(s.toggle(q))
	case "/whatis.php":
		if name, ok := s.people[q.Get("rfid")]; ok {
			answer(map[string]string{"type": "human", "name": name})
		} else if name, ok := s.devices[q.Get("rfid")]; ok {
			answer(map[string]string{"type": "device", "name": name})
		} else {
			answer(map[string]string{"error": "RFID did not match known values"})
		}
	case "/associate.php":
		if who := q.Get("who"); s.known[who] {
			s.people[q.Get("tag")] = who
			answer(map[string]string{"msg": "Tag associated with " + who})
		} else {
			answer(map[string]string{"error": "User Not Found"})
		}
	default:
		http.NotFound(w, r)
	}
}

func (s *original) toggle(q url.Values) map[string]string {
	badge, asset := q.Get("staff_rfid_tag"), q.Get("asset_rfid_tag")
	if a, ok := s.events[q.Get("event")]; ok {
		return map[string]string{"response": a}
	}
	who, device := s.people[badge], s.devices[asset]
	switch {
	case device == "":
		return map[string]string{"error": "Unknown Device"}
	case who == "":
		return map[string]string{"error": "Unknown User"}
	}
	text := who + " checked out " + device
	if s.holder[asset] == badge {
		text = who + " checked in " + device
		delete(s.holder, asset)
	} else {
		s.holder[asset] = badge
	}
	s.log = append(s.log, text)
	if id := q.Get("event"); id != "" {
		s.events[id] = text
	}
	return map[string]string{"response": text}
}

func (s *original) toggles() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// endpointsConfig is the configuration of a site at an address.
type endpointsConfig struct {
	endpoints.Config
	call.HTTP
}

func endpointsAt(base string) endpointsConfig {
	return endpointsConfig{Config: endpoints.Config{
		CheckInOut: base + "/checkinout.php?staff_rfid_tag={staff}&asset_rfid_tag={asset}",
		WhatIs:     base + "/whatis.php?rfid={tag}",
		Associate:  base + "/associate.php?who={who}&tag={tag}",
		HashString: testHash,
	}}
}

func (c endpointsConfig) open() (*endpoints.Endpoints, error) { return endpoints.New(c.Config, c.HTTP) }

// tap is a delivery about Ann (or Bob, from Ann) and the iPad.
func tap(kind checkout.Kind) call.Delivery {
	d := call.Delivery{
		Event: checkout.Event{
			Seq: 1, ID: uuid.NewSHA1(uuid.Nil, []byte(kind)), Kind: kind, Person: "ann", PersonName: "Ann",
			Device: "ipad", DeviceName: "iPad Mini G1 (inky)",
		},
		PersonTag: annBadge, DeviceTag: ipadTag,
	}
	if kind == checkout.Handover {
		d.Event.Person, d.Event.PersonName, d.PersonTag = "bob", "Bob", bobBadge
		d.Event.From, d.Event.FromName, d.FromTag = "ann", "Ann", annBadge
	}
	return d
}

// openOriginal returns a directory that speaks to a new server.
func openOriginal(t *testing.T, change func(*endpointsConfig)) (*original, *endpoints.Endpoints) {
	t.Helper()
	s := newOriginal()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	cfg := endpointsAt(srv.URL)
	if change != nil {
		change(&cfg)
	}
	d, err := cfg.open()
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
