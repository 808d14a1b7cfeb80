package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/stock"
	"stump/internal/books"
)

// found is what a stock-taking has found, as "ipad missing".
func found(is books.Stock) string {
	var all []string
	for _, r := range is.Rows {
		all = append(all, r.ID+" "+string(r.Finding))
	}
	return strings.Join(all, ", ")
}

// stockLab is a ledger with two people and the ipad.
func stockLab(t *testing.T, sinks ...string) *tester {
	x := newEmptyLedger(t)
	for _, id := range []string{"ann", "ben"} {
		x.ok(x.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id[:1]) + id[1:], Email: id + "@example.org"}, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	x.ok(x.AddDevice(books.Device{ID: "ipad", Name: "The ipad"}, tag(11), "root", checkout.SourceCLI))
	x.o.Sinks = sinks
	x.reopen()
	return x
}

// TestStock is a stock-taking from its begin to what is put right.
func TestStock(t *testing.T) {
	x := stockLab(t)
	add := func(id, box string) {
		x.ok(x.AddDevice(books.Device{ID: id, Name: strings.ToUpper(id), Kit: box}, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	for _, id := range []string{"box", "drill", "lamp", "old", "saw", "torch"} {
		add(id, "")
	}
	add("cable", "box")
	give := func(device, person string) {
		t.Helper()
		_, err := x.Give(books.Request{Device: device, Person: person, Actor: "root"})
		x.ok(err)
	}
	count := func(device string) SeenAt {
		t.Helper()
		got, err := x.Counted(device, "door", "", checkout.SourceReader)
		x.ok(err)
		return got
	}
	var no *checkout.RefusedError
	if _, err := x.Counted("lamp", "door", "", checkout.SourceReader); !errors.Is(err, books.ErrNoStock) || errors.As(err, &no) {
		t.Errorf("before it begins: %v", err)
	}
	if _, err := x.FinishStock(false, "root", checkout.SourceCLI); !errors.Is(err, checkout.ErrRefused) {
		t.Errorf("before it begins: %v", err)
	}
	retired := checkout.Retired
	x.ok(x.EditDevice("old", books.Edit{Status: &retired}, "root", checkout.SourceCLI))
	_, err := x.Lose(books.Request{Device: "saw", Actor: "root"})
	x.ok(err)
	give("lamp", "ann")
	give("torch", "ben")
	is, err := x.StartStock("root", checkout.SourceCLI)
	x.ok(err)
	want(t, "at first", found(is), "box missing, cable missing, drill missing, ipad missing")
	for i, id := range []string{"box", "lamp", "old", "saw"} {
		if got := count(id); got.Seen != i+1 || got.Again || got.Device.ID != id {
			t.Errorf("%s: %+v", id, got)
		}
	}
	if got := count("box"); !got.Again || got.Seen != 4 {
		t.Errorf("the box again: %+v", got)
	}
	give("box", "ben") // with the cable
	x.reopen()
	if is, err = x.StartStock("root", checkout.SourceCLI); err != nil || is.Seen != 4 {
		t.Errorf("it goes on: %+v, %v", is, err)
	}
	want(t, "then", found(is), "drill missing, ipad missing, lamp here, old unused, saw found")
	if _, err := x.CorrectStock("root", checkout.SourceCLI); !errors.Is(err, checkout.ErrRefused) {
		t.Errorf("put right while it goes on: %v", err)
	}
	is, err = x.FinishStock(false, "root", checkout.SourceCLI)
	x.ok(err)
	want(t, "at the end", found(is), "drill missing, ipad missing, lamp here, old unused, saw found")
	count2, err := x.Counted("drill", "door", "", checkout.SourceReader)
	if !errors.Is(err, books.ErrNoStock) || count2.Seen != 0 {
		t.Errorf("after its end: %v", err)
	}
	give("drill", "ann") // somebody has it
	is, err = x.Stock()
	x.ok(err)
	want(t, "later", found(is), "ipad missing, lamp here, old unused, saw found")
	is, err = x.CorrectStock("root", checkout.SourceCLI)
	x.ok(err)
	want(t, "put right", found(is), "old unused")
	var notes []string
	for e, err := range x.History(books.HistoryFilter{Kind: books.AnyKind}) {
		x.ok(err)
		if e.Kind == checkout.Stock || e.Note == "stock-taking" {
			notes = append(notes, fmt.Sprint(e.Kind, " ", e.Device, e.Person, " ", e.Note))
		}
	}
	want(t, "the events", strings.Join(notes, "; "), "stock  ; stock  seen: 4, missing: 2, here: 1, found: 1, unused: 1; lost ipad stock-taking; return lampann stock-taking; found saw stock-taking")
	x.verify()
	_, err = x.StartStock("root", checkout.SourceCLI)
	x.ok(err)
	is, err = x.FinishStock(true, "root", checkout.SourceCLI)
	x.ok(err)
	want(t, "the next one", fmt.Sprint(is.Seen, " ", found(is)), "0 ")
	x.verify()
}

// TestBring: a device comes back without a badge, if somebody has it, with what is in it.
func TestBring(t *testing.T) {
	x := stockLab(t, MailSink)
	x.ok(x.AddDevice(books.Device{ID: "cable", Name: "Cable", Kit: "ipad"}, checkout.Tag{}, "root", checkout.SourceCLI))
	ipad, err := x.Scanned("ipad")
	x.ok(err)
	var no *checkout.RefusedError
	if _, err := x.Bring(ipad, "box"); !errors.As(err, &no) || !no.NotOut {
		t.Errorf("nobody has it: %v", err)
	}
	_, err = x.Give(books.Request{Device: "ipad", Person: "ann", Actor: "root"})
	x.ok(err)
	ev, err := x.Bring(ipad, "box")
	x.ok(err)
	want(t, "the event", fmt.Sprint(ev.Kind, " ", ev.Person, " from ", ev.From, " at ", ev.Reader, " ", ev.Along), "return  from ann at box [Cable]")
	for _, id := range []string{"ipad", "cable"} {
		d, err := x.FindDevice(id)
		x.ok(err)
		want(t, id+" is with", d.Holder, "")
	}
	var told []string
	for e, err := range x.History(books.HistoryFilter{Kind: checkout.Notify}) {
		x.ok(err)
		told = append(told, e.Person+" "+e.Stage+" "+e.Note)
	}
	want(t, "told", strings.Join(told, "; "), "ann left Cable")
	retired := checkout.Retired
	x.ok(x.EditDevice("ipad", books.Edit{Status: &retired}, "root", checkout.SourceCLI))
	if _, err := x.Bring(ipad, "box"); !errors.As(err, &no) || no.NotOut {
		t.Errorf("retired: %v", err)
	}
	x.verify()
}

// TestStockModel compares a stock-taking with one who writes down on paper what happens, and
// at its end looks at each device in turn.
func TestStockModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := stockLab(t)
		defer x.Close()
		devices := []string{"a", "b", "c", "box", "part"}
		for _, id := range devices {
			box := ""
			if id == "part" {
				box = "box"
			}
			x.ok(x.AddDevice(books.Device{ID: id, Name: id, Kit: box}, checkout.Tag{}, "root", checkout.SourceCLI))
		}
		retired := checkout.Retired
		x.ok(x.EditDevice("ipad", books.Edit{Status: &retired}, "root", checkout.SourceCLI))
		type moment struct{ seen, moved int }
		paper := map[string]*moment{"ipad": {}}
		for _, id := range devices {
			paper[id] = &moment{}
		}
		clock, open := 0, false
		now := func() map[string]books.Device {
			all := map[string]books.Device{}
			for d, err := range x.Devices(books.Page{}) {
				x.ok(err)
				all[d.ID] = d
			}
			return all
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			id := rapid.SampledFrom(append(slices.Clone(devices), "ipad")).Draw(rt, "device")
			was := now()
			r := books.Request{Device: id, Person: rapid.SampledFrom([]string{"ann", "ben"}).Draw(rt, "person"), Actor: "root"}
			switch rapid.SampledFrom([]string{"give", "return", "lose", "find", "count", "count", "count", "start", "finish"}).Draw(rt, "what") {
			case "give":
				x.Give(r)
			case "return":
				x.Return(r)
			case "lose":
				x.Lose(r)
			case "find":
				x.Find(r)
			case "count":
				if _, err := x.Counted(id, "door", "", checkout.SourceReader); (err == nil) != open {
					rt.Fatalf("counted while open is %v: %v", open, err)
				}
				if clock++; open {
					paper[id].seen = clock
				}
			case "start":
				_, err := x.StartStock("root", checkout.SourceCLI)
				x.ok(err)
				if !open {
					for _, m := range paper {
						*m = moment{}
					}
				}
				open = true
			case "finish":
				if _, err := x.FinishStock(false, "root", checkout.SourceCLI); (err == nil) != open {
					rt.Fatalf("finished while open is %v: %v", open, err)
				}
				open = false
			}
			for id, is := range now() {
				if w := was[id]; w.Holder != is.Holder || w.Lost != is.Lost {
					clock++
					paper[id].moved = clock
				}
			}
			if !open {
				continue
			}
			is, err := x.Stock()
			x.ok(err)
			var expected []string
			for _, id := range []string{"a", "b", "box", "c", "ipad", "part"} {
				d, m := now()[id], paper[id]
				seen := m.seen > m.moved
				if id == "part" && paper["box"].seen > 0 && d.Holder == "" && m.moved == 0 {
					seen = true
				}
				switch {
				case d.Status == checkout.Retired:
					if seen {
						expected = append(expected, id+" "+string(stock.Unused))
					}
				case seen && d.Lost:
					expected = append(expected, id+" "+string(stock.Found))
				case seen && d.Holder != "":
					expected = append(expected, id+" "+string(stock.Here))
				case !seen && !d.Lost && d.Holder == "" && m.moved == 0:
					expected = append(expected, id+" "+string(stock.Missing))
				}
			}
			if got := found(is); got != strings.Join(expected, ", ") {
				rt.Fatalf("found %q, on paper %q", got, strings.Join(expected, ", "))
			}
		}
	})
}
