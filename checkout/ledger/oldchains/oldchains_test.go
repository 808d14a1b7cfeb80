package oldchains

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// file is a file with the trees and whatever a test puts into them.
type file struct {
	*bolt.Tx
	t *testing.T
}

func newFile(t *testing.T) *file {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "ledger.db"), 0o600, nil)
	x := &file{t: t}
	x.ok(err)
	x.Tx, err = db.Begin(true)
	x.ok(err)
	t.Cleanup(func() { x.Rollback(); db.Close() })
	for _, tr := range record.Trees {
		_, err := x.CreateBucket(tr.Bucket())
		x.ok(err)
	}
	return x
}

func (x *file) ok(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *file) meta(key, body []byte) {
	v := record.Envelope{Tree: record.TreeMeta, Key: key, Body: body}
	x.ok(x.Bucket(record.TreeMeta.Bucket()).Put(key, v.Seal()))
}

// event appends an event of a device, which links to the one before it.
func (x *file) event(chain uint16, seq uint64, before record.Ref) {
	ev := record.Event{Event: checkout.Event{Seq: seq, Kind: checkout.Return, Device: "ipad"}, Links: record.Links{Device: before}}
	b := record.Encode(&ev)
	x.ok(x.Bucket(record.TreeEvents.Bucket()).Put(record.EventKey(record.At(chain, seq)), b))
	x.meta(record.MetaHead(chain), record.PackHead(seq, checkout.Hash{}))
}

// TestRead: events of two names of a station that link to each other come in that order, and
// the name that the station has now decides which chain goes on.
func TestRead(t *testing.T) {
	const forever = "18446744073709551615"
	for _, tc := range []struct {
		station string
		swept   map[string]byte
		own     uint16
		runs    string
		at      record.Ref
	}{
		{"new", nil, 2, "[{1 1 1} {2 1 1} {1 2 2} {2 2 " + forever + "}]", record.Ref{}},
		{"old", nil, 3, "[{1 1 1} {2 1 1} {1 2 2} {2 2 2} {3 1 " + forever + "}]", record.Ref{}},
		{"third", nil, 2, "[{1 1 1} {2 1 1} {1 2 2} {2 2 " + forever + "}]", record.Ref{}},
		{"new", map[string]byte{"old": 1}, 2, "[{1 1 1} {2 1 1} {1 2 2} {2 2 " + forever + "}]", record.At(1, 1)},
		{"new", map[string]byte{"old": 1, "new": 2}, 2, "[{1 1 1} {2 1 1} {1 2 2} {2 2 " + forever + "}]", record.At(2, 1)},
		{"new", map[string]byte{"old": 2, "new": 1}, 2, "[{1 1 1} {2 1 1} {1 2 2} {2 2 " + forever + "}]", record.At(1, 2)},
	} {
		x := newFile(t)
		x.meta(record.MetaStation("old"), []byte{0, 1})
		x.meta(record.MetaStation("new"), []byte{0, 2})
		x.event(1, 1, record.Ref{})
		x.event(2, 1, record.At(1, 1))
		x.event(1, 2, record.At(2, 1))
		x.event(2, 2, record.At(1, 2))
		for name, seq := range tc.swept {
			x.meta(MetaSwept(name), []byte{0, 0, 0, 0, 0, 0, 0, seq})
		}
		f, err := Read(x.Tx, tc.station)
		x.ok(err)
		if f.Own != tc.own || fmt.Sprint(f.Runs) != tc.runs || f.Swept != tc.at {
			t.Errorf("%s, %v: %+v, want %+v", tc.station, tc.swept, f, tc)
		}
		if f.Chains[1].Name != "old" || f.Chains[1].ID.IsZero() || f.Chains[2].Name != "new" || f.Chains[2].ID.IsZero() {
			t.Errorf("chains: %v", f.Chains)
		}
	}
}

// TestDamage: what can't be read is named.
func TestDamage(t *testing.T) {
	for want, spoil := range map[string]func(*file){
		`the row "station/old" of a station`: func(x *file) { x.meta(record.MetaStation("old"), []byte{1}) },
		`the row "station/old" of meta: not a row`: func(x *file) {
			x.ok(x.Bucket(record.TreeMeta.Bucket()).Put(record.MetaStation("old"), []byte("torn")))
		},
		`the first event of station "old"`: func(x *file) {
			x.ok(x.Bucket(record.TreeEvents.Bucket()).Put(record.EventKey(record.At(1, 1)), []byte("torn")))
		},
		"event 2: ": func(x *file) {
			x.ok(x.Bucket(record.TreeEvents.Bucket()).Put(record.EventKey(record.At(1, 2)), []byte("torn")))
		},
		"the head of chain 1": func(x *file) { x.meta(record.MetaHead(1), []byte{1}) },
	} {
		x := newFile(t)
		x.meta(record.MetaStation("old"), []byte{0, 1})
		x.event(1, 1, record.Ref{})
		spoil(x)
		if _, err := Read(x.Tx, "old"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
