package panel

import (
	"maps"
	"slices"
	"time"
)

// key is what the program knows of a text: who may change the words need not
// know when it is shown.
type key struct {
	signal Signal
	stay   time.Duration // 0: the desk's window
	about  string
}

// typing is whether a text is one of those that follow each other while a
// name is typed: the beeper doesn't sound for every letter.
func typing(k string) bool {
	return k == "type-name" || k == "type-name-hint" || k == "type-name-tab"
}

const (
	brief = 3 * time.Second
	usual = 4 * time.Second
	long  = 8 * time.Second
)

// keys are all texts of the catalogue except those of the idle screen.
var keys = map[string]key{
	"greet":       {SignalWaiting, 0, "a known badge; a device is awaited"},
	"device-free": {SignalWaiting, 0, "a device that nobody has; a badge is awaited"},
	"device-held": {SignalWaiting, 0, "a device that {holder} has; a badge is awaited"},

	"checked-out":  {SignalDone, usual, "{person} has the device now"},
	"returned":     {SignalDone, usual, "{person} brought the device back"},
	"returned-for": {SignalDone, usual, "{person} brought back what {from} had"},
	"handed-over":  {SignalDone, usual, "the device went from {from} to {person}"},
	"pending":      {SignalSavedNotSynced, usual, "saved; who or what {number} is will be asked later"},
	"enrolled":     {SignalDone, usual, "a tag was given to {person} or {device}"},

	"refused":          {SignalRefused, usual, "not possible, for the reason in {detail}"},
	"refused-handover": {SignalRefused, usual, "{holder} has the device and must return it first"},
	"unknown-tag":      {SignalRefused, long, "a tag that fits no rule"},
	"unknown-badge":    {SignalRefused, long, "a badge that nobody has"},
	"unknown-device":   {SignalRefused, long, "a device tag that is on no device"},
	"retired":          {SignalRefused, usual, "{device} is no longer lent"},
	"suspended":        {SignalRefused, usual, "{person} may not borrow now, or is no longer here"},
	"name-unknown":     {SignalRefused, usual, "the register has no person of the typed name {detail}"},
	"cancelled":        {SignalNone, brief, "typing a name was given up"},

	"bad-read":    {SignalBadRead, brief, "a damaged read"},
	"cannot-save": {SignalRefused, long, "the tap could not be written to the disk: it did not count"},
	"saving":      {SignalWaiting, time.Hour, "the disk takes seconds to write the tap: it does not count yet"},
	"timeout":     {SignalNone, brief, "the second tap didn't come"},

	"enrol-next":     {SignalWaiting, 0, "the next unknown tag will belong to {person} or {device}"},
	"type-name":      {SignalWaiting, 0, "an unknown badge; its owner types a name, {detail} so far"},
	"type-name-hint": {SignalWaiting, 0, "as type-name, and Enter would take {person}"},
	"type-name-tab":  {SignalWaiting, 0, "as type-name, and Tab would take {person}, Enter what was typed"},

	"reader-fault": {SignalRefused, long, "the reader's lines are faulty, {detail} says how"},
	"testing":      {SignalNone, usual, "a self-test or a scope has the lines: cards become no loans"},
	"salvaged":     {SignalRefused, long, "the ledger was damaged and put aside"},
	"display-code": {SignalNone, time.Minute, "the self-test's code {number}, to be typed by the technician"},
	"stopped":      {SignalNone, brief, "the station has stopped; this stays on the display"},
}

// idleKeys are the texts of the idle screen. "idle" takes {open}, {clock},
// {count} and {mark}, which the others fill.
var idleKeys = map[string]string{
	"idle":          "the idle screen: {open}, {clock} if the clock is trusted, {count} and {mark}",
	"open":          "nothing is wrong",
	"count-none":    "every device is in the lab",
	"count-out":     "{out} devices are out",
	"count-overdue": "{out} devices are out, {overdue} of them too long",
	"mark":          "the directory is behind",
}

// Keys returns the names of all texts, sorted.
func Keys() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for k := range maps.Keys(keys) {
			if !yield(k) {
				return
			}
		}
		for k := range maps.Keys(idleKeys) {
			if !yield(k) {
				return
			}
		}
	})
}
