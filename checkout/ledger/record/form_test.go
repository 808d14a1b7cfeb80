package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/internal/books"
)

// appendField appends a field as the package's comment describes it.
func appendField(b []byte, tag byte, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	b = append(b, tag)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// TestLengths: a field of any length is written as the package's comment says, between others,
// in a list and in a record of its own.
func TestLengths(t *testing.T) {
	for _, n := range []int{0, 1, 2, 126, 127, 128, 129, 300, 511, 512, 513, 16383, 16384, 16385, MaxSize, 1 << 21} {
		text := strings.Repeat("x", n)
		in := func(v []byte) []byte { // between others
			return appendField(appendField(appendField(nil, 1, []byte("before")), 2, v), 3, []byte("after"))
		}
		around := func(at any) []byte {
			before, after := "before", "after"
			return Pack([]Field{{1, &before}, {2, at}, {3, &after}})
		}
		kind, blob, theirs := checkout.Kind(text), []byte(text), &books.Holding{Name: text}
		heads, named := []checkout.Head{{Station: text}}, map[string][][2]uint64{text: nil}
		inner := Pack(holdingForm(theirs))
		for what, got := range map[string][2][]byte{
			"text":         {around(&text), in([]byte(text))},
			"named text":   {around(&kind), in([]byte(text))},
			"bytes":        {around(&blob), in(blob)},
			"record":       {around(&theirs), in(inner)},
			"list":         {around(&heads), in(appendField(nil, 1, []byte(text)))},
			"named ranges": {around(&named), in(appendField(nil, 1, []byte(text)))},
		} {
			if !bytes.Equal(got[0], got[1]) {
				t.Errorf("%s of %d bytes: %d bytes, want %d", what, n, len(got[0]), len(got[1]))
			}
		}
	}
}

// everything has a field of each kind.
type everything struct {
	text  checkout.Kind
	blob  []byte
	array [5]byte
	flag  bool
	small uint16
	large uint64
	coarse,
	fine time.Duration
	time  time.Time
	place Ref
	runs  [][2]uint64
	named map[string][][2]uint64
	heads []checkout.Head
	stamp checkout.Stamp
}

func everyForm(e *everything) []Field {
	return append([]Field{
		{1, &e.text},
		{2, &e.blob},
		{3, &e.array},
		{4, &e.flag},
		{5, &e.small},
		{6, &e.large},
		{7, &e.fine},
		{8, (*seconds)(&e.coarse)},
		{9, &e.time},
		{10, &e.place},
		{11, &e.runs},
		{16, &e.named},
		{17, &e.heads},
	}, stampFields(&e.stamp)...)
}

// Generators of values that a record can hold: nil where a value is empty.

func bytesOf(t *rapid.T, what string) []byte {
	b := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, what)
	if len(b) == 0 {
		return nil
	}
	return b
}

func hashOf(t *rapid.T, what string) (h checkout.Hash) {
	copy(h[:], rapid.SliceOfN(rapid.Byte(), 0, len(h)).Draw(t, what))
	return h
}

func timeOf(t *rapid.T, what string) time.Time {
	if rapid.Bool().Draw(t, what+" is zero") {
		return time.Time{}
	}
	ns := rapid.Int64().Draw(t, what)
	if ns == 0 {
		ns++ // 1970 on the nanosecond is the one time that a record can't hold
	}
	return time.Unix(0, ns)
}

func refOf(t *rapid.T, what string) Ref {
	r := Ref{rapid.Uint16().Draw(t, what), rapid.Uint64().Draw(t, what)}
	if r.Seq == 0 {
		return Ref{}
	}
	return r
}

func runsOf(t *rapid.T, what string) (runs [][2]uint64) {
	for range rapid.IntRange(0, 4).Draw(t, what) {
		runs = append(runs, [2]uint64{rapid.Uint64().Draw(t, what), rapid.Uint64().Draw(t, what)})
	}
	return runs
}

func stampOf(t *rapid.T) checkout.Stamp {
	s := checkout.Stamp{Wall: timeOf(t, "wall"), Mono: time.Duration(rapid.Int64().Draw(t, "mono")), Trusted: rapid.Bool().Draw(t, "trusted")}
	copy(s.BootID[:], bytesOf(t, "boot"))
	return s
}

func namedOf(t *rapid.T) map[string][][2]uint64 {
	all := map[string][][2]uint64{}
	for range rapid.IntRange(0, 3).Draw(t, "names") {
		all["x"+rapid.String().Draw(t, "name")] = runsOf(t, "named runs")
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

func headsOf(t *rapid.T) (heads []checkout.Head) {
	for range rapid.IntRange(0, 3).Draw(t, "heads") {
		heads = append(heads, checkout.Head{Station: "s" + rapid.String().Draw(t, "station"), Chain: hashOf(t, "chain"),
			Seq: rapid.Uint64().Draw(t, "seq"), Hash: hashOf(t, "hash")})
	}
	return heads
}

func everythingOf(t *rapid.T) *everything {
	e := &everything{text: checkout.Kind(rapid.String().Draw(t, "text")), blob: bytesOf(t, "blob"), flag: rapid.Bool().Draw(t, "flag"),
		small: rapid.Uint16().Draw(t, "small"), large: rapid.Uint64().Draw(t, "large"), fine: time.Duration(rapid.Int64().Draw(t, "fine")),
		coarse: time.Duration(rapid.Int64Range(-9e9, 9e9).Draw(t, "coarse")) * time.Second,
		time:   timeOf(t, "time"), place: refOf(t, "place"), runs: runsOf(t, "runs"), named: namedOf(t), heads: headsOf(t), stamp: stampOf(t)}
	copy(e.array[:], bytesOf(t, "array"))
	return e
}

func rowOf(t *rapid.T) *Row {
	text := func(what string) string { return rapid.String().Draw(t, what) }
	return &Row{Name: text("name"), Email: text("email"), Kind: text("kind"), Kit: text("kit"), Mask: text("mask"),
		Lookup: bytesOf(t, "lookup"), Sealed: bytesOf(t, "sealed"), Status: checkout.Status(rapid.IntRange(0, 2).Draw(t, "status")),
		Head: refOf(t, "head"), Condition: text("condition"), Pending: rapid.Bool().Draw(t, "pending"), Resolved: text("resolved"),
		Ref: text("ref"), ByDirectory: rapid.Bool().Draw(t, "by directory"),
		Loan: Loan{Holder: text("holder"), Since: refOf(t, "since"), At: stampOf(t), Lost: rapid.Bool().Draw(t, "lost"), Station: text("station"), Kit: text("kit"),
			Length: time.Duration(rapid.Int64Range(0, 1e6).Draw(t, "length")) * time.Second}}
}

func outboxOf(t *rapid.T) *OutboxRow {
	text := func(what string) string { return rapid.String().Draw(t, what) }
	o := &OutboxRow{Device: text("device"), State: OutboxState(rapid.IntRange(0, 4).Draw(t, "state")), Attempts: rapid.IntRange(0, 1e6).Draw(t, "attempts"),
		Next: timeOf(t, "next"), Reason: text("reason"), Remedy: text("remedy"), Step: text("step"), Force: rapid.Bool().Draw(t, "force")}
	if rapid.Bool().Draw(t, "theirs") {
		o.Theirs = &books.Holding{Free: rapid.Bool().Draw(t, "free"), Ref: text("their ref"), ID: "x" + text("their id"), Name: text("their name")}
	}
	return o
}

// holds checks what must hold of every form, with a value of it.
func holds[T any](t *rapid.T, form func(*T) []Field, v *T) {
	b := Pack(form(v))
	got, err := Unpack(form, b)
	if err != nil || !reflect.DeepEqual(&got, v) {
		t.Fatalf("got  %+v, %v\nwant %+v", got, err, *v)
	}
	// Nothing that was read shares memory with the record.
	scribbled := bytes.Clone(b)
	got, err = Unpack(form, scribbled)
	clear(scribbled)
	if err != nil || !reflect.DeepEqual(&got, v) {
		t.Fatalf("the value changed with the record: %+v, %v", got, err)
	}
	// A newer program may add fields, anywhere and of any length.
	const unknown = 250
	more := slices.Concat(appendField(nil, unknown, []byte("new")), b, appendField(nil, unknown, make([]byte, 300)))
	if got, err := Unpack(form, more); err != nil || !reflect.DeepEqual(&got, v) {
		t.Fatalf("with unknown fields: %+v, %v", got, err)
	}
	// Cut at the end of a field it is a record with fewer fields; elsewhere it is an error.
	ends, at := map[int]bool{0: true}, 0
	if err := fields(b, func(_ byte, body []byte) bool {
		at += len(binary.AppendUvarint([]byte{0}, uint64(len(body)))) + len(body)
		ends[at] = true
		return true
	}); err != nil {
		t.Fatal(err)
	}
	cut := rapid.IntRange(0, len(b)).Draw(t, "cut")
	short, err := Unpack(form, b[:cut])
	if (err == nil) != ends[cut] || err != nil && !errors.Is(err, errShort) {
		t.Fatalf("cut at %d of %d: %+v, %v", cut, len(b), short, err)
	}
	if again := Pack(form(&short)); err == nil && !bytes.Equal(again, b[:cut]) {
		t.Fatalf("cut at %d of %d: %+v", cut, len(b), short)
	}
}

// TestForms writes and reads random values of every form.
func TestForms(t *testing.T) {
	for name, check := range map[string]func(*rapid.T){
		"every kind of field": func(t *rapid.T) { holds(t, everyForm, everythingOf(t)) },
		"row":                 func(t *rapid.T) { holds(t, RowForm, rowOf(t)) },
		"outbox":              func(t *rapid.T) { holds(t, OutboxForm, outboxOf(t)) },
		"sink": func(t *rapid.T) {
			holds(t, SinkForm, &Sink{rapid.Uint16().Draw(t, "index"), rapid.Uint64().Draw(t, "queued"), rapid.Uint64().Draw(t, "done"),
				rapid.String().Draw(t, "place"), refOf(t, "from"), rapid.String().Draw(t, "name")})
		},
		"boot": func(t *rapid.T) {
			holds(t, BootForm, &Boot{refOf(t, "first"), rapid.Bool().Draw(t, "resolved"), time.Duration(rapid.Int64().Draw(t, "offset"))})
		},
		"unknown": func(t *rapid.T) {
			holds(t, UnknownForm, &Unknown{rapid.String().Draw(t, "number"), rapid.IntRange(0, 64).Draw(t, "bits"),
				rapid.IntRange(0, 1e6).Draw(t, "count"), timeOf(t, "first"), stampOf(t),
				bytesOf(t, "sealed"), rapid.String().Draw(t, "reader"), rapid.String().Draw(t, "fits"), rapid.Bool().Draw(t, "ignored")})
		},
		"chain": func(t *rapid.T) { holds(t, ChainForm, &Chain{hashOf(t, "id"), rapid.String().Draw(t, "name")}) },
		"person": func(t *rapid.T) {
			holds(t, personForm, &person{rapid.String().Draw(t, "id"), rapid.String().Draw(t, "name"), rapid.String().Draw(t, "tag"), ""})
		},
		"side": func(t *rapid.T) {
			holds(t, sideForm, &side{rapid.Bool().Draw(t, "erased"),
				Links{refOf(t, "device"), refOf(t, "person"), refOf(t, "from"), refOf(t, "resolved")},
				Secrets{bytesOf(t, "person"), bytesOf(t, "from"), bytesOf(t, "actor"), bytesOf(t, "note")}})
		},
	} {
		t.Run(name, rapid.MakeCheck(check))
	}
}

// TestTags: a tag stands for one field of a form, for ever. A change here means that
// files of today are misread.
func TestTags(t *testing.T) {
	for name, got := range map[string][]byte{
		"events 1-18 19-24 25-31 32-37 45-46 50-54 60-62": tagsOf(coreForm(&core{Event: &Event{}})),
		"sides 1-5 32-35":                   tagsOf(sideForm(new(side))),
		"rows 1-28 40-46 50-50 60-66 90-92": tagsOf(RowForm(new(Row))),
		"outbox 1-12":                       tagsOf(OutboxForm(new(OutboxRow))),
		"sinks 1-6":                         tagsOf(SinkForm(new(Sink))),
		"boots 1-3":                         tagsOf(BootForm(new(Boot))),
		"unknown 1-8 12-15":                 tagsOf(UnknownForm(new(Unknown))),
		"chains 1-2":                        tagsOf(ChainForm(new(Chain))),
		"people 1-4":                        tagsOf(personForm(new(person))),
		"heads 1-4":                         tagsOf(headForm(new(checkout.Head))),
		"holdings 1-4":                      tagsOf(holdingForm(new(books.Holding))),
	} {
		var want []byte
		for _, part := range bytes.Fields([]byte(name))[1:] {
			var first, last byte
			if _, err := fmt.Sscanf(string(part), "%d-%d", &first, &last); err != nil {
				t.Fatal(err)
			}
			for tag := first; tag <= last; tag++ {
				want = append(want, tag)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func tagsOf(fields []Field) (tags []byte) {
	for _, f := range fields {
		tags = append(tags, f.tag)
	}
	slices.Sort(tags)
	return tags
}

// TestBadFields: a field whose bytes are not a value of its kind is refused.
func TestBadFields(t *testing.T) {
	endless := bytes.Repeat([]byte{0x80}, 11)
	for what, field := range map[string][]byte{
		"an array that is short":     appendField(nil, 3, make([]byte, 4)),
		"an array that is long":      appendField(nil, 3, make([]byte, 6)),
		"a number without an end":    appendField(nil, 6, endless),
		"a duration without an end":  appendField(nil, 7, endless),
		"a time without an end":      appendField(nil, 9, endless),
		"a place of one number":      appendField(nil, 10, []byte{1}),
		"a place of three numbers":   appendField(nil, 10, []byte{1, 2, 3}),
		"a place in chain 65536":     appendField(nil, 10, appendUvarints(nil, math.MaxUint16+1, 1)),
		"a run without its end":      appendField(nil, 11, []byte{1, 2, 3}),
		"a run without an end":       appendField(nil, 11, endless),
		"named runs that are cut":    appendField(nil, 16, []byte{1, 9}),
		"named runs without an end":  appendField(nil, 16, appendField(nil, 2, []byte{1})),
		"a head that is cut":         appendField(nil, 17, []byte{1, 9}),
		"a boot id that is too long": appendField(nil, 12, make([]byte, 17)),
		"a length without an end":    append([]byte{1}, endless...),
		"a length of nothing":        {1},
		"a length beyond the record": binary.AppendUvarint([]byte{1}, math.MaxUint64),
	} {
		if v, err := Unpack(everyForm, field); !errors.Is(err, errShort) {
			t.Errorf("%s: %+v, %v", what, v, err)
		}
	}
	for what, field := range map[string][]byte{"text": appendField(nil, 10, []byte("x")), "boots": {1, 1}} {
		if o, err := Unpack(OutboxForm, field); err == nil {
			t.Errorf("%s: %+v", what, o)
		}
	}
}

// TestFlag: only the byte 1 is true, whatever a later program writes.
func TestFlag(t *testing.T) {
	for value, want := range map[string]bool{"\x01": true, "\x00": false, "\x02": false, "\x01\x01": false} {
		if v, err := Unpack(everyForm, appendField(nil, 4, []byte(value))); err != nil || v.flag != want {
			t.Errorf("%x: %v, %v", value, v.flag, err)
		}
	}
}

// TestZeroIsAbsent: a value with nothing in it takes no space.
func TestZeroIsAbsent(t *testing.T) {
	for name, b := range map[string][]byte{"row": Pack(RowForm(&Row{})), "everything": Pack(everyForm(&everything{})), "outbox": Pack(OutboxForm(&OutboxRow{}))} {
		if len(b) > 0 {
			t.Errorf("%s: %x", name, b)
		}
	}
}

// TestRows seals rows and opens them, also with other bytes behind them.
func TestRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := Envelope{Tree: rapid.SampledFrom(Trees).Draw(t, "tree"), Rev: rapid.Uint64().Draw(t, "rev"), Key: bytesOf(t, "key"), Body: bytesOf(t, "body")}
		b := v.Seal()
		got, err := Open(append(bytes.Clone(b), bytesOf(t, "rest")...))
		if err != nil || got.Tree != v.Tree || got.Rev != v.Rev || !bytes.Equal(got.Key, v.Key) || !bytes.Equal(got.Body, v.Body) || got.Size != len(b) {
			t.Fatalf("%+v, %v", got, err)
		}
		bit := rapid.IntRange(0, len(b)*8-1).Draw(t, "bit")
		flipped := bytes.Clone(b)
		flipped[bit/8] ^= 1 << (bit % 8)
		if _, err := Open(flipped); !errors.Is(err, ErrNotRow) {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
		if _, err := Open(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]); !errors.Is(err, ErrNotRow) {
			t.Fatalf("cut: %v", err)
		}
	})
	long := Envelope{Tree: TreeMeta, Body: make([]byte, MaxSize+1)}
	if _, err := Open(long.Seal()); !errors.Is(err, ErrNotRow) {
		t.Errorf("a body of %d bytes: %v", MaxSize+1, err)
	}
}

// TestTreeNames: every tree has a bucket of its own.
func TestTreeNames(t *testing.T) {
	names := map[string]bool{}
	for _, tr := range Trees {
		names[string(tr.Bucket())] = true
	}
	want := []string{"boots", "devices", "events", "meta", "outbox", "people", "tags", "unknown"}
	if got := slices.Sorted(maps.Keys(names)); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestKeys: keys sort as places do, and only a key is read as one.
func TestKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := refOf(t, "a"), refOf(t, "b")
		sink := rapid.Uint16().Draw(t, "sink")
		if got, ok := ParseEventKey(EventKey(a)); !ok || got != a {
			t.Fatalf("%v is read as %v", a, got)
		}
		if got, s, ok := ParseOutboxKey(OutboxKey(a, sink)); !ok || got != a || s != sink {
			t.Fatalf("%v for sink %d is read as %v for %d", a, sink, got, s)
		}
		if bytes.Compare(EventKey(a), EventKey(b)) != a.Compare(b) {
			t.Fatalf("%v and %v sort otherwise than their keys", a, b)
		}
		if !bytes.HasPrefix(OutboxKey(a, sink), EventKey(a)) {
			t.Fatal("the rows of an event don't begin with its key")
		}
		other := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "key")
		if _, ok := ParseEventKey(other); ok != (len(other) == 10) {
			t.Fatalf("a key of %d bytes", len(other))
		}
		if _, _, ok := ParseOutboxKey(other); ok != (len(other) == 12) {
			t.Fatalf("a key of %d bytes", len(other))
		}
	})
	if next := At(3, 7).Next(); next != At(3, 8) {
		t.Errorf("after 7 comes %v", next)
	}
}

// TestOutboxStates: the words are those of the API, and each says who acts.
func TestOutboxStates(t *testing.T) {
	for state, want := range map[OutboxState]struct {
		word  string
		stuck bool
	}{Queued: {"queued", false}, Parked: {"parked", true}, Sending: {"sending", false}, InDoubt: {"lost", true}, Conflict: {"conflict", true}, 9: {"unknown", false}} {
		if state.String() != want.word || state.Stuck() != want.stuck {
			t.Errorf("%d: %s, stuck %v", state, state, state.Stuck())
		}
	}
}
