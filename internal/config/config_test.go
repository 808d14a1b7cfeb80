package config

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"stump/hw/board"

	"stump/internal/hint"
	"stump/wiegand"
)

func TestRejections(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      string // of the error, after the file's name
		hint      string // part of it
	}{
		{"unknown top", "statoin = \"x\"\n", `:1: unknown key "statoin"`, `did you mean "station"?`},
		{"unknown in table", "\n[desk]\n# here\nbatch = \"1s\"\n", `:4: unknown key "desk.batch"`, "`stump config example`"},
		{"unknown in table, near", "[desk]\nbatch_windw = \"1s\"\n", `:2: unknown key "desk.batch_windw"`, `did you mean "batch_window"?`},
		{"unknown in second reader", "[[reader]]\nname = \"a\"\n[[reader]]\nname = \"b\"\ndata3 = \"x\"\n", `:5: unknown key "reader.data3"`, `did you mean "data0"?`},
		{"unknown in inline table", "[[reader]]\nbadge = { facility = [17] }\n", `:2: unknown key "reader.badge.facility"`, `did you mean "facilities"?`},
		{"unknown table", "[dsek]\nwindow = \"1m\"\n", `:1: unknown key "dsek"`, `did you mean "desk"?`},
		{"unknown in webhook", "[[webhook]]\nulr = \"https://x\"\n", `:2: unknown key "webhook.ulr"`, `did you mean "url"?`},
		{"unknown in directory", "[directory]\nkind = \"local\"\nchekinout = \"x\"\n", `:3: unknown key "directory.chekinout"`, `did you mean "checkinout"?`},

		{"no value", "[desk]\nwindow =\n", `:2: `, "`stump config example`"},
		{"twice", "station = \"a\"\nstation = \"b\"\n", `:2: `, "`stump config example`"},
		{"wrong type", "[desk]\nheld_by_other = 5\n", `:2: desk.held_by_other: must be a string, not an integer`, "`stump config example`"},
		{"a list for a string", "[[reader]]\nname = [\"a\"]\n", `:2: `, "`stump config example`"},
		{"a string for a list", "[[reader]]\nformats = \"H10301\"\n", `:2: `, "`stump config example`"},
		{"a string for a table", "desk = \"x\"\n", `:1: `, "`stump config example`"},
		{"a word for true", "[[reader]]\nactive_low = \"yes\"\n", `:2: reader.active_low: must be true or false, not a string`, "`stump config example`"},
		{"a table for tables", "[reader]\nname = \"a\"\n", `:1: reader: must be a list, not a table`, "[[reader]], in two brackets"},
		{"a list for a table", "[[reader]]\nbadge = [17]\n", `:2: reader.badge: must be a table, not a list`, "`stump config example`"},
		{"a date", "[backup]\nkeep = 2026-01-01\n", `:2: backup.keep: must be an integer, not a date`, "`stump config example`"},
		{"a table of the second reader", "[[reader]]\nname = \"a\"\n[[reader]]\nname = \"b\"\n[reader.badge]\nmin = 5\nmax = 2\n", `:5: reader.badge: min 5 is above max 2`, "smaller number first"},
		{"a key twice", "[desk]\nwindow = \"30s\"\nwindow = \"40s\"\n", `:3: key 'desk.window' has already been defined`, "`stump config example`"},
		{"no duration", "[desk]\nwindow = \"soon\"\n", `:2: desk.window: "soon" is not a length of time`, `write "60s"`},
		{"a duration without its unit", "[desk]\nwindow = \"60\"\n", `:2: desk.window: "60" is not a length of time`, `"60s", "60m" or "60h"`},
		{"days without their unit", "[loans]\nlength = \"14\"\n", `:2: loans.length: "14" is not a length of time`, `"14d"`},
		{"negative address", "[display]\naddress = -1\n", `:2: display.address: -1 is not an address`, "0x20 to 0x27"},

		{"empty station", "station = \"\"\n", `:1: station: "" can't be a station's name`, "1 to 64 letters"},
		{"station with a space", "station = \"lab 1\"\n", `:1: station: "lab 1" can't be a station's name`, "1 to 64 letters"},
		{"log level", "log_level = \"verbose\"\n", `:1: log_level: "verbose" is not known`, `use "debug", "info", "warn" or "error"`},
		{"log level, near", "log_level = \"warning\"\n", `:1: log_level: "warning" is not known`, `"warn"`},
		{"listen everywhere", "listen = \":80\"\n", `:1: listen: ":80" listens everywhere`, `"127.0.0.1:8080"`},
		{"listen elsewhere", "listen = \"10.0.0.1:80\"\n", `:1: listen: "10.0.0.1" is not a loopback address`, `"127.0.0.1:8080"`},
		{"listen without port", "listen = \"127.0.0.1\"\n", `:1: listen: "127.0.0.1" is not an address with a port`, `"127.0.0.1:8080"`},
		{"listen on a bad port", "listen = \"127.0.0.1:http\"\n", `:1: listen: "http" is not a port`, `"127.0.0.1:8080"`},

		{"short window", "[desk]\nwindow = \"500ms\"\n", `:2: desk.window: 500ms is not a time to wait for the second bump`, `"60s" is usual`},
		{"window in bare seconds", "[desk]\nwindow = 60\n", `:2: desk.window: 60ns is too short to be meant`, `such as "60s"`},
		{"long window", "[desk]\nwindow = \"2h\"\n", `:2: desk.window: 2h0m0s`, `"1h"`},
		{"negative batch", "[desk]\nbatch_window = \"-1s\"\n", `:2: desk.batch_window: -1s is negative`, `or "0s"`},
		{"a second folder without backups", "[backup]\nkeep = 0\nalso = \"/mnt/usb\"\n", `:3: backup.also: keep = 0 makes no backups`, "leave this out"},
		{"a command without backups", "[backup]\nkeep = 0\nrun = [\"true\"]\n", `:3: backup.run: keep = 0 makes no backups`, "leave this out"},
		{"the same folder twice", "[backup]\ndir = \"/mnt/usb\"\nalso = \"/mnt/usb/\"\n", `:3: backup.also: "/mnt/usb/" is the folder of dir`, "another disk"},
		{"policy", "[desk]\nheld_by_other = \"steal\"\n", `:2: desk.held_by_other: "steal" is not known`, `use "handover", "return" or "refuse"`},
		{"enrolment", "[enroll]\npeople = \"known\"\n", `:2: enroll.people: "known" is not known`, `"known-people"`},

		{"format", "[[reader]]\nformats = [\"H10301\", \"H10307\"]\n", `:2: reader.formats: `, "H103"},
		{"format of the second reader", "[[reader]]\nname = \"a\"\n\n[[reader]]\nname = \"b\"\nformats = [\"H1\"]\n", `:6: reader.formats: `, "H103"},
		{"preset", "[[reader]]\npreset = \"etsy\"\n", `:2: reader.preset: "etsy" is not known`, `"original"`},
		{"keypad", "[[reader]]\nkeypad = \"6bit\"\n", `:2: reader.keypad: "6bit" is not known`, `did you mean "4bit"?`},
		{"bias", "[[reader]]\nbias = \"up\"\n", `:2: reader.bias: `, `"pull-up"`},
		{"converter", "[[reader]]\nconverter = \"optical\"\n", `:2: reader.converter: "optical" is not known`, `"bss138"`},
		{"lines", "[[reader]]\ndata0 = \"GPIO4\"\ndata1 = \"GPIO4\"\n", `:3: reader.data1: both data lines are "GPIO4"`, "DATA0 is the green wire"},
		{"reader names", "[[reader]]\nname = \"a\"\n[[reader]]\nname = \"a\"\ndata0 = \"GPIO4\"\n", `:4: reader.name: two readers are called "a"`, "a name of its own"},
		{"rule", "[[reader]]\nbadge = { min = 9, max = 3 }\n", `:2: reader.badge: min 9 is above max 3`, "smaller number first"},
		{"own format", "[[format]]\nname = \"site\"\nbits = 0\n", `:3: format.bits: 0: a frame has 1 to 128 bits`, "count from 0"},
		{"own format's field", "[[format]]\nname = \"site\"\nbits = 26\nnumber = \"1-99\"\n", `:4: format.number: 99 bits: a field has 64 at most`, "count from 0"},
		{"the same line twice", "[lights]\ngreen = { line = \"gpio17\" }\n", `:2: lights.green: "gpio17" is already the line of reader.data0`, "its own line"},
		{"a display's line twice", "[display]\nkind = \"hd44780-gpio\"\nlines = { rs = \"A\", e = \"A\", d4 = \"B\", d5 = \"C\", d6 = \"D\", d7 = \"E\" }\n", `:3: display.lines.e: "A" is already the line of display.lines.rs`, "its own line"},

		{"display", "[display]\nkind = \"hd44780\"\n", `:2: display.kind: "hd44780" is not known`, `"hd44780-i2c"`},
		{"size", "[display]\nsize = \"2x16\"\n", `:2: display.size: `, `"16x2"`},
		{"language", "[display]\nkind = \"none\"\nlanguage = \"klingon\"\n", `:3: display.language: "klingon" is not known`, `"de"`},
		{"text", "[display.texts]\nopen = \"Lab\"\ngreat = \"Hi\"\n", `:3: display.texts.great: text "great": there is no such text`, `did you mean "greet"?`},
		{"placeholder", "[display.texts]\ngreet = \"Hi {name}\"\n", `:2: display.texts.greet: `, "docs/display.md"},
		{"layout", "[keyboard]\nlayout = \"dvorak\"\n", `:2: keyboard.layout: "dvorak" is not known`, `"us"`},
		{"directory", "[directory]\nkind = \"ldap\"\n", `:2: directory.kind: "ldap" is not known`, `"snipeit"`},
		{"loan", "[loans]\nlength = \"two weeks\"\n", `:2: loans.length: "two weeks" is not a length of time`, `"14d"`},
		{"no file's line", "[display]\n", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("stump.toml", tt.src)
			if tt.want == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			if want := "stump.toml" + tt.want; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error\n %s\nwant\n %s", err, want)
			}
			if h := hint.Of(err) + err.Error(); !strings.Contains(h, tt.hint) {
				t.Errorf("error %q, hint %q, want %q in one of them", err, hint.Of(err), tt.hint)
			}
			if strings.ContainsAny(err.Error(), "\n\t") {
				t.Errorf("error has more than a line: %q", err)
			}
		})
	}
}

// TestOverlap: a tag that fits both rules is a badge, which may not be meant.
func TestOverlap(t *testing.T) {
	for _, tt := range []struct {
		name          string
		badge, device *Rule
		want          bool
	}{
		{"no device rule", &Rule{}, nil, false},
		{"everything", &Rule{}, &Rule{Facilities: []uint64{1}}, true},
		{"a facility in both", &Rule{Facilities: []uint64{1, 2}}, &Rule{Facilities: []uint64{2}}, true},
		{"other facilities", &Rule{Facilities: []uint64{1, 2}}, &Rule{Facilities: []uint64{3}}, false},
		{"other numbers", &Rule{Facilities: []uint64{1}, Max: 99}, &Rule{Facilities: []uint64{1}, Min: 100}, false},
		{"one number", &Rule{Facilities: []uint64{1}, Max: 100}, &Rule{Facilities: []uint64{1}, Min: 100}, true},
		{"within", &Rule{Min: 10, Max: 20}, &Rule{Min: 1, Max: 100}, true},
		{"raw, whatever the facilities", &Rule{Facilities: []uint64{1}, Max: 9, Raw: true}, &Rule{Facilities: []uint64{2}, Min: 9, Raw: true}, true},
		{"raw numbers apart", &Rule{Max: 9, Raw: true}, &Rule{Min: 10, Raw: true}, false},
		{"raw and not", &Rule{Raw: true}, &Rule{}, false},
	} {
		if got := overlap(tt.badge, tt.device); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		if overlap(tt.device, tt.badge) != tt.want {
			t.Errorf("%s: not the same the other way round", tt.name)
		}
	}
	c, err := Parse("x", "[[reader]]\npreset = \"original\"\n")
	if err != nil || len(c.Warnings()) > 0 && strings.Contains(strings.Join(c.Warnings(), ""), "overlap") {
		t.Errorf("the original's rules overlap: %v %v", err, c.Warnings())
	}
}

// TestExampleIsDefault holds the example against what it documents: every key
// it sets is at the default, but for those that the comment says are plausible
// values.
func TestExampleIsDefault(t *testing.T) {
	got, err := Parse("example.toml", Example())
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	if err := want.Check(); err != nil {
		t.Fatal(err)
	}
	plausible := Config{Station: "lab-1"}
	if got.Station != plausible.Station {
		t.Errorf("station %q", got.Station)
	}
	got.Station = want.Station
	if r := got.Readers[0].Badge; r == nil || len(r.Facilities) == 0 || r.Max == 0 {
		t.Errorf("badge rule %+v shows not what it can do", r)
	}
	got.Readers[0].Badge, got.Readers[0].Device.Rule = nil, nil
	if got.Display.Texts["open"] != "Lab open" {
		t.Errorf("texts %v", got.Display.Texts)
	}
	got.Display.Texts = nil
	opts := []cmp.Option{cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Config{}, "Directory", "Webhooks")}
	if d := cmp.Diff(want, got, opts...); d != "" {
		t.Errorf("the example is not the default (-default +example):\n%s", d)
	}
}

// TestExampleNamesEveryKey keeps a new key from being added in silence.
func TestExampleNamesEveryKey(t *testing.T) {
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, path string) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || !strings.HasPrefix(typ.PkgPath(), "stump/internal/config") && typ != reflect.TypeFor[board.Colours]() {
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := f.Tag.Get("toml")
			if name == "" || name == "-" {
				continue
			}
			if !strings.Contains(Example(), name+" = ") && !strings.Contains(Example(), "["+name+"]") && !strings.Contains(Example(), "["+path+name+"]") {
				t.Errorf("the example does not name %s%s", path, name)
			}
			walk(f.Type, path+name+".")
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

// TestShowParsesAgain writes configurations as `stump config show` does and
// reads them again.
func TestShowParsesAgain(t *testing.T) {
	for name, src := range map[string]string{
		"nothing": "", "example": Example(),
		"original": "[[reader]]\npreset = \"original\"\n",
		"much": `station = "lab-2"
listen = "localhost:8080"
[[reader]]
name = "door"
formats = ["raw26", "H10302"]
badge = { facilities = [1, 2], min = 5 }
[[reader]]
name = "desk"
data0 = "pin 11"
data1 = "pinctrl-bcm2711:18"
device = { min = 100, max = 18446744073709 , raw = true }
[desk]
window = "90s"
batch_window = "1m30s"
[display.texts]
greet = "Hi {person}\nnow \"bump\" \\o/"
[directory]
kind = "endpoints"
checkinout = "https://host/c?staff_rfid_tag={staff}&asset_rfid_tag={asset}"
answer_timeout = "3s"
[[webhook]]
url = "https://host/hook"
[loans]
length = "14d"
kinds = { phone = "36h" }
`,
	} {
		t.Run(name, func(t *testing.T) {
			first, err := Parse("first", src)
			if err != nil {
				t.Fatal(err)
			}
			var shown, again bytes.Buffer
			if err := first.Write(&shown); err != nil {
				t.Fatal(err)
			}
			second, err := Parse("second", shown.String())
			if err != nil {
				t.Fatalf("%v in\n%s", err, shown.String())
			}
			if d := cmp.Diff(first, second, cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("-first +second\n%s", d)
			}
			if err := second.Write(&again); err != nil {
				t.Fatal(err)
			}
			if shown.String() != again.String() {
				t.Errorf("shown\n%s\nand again\n%s", shown.String(), again.String())
			}
		})
	}
}

func TestOriginalPreset(t *testing.T) {
	c, err := Parse("x", "[[reader]]\npreset = \"original\"\n")
	if err != nil {
		t.Fatal(err)
	}
	r := c.Readers[0]
	if len(r.Formats) != 1 || r.Formats[0] != "raw26" {
		t.Errorf("formats %v", r.Formats)
	}
	fits := func(r *Rule, n uint64) bool {
		return r.Contains(wiegand.BitsFromUint64(n, 26), wiegand.Fields{Number: n})
	}
	for _, tt := range []struct {
		n             uint64
		badge, device bool
	}{
		{90000, false, false}, {90001, true, false}, {7999999, true, false}, {8000000, false, false},
		{8000001, false, true}, {9989999, false, true}, {9990000, false, false},
	} {
		if b, d := fits(r.Badge, tt.n), fits(r.Device.Rule, tt.n); b != tt.badge || d != tt.device {
			t.Errorf("%d: badge %v, device %v", tt.n, b, d)
		}
	}
	// What the file says goes before the preset.
	c, err = Parse("x", "[[reader]]\npreset = \"original\"\nformats = [\"H10301\"]\nbadge = { min = 1, max = 2 }\n")
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Readers[0]; r.Formats[0] != "H10301" || r.Badge.Max != 2 || r.Device.Rule == nil {
		t.Errorf("%+v", r)
	}
}

func TestRule(t *testing.T) {
	format, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	fields := wiegand.Fields{Facility: 17, Number: 500}
	bits, err := format.Pack(fields)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := bits.Uint64()
	for _, tt := range []struct {
		name string
		rule *Rule
		want bool
	}{
		{"everything", &Rule{}, true},
		{"facility", &Rule{Facilities: []uint64{3, 17}}, true},
		{"other facility", &Rule{Facilities: []uint64{3}}, false},
		{"from", &Rule{Min: 500}, true},
		{"above", &Rule{Min: 501}, false},
		{"up to", &Rule{Max: 500}, true},
		{"below", &Rule{Max: 499}, false},
		{"raw", &Rule{Raw: true, Min: raw, Max: raw}, true},
		{"raw is not the number", &Rule{Raw: true, Min: 500, Max: 500}, false},
	} {
		if got := tt.rule.Contains(bits, fields); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
