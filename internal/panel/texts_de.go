package panel

var german = map[string]string{
	"idle":          "{open}\t{clock}\n{count}\t{mark}\nAusweis oder Gerät antippen",
	"open":          "Offen",
	"count-none":    "Alles da",
	"count-out":     "{out} verliehen",
	"count-overdue": "{out} weg, {overdue} spät",
	"mark":          "↑",

	"greet":        "Hallo {person}\nGerät antippen",
	"log-in":       "Hallo {person}\nAnmelden: {number}\nGerät antippen",
	"device-free":  "{device}\nAusweis antippen\nGerät ist frei",
	"device-held":  "{device}\nhat {holder}\nAusweis antippen",
	"doubtful":     "{device}\nunklar\n{holder}\nAusweis antippen",
	"was-doubtful": "{device}\nwar unklar\nBitte melden",

	"lies": "{device}\nliegt am Leser",

	"checked-out":  "Ausgeliehen\n{device}\n{person}",
	"returned":     "Zurückgegeben\n{device}\n{person}",
	"returned-for": "Zurückgegeben\n{device}\nfür {from}\nvon {person}",
	"handed-over":  "Weitergegeben\n{device}\nvon {from}\nan {person}",
	"pending":      "Ist vorgemerkt\n{number}\nName noch unbekannt",
	"enrolled":     "Chip gehört nun\nzu {person}{device}",

	"refused":          "Nicht möglich\n{detail}",
	"refused-handover": "Noch bei\n{holder}\n{device}",
	"unknown-tag":      "Unbekannter Chip\nNochmal: {ended}\n{number}",
	"unknown-badge":    "Fremder Ausweis\nNochmal: {ended}\n{number}\nBitte melden",
	"unknown-device":   "Fremdes Gerät\n{number}\nBitte melden",
	"retired":          "Außer Dienst\n{device}",
	"suspended":        "Bitte melden\nNochmal: {ended}\n{person}\ndarf nicht leihen",
	"lost-badge":       "Ausweis verloren\nNochmal: {ended}\nBitte melden",
	"old-badge":        "Alter Ausweis\nNochmal: {ended}\nBitte melden",
	"ended":            "Neuer Ausweis da\nNochmal: {ended}",
	"name-unknown":     "Name unbekannt\n{detail}",
	"cancelled":        "Abgebrochen",

	"bad-read":       "Lesefehler\nnochmal antippen",
	"unknown-format": "Format unbekannt\nNochmal: {ended}\n{number} Bit\nBitte melden",
	"cannot-save":    "Nicht gesichert\nBitte melden",
	"disk-stopped":   "Nicht gesichert\nBitte Neustart",
	"saving":         "Speichert noch\nBitte warten",
	"timeout":        "Zeit abgelaufen\nBitte neu tippen",

	"enrol-next":     "Bitte tippen für\n{person}{device}",
	"type-name":      "Name eintippen:\n\r{detail}_",
	"type-name-hint": "{person}?\n\r{detail}_",
	"type-name-tab":  "Tab: {person}\n\r{detail}_",
	"type-number":    "Nummer, dann #:\n\r{detail}_",

	"reader-fault": "Leser gestört\n{detail}",
	"testing":      "Wird geprüft\nkeine Ausleihe",
	"salvaged":     "Buch beschädigt\nBitte melden",
	"display-code": "Code eintippen:\n{number}",
	"fingerprint":  "Zertifikat {detail}\n{number}",
	"stopped":      "Außer Betrieb\nBitte melden",
}
