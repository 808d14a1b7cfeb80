package panel

import (
	"strings"
	"testing"
	"time"

	"stump/internal/hint"
	"stump/lcd"
)

// sample has a short value for every placeholder.
func sample(key string) Message {
	m := Message{
		Key: key, Person: "Ann Fisher", Device: "iPad Mini G1", From: "Ben Okri",
		Holder: "Ben Okri", Number: "H10301:84:31066", Detail: "DATA0 is low",
	}
	switch key {
	case "checked-out", "due":
		m.At = time.Date(2026, 11, 30, 10, 42, 0, 0, time.UTC)
		m.Until = m.At.AddDate(0, 0, 4)
	case "out-of-service":
		m.At = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		m.Until, m.Day = m.At.AddDate(0, 0, 4), true
	case "needs-group":
		m.Detail = "trained"
	case "limit":
		m.Detail = "3 phone"
	case "device-reserved", "reserved", "reserved-too":
		m.At = time.Date(2026, 11, 30, 10, 42, 0, 0, time.UTC)
		m.When, m.Holder = m.At.AddDate(0, 0, 4), "Ben"
	case "enrolled", "enrol-next":
		m.Device = ""
	case "retired":
		m.Person = ""
	case "refused":
		m.Detail = "Ben Okri's badge"
	case "name-unknown":
		m.Detail = "Anne Fischer"
	case "type-name", "type-name-hint", "type-name-tab":
		m.Detail = "ann f"
	case "type-number":
		m.Detail = "4711"
	case "unknown-format":
		m.Number = "37"
	case "ended":
		m.Ended = "Ben Okri"
	case "stock", "stock-here":
		m.Number = "12"
	case "kit-parts":
		m.Number = "4"
	case "kit-part", "kit-without", "kit-asks", "kit-asks-name", "kit-type", "kit-missing":
		m.Device, m.Detail = "Box B", "Cable"
	case "log-in":
		m.Number = "482951"
	case "fingerprint":
		m.Number, m.Detail = "3F:A0:71:0C:D4", "1/7"
	case "display-code":
		m.Number = "4711"
	}
	return m
}

func a00(t *testing.T) *lcd.Charset {
	t.Helper()
	rom, err := lcd.ParseROM("A00")
	if err != nil {
		t.Fatal(err)
	}
	return rom
}

func sampleIdle() IdleInfo {
	return IdleInfo{Out: 12, Overdue: 3, Behind: true, Clock: time.Date(2026, 11, 21, 10, 42, 30, 0, time.UTC)}
}

func TestEveryLanguageSaysEverything(t *testing.T) {
	for lang, texts := range languages {
		for _, k := range keys() {
			text, ok := texts[k]
			if !ok || text == "" {
				t.Errorf("%s has no text %q", lang, k)
			}
		}
		for k, text := range texts {
			if err := CheckText(k, text); err != nil {
				t.Errorf("%s: %v", lang, err)
			}
		}
	}
}

// The words of the first two lines fit on 16x2 without moving; only names
// roll.
func TestWordsStandStill(t *testing.T) {
	for lang := range languages {
		c, err := NewCatalogue(lang, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, rom := range []*lcd.Charset{lcd.Unicode, a00(t), lcd.ASCII} {
			for k := range cues {
				for days, ended := range map[int]string{2: "", 6: "Al", 30: "", 400: ""} {
					m := Message{Key: k, Person: "Bo", Device: "Pi", From: "Al", Holder: "Al", Ended: ended, Number: "7", Detail: "x"}
					m.At = time.Date(2026, 11, 30, 10, 42, 0, 0, time.UTC)
					m.Until = m.At.AddDate(0, 0, days)
					switch k {
					case "log-in":
						m.Number = "482951"
					case "fingerprint":
						m.Number, m.Detail = "3F:A0:71:0C:D4", "7/7"
					}
					l := lcd.Lay(rom, size16x2, c.Text(m, size16x2))
					if l.Pass() != 0 {
						f, _ := l.At(0)
						t.Errorf("%s %q rolls: %q", lang, k, f.Rows())
					}
				}
			}
			idle := c.idle(sampleIdle(), size16x2)
			f, _ := lcd.Lay(rom, size16x2, idle).At(0)
			if lang != "original" && !(strings.HasSuffix(f.Rows()[0], " 10:42") && strings.Contains(f.Rows()[1], "12") && strings.Contains(f.Rows()[1], "3")) {
				t.Errorf("%s: idle is %q", lang, f.Rows())
			}
		}
	}
}

// The words that scripts look for.
func TestEnglishWordsThatScriptsKnow(t *testing.T) {
	c, _ := NewCatalogue("", nil)
	for key, want := range map[string]string{
		"checked-out": "Checked out", "returned": "Returned", "returned-for": "Returned", "handed-over": "Handed over",
		"bad-read": "Bad tag read    |tap again", "unknown-format": "Unknown format  |", "cannot-save": "Can't save      |see the desk",
	} {
		f, _ := lcd.Lay(a00(t), size16x2, c.Text(sample(key), size16x2)).At(0)
		if got := strings.Join(f.Rows(), "|"); !strings.HasPrefix(got, want) {
			t.Errorf("%s shows %q", key, got)
		}
	}
}

func TestTheOriginalsTexts(t *testing.T) {
	c, err := NewCatalogue("original", nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"checked-out": " _Checked Out_  |  It's Yours!   ",
		"returned":    "  _Checked In_  |Device Returned ",
		"bad-read":    "Bad Tag Read    |Please Tap Again",
		"cannot-save": "API Error       |Check Logs      ",
	} {
		f, _ := lcd.Lay(lcd.ASCII, size16x2, c.Text(sample(key), size16x2)).At(0)
		if got := strings.Join(f.Rows(), "|"); got != want {
			t.Errorf("%s shows %q, want %q", key, got, want)
		}
	}
	if got := c.idle(IdleInfo{}, size16x2); strings.TrimSpace(got) != "Lab is Open." {
		t.Errorf("idle: %q", got)
	}
}

func TestOwnTexts(t *testing.T) {
	c, err := NewCatalogue("en", map[string]string{"greet": "Hi {person}!", "greet@20x4": "Good day,\n{person}", "open": "Open"})
	if err != nil {
		t.Fatal(err)
	}
	m := Message{Key: "greet", Person: "Ann {device}\nX"}
	if got := c.Text(m, size16x2); got != "Hi Ann {device} X!" {
		t.Errorf("16x2: %q", got)
	}
	if got := c.Text(m, lcd.Size{Cols: 20, Rows: 4}); got != "Good day,\nAnn {device} X" {
		t.Errorf("20x4: %q", got)
	}
	if got := c.Text(Message{Key: "checked-out", Device: "Pixel"}, size16x2); got != "Checked out\nPixel" {
		t.Errorf("a line without its name stays: %q", got)
	}
	if c, err = NewCatalogue("en", map[string]string{"count-overdue": "{overdue}!"}); err != nil {
		t.Fatal(err)
	}
	if got := c.idle(IdleInfo{Overdue: 2}, size16x2); !strings.Contains(got, "2!") {
		t.Errorf("a text for 16x2 replaces the site's own: %q", got)
	}
	for own, want := range map[string]string{
		"greeet":     `"greet"`,
		"greet@9x9":  "16x2",
		"checkedout": `"checked-out"`,
	} {
		if _, err := NewCatalogue("en", map[string]string{own: "x"}); err == nil || !strings.Contains(err.Error()+" "+hint.Of(err), want) {
			t.Errorf("%s: %v (%s)", own, err, hint.Of(err))
		}
	}
	for own, text := range map[string]string{"greet": "Hi {name}", "idle": "{person}", "open": "{out}", "count-out": "{overdue}"} {
		if _, err := NewCatalogue("en", map[string]string{own: text}); err == nil {
			t.Errorf("%s = %q is taken", own, text)
		}
	}
	if _, err := NewCatalogue("nl", nil); err == nil || !strings.Contains(err.Error(), "de, en, es, fr, original") {
		t.Errorf("nl: %v", err)
	}
}

func TestIdleTexts(t *testing.T) {
	c, _ := NewCatalogue("en", nil)
	clock := time.Date(2026, 11, 21, 8, 5, 0, 0, time.UTC)
	for want, info := range map[string]IdleInfo{
		"Lab open        |All devices in  ": {},
		"Lab open   08:05|1 out           ": {Out: 1, Clock: clock},
		"Lab open        |12 out, 3 late ↑": {Out: 12, Overdue: 3, Behind: true},
		"Reader fault    |All devices in ↑": {Notice: "reader-fault", Behind: true},
		"Can't save 08:05|1 out           ": {Notice: "cannot-save", Out: 1, Clock: clock},
		"Bad tag read    |1 out           ": {Notice: "bad-read", Out: 1, Clock: clock},
	} {
		f, _ := lcd.Lay(a00(t), size16x2, c.idle(info, size16x2)).At(0)
		if got := strings.Join(f.Rows(), "|"); got != want {
			t.Errorf("%+v shows %q, want %q", info, got, want)
		}
	}
}

// A site may leave a text empty, such as the mark.
func TestEmptyTexts(t *testing.T) {
	c, err := NewCatalogue("en", map[string]string{"mark": "", "open@16x2": ""})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.idle(IdleInfo{Behind: true}, size16x2); got != "All devices in\t\nTap badge or device" {
		t.Errorf("it shows %q", got)
	}
}

// A notice is the first line that says something, in the site's own words.
func TestNoticesAreTexts(t *testing.T) {
	c, err := NewCatalogue("de", map[string]string{"reader-fault": "{detail}\nLeser kaputt"})
	if err != nil {
		t.Fatal(err)
	}
	for notice, want := range map[string]string{"reader-fault": "Leser kaputt", "testing": "Selbsttest: Eve", "watching": "Messung: Eve", "": "Offen"} {
		if got := c.idle(IdleInfo{Notice: notice, By: "Eve"}, size16x2); !strings.HasPrefix(got, want+"\t\n") {
			t.Errorf("%q shows %q", notice, got)
		}
	}
}

// A name is a name, whatever is in it.
func TestNamesAreNoPlaceholders(t *testing.T) {
	if _, err := NewCatalogue("en", map[string]string{"checked-out": "{ {device}{ /{person}/ {}\n{device}}\n{from}"}); err == nil {
		t.Fatal("a text with {} was taken")
	}
	c, err := NewCatalogue("en", map[string]string{"checked-out": "{ {device}{ /{person}/\n{device}}\n{from}"})
	if err != nil {
		t.Fatal(err)
	}
	got := c.Text(Message{Key: "checked-out", Device: "{person}", Person: "{device"}, size16x2)
	if want := "{ {person}{ /{device/\n{person}}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
