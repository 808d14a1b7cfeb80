// Package ui has what all pages share: the frame, the words in four languages, times as
// people read them, and the files for browsers.
package ui

import (
	"cmp"
	"net/http"
	"strings"
)

// Words are the texts of the pages in one language. %s stand for names and times.
type Words struct {
	Language string // its code

	Board, My, Devices, People, LogIn, LogOut, Skip      string
	WhoHasWhat, Out, Overdue, DueSoon, Free, All         string
	Device, Person, Since, Due, Kind, State, Kit         string
	Parts, InIt, Missing, NotBack                        string
	Find, LabAway, NothingOut, NothingFound, NothingFree string
	NoKind, NoHistory                                    string
	Before, Unknown, NotOnTime, NoEnd, Doubtful, Lost    string
	Retired, Suspended, OutUntil, With, Nobody           string
	Return, Give, GiveTo, Extend, Until, Note, Condition string
	Fine, Damaged, Incomplete, ReportLost, ReportFound   string
	ReportFault, WhatIsWrong                             string
	History, When, What, Who, Serial, Place, Tag, Link   string
	NotFound, NotFoundHint, Changed, NotConnected        string
	YouHaveNothing, LogInHint, Badges, Has, MoreRows     string
	Saved, ShowAll, Optional, Page, DueAt, ItWas         string
	MoreLinks, FindPerson, FindDevice                    string
	Stations, BadRows                                    string

	// The page of imports.
	Import, LookAgain, AnotherFile, WhatIsIn, CSVFile, ImportHint, LookAtIt string
	ColumnsTitle, LeaveOut, NotYet, Line, Added, Altered, Unchanged         string

	// The page of reports.
	Reports, SinceText, TakenTitle, MonthsTitle, Times, LongestTitle, DaysTitle, UnusedTitle, UndatedText string

	// The audit and the settings.
	Audit, Settings, ChangesTitle, RefusedTitle, From, TokensTitle, OnlyOnce   string
	NameTitle, RoleTitle, UsedTitle, Revoke, AddToken, ConfigTitle, ConfigHint string

	// Calendars.
	Calendar, CalendarMine, CalendarDevice, CalendarHint, NewAddress string

	// The page of labels.
	Labels, OnASheet, AlreadyGone, LabelHint         string
	Inbox, NothingToDo, FaultsHere, NobodysTags      string
	TwoStories, NotTaken, PartsMissing, UnknownBadge string
	ReservedTwice, StationsDiffer                    string
	UnknownDevice, UnknownTag, SeenTimes, SeenLast   string
	SeenAt, Assign, Ignore, IgnoreDoes, AssignTo     string
	APerson, ADevice, RetryIt, RetryDoes, AcceptIt   string
	AcceptDoes, DoubtDoes, DropIt, DropDoes, HereIs  string
	ThereIs, Why, ToDo, AtPlace, MissingPart         string
	WaitsGone                                        string

	// The page of enrolments.
	EnrolTitle, NameOf, ShowTag, BumpNow, HasTag, UndoIt, Undone, NotShown, Reload string

	Days, Months [12]string
	// OfMonth is a day before its month, and InDays a span of at least two.
	OfMonth, InDays string
	// Kinds are what happened, by the kind of event.
	Kinds Dict
}

// words are those of the pages' languages, in their order.
var words = func() (all []*Words) {
	texts := Texts[Words]("ui")
	for _, language := range languages {
		texts[language].Language = language
		all = append(all, texts[language])
	}
	return all
}()

// In returns the words in the first language that a browser asks for and there are words in,
// or else in the station's.
func In(r *http.Request, station string) *Words {
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") { // browsers send them in order
		if w := of(strings.TrimSpace(tag)); w != nil {
			return w
		}
	}
	return Spoken(station)
}

// Spoken returns the words in the station's language.
func Spoken(station string) *Words { return cmp.Or(of(station), words[0]) }

// of returns the words of a language such as "de-CH;q=0.9"; nil if there are none.
func of(tag string) *Words {
	for _, w := range words {
		if rest, ok := strings.CutPrefix(strings.ToLower(tag), w.Language); ok && (rest == "" || strings.ContainsAny(rest[:1], "-;")) {
			return w
		}
	}
	return nil
}
