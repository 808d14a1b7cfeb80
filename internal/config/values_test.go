package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"stump/directory/mail"
	"stump/directory/webhook"
	"stump/hw/board"
	"stump/internal/hint"
	"stump/internal/signin"
	"stump/wiegand"
)

// badValues has a value for each key that it can't have, and what is allowed
// instead. A key's table is made of its path.
var badValues = []struct{ key, value, allowed string }{
	{"station", `"a b"`, "1 to 64"},
	{"listen", `"0.0.0.0:80"`, "127.0.0.1"},
	{"log_level", `"loud"`, `"debug"`},

	{"reader.name", `"a\tb"`, "1 to 64"},
	{"reader.data0", `"17"`, `"GPIO17" or "pin 17"`},
	{"reader.data0", `"pinctrl:x"`, `"pinctrl-bcm2711:17"`},
	{"reader.data0", `" "`, `"GPIO17"`},
	{"reader.data1", `"chip:-1"`, `"pinctrl-bcm2711:17"`},
	{"reader.formats", `["H103"]`, "H10301"},
	{"reader.preset", `"etsy"`, `"original"`},
	{"reader.badge.facilities", `[70000]`, "0 to 65535"},
	{"reader.badge.facilities", `[-1]`, "0 or more"},
	{"reader.badge.min", `-1`, "0 or more"},
	{"reader.badge.min", `40000000000`, "0 to 34359738367"},
	{"reader.badge.max", `-1`, "0 or more"},
	{"reader.badge.raw", `1`, "true or false"},
	{"reader.device.facilities", `[-1]`, "0 or more"},
	{"reader.device.min", `-1`, "0 or more"},
	{"reader.device.max", `-1`, "0 or more"},
	{"reader.device.raw", `"yes"`, "true or false"},
	{"reader.kind", `"osdp"`, `"serial"`},
	{"reader.device", `"/dev/ttyUSB0"`, `kind = "usb" or "serial"`},
	{"reader.device.path", `"/dev/ttyUSB0"`, `kind = "usb" or "serial"`},
	{"reader.layout", `"us"`, `kind = "usb"`},
	{"reader.number", `"hex"`, `kind = "usb"`},
	{"reader.normalize", `["reverse"]`, `"reverse-bytes"`},
	{"reader.normalize", `["as H103"]`, "H10301"},
	{"reader.normalize", `["as UID64"]`, "leave that step"},
	{"reader.repeat", `"6m"`, `"5m"`},
	{"reader.keypad", `"6bit"`, `"4bit"`},
	{"reader.returns", `"device"`, `"with-badge" or "device-alone"`},
	{"reader.keypad_enrols", `"name"`, `"employee-number"`},
	{"reader.keypad_enrols", `"employee-number"`, `keypad = "4bit" or "8bit"`},
	{"reader.bias", `"up"`, `"pull-up"`},
	{"reader.active_low", `1`, "true or false"},
	{"reader.swapped", `"yes"`, "true or false"},
	{"reader.converter", `"opto"`, `"bss138"`},

	{"format.name", `"a b"`, "without spaces"},
	{"format.bits", `0`, "1 to 128"},
	{"format.bits", `129`, "1 to 128"},
	{"format.facility", `"1-99"`, "64 at most"},
	{"format.number", `"x"`, "count from 0"},
	{"format.issue", `"27"`, "0 to 25"},
	{"format.oem", `"27"`, "0 to 25"},
	{"format.parity", `[{ bit = 26, kind = "even", covers = "1-2" }]`, "0 to 25"},
	{"format.parity", `[{ bit = 0, kind = "odder", covers = "1-2" }]`, `"even" or "odd"`},
	{"format.fixed", `[{ bit = 1, value = 2 }]`, "0 or 1"},

	{"desk.window", `"999ms"`, `"1s" and "1h"`},
	{"desk.window", `"61m"`, `"1s" and "1h"`},
	{"desk.window", `"60"`, `"60s"`},
	{"desk.held_by_other", `"keep"`, `"refuse"`},
	{"desk.batch_window", `"2h"`, `"0s" (off) to "1h"`},
	{"desk.batch_window", `5`, `"5s"`},
	{"enroll.people", `"all"`, `"free"`},

	{"display.kind", `"oled"`, `"terminal"`},
	{"display.size", `"8x2"`, `"16x2"`},
	{"display.language", `"xx"`, `"en"`},
	{"display.rom", `"A01"`, "A00, A02"},
	{"display.bus", `"1"`, `"/dev/i2c-1"`},
	{"display.address", `300`, "0x20 to 0x27"},
	{"display.address", `7`, "0x20 to 0x27"},
	{"display.map", `"other"`, "common or lcdproc"},
	{"display.light_low", `0`, "true or false"},
	{"display.port", `"serial0"`, `"/dev/serial0"`},
	{"display.baud", `-1`, "300 to 115200"},
	{"display.baud", `9600000`, "300 to 115200"},

	{"lights.green", `{ line = "" }`, `"GPIO17"`},
	{"lights.red", `{ line = "23" }`, `"GPIO23"`},
	{"lights.beeper", `{ open_drain = true }`, `"GPIO17"`},
	{"lights.green.line", `"pin"`, `"pin 11"`},
	{"lights.green.active_low", `"x"`, "true or false"},
	{"lights.green.open_drain", `"x"`, "true or false"},

	{"keyboard.device", `"usb"`, `"auto", "off"`},
	{"keyboard.layout", `"xx"`, `"us"`},

	{"directory.kind", `"ldap"`, `"snipeit"`},
	{"directory.connect_timeout", `"-1s"`, "positive"},
	{"directory.answer_timeout", `"3"`, `"3s"`},
	{"directory.total_timeout", `3`, `"3s"`},
	{"directory.settle_time", `"-1m"`, "positive"},
	{"directory.pull_every", `60`, `"60s"`},
	{"directory.unknown_for", `"soon"`, `"60s"`},
	{"directory.known_for", `"-24h"`, "positive"},
	{"directory.loans_every", `"-30s"`, "positive"},
	{"directory.require_activated", `"no"`, "true or false"},
	{"webhook.kinds", `["borrowed"]`, `"checkout"`},
	{"webhook.format", `"discord"`, `"slack", "teams"`},
	{"webhook.connect_timeout", `"-1s"`, "positive"},
	{"webhook.answer_timeout", `"-1s"`, "positive"},
	{"webhook.total_timeout", `9`, `"9s"`},

	{"loans.length", `"14"`, `"14d"`},
	{"loans.length", `"-1h"`, "positive"},
	{"clock.trust", `"gps"`, `"ntp" or "rtc"`},
	{"loans.days", `["mon", "monday"]`, "some of sun, mon"},
	{"loans.until", `"6pm"`, `such as "18:00"`},
	{"loans.until", `"24:00"`, `such as "18:00"`},
	{"loans.until", `"00:00"`, `such as "18:00"`},
	{"loans.reserved", `"off"`, `"warn" or "refuse"`},
	{"loans.no_show", `"1s"`, "until the reservation is over"},
	{"lab.stale", `"10s"`, "use \"1m\" to \"168h\""},
	{"loans.holidays", `"holidays.ics"`, `such as "/etc/stump/holidays.ics"`},
	{"loans.holidays", `"ftp://host/holidays.ics"`, "an https address"},
	{"loans.needs", `{ drone = [] }`, "name the groups"},
	{"loans.needs", `{ drone = [" "] }`, "name the groups"},
	{"loans.limit", `{ phone = 0 }`, "phone = 3"},
	{"loans.overdue", `"off"`, `"warn" or "refuse"`},
	{"loans.notify", `["checkout"]`, `there is no mail server`},
	{"loans.notify", `["extend"]`, `"checkout", "handover" or "return"`},
	{"loans.kits", `"ask"`, `"trust" or "check"`},
	{"mail.tls", `"plain"`, `"starttls"`},
	{"alerts.after", `"0s"`, `"10m" is usual`},
	{"alerts.after", `"200h"`, `"10m" is usual`},
	{"alerts.mail", `"lab"`, `"lab@lab.example"`},
	{"alerts.mail", `"lab@lab.example"`, "name a mail server in [mail]"},
	{"alerts.format", `"discord"`, `"slack", "teams" or "text"`},
	{"alerts.connect_timeout", `"5"`, `"5s"`},
	{"alerts.answer_timeout", `5`, `"5s"`},
	{"alerts.total_timeout", `"-5s"`, `"90s"`},
	{"loans.remind", `["1w"]`, `["-1d", "0d", "3d"]`},
	{"loans.remind_at", `"nine"`, `"09:00", or "any"`},
	{"loans.extend", `-1`, "0 (only admins extend loans) to 100"},
	{"loans.extend", `101`, "0 (only admins extend loans) to 100"},
	{"backup.keep", `-1`, "0 (no backups) to 1000"},
	{"backup.keep", `1001`, "0 (no backups) to 1000"},
	{"backup.also", `"usb/stump"`, "/mnt/usb/stump"},
	{"web.listen", `"8443"`, `":8443"`},
	{"web.listen", `":https"`, `":8443"`},
	{"web.listen", `":70000"`, `":8443"`},
	{"web.url", `"http://stump.lab"`, "https://"},
	{"web.url", `"stump.lab:8443"`, "https://"},
	{"web.url", `"https://stump.lab/console"`, "https://"},
	{"web.url", `"https://ann@stump.lab"`, "https://"},
	{"web.certificate", `"web.pem"`, "/etc/stump/web.pem"},
	{"web.certificate", `"/etc/stump/web.pem"`, "give key too"},
	{"web.key", `"/etc/stump/web.pem"`, "give certificate too"},
	{"web.key", `"web.pem"`, "/etc/stump/web.pem"},
	{"web.board", `"all"`, `"holders"`},
	{"web.oidc.issuer", `"id.lab.example"`, "https://id.lab.example"},
	{"web.oidc.issuer", `"http://id.lab.example"`, "https://id.lab.example"},
	{"web.oidc.issuer", `"https://id.lab.example/?x=1"`, "https://id.lab.example"},
	{"web.oidc.issuer", `"https://id.lab.example"`, `listen = ":8443"`},
	{"web.oidc.roles", `{ root = "wheel" }`, "board, staff, technician or admin"},
	{"backup.run", `[]`, "rclone"},
	{"backup.run", `[""]`, "rclone"},
	{"backup.run", `["rclone copyto {file} remote:"]`, "apart"},
	{"backup.run", `["bin/push", "{file}"]`, "rclone"},
	{"backup.run", `["cp", "{path}", "/x"]`, "{file}"},
	{"backup.run", `"rclone"`, "every key"},
	{"privacy.retain_closed_loans", `"x"`, `"14d"`},
}

// freeText are keys that take any text, or that package directory checks when
// it opens the place: docs/directory.md.
var freeText = []string{
	"reader.colours.*", "format.description", "display.texts", "display.lines", "loans.kinds", "loans.groups", "loans.help", "backup.dir", "privacy.key_file",
	"directory.checkinout", "directory.whatis", "directory.associate", "directory.hash_string", "directory.hash_string_file",
	"directory.words_in", "directory.words_out", "directory.free_locations", "directory.event_parameter", "directory.url", "directory.token_file",
	"directory.ca_file", "directory.proxy", "directory.badge_field", "directory.badge_transform", "directory.badge_form",
	"directory.device_field", "directory.device_transform", "directory.device_form", "directory.zone",
	"web.oidc.client_id", "web.oidc.client_secret_file", "web.oidc.scopes", "web.oidc.roles_claim", "web.oidc.person_claim",
	"mail.server", "mail.from", "mail.user", "mail.password_file", "mail.ca_file", "mail.admin",
	"alerts.url", "alerts.secret_file", "alerts.ca_file", "alerts.proxy",
	"webhook.name", "webhook.url", "webhook.template", "webhook.templates", "webhook.secret_file", "webhook.ca_file", "webhook.proxy",
}

// source is a file that gives key a value, and the line on which it does.
func source(key, value string) (src string, line int) {
	path := strings.Split(key, ".")
	last := len(path) - 1
	switch {
	case last == 0:
		return key + " = " + value + "\n", 1
	case path[0] == "reader" || path[0] == "webhook":
		src = "[[" + path[0] + "]]\n"
	case path[0] == "format":
		src = "[[format]]\n"
		for _, needed := range []struct{ key, value string }{{"name", `"site"`}, {"bits", "26"}, {"number", `"1-16"`}} {
			if needed.key != path[1] {
				src += needed.key + " = " + needed.value + "\n"
			}
		}
	default:
		src = "[" + path[0] + "]\n"
	}
	line = strings.Count(src, "\n") + 1
	if last == 2 { // a table in the line
		rest := ""
		if path[0] == "lights" && path[2] != "line" {
			rest = `line = "GPIO22", `
		}
		return src + path[1] + " = { " + rest + path[2] + " = " + value + " }\n", line
	}
	return src + path[1] + " = " + value + "\n", line
}

// TestBadValues: the error has the line, the key and what is allowed.
func TestBadValues(t *testing.T) {
	for _, tt := range badValues {
		src, line := source(tt.key, tt.value)
		_, err := Parse("stump.toml", src)
		if err == nil {
			t.Errorf("%s = %s: accepted", tt.key, tt.value)
			continue
		}
		where, rest, _ := strings.Cut(err.Error(), ": ")
		named, _, _ := strings.Cut(rest, ": ")
		if want := "stump.toml:" + string(rune('0'+line)); where != want {
			t.Errorf("%s = %s: %v: it is on line %d", tt.key, tt.value, err, line)
		}
		if named != tt.key && !strings.HasPrefix(tt.key, named+".") {
			t.Errorf("%s = %s: %v: the key is not named", tt.key, tt.value, err)
		}
		if all := err.Error() + " / " + hint.Of(err); !strings.Contains(all, tt.allowed) {
			t.Errorf("%s = %s: %s: want %q in it", tt.key, tt.value, all, tt.allowed)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s = %s: more than a line: %v", tt.key, tt.value, err)
		}
	}
}

// TestEveryKeyIsTried keeps a new key from taking anything in silence.
func TestEveryKeyIsTried(t *testing.T) {
	known := func(key string) bool {
		for _, b := range badValues {
			if b.key == key {
				return true
			}
		}
		return slices.ContainsFunc(freeText, func(free string) bool {
			prefix, all := strings.CutSuffix(free, "*")
			return free == key || all && strings.HasPrefix(key, prefix)
		})
	}
	ours := []reflect.Type{reflect.TypeFor[webhook.Config](), reflect.TypeFor[mail.Config](), reflect.TypeFor[board.Colours](), reflect.TypeFor[wiegand.CustomFormat](), reflect.TypeFor[Rule](), reflect.TypeFor[signin.Config]()}
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, path string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous {
				walk(f.Type, path)
				continue
			}
			name := f.Tag.Get("toml")
			if name == "" || name == "-" {
				continue
			}
			inner := f.Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && (strings.HasPrefix(inner.PkgPath(), "stump/internal/config") || slices.Contains(ours, inner)) {
				walk(inner, path+name+".")
				continue
			}
			// The three lights are of one type: the tries of the first will do.
			if key := strings.NewReplacer("red.", "green.", "beeper.", "green.").Replace(path + name); !known(key) {
				t.Errorf("no bad value of %s is tried", path+name)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

// TestGoodValues are at the ends of what is allowed.
func TestGoodValues(t *testing.T) {
	for _, tt := range []struct{ key, value string }{
		{"display.address", "0x08"}, {"display.address", "0x77"}, {"display.address", "0"}, {"display.baud", "300"}, {"display.baud", "115200"},
		{"display.baud", "0"}, {"backup.keep", "0"}, {"backup.keep", "1000"}, {"desk.window", `"1s"`}, {"desk.window", `"1h"`},
		{"desk.batch_window", `"0s"`}, {"reader.badge.facilities", "[0, 65535]"}, {"reader.badge.min", "34359738367"},
		{"reader.data0", `"pin 11"`}, {"reader.data0", `"pin P9_12"`}, {"reader.data0", `"4804c000:28"`}, {"reader.data0", `"P9_22 [spi0_sclk]"`},
		{"keyboard.device", `"/dev/input/by-id/usb-Acme-event-kbd"`}, {"keyboard.device", `"auto"`}, {"loans.length", `"0s"`}, {"loans.length", `"14d"`},
		{"loans.holidays", `"/etc/stump/holidays.ics"`}, {"loans.holidays", `"webcal://host/holidays.ics"`},
		{"directory.pull_every", `"0s"`}, {"directory.answer_timeout", `"250ms"`}, {"display.bus", `""`}, {"lights.green.line", `"GPIO22"`},
		{"webhook.kinds", `["checkout", "return", "handover"]`},
		{"web.listen", `":8443"`}, {"web.listen", `"127.0.0.1:0"`}, {"web.listen", `"[::1]:8443"`}, {"web.url", `"https://stump.lab:8443/"`}, {"web.board", `"off"`},
		{"backup.also", `"/mnt/usb/stump"`}, {"backup.also", `""`}, {"backup.run", `["rclone", "copyto", "{file}", "remote:stump/{name}"]`},
		{"backup.run", `["/usr/bin/awk", "{name}{ file }"]`},
	} {
		src, _ := source(tt.key, tt.value)
		if _, err := Parse("stump.toml", src); err != nil {
			t.Errorf("%s = %s: %v", tt.key, tt.value, err)
		}
	}
}

// TestOIDC: what belongs together.
func TestOIDC(t *testing.T) {
	const whole = `[web]
listen = ":8443"
[web.oidc]
issuer = "https://id.lab.example"
client_id = "stump"
client_secret_file = "/etc/stump/oidc-secret"
roles = { admin = "lab-admins" }
`
	if c, err := Parse("stump.toml", whole); err != nil || c.Web.OIDC.Roles["admin"] != "lab-admins" {
		t.Errorf("%v", err)
	}
	if _, err := Parse("stump.toml", strings.Replace(whole, "https://id.lab.example", "http://127.0.0.1:8080", 1)); err != nil {
		t.Errorf("a provider on this machine: %v", err)
	}
	for without, want := range map[string]string{
		`listen = ":8443"`: "no browser can log in", `client_id = "stump"`: "client_id is missing", `roles = { admin = "lab-admins" }`: "no group has a role",
	} {
		if _, err := Parse("stump.toml", strings.Replace(whole, without, "", 1)); err == nil || !strings.Contains(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("without %s: %v", without, err)
		}
	}
	if _, err := Parse("stump.toml", strings.Replace(whole, "/etc/stump/", "", 1)); err == nil || !strings.Contains(err.Error(), "is not a path") {
		t.Errorf("%v", err)
	}
}
