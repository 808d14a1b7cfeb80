package register

import "stump/internal/console/ui"

// Words are the texts of these pages in one language, beside those that all pages share.
type Words struct {
	*ui.Words

	ChangeIt, Change, NewPerson, NewDevice, Add, Save, StartOver, Facts                                 string
	Mail, Groups, GroupsHint, MailLanguage, OfTheStation, ByDirectory, LinkHint, ConditionHint, KitHint string
	IDHint, BadgeNumber, TagNumber, Number, NumberHint, ByNameOrID                                      string
	AddBadge, BumpIt, BumpTag, BumpInstead, FirstTag, NewTag, TagDoes                                   string
	Works, Replaced, BadgeLost, BadgeFound                                                              string
	TakesPart, Activate, Suspend, SuspendDoes, Retire, RetireDoes                                       string
	Service, TakeOut, BackIn, AddPart, PartOut                                                          string
	Merge, MergeInto, MergeDoes, TwinIs, LookAtTwin                                                     string
	Correct, Needed, ThereNow, Nothing, TypedStays, SentBefore                                          string
	DataHeld, Dossier, DossierDoes, Erase, EraseIt, EraseDoes                                           string
	Goes, GoesRow, GoesEvents, GoesLogin                                                                string
	Stays, StaysEvents, StaysBackups, StaysPlaces                                                       string
	EraseHas, TypeWord, EraseWord, OtherWord                                                            string
	Reminders, NoReminders, PastLoans, Back                                                             string
	KeptTitle, KeptHow, LogInThere, SendAgain                                                           string
}

// WordsIn are the texts in the language of a page.
func WordsIn(w *ui.Words) *Words {
	own, ok := words[w.Language]
	if !ok {
		own = words["en"]
	}
	with := *own
	with.Words = w
	return &with
}

var words = ui.Texts[Words]("register")
