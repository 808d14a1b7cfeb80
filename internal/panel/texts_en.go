package panel

// english is the default. The first two lines are what a 16x2 display shows.
var english = map[string]string{
	"idle":               "{open}\t{clock}\n{count}\t{mark}\nTap badge or device",
	"open":               "Lab open",
	"count-none":         "All devices in",
	"count-out":          "{out} out",
	"count-overdue":      "{out} out, {overdue} overdue",
	"count-overdue@16x2": "{out} out, {overdue} late",
	"count-overdue@16x4": "{out} out, {overdue} late",
	"mark":               "↑",

	"greet":        "Hello {person}\nTap a device",
	"log-in":       "Hello {person}\nLog in: {number}\nTap a device",
	"device-free":  "{device}\nTap your badge\nIt is free",
	"device-held":  "{device}\nwith {holder}\nTap your badge",
	"doubtful":     "{device}\nin doubt\n{holder}\nTap your badge",
	"was-doubtful": "{device}\nwas in doubt\nSee the desk",

	"lies":      "{device}\nlies on the reader",
	"lies@16x2": "{device}\nlies on reader",
	"lies@16x4": "{device}\nlies on reader",

	"checked-out":  "Checked out\n{device}\n{person}",
	"returned":     "Returned\n{device}\n{person}",
	"returned-for": "Returned\n{device}\nfor {from}\nby {person}",
	"handed-over":  "Handed over\n{device}\nfrom {from}\nto {person}",
	"pending":      "Saved for later\n{number}\nName not known yet",
	"enrolled":     "Tag now belongs\nto {person}{device}",

	"refused":          "Not possible\n{detail}",
	"refused-handover": "Still with\n{holder}\n{device}",
	"unknown-tag":      "Unknown tag\nAgain: {ended}\n{number}",
	"unknown-badge":    "Unknown badge\nAgain: {ended}\n{number}\nSee the desk",
	"unknown-device":   "Unknown device\n{number}\nSee the desk",
	"retired":          "No longer in use\n{device}",
	"suspended":        "See the desk\nAgain: {ended}\n{person}\nmay not borrow now",
	"lost-badge":       "Lost badge\nAgain: {ended}\nsee the desk",
	"old-badge":        "Old badge\nAgain: {ended}\nsee the desk",
	"ended":            "Another badge\nAgain: {ended}",
	"name-unknown":     "No such person\n{detail}",
	"cancelled":        "Cancelled",

	"bad-read":       "Bad tag read\ntap again",
	"unknown-format": "Unknown format\nAgain: {ended}\n{number} bits\nSee the desk",
	"cannot-save":    "Can't save\nsee the desk",
	"disk-stopped":   "Can't save\nrestart station",
	"saving":         "Not saved yet\nplease wait",
	"timeout":        "Time is up\nstart again",

	"enrol-next":     "Tap the tag of\n{person}{device}",
	"type-name":      "Type your name:\n\r{detail}_",
	"type-name-hint": "{person}?\n\r{detail}_",
	"type-name-tab":  "Tab: {person}\n\r{detail}_",
	"type-number":    "Number, then #:\n\r{detail}_",

	"reader-fault": "Reader fault\n{detail}",
	"testing":      "Being tested\nno loans now",
	"salvaged":     "Ledger damaged\nsee the desk",
	"display-code": "Type this code:\n{number}",
	"fingerprint":  "Certificate {detail}\n{number}",
	"stopped":      "Out of service\nsee the desk",
}
